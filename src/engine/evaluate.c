#include "engine/evaluate.h"

#include "base/clock.h"
#include "base/log.h"
#include "content/indicator/indicator.h"
#include "content/pack/interest.h"
#include "engine/costs.h"
#include "engine/message.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    REPORT_MAX = 512,
    WATCH_MAX = 256,
    COSTS_LOOK = 1024,
    LOOK_EVERY = 64, /* events between two looks at the clock: 2 ms each at most (pack.h) */
};

/* ── what to see ── */

struct watching {
    struct bh_client *client;
    unsigned refused; /* paths that cannot be watched */
};

/* A prefix is widened to its folder, which is what can be watched; an end needs to begin with a '/'
 * to be whole names. */
static bool watch_pattern(const struct predicate *p, char out[WATCH_MAX])
{
    struct text path = p->text;
    bool suffix = p->kind == PREDICATE_SUFFIX;
    if (p->kind == PREDICATE_PREFIX) {
        size_t slash = text_find_last(path, '/');
        path = text_part(path, 0, slash == SIZE_MAX ? 0 : slash + 1);
    }
    if (path.len < 2 || path.ptr[0] != '/' || path.len >= WATCH_MAX - 1) {
        return false;
    }
    snprintf(out, WATCH_MAX, "%s%.*s", suffix ? "*" : "", TEXT_ARGS(path));
    return true;
}

static void on_path(void *context, const struct predicate *p)
{
    struct watching *w = context;
    char pattern[WATCH_MAX];
    if (!watch_pattern(p, pattern) || bh_client_watch(w->client, pattern) != BH_OK) {
        w->refused++;
    }
}

void evaluate_subscribe(const struct pack *pack, struct bh_client *client)
{
    struct watching w = {.client = client};
    char words[REPORT_MAX];
    bool complete = interest_open_paths(pack, on_path, &w);
    if (!complete || w.refused) {
        snprintf(words, sizeof words,
                 "Some rules about opened files see only part of them: %u of their paths cannot be "
                 "watched%s.",
                 w.refused, complete ? "" : ", and some rules name no path");
        bh_client_report(client, "medium", words);
    }
    bh_client_subscribe(client, interest_types(pack));
}

/* ── one event ── */

struct evaluation {
    const struct content *content;
    struct bh_client *client;
    const struct bh_event *source;
    struct event event;
    struct costs costs;
    bool rehearsing;     /* another engine dealt with the event: nothing is said */
    struct text message; /* empty until an alert needs it */
    char room[MESSAGE_MAX];
    int result; /* of the client library */
};

static struct bh_text cut(struct text t, size_t max)
{
    t = text_part(t, 0, max);
    return (struct bh_text){.ptr = t.ptr, .len = t.len};
}

/* The limits are the channel's; packs allow longer texts. */
static struct bh_alert make_alert(const struct pack_rule *rule, struct text message)
{
    return (struct bh_alert){
        .size = sizeof(struct bh_alert),
        .nth = 0, /* a rule matches an event once */
        .id = cut(rule->id, RULE_ID_MAX),
        .title = cut(rule->title, 256),
        .author = cut(rule->author, 256),
        .level = cut(rule->level, 16),
        .tags = cut(rule->tags, 512),
        .message = cut(message, MESSAGE_MAX),
    };
}

static void send_alert(struct evaluation *e, const struct bh_alert *alert)
{
    while (e->result == BH_OK) {
        int result = bh_client_alert(e->client, e->source, alert);
        if (result == BH_OK) {
            break;
        }
        e->result = result == BH_AGAIN ? BH_OK : result; /* guard is behind: it has to take it */
    }
}

/* What the event was, in words: made for its first alert. */
static struct text message_of(struct evaluation *e)
{
    if (e->message.len == 0) {
        e->message = message_write(&e->event, e->room);
    }
    return e->message;
}

/* The event's message, and what a list that the rule asks for says of it. */
static struct text message_with_entry(struct evaluation *e, size_t index, struct text message,
                                      char *out)
{
    char words[INDICATOR_WORDS];
    struct indicator_found found;
    struct text list;
    return indicator_matched(&e->content->pack, index, &e->event, &list, &found)
               ? message_listed(message, indicator_name(list), indicator_words(list, &found, words),
                                out)
               : message;
}

static void raise_alert(struct evaluation *e, size_t index, const struct correlation_hit *hit)
{
    const struct pack *pack = &e->content->pack;
    struct pack_rule rule = pack_rule(pack, index);
    char room[MESSAGE_MAX];
    struct text message = message_of(e);
    message = hit ? message_write_hit(pack, hit, &e->event, message, room)
                  : message_with_entry(e, index, message, room);
    struct bh_alert alert = make_alert(&rule, message);
    send_alert(e, &alert);
}

/* Only an event made for it is so costly (PACK_EVENT_COST), or a clock that jumped
 * (PACK_CORRELATION_COST): it is told as what it is, an attempt not to be seen. */
static void raise_undecided(struct evaluation *e, size_t undecided)
{
    bool scanned = matcher_undecided(detector_matcher(e->content->detector)) == 0;
    char room[MESSAGE_MAX];
    struct text event = message_of(e);
    struct writer w = writer_over(room, sizeof room);
    writer_print(&w, "%zu rules could not be decided in time, %s: ", undecided,
                 scanned ? "it comes long after later events that they count"
                         : "too much in it is what they look for");
    writer_bytes(&w, text_part(event, 0, w.size - w.used));
    const struct pack_rule rule = {.id = TEXT("9d2f7a5e-0c1b-4f0e-8a53-6f1d3c2b7e90"),
                                   .title = TEXT("Event too costly for all rules"),
                                   .author = TEXT("Bulkhead"),
                                   .level = TEXT("high"),
                                   .tags = TEXT("attack.defense-evasion")};
    struct bh_alert alert = make_alert(&rule, writer_text(&w));
    send_alert(e, &alert);
}

