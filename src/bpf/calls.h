/*
 * calls: the system calls that the tracepoint tier looks at, and what it does with each.
 *
 * CALL(NAME, name, x86-64 number, i386 number); -1: that system has none. Numbers from the kernel's
 * arch/x86/entry/syscalls/syscall_{64,32}.tbl.
 */
#pragma once

#define CALLS(CALL)                                                                                \
    CALL(OPEN, open, 2, 5)                                                                         \
    CALL(CREAT, creat, 85, 8)                                                                      \
    CALL(OPENAT, openat, 257, 295)                                                                 \
    CALL(OPENAT2, openat2, 437, 437)                                                               \
    CALL(OPEN_BY_HANDLE_AT, open_by_handle_at, 304, 342)                                           \
    CALL(RENAME, rename, 82, 38)                                                                   \
    CALL(RENAMEAT, renameat, 264, 302)                                                             \
    CALL(RENAMEAT2, renameat2, 316, 353)                                                           \
    CALL(LINK, link, 86, 9)                                                                        \
    CALL(LINKAT, linkat, 265, 303)                                                                 \
    CALL(SYMLINK, symlink, 88, 83)                                                                 \
    CALL(SYMLINKAT, symlinkat, 266, 304)                                                           \
    CALL(UNLINK, unlink, 87, 10)                                                                   \
    CALL(UNLINKAT, unlinkat, 263, 301)                                                             \
    CALL(RMDIR, rmdir, 84, 40)                                                                     \
    CALL(MKDIR, mkdir, 83, 39)                                                                     \
    CALL(MKDIRAT, mkdirat, 258, 296)                                                               \
    CALL(MKNOD, mknod, 133, 14)                                                                    \
    CALL(MKNODAT, mknodat, 259, 297)                                                               \
    CALL(TRUNCATE, truncate, 76, 92)                                                               \
    CALL(CHMOD, chmod, 90, 15)                                                                     \
    CALL(FCHMOD, fchmod, 91, 94)                                                                   \
    CALL(FCHMODAT, fchmodat, 268, 306)                                                             \
    CALL(FCHMODAT2, fchmodat2, 452, 452)                                                           \
    CALL(CHOWN, chown, 92, 212)                                                                    \
    CALL(LCHOWN, lchown, 94, 198)                                                                  \
    CALL(FCHOWN, fchown, 93, 207)                                                                  \
    CALL(FCHOWNAT, fchownat, 260, 298)                                                             \
    CALL(UTIMENSAT, utimensat, 280, 412)                                                           \
    CALL(UTIME, utime, 132, 30)                                                                    \
    CALL(UTIMES, utimes, 235, 271)                                                                 \
    CALL(FUTIMESAT, futimesat, 261, 299)                                                           \
    CALL(SETXATTR, setxattr, 188, 226)                                                             \
    CALL(LSETXATTR, lsetxattr, 189, 227)                                                           \
    CALL(FSETXATTR, fsetxattr, 190, 228)                                                           \
    CALL(CONNECT, connect, 42, 362)                                                                \
    CALL(ACCEPT, accept, 43, -1)                                                                   \
    CALL(ACCEPT4, accept4, 288, 364)                                                               \
    CALL(PTRACE, ptrace, 101, 26)                                                                  \
    CALL(PROCESS_VM_WRITEV, process_vm_writev, 311, 348)                                           \
    CALL(SETUID, setuid, 105, 213)                                                                 \
    CALL(SETGID, setgid, 106, 214)                                                                 \
    CALL(SETREUID, setreuid, 113, 203)                                                             \
    CALL(SETREGID, setregid, 114, 204)                                                             \
    CALL(SETRESUID, setresuid, 117, 208)                                                           \
    CALL(SETRESGID, setresgid, 119, 210)                                                           \
    CALL(CAPSET, capset, 126, 185)                                                                 \
    CALL(INIT_MODULE, init_module, 175, 128)                                                       \
    CALL(FINIT_MODULE, finit_module, 313, 350)                                                     \
    CALL(BPF, bpf, 321, 357)                                                                       \
    CALL(MOUNT, mount, 165, 21)                                                                    \
    CALL(MOVE_MOUNT, move_mount, 429, 429)                                                         \
    CALL(UMOUNT2, umount, 166, 52)                                                                 \
    CALL(UNSHARE, unshare, 272, 310)                                                               \
    CALL(SETNS, setns, 308, 346)                                                                   \
    CALL(MEMFD_CREATE, memfd_create, 319, 356)

enum call {
    CALL_NONE,

#define CALL_ENUM(NAME, name, x86_64, i386) CALL_##NAME,
    CALLS(CALL_ENUM)
#undef CALL_ENUM
        CALL_COUNT
};

enum { CALL_NUMBERS = 512 }; /* higher numbers are none of ours */
