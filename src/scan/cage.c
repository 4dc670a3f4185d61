#include "scan/cage.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>

/* Where no package made the users; engine/cage.c says why these numbers. */
enum { OPENER_ID = 61179, WORKER_ID = 61178 };

enum {
    /* The opener's largest table is the live cache. */
    OPENER_MEMORY = 64 * 1024 * 1024,
    /* A file of the largest size is read whole, 256 MiB; large public rule collections take 100 MiB
     * compiled, and libyara keeps up to a million matches of a string. */
    WORKER_MEMORY = 1024 * 1024 * 1024,
    /* Folders that lie open on the way down, a file for each worker, and what else it holds. */
    OPENER_DESCRIPTORS = 256,
    WORKER_DESCRIPTORS = 16,
    /* A worker that nobody ends any more, since the opener hangs, ends by itself. The longest work
     * of one worker, WORKER_FILES in scan/pool.c at 100 ms each, takes less. */
    WORKER_CPU_S = 3600,
};

/* Opening is the opener's work: for reading, and without making anything. */
#define OPEN_READS                                                                                 \
    {                                                                                              \
        {                                                                                          \
            .argument = 2, .mask = O_ACCMODE | O_CREAT | O_TRUNC, .value = 0                       \
        }                                                                                          \
    }

static struct cage any_opener(void)
{
    return (struct cage){
        .user = "bulkhead-scan",
        .id = OPENER_ID,
        .folder = -1,
        .reads = true,
        .anyone = true,
        .memory_bytes = OPENER_MEMORY,
        .descriptors = OPENER_DESCRIPTORS,
        /* It can open every file, and read none. Sockets it was given: it can make none, and none
         * of these takes an address there. */
        .calls =
            {
                {"openat", OPEN_READS},
                {"getdents64"},
                {"fstat"},
                {"newfstatat"},
                {"statx"},
                {"fstatfs"},
                {"lseek"},
                {"fcntl", {{.argument = 1, .mask = UINT32_MAX, .value = F_GETFL}}},
                {"fcntl", {{.argument = 1, .mask = UINT32_MAX, .value = F_SETFD}}},
                {"poll"},
                {"ppoll"},
                {"sendmsg"},
                {"recvmsg"},
            },
    };
}

static void add(struct cage *cage, const struct cage_call *calls, size_t count)
{
    size_t used = 0;
    while (cage->calls[used].name) {
        used++;
    }
    ENSURE(used + count <= CAGE_CALLS);
    for (size_t i = 0; i < count; i++) {
        cage->calls[used + i] = calls[i];
    }
}

struct cage opener_cage(void)
{
    static const struct cage_call client[] = {
        {"epoll_wait"},
        {"epoll_pwait"},
        {"read", CAGE_FD(OPENER_TIMER)},
        {"read", CAGE_FD(OPENER_WAKE)},
        {"recvfrom", CAGE_FD(SCAN_OUT)},
        {"sendto", CAGE_CONNECTED(SCAN_OUT)},
    };
    struct cage cage = any_opener();
    add(&cage, client, sizeof client / sizeof *client);
    return cage;
}

struct cage demand_cage(void)
{
    static const struct cage_call lines[] = {{"write", CAGE_FD(SCAN_OUT)}};
    struct cage cage = any_opener();
    add(&cage, lines, sizeof lines / sizeof *lines);
    return cage;
}

struct cage worker_cage(void)
{
    return (struct cage){
        .user = "bulkhead-scan-worker",
        .id = WORKER_ID,
        .folder = -1,
        .anyone = true,
        .memory_bytes = WORKER_MEMORY,
        .descriptors = WORKER_DESCRIPTORS,
        .calls =
            {
                {"recvmsg", CAGE_FD(WORKER_OPENER)},
                {"sendmsg", CAGE_FD(WORKER_OPENER)},
                {"pread64", CAGE_FD(WORKER_PACK)},
                {"pread64", CAGE_FD(WORKER_FILE)},
                {"madvise"},
                /* libyara's locks, which nobody else holds */
                {"futex"},
            },
    };
}

struct status worker_limits(void)
{
    struct rlimit cpu = {.rlim_cur = WORKER_CPU_S, .rlim_max = WORKER_CPU_S};
    if (setrlimit(RLIMIT_CPU, &cpu) != 0) {
        FAIL_SYS(errno);
    }
    return OK;
}
