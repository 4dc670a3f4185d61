/*
 * cage_guard: a guard in small for one worker: the real channel, the real ring, and the worker's
 * real binary in its real cage. It keeps what the worker said for a test to look at.
 */
#pragma once

#include "base/status.h"
#include "wire/client.h"
#include "wire/stream.h"

#include <sys/types.h>

enum { GUARD_RING = 1 << 20, GUARD_ALERTS = 32768 };

struct small_guard {
    struct stream_writer writer;
    void *memory;
    int ring;
    int wake;
    int socket;
    pid_t worker;
    uint64_t types;    /* it subscribed to */
    uint64_t position; /* as it last said */
    uint64_t seq;
    bool hold;      /* an engine that is ready is not told to begin */
    bool ready;     /* it said so … */
    uint32_t rules; /* … and this */
    unsigned reports;
    char report[1025]; /* its last one */
    unsigned alert_count;

    struct {
        uint64_t event_seq;
        unsigned nth;
        char rule[65];
    } alerts[GUARD_ALERTS];

    int syslog; /* handed out when it asks; -1: there is none */
    unsigned syslog_asked;
};

struct status small_guard_open(struct small_guard *g);
void small_guard_close(struct small_guard *g);

/* Another ring, as after another boot: numbers begin anew and nothing can be resumed. */
struct status small_guard_boot(struct small_guard *g);

/* Starts `binary` with the socket as 3 and `file` and `log` (-1: none) as 4 and 5. */
struct status small_guard_start(struct small_guard *g, const char *binary, int file, int log);

/* Publishes one event of `type` with two texts, and wakes the worker. Returns its number. */
uint64_t small_guard_publish(struct small_guard *g, enum event_type type, enum field field,
                             struct text value);

/* Answers the worker for as long as `wait_ms`, or until it hangs up (false). */
bool small_guard_serve(struct small_guard *g, int wait_ms);

/* Tells it to begin where the worker before it was, or to end there. */
void small_guard_begin(const struct small_guard *g);
void small_guard_finish(const struct small_guard *g);

/* Kills the worker, if `signal` is not 0, and waits for its end: its wait status. */
int small_guard_end(struct small_guard *g, int signal);
