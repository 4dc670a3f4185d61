/*
 * One engine follows another without an event in between that neither saw: the next one proves its
 * pack and says what it needs while the old one works; then the old one is asked to end, and the
 * next one goes on after the last event that the old one dealt with.
 *
 * Whatever dies, one of the two works on: docs/decisions/0013-one-engine-follows-another.md.
 */
#include "base/clock.h"
#include "base/own.h"
#include "guard/guard.h"

#include <signal.h>
#include <stdio.h>

enum {
    PROVE_MS = 10000, /* 64 MiB are read and proven in a second, and ten may build on the machine */
    FINISH_MS = 2000, /* it looks at its channel after 64 events, 2 ms each at most */
    LEAVE_MS = 2000,  /* between an engine's last word and its end */
};

static uint64_t after_ms(uint64_t now_ns, int ms)
{
    return now_ns + (uint64_t)ms * CLOCK_NS_PER_MS;
}

/* ── the outcome ── */

/* To who asked, if it is still there. That it is gone changes nothing. */
static void answer_asker(struct guard *g, const struct wire_message *m)
{
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        struct client *c = &g->clients[i];
        if (c->phase == CLIENT_OPEN && g->swap.asker != 0 && c->id == g->swap.asker) {
            status_ignore(client_send(c, m, NULL, 0));
        }
    }
}

static void forget(struct guard *g)
{
    fd_drop(&g->swap.fd);
    g->swap = (struct swap){.fd = -1};
}

static void refuse(struct guard *g, const char *why)
{
    struct swap *s = &g->swap;
    struct wire_message m = {.number = WIRE_LOADED,
                             .loaded = {.digest = text_of(s->note.digest), .why = text_of(why)}};
    answer_asker(g, &m);
    packs_give_up(g, s->place);
    publish_health(g, "high", "engine", 1, "The new content was refused: %s. %s", why,
                   g->components[COMPONENT_ENGINE].pid > 0 ? "The old content goes on."
                                                           : "No content is active.");
    forget(g);
}

static void tell_loaded(struct guard *g, uint64_t last_seq, uint64_t now_ns)
{
    const struct swap *s = &g->swap;
    uint32_t took_ms = (uint32_t)((now_ns - s->asked_ns) / CLOCK_NS_PER_MS);
    uint32_t gap_us = s->finish_ns ? (uint32_t)((now_ns - s->finish_ns) / 1000) : 0;
    struct wire_message m = {.number = WIRE_LOADED,
                             .loaded = {.ok = 1,
                                        .rules = s->note.rules,
                                        .old_events = s->old_events,
                                        .last_seq = last_seq,
                                        .took_ms = took_ms,
                                        .gap_us = gap_us,
                                        .digest = text_of(s->note.digest)}};
    answer_asker(g, &m);
    publish_health(g, "informational", "engine", 1,
                   "New content is active: %u rules (%s), from event %llu on.", s->note.rules,
                   s->note.digest, (unsigned long long)last_seq + 1);
}

/* ── the way there ── */

static void ask_for(struct guard *g, struct client *asker, struct status found, const char *what)
{
    struct swap *s = &g->swap;
    char words[200];
    char why[257];
    s->asker = asker ? asker->id : 0;
    s->asked_ns = clock_boot_ns();
    s->deadline_ns = after_ms(s->asked_ns, PROVE_MS);
    if (!status_ok(found)) {
        snprintf(why, sizeof why, "%s cannot be used: %s", what,
                 found.fault == FAULT_MISSING   ? "there is none"
                 : found.fault == FAULT_INVALID ? "it is no regular file"
                                                : status_text(found, words, sizeof words));
        refuse(g, why);
        return;
    }
    s->phase = SWAP_PROVING;
    if (!supervise_launch(g, COMPONENT_STANDBY)) {
        refuse(g, "the engine that shall run it could not be started");
    }
}

static void kill_component(struct guard *g, enum component_id id)
{
    if (g->components[id].pid > 0) {
        kill(g->components[id].pid, SIGKILL);
    }
}

