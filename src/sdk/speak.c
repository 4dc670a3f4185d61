#include "sdk/client.h"

#include "base/clock.h"
#include "base/heap.h"
#include "base/own.h"

#include <unistd.h>

/* How long an alert or a report waits for room in the socket. */
enum { SPEAK_MS = 1000 };

static struct text text_from(struct bh_text t)
{
    return t.ptr ? (struct text){.ptr = t.ptr, .len = t.len} : TEXT("");
}

static int say(struct bh_client *c, const struct wire_message *message)
{
    return channel_send_until(c, message, wait_deadline(SPEAK_MS));
}

/* ── interest ── */

void speak_interest(struct bh_client *c)
{
    struct wire_message types = {.number = WIRE_SUBSCRIBE, .subscribe = {.types = c->types}};
    if (!c->types_said && channel_send(c, &types) == BH_OK) {
        c->types_said = true;
    }
    while (c->watches_said < c->watches.count) {
        struct text pattern = text_of(c->watches.paths[c->watches_said]);
        struct wire_message watch = {.number = WIRE_WATCH, .watch = {.pattern = pattern}};
        if (channel_send(c, &watch) != BH_OK) {
            return; /* the next tick goes on, and the next greeting begins anew */
        }
        c->watches_said++;
    }
}

static int interest_changed(struct bh_client *c)
{
    speak_interest(c);
    return c->channel.phase == CHANNEL_ENDED ? c->channel.ended : BH_OK;
}

int bh_client_subscribe(struct bh_client *c, uint64_t types)
{
    c->types = types;
    c->types_said = false;
    return interest_changed(c);
}

/* As guard sees it, which can only say so by parting: a path, or any folder's. */
static bool is_pattern(struct text pattern)
{
    return text_starts(pattern, TEXT("/")) || text_starts(pattern, TEXT("*/"));
}

int bh_client_watch(struct bh_client *c, const char *pattern)
{
    if (!is_pattern(text_of(pattern))) {
        return client_fail(c, BH_ARGUMENT,
                           "a path cannot be watched: it begins neither with / nor with */");
    }
    int result = path_list_add(&c->watches, pattern);
    if (result != BH_OK) {
        return client_fail(c, result, "a path cannot be watched: %s", bh_error_text(result));
    }
    return interest_changed(c);
}

/* ── alerts and reports ── */

int bh_client_alert(struct bh_client *c, const struct bh_event *event, const struct bh_alert *alert)
{
    const struct event_header *about = &event->event.header;
    if (event->rehearsed) {
        return client_fail(c, BH_ARGUMENT, "another client dealt with this event");
    }
    if (alert->size < sizeof *alert || alert->nth > UINT16_MAX || alert->id.len == 0) {
        return client_fail(c, BH_ARGUMENT, "an alert needs its size, an id and nth below 65,536");
    }
    struct wire_message m = {
        .number = WIRE_ALERT,
        .alert =
            {
                .event_seq = about->seq,
                .event_time = about->time_ns,
                .process_guid = (uint64_t)event_number(&event->event, FIELD_PROCESS_GUID),
                .event_type = about->type,
                .nth = (uint16_t)alert->nth,
                .rule_id = text_from(alert->id),
                .rule_title = text_from(alert->title),
                .rule_author = text_from(alert->author),
                .level = text_from(alert->level),
                .tags = text_from(alert->tags),
                .message = text_from(alert->message),
            },
    };
    return say(c, &m);
}

int bh_client_report(struct bh_client *c, const char *level, const char *message)
{
    struct wire_message m = {
        .number = WIRE_REPORT,
        .report = {.level = text_of(level), .message = text_of(message)},
    };
    return say(c, &m);
}

