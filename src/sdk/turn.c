/* Whose turn it is to read: an engine waits for its own, and root may call for a change. */
#include "sdk/client.h"

#include "base/clock.h"

/* ── the engine ── */

int turn_on_begin(struct bh_client *c, const struct wire_begin *begin)
{
    if (c->turn != TURN_ASKED) {
        return client_fail(c, BH_DAMAGED, "guard said \"begin\" to a client that had not asked");
    }
    struct status s =
        client_read_from(c->memory, c->memory_size, begin->position, begin->seq, &c->reader);
    if (!status_ok(s)) {
        return client_fail_status(c, "guard's ring cannot be read", s);
    }
    c->turn = TURN_MINE;
    c->turn_position = begin->position;
    return BH_OK;
}

void turn_on_finish(struct bh_client *c)
{
    c->turn = TURN_OVER;
}

/* Guard must know what this client wants to see before it hears that it is ready: what is published
 * from its turn on shall hold all of it. */
static int say_ready(struct bh_client *c, const struct bh_ready *ready, uint64_t deadline_ns)
{
    struct wire_message m = {
        .number = WIRE_READY,
        .ready = {.rules = ready->rules, .digest = text_of(ready->digest)},
    };
    int result = BH_OK;
    speak_interest(c);
    while (!c->types_said || c->watches_said < c->watches.count) {
        result = channel_pump(c, wait_left_ms(deadline_ns));
        if ((result != BH_OK && result != BH_AGAIN) || c->channel.phase != CHANNEL_OPEN) {
            return result == BH_OK || result == BH_AGAIN ? c->channel.ended : result;
        }
    }
    return channel_send_until(c, &m, deadline_ns);
}

int bh_client_begin(struct bh_client *c, const struct bh_ready *ready, int timeout_ms)
{
    uint64_t deadline_ns = wait_deadline(timeout_ms);
    if (ready->size < sizeof *ready || c->turn != TURN_STANDBY) {
        return client_fail(c, BH_ARGUMENT, "only a client opened with BH_STANDBY begins, and once");
    }
    int result = say_ready(c, ready, deadline_ns);
    if (result != BH_OK) {
        return result;
    }
    c->turn = TURN_ASKED;
    while (c->turn == TURN_ASKED) {
        result = channel_pump(c, wait_left_ms(deadline_ns));
        if (result != BH_OK && result != BH_AGAIN) {
            return result;
        }
        if (c->channel.phase != CHANNEL_OPEN) {
            return c->channel.ended;
        }
    }
    return c->turn == TURN_MINE ? BH_OK : BH_CLOSED;
}

/* A reader of its own: what is lost of the past is no loss, and its place is not ours to report. */
static struct status next_of_past(struct bh_client *c, struct text *out)
{
    if (!c->past.page) {
        TRY(stream_open(c->memory, c->memory_size, 0, &c->past));
    }
    if (c->turn_position == STREAM_FROM_NOW || c->past.position >= c->turn_position) {
        FAIL(AGAIN);
    }
    TRY(stream_next(&c->past, c->record, out));
    if (c->past.position > c->turn_position) {
        FAIL(AGAIN); /* it was overtaken: what it read belongs to the turn */
    }
    return OK;
}

int bh_client_rehearse(struct bh_client *c, const struct bh_event **out)
{
    struct text record;
    if (c->turn == TURN_OVER || c->past_read || !c->memory) {
        return BH_AGAIN;
    }
    while (true) {
        struct status s = next_of_past(c, &record);
        if (!status_ok(s)) {
            return s.fault == FAULT_AGAIN ? BH_AGAIN
                                          : client_fail_status(c, "guard's ring is damaged", s);
        }
        if (client_accepts(c, record)) {
            c->event.rehearsed = true;
            *out = &c->event;
            return BH_OK;
        }
    }
}

/* ── root ── */

void turn_on_loaded(struct bh_client *c, const struct wire_loaded *loaded)
{
    struct bh_loaded *out = &c->channel.loaded;
    *out = (struct bh_loaded){.ok = loaded->ok,
                              .rules = loaded->rules,
                              .took_ms = loaded->took_ms,
                              .gap_us = loaded->gap_us,
                              .old_events = loaded->old_events,
                              .last_seq = loaded->last_seq};
    text_copy(loaded->digest, out->digest, sizeof out->digest);
    text_copy(loaded->why, out->why, sizeof out->why);
    c->channel.loaded_answered = true;
}

int bh_client_load(struct bh_client *c, enum bh_load what, int timeout_ms, struct bh_loaded *out)
{
    uint64_t deadline_ns = wait_deadline(timeout_ms);
    struct wire_message m = {.number = WIRE_LOAD, .load = {.what = (uint8_t)what}};
    if (out->size < sizeof out->size) {
        return client_fail(c, BH_ARGUMENT, "struct bh_loaded needs its size");
    }
    int result = channel_send_until(c, &m, deadline_ns);
    if (result != BH_OK) {
        return result == BH_AGAIN ? client_fail(c, BH_TIMEOUT, "guard is not there") : result;
    }
    c->channel.loaded_answered = false;
    while (!c->channel.loaded_answered) {
        result = channel_pump(c, wait_left_ms(deadline_ns));
        if (result != BH_OK && result != BH_AGAIN) {
            return result;
        }
        if (c->channel.phase != CHANNEL_OPEN) {
            return c->channel.ended;
        }
    }
    struct bh_loaded said = c->channel.loaded;
    said.size = out->size;
    memcpy(out, &said, out->size < sizeof said ? out->size : sizeof said);
    return BH_OK;
}
