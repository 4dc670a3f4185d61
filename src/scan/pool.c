#include "scan/pool.h"

#include "base/clock.h"
#include "base/heap.h"
#include "base/own.h"
#include "scan/slot.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>

enum { TICK_MS = 200 };

/* ── what the keeper says ── */

static struct status start(struct pool *p, uint8_t slot)
{
    struct talk_message m = {.number = MESSAGE_START, .start = {.slot = slot}};
    p->slots[slot].state = SLOT_STARTING;
    return post_send(p->options->keeper, &m, -1);
}

static struct status on_keeper(struct pool *p)
{
    struct talk_message m;
    OWN(fd_drop) int fd = -1;
    TRY(post_receive(p->options->keeper, TALK_KEEPER, &p->packet, &m, &fd));
    if (m.number == MESSAGE_STARTED && fd >= 0 && p->slots[m.started.slot].state == SLOT_STARTING) {
        return slot_begin(p, &p->slots[m.started.slot], fd_take(&fd));
    }
    if (m.number == MESSAGE_ENDED && p->slots[m.ended.slot].state != SLOT_OFF) {
        return slot_ended(p, &p->slots[m.ended.slot], &m.ended);
    }
    FAIL(INVALID);
}

/* ── work ── */

static bool has_work(const struct slot *s)
{
    return s->target.fd >= 0;
}

/* The first worker's flaws are everybody's, so the others wait until it is ready. */
static struct status start_missing(struct pool *p)
{
    unsigned wanted = p->ready ? p->options->jobs : 1;
    for (uint8_t i = 0; i < wanted; i++) {
        struct slot *s = &p->slots[i];
        bool needed = has_work(s) || !p->ready || (!p->ended && !p->options->compile_only);
        if (s->state == SLOT_OFF && needed) {
            TRY(start(p, i));
        }
    }
    return OK;
}

static struct status hand_out(struct pool *p)
{
    p->later = false;
    for (unsigned i = 0; i < p->options->jobs; i++) {
        struct slot *s = &p->slots[i];
        if (s->state != SLOT_IDLE || has_work(s) || p->ended || p->later) {
            continue;
        }
        switch (p->source->next(p->source->context, &s->target)) {
        case POOL_FILE:
            TRY(slot_take(p, s));
            break;
        case POOL_LATER:
            p->later = true;
            break;
        case POOL_END:
            p->ended = true;
            break;
        }
    }
    return OK;
}

static bool is_done(const struct pool *p)
{
    if (!p->ready || (!p->ended && !p->options->compile_only)) {
        return false;
    }
    for (unsigned i = 0; i < TALK_SLOTS; i++) {
        if (has_work(&p->slots[i])) {
            return false;
        }
    }
    return true;
}

/* ── the loop ── */

static int wait_ms(const struct pool *p)
{
    uint64_t now = clock_boot_ns();
    int wait = -1;
    bool busy = false;
    for (unsigned i = 0; i < TALK_SLOTS; i++) {
        const struct slot *s = &p->slots[i];
        if (s->deadline_ns) {
            int64_t left = (int64_t)(s->deadline_ns - now) / CLOCK_NS_PER_MS + 1;
            left = left < 0 ? 0 : left;
            wait = wait < 0 || left < wait ? (int)left : wait;
            busy = true;
        }
    }
    return busy && (wait < 0 || wait > TICK_MS) ? TICK_MS : wait;
}

static struct status look_at_deadlines(struct pool *p)
{
    uint64_t now = clock_boot_ns();
    for (unsigned i = 0; i < TALK_SLOTS; i++) {
        if (p->slots[i].deadline_ns && now >= p->slots[i].deadline_ns) {
            TRY(slot_late(p, &p->slots[i]));
        }
    }
    return OK;
}

static struct status turn(struct pool *p)
{
    struct pollfd polled[TALK_SLOTS + 2];
    for (unsigned i = 0; i < TALK_SLOTS; i++) {
        polled[i] = (struct pollfd){.fd = p->slots[i].socket, .events = POLLIN};
    }
    polled[TALK_SLOTS] = (struct pollfd){.fd = p->options->keeper, .events = POLLIN};
    /* While all are busy nobody would take what comes: on_tick() has to do. */
    polled[TALK_SLOTS + 1] = (struct pollfd){.fd = p->later ? p->source->fd : -1, .events = POLLIN};
    if (poll(polled, TALK_SLOTS + 2, wait_ms(p)) < 0 && errno != EINTR) {
        FAIL_SYS(errno);
    }
    for (unsigned i = 0; i < TALK_SLOTS; i++) {
        if (polled[i].revents) {
            TRY(slot_serve(p, &p->slots[i]));
        }
    }
    if (polled[TALK_SLOTS].revents) {
        TRY(on_keeper(p));
    }
    TRY(look_at_deadlines(p));
    uint64_t now = clock_boot_ns();
    if (now - p->ticked_ns >= (uint64_t)TICK_MS * CLOCK_NS_PER_MS) {
        p->ticked_ns = now;
        p->source->on_tick(p->source->context);
    }
    return OK;
}

struct status pool_run(const struct pool_options *options, const struct pool_source *source)
{
    OWN(heap_drop) struct pool *p = heap_alloc(1, sizeof *p);
    if (!p) {
        FAIL(MEMORY);
    }
    p->options = options;
    p->source = source;
    for (uint8_t i = 0; i < TALK_SLOTS; i++) {
        p->slots[i].index = i;
        p->slots[i].socket = -1;
        p->slots[i].target.fd = -1;
    }
    while (!is_done(p)) {
        TRY(start_missing(p));
        TRY(hand_out(p));
        if (!is_done(p)) {
            TRY(turn(p));
        }
    }
    return OK;
}
