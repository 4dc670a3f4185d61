#include "courier/deliver.h"

#include "base/clock.h"
#include "base/heap.h"
#include "base/log.h"
#include "courier/cage.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>

enum {
    SYNC_MS = 1000,  /* what a power cut may cost; more often would wear out flash storage */
    RETRY_MS = 1000, /* of a write that failed */
};

static volatile sig_atomic_t stopping;

void delivery_stop(int signal)
{
    (void)signal;
    stopping = 1;
}

struct status delivery_open(int folder, struct spool_limits limits, struct bh_client *client,
                            struct delivery *out)
{
    struct delivery d = {.client = client, .spool.file = -1};
    TRY(spool_open(folder, limits, &d.spool));
    d.line = heap_alloc(BH_JSON_MAX + 1, 1);
    if (!d.line) {
        spool_close(&d.spool);
        FAIL(MEMORY);
    }
    *out = d;
    return OK;
}

void delivery_close(struct delivery *d)
{
    spool_close(&d->spool);
    heap_drop(&d->line);
}

/* ── what is written already ── */

/* The line up to its time: type and numbers and time name an event, whatever fields a newer version
 * adds behind them. */
static struct text line_head(struct text line)
{
    size_t end = text_find(line, TEXT("Z\""));
    return text_part(line, 0, end == SIZE_MAX ? line.len : end + 2);
}

/*
 * Guard starts a courier after the last event that one acknowledged, so the first event tells:
 * where the spool has it, everything up to the spool's last line comes again. Where it has not, the
 * numbers began anew (another boot), and nothing does, whatever number the last line bears.
 */
static struct status check_overlap(struct delivery *d, uint64_t seq, struct text line)
{
    bool there = false;
    if (seq <= d->spool.last_seq) {
        TRY(spool_has(&d->spool, line_head(line), &there));
    }
    d->last_seq = there ? d->spool.last_seq : 0;
    d->checked = true;
    return OK;
}

/* ── writing ── */

/* People see it once: in the log here, and as a health event as soon as there is room again. */
static void say_stuck(struct delivery *d, struct status s)
{
    char words[160], message[256];
    if (d->stuck) {
        return;
    }
    d->stuck = true;
    status_text(s, words, sizeof words);
    snprintf(message, sizeof message,
             "alerts cannot be written to the spool and wait: %s; make room there", words);
    log_error("%s", message);
    bh_client_report(d->client, "high", message);
}

static void say_free(struct delivery *d)
{
    if (d->stuck) {
        d->stuck = false;
        log_info("alerts are written to the spool again");
        bh_client_report(d->client, "informational", "alerts are written to the spool again");
    }
}

/* Guard's going is seen here too, or a courier on a full disk would outlive its conversation. The
 * library looks at its socket only when no event waits, and here they do. */
static struct status wait_for_room(void)
{
    struct pollfd guard = {.fd = COURIER_SOCKET, .events = 0};
    poll(&guard, 1, RETRY_MS);
    if (stopping || guard.revents != 0) {
        FAIL(CLOSED);
    }
    return OK;
}

static struct status sync_spool(struct delivery *d, uint64_t now_ns)
{
    struct status s;
    while (!status_ok(s = spool_sync(&d->spool))) {
        say_stuck(d, s);
        TRY(wait_for_room());
    }
    say_free(d);
    d->synced_ns = now_ns;
    bh_client_acknowledge(d->client);
    return OK;
}

/* logrotate moves files, people remove them: at most a second's lines go where nobody looks. */
static struct status look_if_due(struct delivery *d)
{
    uint64_t now = clock_boot_ns();
    bool moved = false;
    if (now - d->looked_ns < SYNC_MS * (uint64_t)CLOCK_NS_PER_MS) {
        return OK;
    }
    TRY(spool_look(&d->spool, &moved));
    d->looked_ns = now;
    if (moved) {
        log_info("alerts.jsonl was moved or removed; it is begun anew");
    }
    return OK;
}

static struct status append_line(struct delivery *d, struct text line)
{
    TRY(look_if_due(d));
    return spool_append(&d->spool, line);
}

static struct status write_line(struct delivery *d, struct text line)
{
    struct status s;
    while (!status_ok(s = append_line(d, line))) {
        say_stuck(d, s);
        TRY(wait_for_room());
    }
    say_free(d);
    return OK;
}

static struct status on_event(struct delivery *d, const struct bh_event *event)
{
    size_t len;
    uint64_t seq = bh_event_seq(event);
    if (bh_event_json(event, d->line, BH_JSON_MAX, &len) != BH_OK) {
        FAIL(LIMIT);
    }
    d->line[len] = '\n';
    struct text line = {.ptr = d->line, .len = len + 1};
    if (!d->checked) {
        TRY(check_overlap(d, seq, line));
    }
    if (seq <= d->last_seq) {
        return OK;
    }
    TRY(write_line(d, line));
    system_log_send(&d->log, d->client, event, clock_boot_ns());
    return OK;
}

/* ── the loop ── */

static struct status sync_if_due(struct delivery *d)
{
    uint64_t now = clock_boot_ns();
    bool due = now - d->synced_ns >= SYNC_MS * (uint64_t)CLOCK_NS_PER_MS;
    return due && d->spool.unsynced ? sync_spool(d, now) : OK;
}

/* No longer than a second, so that a signal that comes just before is seen. */
static int wait_ms(const struct delivery *d)
{
    uint64_t since_ms = (clock_boot_ns() - d->synced_ns) / CLOCK_NS_PER_MS;
    return d->spool.unsynced && since_ms < SYNC_MS ? SYNC_MS - (int)since_ms : SYNC_MS;
}

static struct status deliver_waiting(struct delivery *d)
{
    const struct bh_event *event;
    int result;
    while ((result = bh_client_next(d->client, &event)) == BH_OK) {
        TRY(on_event(d, event));
        TRY(sync_if_due(d));
    }
    if (result == BH_CLOSED) {
        FAIL(CLOSED);
    }
    if (result != BH_AGAIN) {
        FAIL(INVALID);
    }
    return OK;
}

static struct status deliver_until_stopped(struct delivery *d)
{
    for (;;) {
        bool last = stopping;
        TRY(deliver_waiting(d));
        TRY(sync_if_due(d));
        if (last) {
            return sync_spool(d, clock_boot_ns());
        }
        int result = bh_client_wait(d->client, wait_ms(d));
        if (result == BH_CLOSED) {
            FAIL(CLOSED);
        }
        if (result != BH_OK && result != BH_TIMEOUT) {
            FAIL(INVALID);
        }
    }
}

/* When guard is gone nobody is there to acknowledge to; the next courier sees what the spool has.
 */
struct status delivery_run(struct delivery *d)
{
    struct status s = deliver_until_stopped(d);
    return s.fault == FAULT_CLOSED ? spool_sync(&d->spool) : s;
}
