/*
 * kernel: the kernel's own structures, by hand, with only the members that probe.bpf.c reads.
 *
 * Nothing here has the kernel's layout: each access is relocated against the running kernel's BTF
 * when it is loaded (CO-RE). A member that some kernels lack is read behind
 * bpf_core_field_exists().
 */
#pragma once

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed int __s32;
typedef signed long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;

#define true 1
#define false 0

/* Values of the kernel's user interface that bpf_helpers.h and we need. */
enum bpf_map_type {
    BPF_MAP_TYPE_HASH = 1,
    BPF_MAP_TYPE_ARRAY = 2,
    BPF_MAP_TYPE_RINGBUF = 27,
};

enum {
    BPF_F_MMAPABLE = 1 << 10,
    BPF_RB_NO_WAKEUP = 1,
    BPF_RB_FORCE_WAKEUP = 2,
};

#define CORE __attribute__((preserve_access_index))

struct pt_regs {
    unsigned long r10, r8, dx, si, di, bx, cx, bp, orig_ax;
} CORE;

struct thread_info {
    __u32 status;
} CORE;

/* These three are read whole: without CORE their own members are not relocated. */
struct kuid {
    __u32 val;
};

struct capabilities {
    __u64 bits;
};

struct in6_addr {
    __u8 bytes[16];
};

struct user_namespace;

struct cred {
    struct kuid uid, gid, euid, egid;
    struct capabilities cap_effective;
    struct user_namespace *user_ns;
} CORE;

struct qstr {
    __u32 len;
    const unsigned char *name;
} CORE;

struct super_block {
    __u32 s_dev;
} CORE;

struct inode {
    __u16 i_mode;
    __u32 i_nlink;
    unsigned long i_ino;
    struct super_block *i_sb;
} CORE;

struct dentry {
    struct dentry *d_parent;
    struct qstr d_name;
    struct inode *d_inode;
} CORE;

struct vfsmount {
    struct dentry *mnt_root;
} CORE;

struct mount {
    struct mount *mnt_parent;
    struct dentry *mnt_mountpoint;
    struct vfsmount mnt;
} CORE;

struct path {
    struct vfsmount *mnt;
    struct dentry *dentry;
} CORE;

struct file {
    __u32 f_mode;
    __u32 f_flags;
    struct path f_path;
    struct inode *f_inode;
    void *private_data;
} CORE;

struct fdtable {
    __u32 max_fds;
    struct file **fd;
} CORE;

struct files_struct {
    struct fdtable *fdt;
} CORE;

struct fs_struct {
    struct path root;
    struct path pwd;
} CORE;

struct mm_struct {
    unsigned long arg_start, arg_end;
    struct file *exe_file;
} CORE;

struct upid {
    int nr;
} CORE;

struct pid {
    struct upid numbers[1];
} CORE;

enum pid_type { PIDTYPE_SID = 3 };

struct atomic {
    int counter;
};

struct signal_struct {
    struct atomic live;
    int group_exit_code;
    __u32 flags;
    struct pid *pids[4];
} CORE;

struct nsproxy {
    void *uts_ns, *ipc_ns, *mnt_ns, *pid_ns_for_children, *net_ns, *time_ns_for_children,
        *cgroup_ns;
} CORE;

struct kernfs_node {
    const char *name;
    __u64 id;
    struct kernfs_node *parent;
} CORE;

/* 6.15 renamed the member. */
struct kernfs_node___renamed {
    struct kernfs_node *__parent;
} CORE;

struct cgroup {
    struct kernfs_node *kn;
} CORE;

struct css_set {
    struct cgroup *dfl_cgrp;
} CORE;

struct task_struct {
    struct thread_info thread_info;
    int pid, tgid;
    int exit_code;
    __u64 start_boottime;
    struct task_struct *group_leader;
    struct task_struct *real_parent;
    const struct cred *cred;
    const struct cred *real_cred;
    struct kuid loginuid;
    struct mm_struct *mm;
    struct fs_struct *fs;
    struct files_struct *files;
    struct nsproxy *nsproxy;
    struct signal_struct *signal;
    struct css_set *cgroups;
    char comm[16];
} CORE;

struct linux_binprm {
    struct file *file;
    int argc;
    const char *filename;
} CORE;

struct sock_common {
    __be32 skc_daddr;
    __be32 skc_rcv_saddr;
    __be16 skc_dport;
    __u16 skc_num;
    __u16 skc_family;
    struct in6_addr skc_v6_daddr;
    struct in6_addr skc_v6_rcv_saddr;
} CORE;

struct sock {
    struct sock_common __sk_common;
    __u16 sk_protocol;
    __u16 sk_type;
} CORE;

struct socket {
    struct sock *sk;
} CORE;

struct module {
    char name[56];
} CORE;

struct bpf_prog_aux {
    __u32 id;
    char name[16];
} CORE;

enum bpf_prog_type { BPF_PROG_TYPE_UNSPEC };

struct bpf_prog {
    enum bpf_prog_type type;
    struct bpf_prog_aux *aux;
} CORE;

struct seq_file;

struct bpf_iter_meta {
    struct seq_file *seq;
} CORE;

struct bpf_iter__task {
    struct bpf_iter_meta *meta;
    struct task_struct *task;
} CORE;
