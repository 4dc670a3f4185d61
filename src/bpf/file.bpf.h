/*
 * file: what happened to files. Where a system call left a descriptor, the path comes from the
 * kernel; where it took a name, from the caller's memory (best effort).
 */
#pragma once

#include "bpf/calls.bpf.h"
#include "bpf/path.bpf.h"

enum {
    MODE_WRITE = 0x2,        /* FMODE_WRITE */
    MODE_CREATED = 0x100000, /* FMODE_CREATED */
    S_TYPE = 0170000,
    S_REGULAR = 0100000,
    S_FOLDER = 0040000,
    S_SOCKET = 0140000,
    ERROR_PERM = 1,
    ERROR_ACCESS = 13,
};

INLINE bool name_watched(const unsigned char *name, __u32 length)
{
    __u64 eight = 0;
    bpf_probe_read_kernel(&eight, sizeof eight, name); /* names are padded or followed by names */
    if (length < 8) {
        eight &= (1ULL << length * 8) - 1;
    }
    __u32 bit = watch_bit(eight, length);
    return (settings.watch[bit / 64 % WATCH_WORDS] >> bit % 64 & 1) != 0;
}

/* Does this file, or a folder close above it, bear a name that somebody watches? */
static __noinline int watched(struct dentry *dentry)
{
    for (int level = 0; level < WATCH_LEVELS; level++) {
        if (name_watched(READ(struct dentry, dentry, d_name.name),
                         READ(struct dentry, dentry, d_name.len))) {
            return 1;
        }
        dentry = READ(struct dentry, dentry, d_parent);
    }
    return 0;
}

INLINE void emit_opened(struct task_struct *task, enum record_kind kind, __u16 call,
                        struct file *file, struct inode *inode, __u32 mode)
{
    struct scratch *s = wanted(kind) ? begin(kind, task) : 0;
    if (s) {
        s->record.call = call;
        s->record.numbers[0] = READ(struct inode, inode, i_ino);
        s->record.numbers[1] = READ(struct super_block, READ(struct inode, inode, i_sb), s_dev);
        s->record.numbers[2] = mode;
        s->record.numbers[3] = READ(struct file, file, f_flags);
        put_file_path(s, this_slot(), PART_PATH, file);
        emit(s);
    }
}

/* open, openat, openat2, creat: the descriptor says what was opened. */
static __noinline int on_open(__u32 call, int fd)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct file *file = file_of(task, (__u32)fd);
    if (!file) {
        return 0;
    }
    __u32 file_mode = READ(struct file, file, f_mode);
    bool seen = wanted(RECORD_OPEN) && watched(READ(struct file, file, f_path.dentry));
    if (!seen && (file_mode & (MODE_WRITE | MODE_CREATED)) == 0) {
        return 0; /* nearly every open there is */
    }
    struct inode *inode = READ(struct file, file, f_inode);
    __u32 mode = READ(struct inode, inode, i_mode);
    if (seen) {
        emit_opened(task, RECORD_OPEN, (__u16)call, file, inode, mode);
    }
    if (file_mode & MODE_CREATED) {
        emit_opened(task, RECORD_CREATE, (__u16)call, file, inode, mode);
    } else if ((file_mode & MODE_WRITE) && (mode & S_TYPE) == S_REGULAR) {
        emit_opened(task, RECORD_MODIFY, (__u16)call, file, inode, mode);
    }
    return 0;
}

/* An open that the kernel refused: only the caller's word says of what, and guard looks whether
 * that is watched. */
static __noinline int on_refused(__u32 call, int dirfd, const char *path, int error)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct scratch *s = wanted(RECORD_OPEN) ? begin(RECORD_OPEN, task) : 0;
    if (s) {
        s->record.call = (__u16)call;
        s->record.error = error;
        put_user_path(s, this_slot(), dirfd, path);
        emit(s);
    }
    return 0;
}

/* One name: unlink, mkdir, truncate … */
static __noinline int on_name(__u32 kind_and_call, int dirfd, const char *path, __u64 first,
                              __u64 second)
{
    struct task_struct *task = bpf_get_current_task_btf();
    enum record_kind kind = kind_and_call >> 16;
    struct scratch *s = wanted(kind) ? begin(kind, task) : 0;
    if (s) {
        s->record.call = (__u16)kind_and_call;
        s->record.numbers[0] = first;
        s->record.numbers[1] = second;
        put_user_path(s, this_slot(), dirfd, path);
        emit(s);
    }
    return 0;
}

struct two_names {
    const char *old;
    const char *new;
    int old_dirfd;
    int new_dirfd;
    __u64 number;
};

/* Two names: rename, link. */
static __noinline int on_names(__u32 kind_and_call, struct two_names *names)
{
    struct task_struct *task = bpf_get_current_task_btf();
    enum record_kind kind = kind_and_call >> 16;
    struct scratch *s = wanted(kind) ? begin(kind, task) : 0;
    if (s) {
        s->record.call = (__u16)kind_and_call;
        s->record.numbers[0] = names->number;
        put_user_path(s, this_slot(), names->old_dirfd, names->old);
        put_user_path(s, this_slot(), names->new_dirfd, names->new);
        emit(s);
    }
    return 0;
}

/* The same as on_name(), through a descriptor: the path is the kernel's. */
static __noinline int on_descriptor(__u32 kind_and_call, __u32 fd, __u64 number)
{
    struct task_struct *task = bpf_get_current_task_btf();
    enum record_kind kind = kind_and_call >> 16;
    struct scratch *s = wanted(kind) ? begin(kind, task) : 0;
    if (s) {
        struct file *file = file_of(task, fd);
        s->record.call = (__u16)kind_and_call;
        s->record.numbers[0] = number;
        if (file) {
            s->record.numbers[1] = READ(struct inode, READ(struct file, file, f_inode), i_mode);
            put_file_path(s, this_slot(), PART_PATH, file);
        }
        emit(s);
    }
    return 0;
}

static __noinline int on_memfd(int fd, __u64 flags)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct scratch *s = wanted(RECORD_MEMFD) ? begin(RECORD_MEMFD, task) : 0;
    if (s) {
        struct file *file = file_of(task, (__u32)fd);
        s->record.numbers[0] = flags;
        if (file) {
            put_file_path(s, this_slot(), PART_PATH, file);
        }
        emit(s);
    }
    return 0;
}
