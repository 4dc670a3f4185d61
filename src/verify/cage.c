#include "verify/cage.h"

/* Where no package made the user; engine/cage.c says why this number. */
enum { VERIFY_ID = 61182 };

/* The engine's (engine/cage.c): what cannot be proven in it could not run in it either. */
enum { VERIFY_MEMORY = 256 * 1024 * 1024 };

struct cage verify_cage(void)
{
    return (struct cage){
        .user = "bulkhead-verify",
        .id = VERIFY_ID,
        .folder = -1,
        .anyone = true,
        .memory_bytes = VERIFY_MEMORY,
        .descriptors = 16, /* none is opened inside; the cage itself needs one while it is put on */
        .calls =
            {
                {"read", CAGE_FD(VERIFY_PACK)},
                {"write", CAGE_FD(VERIFY_ANSWER)},
            },
    };
}