/* The last swap's old engine has said its last word and may take its time to end: it is not waited
 * for, and its end is nobody's news. */
static bool is_busy(struct guard *g)
{
    struct component *standby = &g->components[COMPONENT_STANDBY];
    if (standby->state == COMPONENT_LEAVING) {
        kill_component(g, COMPONENT_STANDBY);
        standby->pid = 0;
        standby->state = COMPONENT_OFF;
    }
    return g->swap.phase != SWAP_NONE || standby->pid > 0;
}

void swap_on_load(struct guard *g, struct client *c, bool previous)
{
    struct swap *s = &g->swap;
    struct wire_message busy = {
        .number = WIRE_LOADED,
        .loaded = {.why = TEXT("another pack is being loaded: try again in a moment")}};
    if (is_busy(g) || g->stopping) {
        status_ignore(client_send(c, &busy, NULL, 0)); /* it may be gone */
        return;
    }
    ask_for(g, c,
            previous ? packs_take_previous(g, &s->place, &s->fd) : packs_take(g, &s->place, &s->fd),
            previous ? "the previous content" : "the content that was put there for guard");
}

/* What was put there; else the file of the active content again, which may be another by now. */
void swap_on_hangup(struct guard *g)
{
    struct swap *s = &g->swap;
    if (is_busy(g) || g->stopping) {
        publish_health(g, "medium", "guard", 1,
                       "SIGHUP came while another pack is being loaded: nothing is done.");
        return;
    }
    struct status found = packs_take(g, &s->place, &s->fd);
    if (found.fault == FAULT_MISSING) {
        found = packs_take_again(g, &s->place, &s->fd);
    }
    ask_for(g, NULL, found, "the content");
}

/* Why it refuses is the last that an engine says: "The content was refused: WHY." */
void swap_on_report(struct guard *g, const struct client *c, const struct wire_report *report)
{
    static const char lead[] = "The content was refused: ";

    struct text why = report->message;
    if (!c->ours || c->component != COMPONENT_STANDBY || g->swap.phase != SWAP_PROVING ||
        !text_same(report->level, TEXT("critical"))) {
        return;
    }
    why = text_starts(why, text_of(lead)) ? text_part(why, sizeof lead - 1, why.len) : why;
    why.len -= text_ends(why, TEXT("."));
    text_copy(why, g->swap.why, sizeof g->swap.why);
}

/* The next engine takes the old one's place. The old one, if it still is, has said its last word.
 */
static void take_over(struct guard *g)
{
    struct swap *s = &g->swap;
    struct component *all = g->components;
    struct client *c = clients_of(g, COMPONENT_STANDBY);
    struct component old = all[COMPONENT_ENGINE];
    all[COMPONENT_ENGINE] = all[COMPONENT_STANDBY];
    all[COMPONENT_ENGINE].restarts = old.restarts;
    text_copy(text_of(old.last_exit), all[COMPONENT_ENGINE].last_exit, sizeof old.last_exit);
    all[COMPONENT_STANDBY] = old;
    all[COMPONENT_STANDBY].state = old.pid > 0 ? COMPONENT_LEAVING : COMPONENT_OFF;
    all[COMPONENT_STANDBY].end_ns = 0; /* it has LEAVE_MS */
    c->component = COMPONENT_ENGINE;
    uint64_t last_seq = c->cursor ? c->cursor->seq : 0;
    struct status begun = client_begin(g, c); /* first of all: events wait for it */
    uint64_t now_ns = clock_boot_ns();
    packs_install(g, s->place, &s->note, &s->fd);
    g->rule_costs = (struct rule_costs){0}; /* of the old pack's rules */
    supervise_renew_scan(g);
    tell_loaded(g, last_seq, now_ns);
    forget(g);
    g->swap.deadline_ns = after_ms(clock_boot_ns(), LEAVE_MS);
    if (!status_ok(begun)) {
        clients_drop(g, c, begun.fault, "it could not be told to begin");
    }
}

