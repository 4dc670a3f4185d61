/*
 * calls: which system call ended, and what it was called with, for 64-bit and 32-bit callers alike.
 */
#pragma once

#include "bpf/calls.h"
#include "bpf/emit.bpf.h"

/* -1, "that system has none", lands at 0: restart_syscall on i386, read on x86-64; neither is ours.
 */
#define X86_64(NAME, name, x86_64, i386) [x86_64] = CALL_##NAME,
#define I386(NAME, name, x86_64, i386)                                                             \
    [(i386) < 0 ? 0 : (i386)] = (i386) < 0 ? CALL_NONE : CALL_##NAME,
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Winitializer-overrides"
static const __u8 calls_x86_64[CALL_NUMBERS] = {CALLS(X86_64)};
static const __u8 calls_i386[CALL_NUMBERS] = {CALLS(I386)};
#pragma clang diagnostic pop

enum { TS_COMPAT = 2 };

INLINE bool is_i386(struct task_struct *task)
{
    return (task->thread_info.status & TS_COMPAT) != 0;
}

INLINE __u32 call_of(struct task_struct *task, __u64 number)
{
    if (number >= CALL_NUMBERS) {
        return CALL_NONE;
    }
    return is_i386(task) ? calls_i386[number] : calls_x86_64[number];
}

/* Arguments in the call's own order. */
struct call_arguments {
    __u64 at[5];
};

INLINE void read_arguments(struct task_struct *task, struct pt_regs *regs,
                           struct call_arguments *out)
{
    if (is_i386(task)) {
        out->at[0] = (__u32)regs->bx;
        out->at[1] = (__u32)regs->cx;
        out->at[2] = (__u32)regs->dx;
        out->at[3] = (__u32)regs->si;
        out->at[4] = (__u32)regs->di;
    } else {
        out->at[0] = regs->di;
        out->at[1] = regs->si;
        out->at[2] = regs->dx;
        out->at[3] = regs->r10;
        out->at[4] = regs->r8;
    }
}
