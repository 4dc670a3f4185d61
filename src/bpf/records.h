/*
 * records: what the kernel part hands to guard, and the switches that guard sets for it.
 *
 * Included by probe.bpf.c and by guard only. Native byte order: both ends are one machine. A record
 * is a header, numbers, and parts; parts are {length, kind, flags} and bytes, one after another.
 * Guard checks every length all the same: a bug in the kernel part must not become one in guard.
 */
#pragma once

#ifndef __BPF__ /* the kernel part has its types from kernel.h */
#include <linux/types.h>
#endif

enum {
    RECORD_PATH_MAX = 4096,       /* PATH_MAX: what a path part holds at most */
    RECORD_ARGUMENTS_MAX = 32768, /* schema's EVENT_TEXT_MAX */
    RECORD_DEPTH_MAX = 128,       /* folders and mounts that a path is followed up */
    RECORD_NUMBERS = 6,
    RECORD_COMM = 16,   /* TASK_COMM_LEN */
    RECORD_MAX = 65536, /* bytes of scratch a CPU has for one record */
};

/* What the kernel reports. Several of guard's event types come from one kind (see guard/publish.c).
 */
enum record_kind {
    RECORD_EXEC,   /* numbers: inode, device, argument count, parent pid, parent start, session */
    RECORD_FORK,   /* numbers: child pid, child start, namespace flags, parent pid, parent start */
    RECORD_EXIT,   /* numbers: wait status */
    RECORD_CREATE, /* numbers: inode, device, mode, open flags */
    RECORD_MODIFY, /* the same */
    RECORD_OPEN,   /* the same; error set: refused, and the path is the caller's */
    RECORD_RENAME, /* numbers: flags; parts: USER_PATH (old), USER_PATH (new) */
    RECORD_LINK, /* parts: USER_PATH (existing), USER_PATH (new); numbers: 1 for a symbolic link */
    RECORD_UNLINK,    /* parts: USER_PATH; numbers: 1 for a directory */
    RECORD_MAKE,      /* mkdir, mknod: parts: USER_PATH; numbers: mode */
    RECORD_TRUNCATE,  /* parts: USER_PATH */
    RECORD_ATTRIBUTE, /* parts: USER_PATH or PATH; numbers: enum record_attribute, mode */
    RECORD_CONNECT,   /* numbers: protocol, ports; parts: ADDRESSes */
    RECORD_ACCEPT,
    RECORD_LISTEN,
    RECORD_TRACE,      /* numbers: enum record_trace, target pid */
    RECORD_CREDENTIAL, /* numbers: syscall kind, effective capabilities */
    RECORD_MODULE,     /* parts: NAME; numbers: 1 where the kernel refused */
    RECORD_BPF,        /* parts: NAME; numbers: type, id */
    RECORD_MOUNT,      /* parts: NAME (source), USER_PATH (target), NAME (type); numbers: flags */
    RECORD_UNMOUNT,    /* parts: USER_PATH; numbers: flags */
    RECORD_NAMESPACE,  /* numbers: flags, 0 unshare 1 setns */
    RECORD_MEMFD,      /* parts: NAME; numbers: flags */
    RECORD_PROCESS,    /* the task iterator: as RECORD_EXEC, of a process that was there before */
    RECORD_KIND_COUNT
};

enum record_attribute { ATTRIBUTE_MODE, ATTRIBUTE_OWNER, ATTRIBUTE_TIME, ATTRIBUTE_XATTR };

enum record_trace { TRACE_TRACEME, TRACE_ATTACH, TRACE_SEIZE, TRACE_VM_WRITE };

/* Flags of a record. */
enum {
    RECORD_EXE_MEMFD = 1,
    RECORD_EXE_DELETED = 2,
    RECORD_OUTGOING = 4,
};

struct record {
    __u32 size; /* with parts */
    __u8 kind;  /* enum record_kind */
    __u8 flags;
    __u16 call;    /* enum call (bpf/calls.h), where a system call reported */
    __u64 time_ns; /* since boot, sleep included */
    __u64
        start_ns; /* when the process was created, the same clock: pid and this are its identity */
    __u32 pid;
    __u32 tid;
    __u32 uid;
    __u32 gid;
    __u32 euid;
    __u32 egid;
    __u32 login_uid;
    __s32 error; /* 0, or errno */
    __u64 numbers[RECORD_NUMBERS];
    char comm[RECORD_COMM];
};

enum part_kind {
    PART_PATH,      /* names from the leaf up, each followed by a zero byte; see PART_DETACHED */
    PART_EXE,       /* the same, of the program */
    PART_CWD,       /* the same, of the current directory */
    PART_BASE,      /* the same: where the next USER_PATH starts, if that is relative */
    PART_USER_PATH, /* as the caller wrote it */
    PART_ARGUMENTS, /* zero-terminated arguments */
    PART_NAME,      /* a plain text */
    PART_CGROUP,    /* names from the leaf up, as PATH */
    PART_SOURCE,    /* an address: 4 or 16 bytes, then the port in 2 bytes, network order */
    PART_DESTINATION,
    PART_KIND_COUNT
};

enum {
    PART_CUT = 1,      /* there was more */
    PART_DETACHED = 2, /* the walk ended at no root: a memfd, an unmounted file system */
};

struct part {
    __u16 length; /* of the bytes that follow */
    __u8 kind;
    __u8 flags;
};

/* Settings: one page that guard maps and writes; the kernel part only reads it, but for `dropped`.
 */
enum { WATCH_WORDS = 1024, WATCH_LEVELS = 3 };

struct settings {
    __u64 interest;  /* 1 << enum record_kind: the rest is dropped before it costs anything */
    __u32 asleep;    /* guard waits: the next record has to wake it */
    __u32 guard_pid; /* for people who look at the map */
    __u64 dropped[RECORD_KIND_COUNT]; /* records that found the ring full */
    __u64 watch[WATCH_WORDS]; /* bit watch_bit(name): a file, or a folder of WATCH_LEVELS above it,
                                 of that name is watched */
};

/* A name is told by its length and its first eight bytes, upper and lower case alike (the bit 0x20;
 * other bytes may coincide too): a first sieve, guard does the exact test. */
static inline __u32 watch_bit(__u64 first_eight, __u32 length)
{
    __u64 folded = first_eight | 0x2020202020202020ULL;
    __u64 mixed = (folded ^ length) * 0x9e3779b97f4a7c15ULL;
    return (__u32)(mixed >> 48) % (WATCH_WORDS * 64);
}
