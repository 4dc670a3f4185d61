#include "content/correlate/detect.h"

#include "base/heap.h"
#include "base/own.h"

/* A rule is referred to by a correlation, as its reference `bit`. */
struct referrer {
    uint32_t correlation;
    uint32_t bit;
};

struct detector {
    const struct pack *pack;
    struct matcher *matcher;
    struct correlator *correlator;
    size_t correlations;
    uint32_t *first_referrer; /* of each rule; one more than there are rules */
    struct referrer *referrers;
    uint64_t *masks;   /* of each correlation: which of its rules matched the event */
    uint64_t *waiting; /* correlations whose mask is not zero, a bit each */
    uint32_t *matched; /* rules, in the order of their ids; only if there are correlations */
    size_t matched_count;
    struct correlation_hit *fired; /* by their correlations' places in the order of rules */
    uint32_t *places;              /* of each correlation, in that order … */
    uint64_t *fired_places;        /* … a bit for each that fired */
    uint64_t *told;                /* of each correlation: what was lost when it was told last */
    uint64_t steps;
    const struct detector_sink *sink; /* of the run */
};

/* ── making ── */

static void index_referrers(struct detector *d)
{
    size_t rules = pack_count(d->pack, PACK_RULES);
    uint32_t *next = d->matched; /* free until the first event */
    for (size_t i = 0; i < pack_count(d->pack, PACK_CORRELATION_REFERENCES); i++) {
        d->first_referrer[pack_reference(d->pack, i).rule + 1U]++;
    }
    for (size_t i = 0; i < rules; i++) {
        next[i] = d->first_referrer[i];
        d->first_referrer[i + 1] += d->first_referrer[i];
    }
    for (size_t c = 0; c < d->correlations; c++) {
        struct pack_correlation k = pack_correlation(d->pack, c);
        for (uint32_t bit = 0; bit < k.references; bit++) {
            uint32_t rule = pack_reference(d->pack, k.first_reference + bit).rule;
            d->referrers[next[rule]++] = (struct referrer){.correlation = (uint32_t)c, .bit = bit};
        }
    }
}

/* Many may fire at once, those with the last ids first: a bit for each keeps their order. */
static void index_places(struct detector *d)
{
    uint32_t *of_rule = d->matched; /* likewise free */
    uint32_t place = 0;
    for (size_t c = 0; c < d->correlations; c++) {
        of_rule[pack_correlation(d->pack, c).rule] = (uint32_t)c + 1;
    }
    for (size_t i = 0; i < pack_count(d->pack, PACK_RULES); i++) {
        if (of_rule[i]) {
            d->places[of_rule[i] - 1] = place++;
        }
    }
}

static struct status make_tables(struct detector *d)
{
    size_t rules = pack_count(d->pack, PACK_RULES);
    size_t references = pack_count(d->pack, PACK_CORRELATION_REFERENCES);
    d->first_referrer = heap_alloc(rules + 1, sizeof *d->first_referrer);
    d->referrers = heap_alloc(references, sizeof *d->referrers);
    d->masks = heap_alloc(d->correlations, sizeof *d->masks);
    d->waiting = heap_alloc(d->correlations / 64 + 1, sizeof *d->waiting);
    d->matched = heap_alloc(rules, sizeof *d->matched);
    d->fired = heap_alloc(d->correlations, sizeof *d->fired);
    d->places = heap_alloc(d->correlations, sizeof *d->places);
    d->fired_places = heap_alloc(d->correlations / 64 + 1, sizeof *d->fired_places);
    d->told = heap_alloc(d->correlations, sizeof *d->told);
    if (!d->first_referrer || !d->referrers || !d->masks || !d->waiting || !d->matched ||
        !d->fired || !d->places || !d->fired_places || !d->told) {
        FAIL(MEMORY);
    }
    index_places(d);
    index_referrers(d);
    return OK;
}

struct status detector_new(const struct pack *pack, struct correlate_settings settings,
                           struct detector **out)
{
    OWN(detector_drop) struct detector *d = heap_alloc(1, sizeof *d);
    if (!d) {
        FAIL(MEMORY);
    }
    d->pack = pack;
    d->correlations = pack_count(pack, PACK_CORRELATIONS);
    TRY(matcher_new(pack, &d->matcher));
    TRY(correlator_new(pack, settings, &d->correlator));
    if (d->correlations) {
        TRY(make_tables(d));
    }
    *out = TAKE(d);
    return OK;
}

