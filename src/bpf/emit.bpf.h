/*
 * emit: puts one record together in this CPU's scratch and hands it to guard.
 *
 * Programs run with preemption off and do not nest on one CPU in the contexts that we attach to, so
 * one scratch a CPU is enough; the sleepable iterator has one of its own. What was written so far
 * is kept in the scratch itself and checked again before each write, which is what the kernel's
 * verifier wants.
 */
#pragma once

#include "bpf/kernel.h"
#include "bpf/records.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

enum {
    CHUNK = 4096,          /* the most that one append copies */
    PARTS_MAX = 48 * 1024, /* an append may begin up to here: arguments, three paths, room */
    NAME_BYTES = 255,      /* NAME_MAX */
};

struct scratch {
    struct record record;
    __u8 parts[PARTS_MAX + CHUNK];
    __u32 used; /* bytes of parts */
    __u32 full; /* something did not fit */
};

_Static_assert(sizeof(struct record) + PARTS_MAX + CHUNK < RECORD_MAX, "a record fits");

/* One for each CPU and one for the iterator: guard sets the number of entries. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 2);
    __type(key, __u32);
    __type(value, struct scratch);
} scratch SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 16 * 1024 * 1024);
} events SEC(".maps");

struct settings settings SEC(".data.settings");

static const __u32 iterator_slot = 0;

#define INLINE static __always_inline

/* Kernels from 6.2 on let a program read a structure behind any address with plain loads; before,
 * each member costs a call. Decided when the program is loaded. */
extern void *bpf_rdonly_cast(const void *pointer, __u32 type) __ksym __weak;

#define READ(type, pointer, member)                                                                \
    ({                                                                                             \
        const type *read_from = (const type *)(pointer);                                           \
        bpf_rdonly_cast                                                                            \
            ? ((const type *)bpf_rdonly_cast(read_from, bpf_core_type_id_kernel(type)))->member    \
            : BPF_CORE_READ(read_from, member);                                                    \
    })

/* Keeps the compiler from proving away a bound that the verifier has to see. */
#define BARRIER(variable) asm volatile("" : "+r"(variable))

INLINE bool wanted(enum record_kind kind)
{
    return (settings.interest >> kind & 1) != 0;
}

INLINE struct scratch *scratch_at(__u32 slot)
{
    return bpf_map_lookup_elem(&scratch, &slot);
}

INLINE __u32 this_slot(void)
{
    return bpf_get_smp_processor_id() + 1;
}

/* Who: the same for every record. */
INLINE void fill_subject(struct record *r, struct task_struct *task)
{
    const struct cred *cred = task->cred;
    r->start_ns = task->group_leader->start_boottime;
    r->pid = task->tgid;
    r->tid = task->pid;
    r->uid = cred->uid.val;
    r->gid = cred->gid.val;
    r->euid = cred->euid.val;
    r->egid = cred->egid.val;
    r->login_uid = bpf_core_field_exists(task->loginuid) ? task->loginuid.val : (__u32)-1;
}

INLINE struct scratch *begin_in(__u32 slot, enum record_kind kind, struct task_struct *task)
{
    struct scratch *s = scratch_at(slot);
    if (!s) {
        return 0;
    }
    __builtin_memset(&s->record, 0, sizeof s->record);
    s->used = 0;
    s->full = 0;
    s->record.kind = kind;
    s->record.time_ns = bpf_ktime_get_boot_ns();
    fill_subject(&s->record, task);
    return s;
}

INLINE struct scratch *begin(enum record_kind kind, struct task_struct *task)
{
    struct scratch *s = begin_in(this_slot(), kind, task);
    if (s) {
        bpf_get_current_comm(s->record.comm, sizeof s->record.comm);
    }
    return s;
}

/* `length` bytes (at most CHUNK) of kernel memory behind what is there. */
INLINE void append_kernel(struct scratch *s, const void *from, __u64 length)
{
    __u64 at = s->used;
    if (at > PARTS_MAX || length > CHUNK) {
        s->full = 1;
        return;
    }
    BARRIER(at);
    if (at <= PARTS_MAX &&
        bpf_probe_read_kernel(s->parts + at, length & (2 * CHUNK - 1), from) == 0) {
        s->used = (__u32)(at + length);
    }
}

INLINE void append_byte(struct scratch *s, __u8 byte)
{
    __u64 at = s->used;
    BARRIER(at);
    if (at <= PARTS_MAX) {
        s->parts[at] = byte;
        s->used = (__u32)at + 1;
    } else {
        s->full = 1;
    }
}

/* Opens a part; close_part() sets its length. Returns where its header lies. */
INLINE __u64 open_part(struct scratch *s, enum part_kind kind)
{
    __u64 at = s->used;
    BARRIER(at);
    if (at > PARTS_MAX) {
        s->full = 1;
        return at;
    }
    s->parts[at] = 0;
    s->parts[at + 1] = 0;
    s->parts[at + 2] = kind;
    s->parts[at + 3] = 0;
    s->used = (__u32)(at + sizeof(struct part));
    return at;
}

INLINE void close_part(struct scratch *s, __u64 at, __u8 flags)
{
    __u64 length = s->used - at - sizeof(struct part);
    BARRIER(at);
    if (at > PARTS_MAX) {
        return;
    }
    s->parts[at] = (__u8)length;
    s->parts[at + 1] = (__u8)(length >> 8);
    s->parts[at + 3] = flags | (s->full ? PART_CUT : 0);
}

/* A part with a terminated string of the kernel's or the caller's; the zero is left out. */
INLINE void put_string(struct scratch *s, enum part_kind kind, const void *from, bool user)
{
    __u64 part = open_part(s, kind);
    __u64 at = s->used;
    BARRIER(at);
    if (at > PARTS_MAX) {
        return;
    }
    long length = user ? bpf_probe_read_user_str(s->parts + at, CHUNK, from)
                       : bpf_probe_read_kernel_str(s->parts + at, CHUNK, from);
    if (length > 0) {
        s->used = (__u32)(at + (__u64)length - 1);
    }
    close_part(s, part, length == CHUNK || (length < 0 && from) ? PART_CUT : 0);
}

INLINE void put_bytes(struct scratch *s, enum part_kind kind, const void *from, __u64 length)
{
    __u64 part = open_part(s, kind);
    append_kernel(s, from, length);
    close_part(s, part, 0);
}

/* Guard sleeps for long only when the ring is empty; at work it need not be woken. */
INLINE void emit(struct scratch *s)
{
    __u64 used = s->used;
    BARRIER(used);
    if (used > PARTS_MAX + CHUNK) {
        return;
    }
    s->record.size = (__u32)(sizeof(struct record) + used);
    __u64 flags = settings.asleep ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
    if (bpf_ringbuf_output(&events, s, sizeof(struct record) + used, flags) != 0) {
        __u32 kind = s->record.kind;
        if (kind < RECORD_KIND_COUNT) {
            __sync_fetch_and_add(&settings.dropped[kind], 1);
        }
    }
}
