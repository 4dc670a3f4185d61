#include "engine/cage.h"

/* Where no package made the user: systemd's table of user ids leaves 60706 to 61183 unused, and
 * neither distributions nor containers hand those out. */
enum { ENGINE_ID = 61180 };

/* Three thousand rules take some 10 MiB; this is what a runaway is stopped at, before the machine's
 * memory is short. */
enum { ENGINE_MEMORY = 256 * 1024 * 1024 };

struct cage engine_cage(void)
{
    return (struct cage){
        .user = "bulkhead-engine",
        .id = ENGINE_ID,
        .folder = -1,
        .memory_bytes = ENGINE_MEMORY,
        .descriptors = 16, /* what it was given and what the client library holds, twice over */
        .calls =
            {
                /* the client library; whom it sends to is not a question of an address */
                {"epoll_wait"},
                {"epoll_pwait"},
                {"poll"},
                {"ppoll"},
                {"read", CAGE_FD(ENGINE_TIMER)},
                {"read", CAGE_FD(ENGINE_WAKE)},
                {"pread64", CAGE_FD(ENGINE_PACK)},
                {"recvmsg", CAGE_FD(ENGINE_SOCKET)},
                {"recvfrom", CAGE_FD(ENGINE_SOCKET)},
                {"sendto", CAGE_CONNECTED(ENGINE_SOCKET)},
            },
    };
}
