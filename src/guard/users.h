/*
 * users: names of user ids from /etc/passwd, for people and for rules.
 *
 * Read at the start and again when the file changed; no name service is asked, since that could
 * block. An id without a name is shown as its number.
 */
#pragma once

#include "base/status.h"
#include "base/text.h"

enum { USERS_MAX = 4096, USERS_FILE = 512 * 1024, USERS_NAME = 32 };

struct users {
    struct {
        uint32_t uid;
        char name[USERS_NAME];
    } all[USERS_MAX];

    unsigned count;
    int64_t changed_ns; /* of the file that was read */
};

/* Reads `path` if it is another than last time. What cannot be read leaves the names as they are.
 */
void users_refresh(struct users *u, const char *path);

/* The name, or the number in decimal in `room` of USERS_NAME bytes. */
struct text users_name(const struct users *u, uint32_t uid, char *room);
