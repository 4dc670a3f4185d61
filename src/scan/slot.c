#include "scan/slot.h"

#include "base/clock.h"
#include "base/own.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { MIB = 1 << 20 };

/* ── speaking ── */

/* A worker that is gone cannot hear; how it ended is told by the keeper. */
static void say(const struct slot *s, const struct talk_message *m, int fd)
{
    if (s->socket >= 0) {
        status_ignore(post_send(s->socket, m, fd));
    }
}

static void set_deadline(struct slot *s, uint64_t seconds)
{
    s->deadline_ns = clock_boot_ns() + seconds * CLOCK_NS_PER_S;
}

static void leave_state(struct slot *s, enum slot_state state)
{
    s->was = s->state == SLOT_DYING ? s->was : s->state;
    s->state = state;
}

static struct status end_worker(struct pool *p, struct slot *s)
{
    struct talk_message m = {.number = MESSAGE_END, .end = {.slot = s->index}};
    leave_state(s, SLOT_DYING);
    s->deadline_ns = 0;
    return post_send(p->options->keeper, &m, -1);
}

/* A rule; or with "" all of a file. */
static void say_rule(const struct slot *s, const char *file, const char *name, bool on)
{
    struct talk_message m = {.number = MESSAGE_RULE,
                             .rule = {.on = on, .file = text_of(file), .name = text_of(name)}};
    say(s, &m, -1);
}

/* A hang shows in a moment. What crashes or fills memory may do so at the end: it is given the time
 * that it had, but for what would take all that there is for finding the one to blame. */
static uint64_t base_time_s(const struct pool *p, const struct slot *s)
{
    uint64_t base = p->options->time_s;
    if (s->task == TASK_BLAME) {
        base = s->first_fault == OUTCOME_TIMED_OUT ? POOL_BLAME_S
               : base < POOL_TIME_S                ? base
                                                   : POOL_TIME_S;
    }
    return base + s->target.size / MIB / POOL_SCAN_MIB_S;
}

static void ask(const struct pool *p, struct slot *s, uint32_t first, uint32_t end)
{
    uint64_t time_s = base_time_s(p, s);
    struct talk_message m = {.number = MESSAGE_SCAN,
                             .scan = {.alone = s->by_source && s->task == TASK_BLAME,
                                      .size = s->target.size,
                                      .first = first,
                                      .end = end,
                                      .time_s = (uint32_t)time_s,
                                      .path = text_part(text_of(s->target.path), 0, 4096)}};
    s->state = SLOT_SCANNING;
    set_deadline(s, time_s + POOL_KILL_S + s->target.size / MIB / POOL_READ_MIB_S +
                        (s->by_source ? POOL_COMPILE_S / 2 : 0));
    say(s, &m, s->target.fd);
}

/* ── a file's end ── */

static void forget_culprits(struct slot *s)
{
    for (unsigned i = 0; i < s->culprit_count; i++) {
        if (s->culprits[i].back && !s->culprits[i].source) {
            say_rule(s, s->culprits[i].file, s->culprits[i].name, true);
        }
    }
    s->culprit_count = 0;
}

static struct status finish(struct pool *p, struct slot *s, const struct verdict *v)
{
    p->source->on_verdict(p->source->context, &s->target, text_of(s->sha256), v);
    forget_culprits(s);
    fd_drop(&s->target.fd);
    s->task = TASK_SCAN;
    s->again = false;
    s->deadline_ns = 0;
    if (s->state == SLOT_OFF || s->state == SLOT_DYING) {
        return OK;
    }
    s->state = SLOT_IDLE;
    /* One that was given other sources is put right by another. */
    bool spent = ++s->files >= POOL_WORKER_FILES || s->by_source;
    s->by_source = false;
    return spent ? end_worker(p, s) : OK;
}

static struct status give_up(struct pool *p, struct slot *s)
{
    struct verdict v = {.outcome = s->first_fault, .words = text_of(s->fault_words)};
    return finish(p, s, &v);
}

/* ── whose fault it is ── */

