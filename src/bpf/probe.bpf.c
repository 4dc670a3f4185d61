/*
 * probe: the kernel part of the tracepoint tier.
 *
 * It copies, filters and hands over; it decides nothing and parses no content. Process events come
 * from scheduler tracepoints; files, connections and the rest from the one place where every system
 * call ends: there the kernel has done its work, the memory that it read is present, and
 * descriptors say what was really opened.
 */
#include "bpf/file.bpf.h"
#include "bpf/network.bpf.h"
#include "bpf/process.bpf.h"
#include "bpf/system.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* A record's kind and the call that it tells of, in one argument: functions have at most five. */
#define TELLS(kind, call) ((__u32)RECORD_##kind << 16 | (call))

enum { REMOVE_FOLDER = 0x200 }; /* AT_REMOVEDIR */

INLINE const char *pointer(__u64 argument)
{
    return (const char *)argument;
}

/* chmod and its kin: at a descriptor, a name, or a name below a descriptor. */
INLINE int attribute(__u32 call, struct call_arguments *a)
{
    switch (call) {
    case CALL_CHMOD:
        return on_name(TELLS(ATTRIBUTE, call), FD_CWD, pointer(a->at[0]), ATTRIBUTE_MODE, a->at[1]);
    case CALL_FCHMODAT:
    case CALL_FCHMODAT2:
        return on_name(TELLS(ATTRIBUTE, call), (int)a->at[0], pointer(a->at[1]), ATTRIBUTE_MODE,
                       a->at[2]);
    case CALL_FCHMOD:
        return on_descriptor(TELLS(ATTRIBUTE, call), (__u32)a->at[0], ATTRIBUTE_MODE);
    case CALL_CHOWN:
    case CALL_LCHOWN:
        return on_name(TELLS(ATTRIBUTE, call), FD_CWD, pointer(a->at[0]), ATTRIBUTE_OWNER, 0);
    case CALL_FCHOWNAT:
        return on_name(TELLS(ATTRIBUTE, call), (int)a->at[0], pointer(a->at[1]), ATTRIBUTE_OWNER,
                       0);
    case CALL_FCHOWN:
        return on_descriptor(TELLS(ATTRIBUTE, call), (__u32)a->at[0], ATTRIBUTE_OWNER);
    case CALL_UTIME:
    case CALL_UTIMES:
        return on_name(TELLS(ATTRIBUTE, call), FD_CWD, pointer(a->at[0]), ATTRIBUTE_TIME, 0);
    case CALL_FUTIMESAT:
    case CALL_UTIMENSAT:
        if (a->at[1] == 0) { /* futimens(3) */
            return on_descriptor(TELLS(ATTRIBUTE, call), (__u32)a->at[0], ATTRIBUTE_TIME);
        }
        return on_name(TELLS(ATTRIBUTE, call), (int)a->at[0], pointer(a->at[1]), ATTRIBUTE_TIME, 0);
    case CALL_SETXATTR:
    case CALL_LSETXATTR:
        return on_name(TELLS(ATTRIBUTE, call), FD_CWD, pointer(a->at[0]), ATTRIBUTE_XATTR, 0);
    default:
        return on_descriptor(TELLS(ATTRIBUTE, call), (__u32)a->at[0], ATTRIBUTE_XATTR);
    }
}

INLINE int names(__u32 call, struct call_arguments *a)
{
    struct two_names n = {.old = pointer(a->at[0]),
                          .new = pointer(a->at[1]),
                          .old_dirfd = FD_CWD,
                          .new_dirfd = FD_CWD};
    __u32 tells = TELLS(RENAME, call);
    if (call == CALL_LINK || call == CALL_LINKAT) {
        tells = TELLS(LINK, call);
    } else if (call == CALL_SYMLINK || call == CALL_SYMLINKAT) {
        tells = TELLS(LINK, call);
        n.number = 1;
    }
    if (call == CALL_RENAMEAT || call == CALL_RENAMEAT2 || call == CALL_LINKAT) {
        n.old_dirfd = (int)a->at[0];
        n.old = pointer(a->at[1]);
        n.new_dirfd = (int)a->at[2];
        n.new = pointer(a->at[3]);
        n.number = call == CALL_RENAMEAT2 ? a->at[4] : 0;
    } else if (call == CALL_SYMLINKAT) {
        n.new_dirfd = (int)a->at[1];
        n.new = pointer(a->at[2]);
    }
    return on_names(tells, &n);
}

