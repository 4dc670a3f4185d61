/*
 * process: exec, fork, exit, and the processes that were there before.
 */
#pragma once

#include "bpf/path.bpf.h"

enum { SIGNAL_GROUP_EXIT = 4 };

/* Namespaces as the flags of clone(2). */
enum {
    NEW_TIME = 0x80,
    NEW_MNT = 0x20000,
    NEW_CGROUP = 0x2000000,
    NEW_UTS = 0x4000000,
    NEW_IPC = 0x8000000,
    NEW_USER = 0x10000000,
    NEW_PID = 0x20000000,
    NEW_NET = 0x40000000,
};

struct arguments {
    unsigned long at, end;
    __u32 slot;
};

/* One chunk of the arguments, from where the new program's stack holds them. */
static long arguments_step(__u32 step, struct arguments *a)
{
    struct scratch *s = scratch_at(a->slot);
    if (!s || a->at >= a->end) {
        return 1;
    }
    __u64 length = a->end - a->at;
    __u64 used = s->used;
    BARRIER(used);
    if (used > PARTS_MAX) {
        return 1;
    }
    if (length > CHUNK) {
        length = CHUNK;
    }
    BARRIER(length);
    length &= 2 * CHUNK - 1;
    if (length > CHUNK) {
        return 1;
    }
    if (bpf_probe_read_user(s->parts + used, length, (void *)a->at) != 0) {
        return 1;
    }
    s->used = used + length;
    a->at += length;
    return 0;
}

INLINE void put_arguments(struct scratch *s, __u32 slot, struct mm_struct *mm)
{
    struct arguments a = {.at = mm->arg_start, .end = mm->arg_end, .slot = slot};
    __u64 part = open_part(s, PART_ARGUMENTS);
    bool longer = a.end - a.at > RECORD_ARGUMENTS_MAX;
    if (longer) {
        a.end = a.at + RECORD_ARGUMENTS_MAX;
    }
    bpf_loop(RECORD_ARGUMENTS_MAX / CHUNK, arguments_step, &a, 0);
    close_part(s, part, longer || a.at < a.end ? PART_CUT : 0);
}

struct cgroup_walk {
    struct kernfs_node *node;
    __u32 slot;
};

static long cgroup_step(__u32 step, struct cgroup_walk *w)
{
    struct scratch *s = scratch_at(w->slot);
    struct kernfs_node *node = w->node;
    struct kernfs_node *up;
    if (bpf_core_field_exists(node->parent)) {
        up = BPF_CORE_READ(node, parent);
    } else {
        up = BPF_CORE_READ((struct kernfs_node___renamed *)node, __parent);
    }
    if (!s || !up) { /* the root has no name */
        return 1;
    }
    __u64 at = s->used;
    BARRIER(at);
    if (at > PARTS_MAX) {
        return 1;
    }
    long length =
        bpf_probe_read_kernel_str(s->parts + at, NAME_BYTES + 1, BPF_CORE_READ(node, name));
    if (length > 0) {
        s->used = at + (__u32)length;
    }
    w->node = up;
    return 0;
}

enum { CGROUP_DEPTH = 8 }; /* a container's id is within the last few names */

INLINE void put_cgroup(struct scratch *s, __u32 slot, struct task_struct *task)
{
    struct cgroup_walk w = {.node = task->cgroups->dfl_cgrp->kn, .slot = slot};
    __u64 part = open_part(s, PART_CGROUP);
    bpf_loop(CGROUP_DEPTH, cgroup_step, &w, 0);
    close_part(s, part, 0);
}

/* Program, folder, container and session of a process: what exec and the iterator report alike. */
INLINE void put_program(struct scratch *s, __u32 slot, struct task_struct *task, struct file *file)
{
    struct task_struct *parent = task->real_parent;
    struct inode *inode = READ(struct file, file, f_inode);
    s->record.numbers[0] = READ(struct inode, inode, i_ino);
    s->record.numbers[1] = READ(struct super_block, READ(struct inode, inode, i_sb), s_dev);
    s->record.numbers[3] = parent->tgid;
    s->record.numbers[4] = parent->group_leader->start_boottime;
    s->record.numbers[5] = BPF_CORE_READ(task, signal, pids[PIDTYPE_SID], numbers[0].nr);
    if (READ(struct inode, inode, i_nlink) == 0) {
        s->record.flags |= RECORD_EXE_DELETED;
    }
    put_file_path(s, slot, PART_EXE, file);
    put_walk(s, slot, PART_CWD, task->fs->pwd.mnt, task->fs->pwd.dentry);
    put_cgroup(s, slot, task);
}

