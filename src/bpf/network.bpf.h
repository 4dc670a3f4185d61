/*
 * network: connections begun, accepted and listened for, with the addresses that the kernel's
 * socket holds. A refused connect has lost them: there the caller's address is read (best effort).
 */
#pragma once

#include "bpf/file.bpf.h"

enum {
    FAMILY_INET = 2,
    FAMILY_INET6 = 10,
    PROTOCOL_TCP = 6,
    STATE_SYN_SENT = 2,
    STATE_LISTEN = 10,
    ERROR_IN_PROGRESS = 115,
    ERROR_ALREADY = 114,
    ERROR_IS_CONNECTED = 106,
    ERROR_RESTART = 512, /* and up: the call goes on after a signal */
};

/* sockaddr_in and sockaddr_in6 as the caller passes them. */
struct caller_address {
    __u16 family;
    __u8 port[2];
    __u8 inet[4]; /* flow label of inet6 */
    __u8 inet6[16];
};

INLINE void put_address(struct scratch *s, enum part_kind kind, const void *address, __u64 length,
                        const void *port)
{
    __u64 part = open_part(s, kind);
    append_kernel(s, address, length);
    append_kernel(s, port, 2);
    close_part(s, part, 0);
}

INLINE __u16 swapped(__u16 port)
{
    return (__u16)(port << 8 | port >> 8);
}

/* Our end and the other end. `sk` is a plain kernel address. */
INLINE void put_ends(struct scratch *s, struct sock *sk, __u16 family, enum part_kind ours,
                     enum part_kind theirs)
{
    __u16 port = swapped(READ(struct sock, sk, __sk_common.skc_num));
    struct sock_common *common = &sk->__sk_common;
    bool inet = family == FAMILY_INET;
    __u64 length = inet ? 4 : 16;
    put_address(s, ours, inet ? (void *)&common->skc_rcv_saddr : (void *)&common->skc_v6_rcv_saddr,
                length, &port);
    put_address(s, theirs, inet ? (void *)&common->skc_daddr : (void *)&common->skc_v6_daddr,
                length, (void *)&common->skc_dport);
}

/* The socket behind a descriptor, or 0 where it is none of IPv4 or IPv6. */
INLINE struct sock *socket_of(struct task_struct *task, __u32 fd, __u16 *family)
{
    struct file *file = file_of(task, fd);
    if (!file ||
        (READ(struct inode, READ(struct file, file, f_inode), i_mode) & S_TYPE) != S_SOCKET) {
        return 0;
    }
    struct socket *socket = READ(struct file, file, private_data);
    struct sock *sk = READ(struct socket, socket, sk);
    *family = READ(struct sock, sk, __sk_common.skc_family);
    return *family == FAMILY_INET || *family == FAMILY_INET6 ? sk : 0;
}

static __noinline int on_connect(__u32 fd, const void *address, int error)
{
    struct task_struct *task = bpf_get_current_task_btf();
    __u16 family = 0;
    if (error == ERROR_ALREADY || error == ERROR_IS_CONNECTED || !wanted(RECORD_CONNECT)) {
        return 0; /* reported when it began */
    }
    struct sock *sk = socket_of(task, fd, &family);
    struct scratch *s = sk ? begin(RECORD_CONNECT, task) : 0;
    if (!s) {
        return 0;
    }
    bool begun = error == 0 || error == ERROR_IN_PROGRESS || error >= ERROR_RESTART;
    struct caller_address caller = {0};
    bpf_probe_read_user(&caller, family == FAMILY_INET ? 8 : sizeof caller, address);
    if (caller.family == 0) {
        return 0; /* AF_UNSPEC: a disconnect */
    }
    s->record.call = CALL_CONNECT;
    s->record.error = begun ? 0 : error;
    s->record.numbers[0] = READ(struct sock, sk, sk_protocol);
    s->record.flags = RECORD_OUTGOING;
    if (begun) {
        put_ends(s, sk, family, PART_SOURCE, PART_DESTINATION);
        emit(s);
        return 0;
    }
    if (caller.family != family) {
        return 0;
    }
    put_address(s, PART_DESTINATION, family == FAMILY_INET ? (void *)caller.inet : caller.inet6,
                family == FAMILY_INET ? 4 : 16, caller.port);
    emit(s);
    return 0;
}

static __noinline int on_accept(int fd)
{
    struct task_struct *task = bpf_get_current_task_btf();
    __u16 family = 0;
    struct sock *sk = wanted(RECORD_ACCEPT) ? socket_of(task, (__u32)fd, &family) : 0;
    struct scratch *s = sk ? begin(RECORD_ACCEPT, task) : 0;
    if (s) {
        s->record.numbers[0] = READ(struct sock, sk, sk_protocol);
        put_ends(s, sk, family, PART_DESTINATION, PART_SOURCE);
        emit(s);
    }
    return 0;
}

/* Listening, and TCP that began elsewhere than in connect(2): fast open, io_uring. Both happen in
 * the process's own context; every other change of state is somebody else's work. */
SEC("tp_btf/inet_sock_set_state")

int BPF_PROG(on_state, struct sock *sk, int old, int new)
{
    struct task_struct *task = bpf_get_current_task_btf();
    if (new == STATE_LISTEN) {
        struct scratch *s = wanted(RECORD_LISTEN) ? begin(RECORD_LISTEN, task) : 0;
        if (s) {
            s->record.numbers[0] = sk->sk_protocol;
            put_ends(s, sk, sk->__sk_common.skc_family, PART_DESTINATION, PART_SOURCE);
            emit(s);
        }
        return 0;
    }
    if (new != STATE_SYN_SENT || !wanted(RECORD_CONNECT)) {
        return 0;
    }
    struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
    if (call_of(task, regs->orig_ax) == CALL_CONNECT) {
        return 0; /* reported when it returns */
    }
    struct scratch *s = begin(RECORD_CONNECT, task);
    if (s) {
        s->record.flags = RECORD_OUTGOING;
        s->record.numbers[0] = sk->sk_protocol;
        put_ends(s, sk, sk->__sk_common.skc_family, PART_SOURCE, PART_DESTINATION);
        emit(s);
    }
    return 0;
}
