/*
 * deliver: the courier's work, once it is in its cage: each alert and health event becomes a line
 * of the spool, exactly once, and one of the system log.
 *
 * An event is acknowledged to guard only when its line is on disk. Where it cannot be written (a
 * full disk) the courier keeps its place in the stream, says so once, and goes on when there is
 * room.
 */
#pragma once

#include "courier/spool.h"
#include "courier/system_log.h"

struct delivery {
    struct bh_client *client;
    struct spool spool;
    struct system_log log;
    char *line;        /* BH_JSON_MAX bytes and a newline */
    uint64_t last_seq; /* events up to it are in the spool; 0: no more of those can come */
    bool checked;      /* it is known whether the stream starts over what the spool holds */
    uint64_t synced_ns;
    uint64_t looked_ns; /* when it was last seen that the file is where its name is */
    bool stuck;
};

/* `folder` and `client` stay the caller's. */
struct status delivery_open(int folder, struct spool_limits limits, struct bh_client *client,
                            struct delivery *out);
void delivery_close(struct delivery *delivery);

/* Until guard is gone or delivery_stop() was called, which is OK, or the stream cannot be read on.
 */
struct status delivery_run(struct delivery *delivery);

/* A handler for SIGTERM: what waits in the stream is still delivered, unless the disk is full. */
void delivery_stop(int signal);