/* The call did what it was asked for. */
INLINE int done(__u32 call, struct call_arguments *a, long result)
{
    switch (call) {
    case CALL_OPEN:
    case CALL_CREAT:
    case CALL_OPENAT:
    case CALL_OPENAT2:
    case CALL_OPEN_BY_HANDLE_AT:
        return on_open(call, (int)result);
    case CALL_RENAME:
    case CALL_RENAMEAT:
    case CALL_RENAMEAT2:
    case CALL_LINK:
    case CALL_LINKAT:
    case CALL_SYMLINK:
    case CALL_SYMLINKAT:
        return names(call, a);
    case CALL_UNLINK:
        return on_name(TELLS(UNLINK, call), FD_CWD, pointer(a->at[0]), 0, 0);
    case CALL_RMDIR:
        return on_name(TELLS(UNLINK, call), FD_CWD, pointer(a->at[0]), 1, 0);
    case CALL_UNLINKAT:
        return on_name(TELLS(UNLINK, call), (int)a->at[0], pointer(a->at[1]),
                       (a->at[2] & REMOVE_FOLDER) != 0, 0);
    case CALL_MKDIR:
    case CALL_MKNOD:
        return on_name(TELLS(MAKE, call), FD_CWD, pointer(a->at[0]), a->at[1], 0);
    case CALL_MKDIRAT:
    case CALL_MKNODAT:
        return on_name(TELLS(MAKE, call), (int)a->at[0], pointer(a->at[1]), a->at[2], 0);
    case CALL_TRUNCATE:
        return on_name(TELLS(TRUNCATE, call), FD_CWD, pointer(a->at[0]), 0, 0);
    case CALL_CONNECT:
        return on_connect((__u32)a->at[0], pointer(a->at[1]), 0);
    case CALL_ACCEPT:
    case CALL_ACCEPT4:
        return on_accept((int)result);
    case CALL_PTRACE:
        return on_ptrace(a, 0);
    case CALL_PROCESS_VM_WRITEV:
        return on_numbers(TELLS(TRACE, call), TRACE_VM_WRITE, a->at[0], 0);
    case CALL_SETUID:
    case CALL_SETGID:
    case CALL_SETREUID:
    case CALL_SETREGID:
    case CALL_SETRESUID:
    case CALL_SETRESGID:
    case CALL_CAPSET:
        return on_credential(call);
    case CALL_BPF:
        return a->at[0] == BPF_COMMAND_PROG_LOAD ? on_bpf((int)result, 0) : 0;
    case CALL_MOUNT:
        return on_mount(a);
    case CALL_MOVE_MOUNT:
        return on_name(TELLS(MOUNT, call), (int)a->at[2], pointer(a->at[3]), a->at[4], 0);
    case CALL_UMOUNT2:
        return on_name(TELLS(UNMOUNT, call), FD_CWD, pointer(a->at[0]), a->at[1], 0);
    case CALL_UNSHARE:
        return on_numbers(TELLS(NAMESPACE, call), a->at[0], 0, 0);
    case CALL_SETNS:
        return on_numbers(TELLS(NAMESPACE, call), a->at[1], 0, 0);
    case CALL_MEMFD_CREATE:
        return on_memfd((int)result, a->at[1]);
    case CALL_INIT_MODULE:
    case CALL_FINIT_MODULE:
        return 0; /* on_module() knows the name */
    default:
        return attribute(call, a);
    }
}

/* The kernel refused: told where a refusal is worth knowing. */
INLINE int refused(__u32 call, struct call_arguments *a, int error)
{
    bool denied = error == ERROR_PERM || error == ERROR_ACCESS;
    switch (call) {
    case CALL_OPEN:
    case CALL_CREAT:
        return denied ? on_refused(call, FD_CWD, pointer(a->at[0]), error) : 0;
    case CALL_OPENAT:
    case CALL_OPENAT2:
        return denied ? on_refused(call, (int)a->at[0], pointer(a->at[1]), error) : 0;
    case CALL_CONNECT:
        return on_connect((__u32)a->at[0], pointer(a->at[1]), error);
    case CALL_PTRACE:
        return on_ptrace(a, error);
    case CALL_PROCESS_VM_WRITEV:
        return on_numbers(TELLS(TRACE, call), TRACE_VM_WRITE, a->at[0], error);
    case CALL_BPF:
        return a->at[0] == BPF_COMMAND_PROG_LOAD ? on_bpf(-1, error) : 0;
    case CALL_INIT_MODULE:
    case CALL_FINIT_MODULE:
        return on_numbers(TELLS(MODULE, call), 1, 0, error);
    default:
        return 0;
    }
}

SEC("tp_btf/sys_exit")

int BPF_PROG(on_call_exit, struct pt_regs *regs, long result)
{
    struct task_struct *task = bpf_get_current_task_btf();
    __u32 call = call_of(task, regs->orig_ax);
    if (call == CALL_NONE) {
        return 0;
    }
    struct call_arguments a;
    read_arguments(task, regs, &a);
    return result < 0 ? refused(call, &a, (int)-result) : done(call, &a, result);
}
