#include "courier/cage.h"

#include "courier/spool.h"

/* Where no package made the user; engine/cage.c says why this number. */
enum { COURIER_ID = 61181 };

/* Its buffers are below 2 MiB and all there at the start. */
enum { COURIER_MEMORY = 32 * 1024 * 1024 };

struct cage courier_cage(void)
{
    return (struct cage){
        .user = "bulkhead-courier",
        .id = COURIER_ID,
        .folder = COURIER_SPOOL,
        .memory_bytes = COURIER_MEMORY,
        .file_bytes = (SPOOL_FILE_MIB_MAX + 1ULL) << 20,
        .descriptors = COURIER_FILE + 1,
        .calls =
            {
                /* the client library */
                {"epoll_wait"},
                {"epoll_pwait"},
                {"poll"},
                {"ppoll"},
                {"read", CAGE_FD(COURIER_TIMER)},
                {"read", CAGE_FD(COURIER_WAKE)},
                {"recvmsg", CAGE_FD(COURIER_SOCKET)},
                {"recvfrom", CAGE_FD(COURIER_SOCKET)},
                {"sendto", CAGE_CONNECTED(COURIER_SOCKET)},
                /* the spool; that a path leads nowhere else is the empty root's work */
                {"openat", CAGE_FD(COURIER_SPOOL)},
                {"newfstatat"},
                {"fstat"},
                {"pread64"},
                {"dup3", {{.argument = 1, .mask = UINT32_MAX, .value = COURIER_FILE}}},
                {"write", CAGE_FD(COURIER_FILE)},
                {"ftruncate", CAGE_FD(COURIER_FILE)},
                {"fdatasync", CAGE_FD(COURIER_FILE)},
                {"fsync"},
                {"renameat", CAGE_FD(COURIER_SPOOL)},
                {"renameat2", CAGE_FD(COURIER_SPOOL)},
                {"unlinkat", CAGE_FD(COURIER_SPOOL)},
                /* the system log; a new socket takes the old one's number */
                {"sendto", CAGE_CONNECTED(COURIER_SYSLOG)},
                {"dup3", {{.argument = 1, .mask = UINT32_MAX, .value = COURIER_SYSLOG}}},
            },
    };
}