int bh_client_rule_cost(struct bh_client *c, const struct bh_rule_cost *cost)
{
    if (cost->size < sizeof *cost || cost->count > BH_RULE_COSTS || cost->nth >= cost->count) {
        return client_fail(c, BH_ARGUMENT, "a rule's cost needs its size, and nth below count");
    }
    struct wire_message m = {
        .number = WIRE_RULE_COST,
        .rule_cost =
            {
                .nth = (uint16_t)cost->nth,
                .count = (uint16_t)cost->count,
                .all_events = cost->all_events,
                .all_steps = cost->all_steps,
                .runs = cost->runs,
                .matches = cost->matches,
                .steps = cost->steps,
                .rule_id = text_from(cost->id),
                .rule_title = text_from(cost->title),
            },
    };
    return channel_send(c, &m);
}

/* ── questions ── */

static void forget_answer(struct answer *a)
{
    heap_free(a->json);
    a->json = NULL;
    a->len = 0;
    a->there = false;
}

static struct status append(struct answer *a, struct text part)
{
    if (part.len > CLIENT_ANSWER - a->len) {
        FAIL(LIMIT);
    }
    char *grown = heap_grow(a->json, a->len + part.len + 1, 1);
    if (!grown) {
        FAIL(MEMORY);
    }
    text_copy(part, grown + a->len, part.len + 1);
    a->json = grown;
    a->len += part.len;
    return OK;
}

/* Answers come in the order of the questions: only the last one's is waited for. */
struct status speak_on_answer(struct bh_client *c, const struct wire_answer *answer)
{
    struct answer *a = &c->channel.answer;
    if (a->owed == 0) {
        FAIL(INVALID);
    }
    if (a->owed == 1 && !a->there) {
        TRY(append(a, answer->json));
    }
    if (!answer->more) {
        a->there = a->owed == 1;
        a->owed--;
    }
    return OK;
}

int bh_client_ask(struct bh_client *c, const char *topic, uint64_t argument, int timeout_ms,
                  char **out)
{
    uint64_t deadline_ns = wait_deadline(timeout_ms);
    struct answer *a = &c->channel.answer;
    struct wire_message m = {
        .number = WIRE_ASK,
        .ask = {.argument = argument, .topic = text_of(topic)},
    };
    int result = channel_send_until(c, &m, deadline_ns);
    if (result != BH_OK) {
        return result == BH_AGAIN ? client_fail(c, BH_TIMEOUT, "guard is not there") : result;
    }
    forget_answer(a);
    a->owed++;
    while (!a->there) {
        result = channel_pump(c, wait_left_ms(deadline_ns));
        if (result != BH_OK && result != BH_AGAIN) {
            return result;
        }
        if (a->owed == 0 && !a->there) {
            return client_fail(c, BH_CLOSED, "guard went away before it answered");
        }
    }
    *out = TAKE(a->json);
    forget_answer(a);
    return BH_OK;
}

void bh_free(char *text)
{
    heap_free(text);
}

/* ── the system log ── */

/* One that comes too late serves the next who asks. */
void speak_on_syslog(struct bh_client *c, int fd)
{
    fd_drop(&c->channel.syslog);
    c->channel.syslog = fd;
    c->channel.syslog_answered = true;
}

int bh_client_syslog(struct bh_client *c, int timeout_ms, int *out)
{
    uint64_t deadline_ns = wait_deadline(timeout_ms);
    struct wire_message m = {.number = WIRE_WANT_SYSLOG};
    int result = channel_send_until(c, &m, deadline_ns);
    if (result != BH_OK) {
        return result == BH_AGAIN ? client_fail(c, BH_TIMEOUT, "guard is not there") : result;
    }
    c->channel.syslog_answered = false;
    while (!c->channel.syslog_answered) {
        result = channel_pump(c, wait_left_ms(deadline_ns));
        if (result != BH_OK && result != BH_AGAIN) {
            return result;
        }
        if (c->channel.phase != CHANNEL_OPEN) {
            return client_fail(c, BH_CLOSED, "guard went away before it answered");
        }
    }
    if (c->channel.syslog < 0) {
        return client_fail(c, BH_MISSING, "this machine has no system log");
    }
    *out = fd_take(&c->channel.syslog);
    return BH_OK;
}
