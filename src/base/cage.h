/*
 * cage: how a process of ours gives up, for good, everything that it does not need.
 *
 * For a single-threaded process that was started as root, mostly by guard. cage_close_from() is the
 * first call of main; cage_enter() comes when all is mapped and connected, and before the first
 * byte is looked at that others wrote. A layer that this machine does not have is named in the
 * result, so that the process can tell people; what every supported kernel has is a failure when it
 * is refused.
 */
#pragma once

#include "base/status.h"

#include <stdint.h>

/* What a machine may lack, with the words a person reads. */
#define CAGE_LAYERS(X)                                                                             \
    X(NAMESPACES, "mount, network, IPC and host namespaces of its own")                            \
    X(ROOT, "an empty root folder")                                                                \
    X(LIMITS, "a limit on its memory")                                                             \
    X(LANDLOCK, "Landlock")                                                                        \
    X(SECCOMP, "a list of permitted system calls")

enum cage_layer {

#define CAGE_LAYER_ENUM(name, words) CAGE_##name,
    CAGE_LAYERS(CAGE_LAYER_ENUM)
#undef CAGE_LAYER_ENUM
        CAGE_LAYER_COUNT
};

#define CAGE_BIT(name) (1U << CAGE_##name)

/* Argument number `argument` of a system call, under `mask`, has to be `value`. */
struct cage_test {
    unsigned argument;
    uint64_t mask; /* 0: no test */
    uint64_t value;
};

enum { CAGE_TESTS = 2, CAGE_CALLS = 40 };

/* One permitted system call. Listed twice, either set of tests will do. */
struct cage_call {
    const char *name;
    struct cage_test tests[CAGE_TESTS];
};

/* "The descriptor in argument 0 is `fd`": what most calls are restricted to. */
#define CAGE_FD(fd)                                                                                \
    {                                                                                              \
        {                                                                                          \
            .argument = 0, .mask = UINT32_MAX, .value = (uint64_t)(fd)                             \
        }                                                                                          \
    }

/* sendto() without an address: only to whom the socket is connected. */
#define CAGE_CONNECTED(fd)                                                                         \
    {                                                                                              \
        {.argument = 0, .mask = UINT32_MAX, .value = (uint64_t)(fd)},                              \
        {                                                                                          \
            .argument = 4, .mask = UINT64_MAX, .value = 0                                          \
        }                                                                                          \
    }

/* In the environment of a program whose like was run before by the same command: what this machine
 * lacks has been told. */
#define CAGE_TOLD "BULKHEAD_CAGE_TOLD"

struct cage {
    const char *user; /* whose ids it takes, where there is such a user … */
    uint32_t id;      /* … and the number where there is not */
    int folder;       /* descriptor of the one folder that it keeps; -1: none. The folder is
                         given to the user, and nothing outside it can be reached by it */
    bool anyone;      /* may be entered by others than root: their user stays, and what only root
                         can put on is in a user namespace, or missing */
    uint64_t memory_bytes;              /* of private memory, what is mapped already included */
    uint64_t file_bytes;                /* of the largest file it may write; 0: no limit */
    uint32_t descriptors;               /* numbers below this one may be open */
    struct cage_call calls[CAGE_CALLS]; /* beside those that every process needs; ends at a NULL */
    bool reads;         /* every file of the machine may be opened for reading, and none for
                           writing: it keeps the root folder and CAP_DAC_READ_SEARCH. Such a cage
                           lists the calls that open, with tests that forbid writing */
    uint32_t leave_out; /* layers not put on: tests take one away to see that the others hold */
};

/* Closes every descriptor from `first` on, and puts /dev/null in the place of standard input and
 * output, and of standard error where it is closed. */
struct status cage_close_from(int first);

/* The user and group that `spec` names. */
struct status cage_user(const struct cage *spec, uint32_t *out_user, uint32_t *out_group);

/* Enters. `out` is the set of layers that could not be had (CAGE_BIT), leave_out included. After a
 * failure the process has to end: it may be half in. */
struct status cage_enter(const struct cage *spec, uint32_t *out);

/* "Landlock, an empty root folder": a set of layers in words; "" for none. Returns `out`. */
const char *cage_missing(uint32_t layers, char *out, size_t out_size);
