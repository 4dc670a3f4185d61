/*
 * path: absolute paths from the kernel's own tree of names.
 *
 * The walk goes from the leaf up through folders and mounts to the root of the mount namespace, and
 * writes the names in that order: guard turns them round, where loops cost nothing.
 */
#pragma once

#include "bpf/emit.bpf.h"

struct walk {
    struct dentry *dentry;
    struct mount *mount;
    __u32 slot;
    __u32 flags; /* of the part */
    __u64 end;   /* of scratch: a path may not crowd out what comes behind it */
};

INLINE void append_name(struct scratch *s, struct dentry *dentry)
{
    __u64 length = READ(struct dentry, dentry, d_name.len);
    const unsigned char *name = READ(struct dentry, dentry, d_name.name);
    append_kernel(s, name, length > NAME_BYTES ? NAME_BYTES : length);
    append_byte(s, 0);
}

static long walk_step(__u32 step, struct walk *w)
{
    struct scratch *s = scratch_at(w->slot);
    struct dentry *dentry = w->dentry;
    struct mount *mount = w->mount;
    if (!s || s->full || s->used > w->end) {
        w->flags |= PART_CUT;
        return 1;
    }
    if (dentry == READ(struct mount, mount, mnt.mnt_root)) {
        struct mount *up = READ(struct mount, mount, mnt_parent);
        w->dentry = READ(struct mount, mount, mnt_mountpoint);
        w->mount = up;
        return up == mount;
    }
    append_name(s, dentry);
    w->dentry = READ(struct dentry, dentry, d_parent);
    if (w->dentry == dentry) { /* the root of no mount: a memfd, a pipe, something unmounted */
        w->flags |= PART_DETACHED;
        return 1;
    }
    if (step == RECORD_DEPTH_MAX - 1) {
        w->flags |= PART_CUT;
    }
    return 0;
}

INLINE struct mount *mount_of(struct vfsmount *mnt)
{
    return (struct mount *)((char *)mnt - bpf_core_field_offset(struct mount, mnt));
}

/* A part with the path of `dentry` under `mnt`, both plain kernel addresses. */
static __noinline void put_walk(struct scratch *s, __u32 slot, enum part_kind kind,
                                struct vfsmount *mnt, struct dentry *dentry)
{
    struct walk w = {
        .dentry = dentry, .mount = mount_of(mnt), .slot = slot, .end = s->used + RECORD_PATH_MAX};
    __u64 part = open_part(s, kind);
    bpf_loop(RECORD_DEPTH_MAX, walk_step, &w, 0);
    close_part(s, part, (__u8)w.flags);
}

INLINE void put_file_path(struct scratch *s, __u32 slot, enum part_kind kind, struct file *file)
{
    put_walk(s, slot, kind, READ(struct file, file, f_path.mnt),
             READ(struct file, file, f_path.dentry));
}

/* The open file behind a descriptor of the current process, or 0. */
INLINE struct file *file_of(struct task_struct *task, __u32 fd)
{
    struct fdtable *table = task->files->fdt;
    struct file *file = 0;
    if (fd < table->max_fds) {
        bpf_probe_read_kernel(&file, sizeof file, table->fd + fd);
    }
    return file;
}

enum { FD_CWD = -100 };

/* A path as the caller wrote it, with the folder it starts from. Best effort: another thread of the
 * caller may have changed the string since the kernel read it. */
static __noinline void put_user_path(struct scratch *s, __u32 slot, int dirfd, const char *string)
{
    struct task_struct *task = bpf_get_current_task_btf();
    char first = 0;
    bpf_probe_read_user(&first, 1, string);
    if (first == '/') {
        put_walk(s, slot, PART_BASE, task->fs->root.mnt, task->fs->root.dentry);
    } else if (dirfd == FD_CWD) {
        put_walk(s, slot, PART_BASE, task->fs->pwd.mnt, task->fs->pwd.dentry);
    } else {
        struct file *file = file_of(task, (__u32)dirfd);
        if (file) {
            put_file_path(s, slot, PART_BASE, file);
        }
    }
    put_string(s, PART_USER_PATH, string, true);
}