/* The next thing to do about its file; waits for a worker where there is none. */
static void go_on(const struct pool *p, struct slot *s)
{
    struct talk_message which = {.number = MESSAGE_WHICH,
                                 .which = {.source = s->by_source, .index = s->blame.first}};
    if (s->state != SLOT_IDLE) {
        return;
    }
    switch (s->task) {
    case TASK_SCAN:
        ask(p, s, 0, UINT32_MAX);
        break;
    case TASK_BLAME:
        ask(p, s, s->blame.first, s->blame.end);
        break;
    case TASK_NAME:
        s->state = SLOT_ASKED;
        set_deadline(s, POOL_KILL_S);
        say(s, &which, -1);
        break;
    }
}

static struct status blame(struct pool *p, struct slot *s, enum outcome outcome, const char *words)
{
    s->first_fault = outcome;
    snprintf(s->fault_words, sizeof s->fault_words, "%s", words);
    if (s->culprit_count == POOL_CULPRITS) {
        return give_up(p, s);
    }
    if (!s->again) {
        s->blame_until_ns = clock_boot_ns() + (uint64_t)POOL_BLAME_ALL_S * CLOCK_NS_PER_S;
    }
    s->again = true;
    s->task = TASK_BLAME;
    s->blame = blame_begin(s->by_source ? p->sources : p->rules);
    go_on(p, s);
    return OK;
}

/* Rules that are off are still searched for, so a file may take too long without any. Then whole
 * sources are tried, each time compiled without the others: slower, and only their file gets a
 * name where it holds more than one rule. */
static bool turn_to_sources(const struct pool *p, struct slot *s, enum outcome outcome)
{
    bool empty = s->blame.first == s->blame.end;
    if (s->by_source || !empty || outcome != s->first_fault || outcome == OUTCOME_CRASHED ||
        p->sources == 0) {
        return false;
    }
    s->by_source = true;
    s->blame = blame_begin(p->sources);
    go_on(p, s);
    return true;
}

static struct status answer(struct pool *p, struct slot *s, bool bad)
{
    enum blame_step step = blame_answer(&s->blame, bad);
    if (step == BLAME_NOBODY || clock_boot_ns() > s->blame_until_ns) {
        return give_up(p, s);
    }
    s->task = step == BLAME_RULE ? TASK_NAME : TASK_BLAME;
    go_on(p, s);
    return OK;
}

/* The file went badly. While somebody to blame is looked for only the same fault counts: a rule
 * that is slow did not crash. */
static struct status judge(struct pool *p, struct slot *s, enum outcome outcome, const char *words)
{
    if (s->task != TASK_BLAME) {
        return blame(p, s, outcome, words);
    }
    return turn_to_sources(p, s, outcome) ? OK : answer(p, s, outcome == s->first_fault);
}

/* True: the rule has failed on so many files that it is off for good. */
static bool strike(struct pool *p, struct text file, struct text name)
{
    unsigned i = 0;
    while (i < p->strike_count && (!text_same(text_of(p->strikes[i].file), file) ||
                                   !text_same(text_of(p->strikes[i].name), name))) {
        i++;
    }
    if (i == POOL_OFF_MAX) {
        return false;
    }
    if (i == p->strike_count) {
        p->strike_count++;
        text_copy(file, p->strikes[i].file, sizeof p->strikes[i].file);
        text_copy(name, p->strikes[i].name, sizeof p->strikes[i].name);
    }
    return ++p->strikes[i].count >= POOL_STRIKES;
}

/* Other workers hear of it too: they may be at a file like this one. */
static void switch_off(const struct pool *p, const char *file, const char *name)
{
    for (unsigned i = 0; i < TALK_SLOTS; i++) {
        say_rule(&p->slots[i], file, name, false);
    }
}

static struct status on_named(struct pool *p, struct slot *s, const struct talk_named *named)
{
    bool off = strike(p, named->file, named->name);
    struct culprit *c = &s->culprits[s->culprit_count++];
    text_copy(named->file, c->file, sizeof c->file);
    text_copy(named->name, c->name, sizeof c->name);
    c->back = !off;
    c->source = s->by_source;
    p->source->on_culprit(p->source->context, &s->target, s->first_fault, named, off);
    if (c->source) {
        say_rule(s, c->file, "", false);
    } else if (off) {
        switch_off(p, c->file, c->name);
    } else {
        say_rule(s, c->file, c->name, false);
    }
    if (c->source && off && p->skipped_count < POOL_SKIPPED_MAX) {
        p->skipped[p->skipped_count++] = s->blame.first; /* no later worker compiles it */
    }
    s->task = TASK_SCAN;
    s->state = SLOT_IDLE;
    go_on(p, s);
    return OK;
}