void detector_free(struct detector *d)
{
    if (d) {
        matcher_free(d->matcher);
        correlator_free(d->correlator);
        heap_free(d->first_referrer);
        heap_free(d->referrers);
        heap_free(d->masks);
        heap_free(d->waiting);
        heap_free(d->matched);
        heap_free(d->fired);
        heap_free(d->places);
        heap_free(d->fired_places);
        heap_free(d->told);
        heap_free(d);
    }
}

void detector_drop(struct detector **d)
{
    detector_free(*d);
    *d = NULL;
}

/* ── one event ── */

static void refer(struct detector *d, uint32_t rule)
{
    for (uint32_t i = d->first_referrer[rule]; i < d->first_referrer[rule + 1U]; i++) {
        const struct referrer *r = &d->referrers[i];
        d->masks[r->correlation] |= 1ULL << r->bit;
        d->waiting[r->correlation / 64] |= 1ULL << r->correlation % 64;
    }
}

static void on_match(void *context, size_t rule)
{
    struct detector *d = context;
    if (d->correlations) {
        d->matched[d->matched_count++] = (uint32_t)rule;
        refer(d, (uint32_t)rule);
    } else if (!pack_rule_silent(d->pack, rule)) {
        d->sink->on_alert(d->sink->context, rule, NULL);
    }
}

static void on_fault(void *context, size_t rule, const char *what)
{
    struct detector *d = context;
    d->sink->on_fault(d->sink->context, rule, what);
}

static void tell_loss(struct detector *d, size_t correlation)
{
    uint64_t lost = correlator_lost(d->correlator, correlation);
    if (lost && lost >= d->told[correlation] * 10) {
        d->told[correlation] = lost;
        d->sink->on_lossy(d->sink->context, pack_correlation(d->pack, correlation).rule, lost);
    }
}

static void keep_fired(struct detector *d, const struct correlation_hit *hit)
{
    uint32_t place = d->places[hit->correlation];
    d->fired[place] = *hit;
    d->fired_places[place / 64] |= 1ULL << place % 64;
}

/* A correlation refers to earlier ones only: one round is enough. */
static void correlate(struct detector *d, const struct event *event)
{
    correlator_begin(d->correlator, event);
    for (size_t word = 0; word <= (d->correlations - 1) / 64; word++) {
        while (d->waiting[word]) {
            size_t c = word * 64 + (size_t)__builtin_ctzll(d->waiting[word]);
            uint64_t mask = d->masks[c];
            struct correlation_hit hit;
            d->waiting[word] &= d->waiting[word] - 1;
            d->masks[c] = 0;
            if (correlator_feed(d->correlator, c, event, mask, &hit)) {
                keep_fired(d, &hit);
                refer(d, hit.rule);
            }
            tell_loss(d, c);
        }
    }
}

static void report_rule(struct detector *d, uint32_t rule, const struct correlation_hit *hit)
{
    if (!pack_rule_silent(d->pack, rule)) {
        d->sink->on_alert(d->sink->context, rule, hit);
    }
}

static void report(struct detector *d)
{
    size_t matched = 0;
    for (size_t word = 0; word <= (d->correlations - 1) / 64; word++) {
        for (; d->fired_places[word]; d->fired_places[word] &= d->fired_places[word] - 1) {
            const struct correlation_hit *hit =
                &d->fired[word * 64 + (size_t)__builtin_ctzll(d->fired_places[word])];
            while (matched < d->matched_count && d->matched[matched] < hit->rule) {
                report_rule(d, d->matched[matched++], NULL);
            }
            report_rule(d, hit->rule, hit);
        }
    }
    while (matched < d->matched_count) {
        report_rule(d, d->matched[matched++], NULL);
    }
}

void detector_run(struct detector *d, const struct event *event, const struct detector_sink *sink)
{
    const struct matcher_sink through = {.context = d, .on_match = on_match, .on_fault = on_fault};
    d->sink = sink;
    d->matched_count = 0;
    matcher_run(d->matcher, event, &through);
    if (d->correlations && event->header.type < EVENT_COUNT) {
        correlate(d, event);
        report(d);
    }
    d->steps = matcher_steps(d->matcher) + correlator_steps(d->correlator);
}

size_t detector_undecided(const struct detector *d)
{
    return matcher_undecided(d->matcher) + correlator_undecided(d->correlator);
}

uint64_t detector_steps(const struct detector *d)
{
    return d->steps;
}

struct matcher *detector_matcher(struct detector *d)
{
    return d->matcher;
}

const struct correlator *detector_correlator(const struct detector *d)
{
    return d->correlator;
}