SEC("tp_btf/sched_process_exec")

int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *binprm)
{
    __u32 slot = this_slot();
    struct scratch *s = wanted(RECORD_EXEC) ? begin(RECORD_EXEC, task) : 0;
    if (!s) {
        return 0;
    }
    s->record.numbers[2] = (__u32)binprm->argc;
    put_program(s, slot, task, binprm->file);
    put_string(s, PART_NAME, binprm->filename, false);
    put_arguments(s, slot, task->mm);
    emit(s);
    return 0;
}

INLINE __u64 new_namespaces(struct task_struct *parent, struct task_struct *child)
{
    struct nsproxy *old = parent->nsproxy;
    struct nsproxy *new = child->nsproxy;
    __u64 flags = parent->cred->user_ns != child->cred->user_ns ? NEW_USER : 0;
    if (old == new) {
        return flags;
    }
    flags |= old->uts_ns != new->uts_ns ? NEW_UTS : 0;
    flags |= old->ipc_ns != new->ipc_ns ? NEW_IPC : 0;
    flags |= old->mnt_ns != new->mnt_ns ? NEW_MNT : 0;
    flags |= old->net_ns != new->net_ns ? NEW_NET : 0;
    flags |= old->cgroup_ns != new->cgroup_ns ? NEW_CGROUP : 0;
    flags |= old->pid_ns_for_children != new->pid_ns_for_children ? NEW_PID : 0;
    flags |= old->time_ns_for_children != new->time_ns_for_children ? NEW_TIME : 0;
    return flags;
}

SEC("tp_btf/sched_process_fork")

int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
    if (child->pid != child->tgid || !wanted(RECORD_FORK)) {
        return 0; /* a thread */
    }
    struct scratch *s = begin(RECORD_FORK, parent);
    if (!s) {
        return 0;
    }
    struct task_struct *real = child->real_parent;
    s->record.numbers[0] = child->tgid;
    s->record.numbers[1] = child->start_boottime;
    s->record.numbers[2] = new_namespaces(parent, child);
    s->record.numbers[3] = real->tgid;
    s->record.numbers[4] = real->group_leader->start_boottime;
    emit(s);
    return 0;
}

SEC("tp_btf/sched_process_exit")

int BPF_PROG(on_exit, struct task_struct *task)
{
    struct signal_struct *signal = task->signal;
    /* Zero when the last thread ends. Two that end at once may both see it: guard takes one. */
    if (signal->live.counter != 0 || !wanted(RECORD_EXIT)) {
        return 0;
    }
    struct scratch *s = begin(RECORD_EXIT, task);
    if (!s) {
        return 0;
    }
    s->record.numbers[0] =
        signal->flags & SIGNAL_GROUP_EXIT ? (__u32)signal->group_exit_code : (__u32)task->exit_code;
    emit(s);
    return 0;
}

/* Processes that were there before the rest was attached; read by guard from the iterator's file.
 * Their arguments guard takes from /proc: reading another's memory here could wait for a page that
 * a file system in user space never delivers. */
SEC("iter/task")

int on_task(struct bpf_iter__task *context)
{
    struct task_struct *task = context->task;
    if (!task || task->pid != task->tgid) {
        return 0;
    }
    struct scratch *s = begin_in(iterator_slot, RECORD_PROCESS, task);
    struct mm_struct *mm = task->mm;
    if (!s || !task->fs) {
        return 0; /* on its way out */
    }
    bpf_probe_read_kernel(s->record.comm, sizeof s->record.comm, task->comm);
    s->record.numbers[3] = task->real_parent->tgid;
    s->record.numbers[4] = task->real_parent->group_leader->start_boottime;
    if (mm && mm->exe_file) { /* kernel threads have no program */
        put_program(s, iterator_slot, task, mm->exe_file);
    }
    __u64 used = s->used;
    BARRIER(used);
    if (used <= PARTS_MAX + CHUNK) {
        s->record.size = (__u32)(sizeof(struct record) + used);
        bpf_seq_write(context->meta->seq, s, sizeof(struct record) + used);
    }
    return 0;
}