/* ── what a worker says ── */

static struct status on_ready(struct pool *p, struct slot *s, const struct talk_ready *ready)
{
    p->starts = 0;
    s->state = SLOT_IDLE;
    s->files = 0;
    s->deadline_ns = 0;
    if (!p->ready) {
        p->ready = true;
        p->rules = ready->rules;
        p->sources = ready->sources;
        if (!p->source->on_ready(p->source->context, ready)) {
            FAIL(MISSING);
        }
    }
    for (unsigned i = 0; i < p->strike_count; i++) {
        if (p->strikes[i].count >= POOL_STRIKES && p->strikes[i].name[0]) {
            say_rule(s, p->strikes[i].file, p->strikes[i].name, false);
        }
    }
    for (unsigned i = 0; i < s->culprit_count; i++) {
        const struct culprit *c = &s->culprits[i];
        say_rule(s, c->file, c->source ? "" : c->name, false);
    }
    if (s->target.fd >= 0) {
        go_on(p, s);
    }
    return OK;
}

static void on_source(struct pool *p, struct slot *s, const struct talk_source *source)
{
    p->told = source->index > p->told ? source->index : p->told;
    s->source = source->index;
    s->has_source = true;
    text_copy(source->file, s->source_file, sizeof s->source_file);
}

static bool is_bad(enum outcome outcome)
{
    return outcome == OUTCOME_TIMED_OUT || outcome == OUTCOME_FAULT;
}

static struct status on_verdict(struct pool *p, struct slot *s, const struct talk_verdict *m)
{
    char words[64];
    struct verdict v = {.outcome = (enum outcome)m->outcome,
                        .bytes = m->bytes,
                        .matches = m->matches,
                        .untold = m->untold,
                        .words = m->words};
    if (v.outcome == OUTCOME_MEMORY) {
        s->starved = true;
        return end_worker(p, s); /* judged when it has ended */
    }
    s->state = SLOT_IDLE;
    s->deadline_ns = 0;
    if (is_bad(v.outcome)) {
        text_copy(m->words, words, sizeof words);
        return judge(p, s, v.outcome, words);
    }
    return s->task == TASK_BLAME ? answer(p, s, false) : finish(p, s, &v);
}

static void on_match(const struct pool *p, const struct slot *s, const struct talk_match *m)
{
    if (s->task == TASK_SCAN && !(s->again && m->indicator)) {
        p->source->on_match(p->source->context, &s->target, text_of(s->sha256), m);
    }
}

/* What it may say depends on what it was asked: the rest breaks the rules. */
static struct status hear(struct pool *p, struct slot *s, const struct talk_message *m)
{
    bool compiling = s->state == SLOT_COMPILING;
    bool scanning = s->state == SLOT_SCANNING;
    if (compiling && m->number == MESSAGE_SOURCE) {
        on_source(p, s, &m->source);
    } else if (compiling && m->number == MESSAGE_FLAW) {
        if (!s->has_source || s->source >= p->told) {
            p->source->on_flaw(p->source->context, &m->flaw);
        }
    } else if (compiling && m->number == MESSAGE_READY) {
        return on_ready(p, s, &m->ready);
    } else if (scanning && m->number == MESSAGE_HASH) {
        text_copy(m->hash.sha256, s->sha256, sizeof s->sha256);
    } else if (scanning && m->number == MESSAGE_MATCH) {
        on_match(p, s, &m->match);
    } else if (scanning && m->number == MESSAGE_VERDICT) {
        return on_verdict(p, s, &m->verdict);
    } else if (s->state == SLOT_ASKED && m->number == MESSAGE_NAMED) {
        return on_named(p, s, &m->named);
    } else {
        FAIL(DENIED);
    }
    return OK;
}

