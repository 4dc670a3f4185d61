/*
 * home: the folder of one instance, where its processes meet. Several instances have several homes.
 *
 *   run/guard.sock   what clients connect to        run/bpf   pins, a bpffs of this instance
 *   run/lock         held by the guard that works   run/mem   memory that outlives guard, a tmpfs
 *   spool/           alerts as JSON lines          content/  the packs: active, previous
 */
#pragma once

#include "base/status.h"

struct sockaddr_un;

enum { HOME_PATH = 512 }; /* bytes of any path in it, terminated */

struct home {
    char root[HOME_PATH]; /* absolute, without a slash at its end */
};

/* The home that `argument` names, else $BULKHEAD_HOME, else /var/lib/bulkhead; it need not be
 * there. LIMIT: too long a path; also where it would be too long for a socket (107 bytes). */
struct status home_open(const char *argument, struct home *out);

/* Makes the folders that are missing. DENIED: one of them is not ours: it belongs to another user,
 * or others can write to it, or it is a link; `why` (HOME_PATH bytes) names it and says which. */
struct status home_make(const struct home *home, char *why);

/* "ROOT/name" into `room` of HOME_PATH bytes; returns it. */
const char *home_path(const struct home *home, const char *name, char *room);

/* The address of run/guard.sock. */
struct status home_socket(const struct home *home, struct sockaddr_un *out);
