/*
 * system: what changes the rules of the machine: credentials, traces, modules, eBPF, mounts,
 * namespaces.
 */
#pragma once

#include "bpf/file.bpf.h"

enum { BPF_COMMAND_PROG_LOAD = 5 };

/* A record of numbers alone. */
static __noinline int on_numbers(__u32 kind_and_call, __u64 first, __u64 second, int error)
{
    struct task_struct *task = bpf_get_current_task_btf();
    enum record_kind kind = kind_and_call >> 16;
    struct scratch *s = wanted(kind) ? begin(kind, task) : 0;
    if (s) {
        s->record.call = (__u16)kind_and_call;
        s->record.error = error;
        s->record.numbers[0] = first;
        s->record.numbers[1] = second;
        emit(s);
    }
    return 0;
}

INLINE int on_ptrace(struct call_arguments *a, int error)
{
    enum { TRACEME = 0, ATTACH = 16, SEIZE = 0x4206 };

    __u64 request = a->at[0];
    __u32 kind_and_call = RECORD_TRACE << 16 | CALL_PTRACE;
    if (request == TRACEME) {
        struct task_struct *task = bpf_get_current_task_btf();
        return on_numbers(kind_and_call, TRACE_TRACEME, (__u64)task->tgid, error);
    }
    if (request == ATTACH || request == SEIZE) {
        return on_numbers(kind_and_call, request == ATTACH ? TRACE_ATTACH : TRACE_SEIZE, a->at[1],
                          error);
    }
    return 0;
}

INLINE int on_credential(__u32 call)
{
    struct task_struct *task = bpf_get_current_task_btf();
    return on_numbers(RECORD_CREDENTIAL << 16 | call, task->cred->cap_effective.bits, 0, 0);
}

static __noinline int on_bpf(int fd, int error)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct scratch *s = wanted(RECORD_BPF) ? begin(RECORD_BPF, task) : 0;
    if (!s) {
        return 0;
    }
    struct file *file = error ? 0 : file_of(task, (__u32)fd);
    s->record.call = CALL_BPF;
    s->record.error = error;
    if (file) {
        struct bpf_prog *prog = READ(struct file, file, private_data);
        struct bpf_prog_aux *aux = BPF_CORE_READ(prog, aux);
        s->record.numbers[0] = BPF_CORE_READ(prog, type);
        s->record.numbers[1] = BPF_CORE_READ(aux, id);
        put_string(s, PART_NAME, aux->name, false);
    }
    emit(s);
    return 0;
}

static __noinline int on_mount(struct call_arguments *a)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct scratch *s = wanted(RECORD_MOUNT) ? begin(RECORD_MOUNT, task) : 0;
    if (s) {
        s->record.call = CALL_MOUNT;
        s->record.numbers[0] = a->at[3];
        put_user_path(s, this_slot(), FD_CWD, (const char *)a->at[1]);
        put_string(s, PART_NAME, (const void *)a->at[0], true);
        put_string(s, PART_NAME, (const void *)a->at[2], true);
        emit(s);
    }
    return 0;
}

SEC("tp_btf/module_load")

int BPF_PROG(on_module, struct module *module)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct scratch *s = wanted(RECORD_MODULE) ? begin(RECORD_MODULE, task) : 0;
    if (s) {
        put_string(s, PART_NAME, module->name, false);
        emit(s);
    }
    return 0;
}