static void ask_to_finish(struct guard *g, struct client *old)
{
    struct wire_message m = {.number = WIRE_FINISH, .finish = {.wait_ms = FINISH_MS}};
    g->swap.phase = SWAP_FINISHING;
    g->swap.finish_ns = clock_boot_ns();
    g->swap.deadline_ns = after_ms(g->swap.finish_ns, FINISH_MS);
    if (!status_ok(client_send(old, &m, NULL, 0))) {
        kill_component(g, COMPONENT_ENGINE); /* its end is heard like any other */
    }
}

struct status swap_on_ready(struct guard *g, struct client *c, const struct wire_ready *ready)
{
    bool standby = c->component == COMPONENT_STANDBY;
    struct pack_note *note = standby ? &g->swap.note : &g->kept->active;
    note->rules = ready->rules;
    text_copy(ready->digest, note->digest, sizeof note->digest);
    note->since_ns = note->since_ns ? note->since_ns : clock_real_ns();
    if (!standby) {
        return client_begin(g, c);
    }
    if (g->swap.phase != SWAP_PROVING) {
        FAIL(INVALID);
    }
    c->phase = CLIENT_READY;
    struct client *old = clients_of(g, COMPONENT_ENGINE);
    if (old && old->phase == CLIENT_OPEN) {
        ask_to_finish(g, old);
        return OK;
    }
    /* None works at the moment, and one that is only starting has nothing to finish. */
    kill_component(g, COMPONENT_ENGINE);
    if (old) {
        clients_drop(g, old, FAULT_OK, NULL);
    }
    take_over(g);
    return OK;
}

/* ── ends ── */

void swap_on_gone(struct guard *g, const struct client *gone)
{
    struct swap *s = &g->swap;
    if (g->stopping) {
        return; /* all of them go */
    }
    if (gone->component == COMPONENT_ENGINE && gone->phase == CLIENT_OPEN) {
        s->old_events = gone->events;
    }
    if (gone->component == COMPONENT_ENGINE && s->phase == SWAP_FINISHING) {
        take_over(g);
    } else if (gone->component == COMPONENT_STANDBY) {
        kill_component(g, COMPONENT_STANDBY); /* an engine that is cut off is of no use */
        if (s->phase == SWAP_FINISHING) {     /* too late for the old one, which is started anew */
            refuse(g, "the engine that should run it stopped before its turn");
        }
    }
}

void swap_on_end(struct guard *g, const char *how)
{
    char why[257];
    if (g->swap.phase == SWAP_NONE) {
        return;
    }
    if (g->swap.why[0]) {
        text_copy(text_of(g->swap.why), why, sizeof why);
    } else {
        snprintf(why, sizeof why, "the engine that should run it stopped (%s)", how);
    }
    refuse(g, why);
}

void swap_tick(struct guard *g, uint64_t now_ns)
{
    struct swap *s = &g->swap;
    if (swap_deadline_ns(g) == 0 || now_ns < s->deadline_ns) {
        return;
    }
    s->deadline_ns = after_ms(now_ns, LEAVE_MS); /* the kernel needs a moment to end it */
    if (s->phase == SWAP_PROVING) {
        snprintf(s->why, sizeof s->why, "the engine had not proven it after %d s", PROVE_MS / 1000);
        kill_component(g, COMPONENT_STANDBY);
    } else if (s->phase == SWAP_FINISHING) {
        publish_health(g, "high", "engine", 1,
                       "The engine did not finish within %d s and is ended; the next one goes on "
                       "where it was.",
                       FINISH_MS / 1000);
        kill_component(g, COMPONENT_ENGINE);
    } else {
        kill_component(g, COMPONENT_STANDBY);
    }
}

uint64_t swap_deadline_ns(const struct guard *g)
{
    bool leaving = g->components[COMPONENT_STANDBY].state == COMPONENT_LEAVING;
    return g->swap.phase != SWAP_NONE || leaving ? g->swap.deadline_ns : 0;
}