/* One packet; CLOSED: there are no more. What breaks the rules ends the worker, and not us. */
static struct status serve_one(struct pool *p, struct slot *s)
{
    struct talk_message m;
    struct status read = post_receive(s->socket, TALK_WORKER, &p->packet, &m, NULL);
    if (read.fault == FAULT_CLOSED) {
        return read;
    }
    if (s->state == SLOT_DYING) {
        return OK; /* too late */
    }
    struct status heard = status_ok(read) ? hear(p, s, &m) : read;
    bool broke = heard.fault == FAULT_DENIED || heard.fault == FAULT_INVALID ||
                 heard.fault == FAULT_BOUNDS || heard.fault == FAULT_LIMIT;
    return broke ? end_worker(p, s) : heard;
}

struct status slot_serve(struct pool *p, struct slot *s)
{
    struct status read = serve_one(p, s);
    if (read.fault == FAULT_CLOSED) {
        leave_state(s, SLOT_DYING);
        fd_drop(&s->socket);
        return OK;
    }
    return read;
}

/* ── a worker's life ── */

struct status slot_begin(struct pool *p, struct slot *s, int socket)
{
    struct talk_message m = {.number = MESSAGE_SKIP};
    s->socket = socket;
    s->state = SLOT_COMPILING;
    s->has_source = false;
    s->late = false;
    s->starved = false;
    set_deadline(s, POOL_COMPILE_S);
    for (unsigned i = 0; i < p->skipped_count; i++) {
        m.skip.source = p->skipped[i];
        say(s, &m, -1);
    }
    m = (struct talk_message){.number = MESSAGE_BEGIN, .begin = {.said = p->ready}};
    say(s, &m, -1);
    return OK;
}

struct status slot_take(struct pool *p, struct slot *s)
{
    s->sha256[0] = 0;
    s->task = TASK_SCAN;
    s->again = false;
    s->by_source = false;
    go_on(p, s);
    return OK;
}

struct status slot_late(struct pool *p, struct slot *s)
{
    s->late = true;
    return end_worker(p, s);
}

/* It died while it compiled: the source at hand is left out from now on. */
static void blame_source(struct pool *p, const struct slot *s)
{
    char message[160];
    if (!s->has_source || p->skipped_count == POOL_SKIPPED_MAX) {
        return;
    }
    snprintf(message, sizeof message, "the compiler %s on it: it is left out",
             s->late ? "took too long" : "crashed");
    struct talk_flaw flaw = {.line = 1, .file = text_of(s->source_file), .words = text_of(message)};
    p->skipped[p->skipped_count++] = s->source;
    p->starts = 0;
    p->source->on_flaw(p->source->context, &flaw);
}

/* What people are told beside the outcome; nothing where it was us who ended it. */
static void describe(const struct slot *s, const struct talk_ended *how, char *out, size_t size)
{
    if (s->late || s->starved) {
        out[0] = 0;
    } else if (how->signal) {
        snprintf(out, size, "SIG%s", sigabbrev_np(how->signal) ?: "?");
    } else {
        snprintf(out, size, "exit code %u", how->code);
    }
}

static enum outcome outcome_of(const struct slot *s, const struct talk_ended *how)
{
    if (s->starved) {
        return OUTCOME_MEMORY;
    }
    return s->late || how->signal == SIGXCPU ? OUTCOME_TIMED_OUT : OUTCOME_CRASHED;
}

struct status slot_ended(struct pool *p, struct slot *s, const struct talk_ended *how)
{
    char words[64];
    /* What it said before it ended still counts; of a dead worker, reading never waits. */
    while (s->socket >= 0) {
        TRY(slot_serve(p, s));
    }
    leave_state(s, SLOT_OFF);
    s->deadline_ns = 0;
    describe(s, how, words, sizeof words);
    if (s->was == SLOT_COMPILING || s->was == SLOT_STARTING) {
        if (!p->ready && how->code == EX_CONFIG) {
            FAIL(INVALID);
        }
        blame_source(p, s);
        if (++p->starts > POOL_STARTS_MAX) {
            FAIL(UNSUPPORTED);
        }
        return OK;
    }
    return s->was == SLOT_SCANNING ? judge(p, s, outcome_of(s, how), words) : OK;
}
