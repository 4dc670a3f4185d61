/*
 * system_log: alerts and health for the machine's own log, as RFC 3164 datagrams to /dev/log.
 *
 * A copy for people who look there; the spool is the record. Nothing here waits: what the log does
 * not take at once is left out and counted.
 */
#pragma once

#include <bulkhead/bulkhead.h>

enum { SYSTEM_LOG_LINE = 1024 }; /* RFC 3164, 4.1: the longest packet every receiver takes */

struct system_log {
    uint64_t retry_ns; /* when guard may be asked for a socket again */
    uint64_t left_out; /* lines since the last that was taken */
};

/* Writes the datagram for an alert or health event into `out`; returns its length. */
size_t system_log_line(const struct bh_event *event, char out[SYSTEM_LOG_LINE]);

/* Sends it to the socket COURIER_SYSLOG. Where that is broken guard is asked for another one. */
void system_log_send(struct system_log *log, struct bh_client *client, const struct bh_event *event,
                     uint64_t now_ns);