static void on_alert(void *context, size_t index, const struct correlation_hit *hit)
{
    const struct evaluation *e = context;
    if (!e->rehearsing) {
        raise_alert(context, index, hit);
    }
}

static void on_fault(void *context, size_t index, const char *what)
{
    struct evaluation *e = context;
    struct pack_rule rule = pack_rule(&e->content->pack, index);
    char words[REPORT_MAX];
    snprintf(words, sizeof words, "The rule \"%.*s\" (%.*s) failed and is off: %s.",
             TEXT_ARGS(text_part(rule.title, 0, 128)), TEXT_ARGS(text_part(rule.id, 0, 64)), what);
    log_warning("%s", words);
    bh_client_report(e->client, "high", words);
}

static void on_lossy(void *context, size_t index, uint64_t events)
{
    struct evaluation *e = context;
    struct pack_rule rule = pack_rule(&e->content->pack, index);
    char words[REPORT_MAX];
    snprintf(words, sizeof words,
             "The window of the rule \"%.*s\" (%.*s) is full and became shorter: %" PRIu64
             " events were forgotten too early.",
             TEXT_ARGS(text_part(rule.title, 0, 128)), TEXT_ARGS(text_part(rule.id, 0, 64)),
             events);
    log_warning("%s", words);
    bh_client_report(e->client, "high", words);
}

/* A record that cannot be opened would be a mistake of the library's or ours. It must not end the
 * engine, which would meet it again. */
static void evaluate(struct evaluation *e, const struct bh_event *source)
{
    struct detector_sink sink = {
        .context = e, .on_alert = on_alert, .on_fault = on_fault, .on_lossy = on_lossy};
    struct bh_text record = bh_event_record(source);
    if (!status_ok(event_open((struct text){.ptr = record.ptr, .len = record.len}, &e->event))) {
        bh_client_report(e->client, "high", "An event could not be read and was left out.");
        return;
    }
    e->source = source;
    e->message = TEXT("");
    detector_run(e->content->detector, &e->event, &sink);
    size_t undecided = detector_undecided(e->content->detector);
    if (undecided && !e->rehearsing) {
        raise_undecided(e, undecided);
    }
}

static struct evaluation evaluation; /* large, and only one */

/* ── what came before ── */

void evaluate_rehearse(const struct content *content, struct bh_client *client, int most_ms,
                       struct rehearsal *rehearsal)
{
    const struct bh_event *source;
    struct evaluation *e = &evaluation;
    uint64_t deadline_ns = clock_boot_ns() + (uint64_t)most_ms * CLOCK_NS_PER_MS;
    rehearsal->cut = false;
    if (pack_count(&content->pack, PACK_CORRELATIONS) == 0) {
        return;
    }
    *e = (struct evaluation){
        .content = content, .client = client, .rehearsing = true, .costs = e->costs};
    while (bh_client_rehearse(client, &source) == BH_OK) {
        evaluate(e, source);
        costs_count(&e->costs, detector_steps(content->detector)); /* the matcher counts it, too */
        rehearsal->events++;
        if (rehearsal->events % LOOK_EVERY == 0 && clock_boot_ns() > deadline_ns) {
            rehearsal->cut = true;
            break;
        }
    }
}

void evaluate_tell(const struct content *content, struct bh_client *client,
                   const struct rehearsal *rehearsal)
{
    char words[REPORT_MAX];
    size_t count = pack_count(&content->pack, PACK_CORRELATIONS);
    if (count) {
        snprintf(words, sizeof words,
                 "%zu correlation rules know of %" PRIu64 " events before%s; what the stream does "
                 "not hold any more is unknown to them.",
                 count, rehearsal->events,
                 rehearsal->cut ? ", not of the last ones, as there was no time" : "");
        bh_client_report(client, rehearsal->cut ? "medium" : "informational", words);
    }
}

/* ── the loop ── */

/* Under a storm there is no moment without events; the clock need not be asked for each. */
static void count_costs(struct evaluation *e)
{
    costs_count(&e->costs, detector_steps(e->content->detector));
    if (e->costs.events % COSTS_LOOK == 0) {
        costs_tick(&e->costs, e->client, clock_boot_ns());
    }
}

static int evaluate_waiting(struct evaluation *e)
{
    const struct bh_event *source;
    int result = BH_OK;
    while (result == BH_OK && (result = bh_client_next(e->client, &source)) == BH_OK) {
        evaluate(e, source);
        count_costs(e);
        result = e->result;
    }
    return result;
}

struct status evaluate_run(const struct content *content, struct bh_client *client)
{
    evaluation = (struct evaluation){
        .content = content,
        .client = client,
        .costs = evaluation.costs,
    };
    evaluation.costs.pack = &content->pack;
    evaluation.costs.matcher = detector_matcher(content->detector);
    int result = BH_OK;
    while (result == BH_OK) {
        result = evaluate_waiting(&evaluation);
        costs_tick(&evaluation.costs, client, clock_boot_ns());
        result = result == BH_AGAIN ? bh_client_wait(client, -1) : result;
    }
    if (result != BH_CLOSED) {
        log_error("the event stream cannot be read on: %s", bh_client_error(client));
        FAIL(INVALID);
    }
    return OK;
}
