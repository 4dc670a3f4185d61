/*
 * kernel: the part of Bulkhead that runs in the kernel, seen from guard: loaded once, pinned in a
 * bpffs of this instance, and taken over by every later guard.
 *
 * Pinned: the programs' links, the kernel's ring and the settings. A kernel part from another build
 * is replaced.
 */
#pragma once

#include "bpf/records.h"
#include "guard/ring.h"

enum {
    KERNEL_RING =
        16
        << 20, /* bytes between kernel and guard: 100,000 records, a storm of 0.3 s without guard */
    KERNEL_PROGRAMS = 8,
    KERNEL_NAME = 32,
};

struct kernel_options {
    const char *folder; /* where the bpffs is mounted; exists */
    uint64_t interest;  /* kinds of record to begin with */
};

struct kernel_program {
    char name[KERNEL_NAME]; /* "on_exec" */
    bool attached;
};

struct kernel {
    struct ring ring;
    struct settings *settings;
    int ring_fd;  /* to poll: readable when a record arrived while guard was asleep */
    bool adopted; /* an earlier guard had left it */
    struct kernel_program programs[KERNEL_PROGRAMS];
    unsigned program_count;
    char why[256]; /* after a failure: what a person should know */
};

/* Loads, or takes over. The folder's bpffs is mounted where it is not. On failure `out->why` is
 * set, and the rest is closed. */
struct status kernel_open(struct kernel_options options, struct kernel *out);

/* Calls `on_process` with a RECORD_PROCESS for every process that lives now. */
typedef void kernel_on_process(void *context, struct text record);
struct status kernel_scan(const char *folder, kernel_on_process *on_process, void *context);

/* Lets go; what is pinned works on, and drops nothing that fits into the ring. */
void kernel_leave(struct kernel *k);

/* Lets go, detaches and unpins all, and unmounts the folder: nothing stays. */
struct status kernel_remove(struct kernel *k, const char *folder);

/* Records that found the ring full, since it was loaded. */
uint64_t kernel_dropped_all(const struct kernel *k);
