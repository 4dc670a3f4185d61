#include "content/prove/prove.h"

#include "base/heap.h"
#include "base/own.h"
#include "content/prove/vector.h"

/* In one field alone, keywords could not be told from what is asked of that field; in more, what is
 * asked of a field could be taken for one of them. */
enum { ANY_FIELDS = 2 };

/* What a run takes beside the matcher's steps: to copy the event, and to change it. */
enum { RUN_COST = 200 };

struct proof {
    const struct pack *pack;
    struct matcher *matcher;
    struct pack_fault *fault;
    uint8_t *room;  /* EVENT_MAX bytes: an event with a field changed */
    uint64_t steps; /* that are left */
    uint32_t rule;  /* that a run is about … */
    bool matched;   /* … and what it said */
    bool failed;
    /* What vectors of one rule have shown so far. */
    struct reads reads;
    uint8_t shown[FIELD_COUNT]; /* enum reading */
    unsigned any_shown;         /* fields in which keywords were shown to be looked for */
};

static struct status refuse(struct proof *p, const char *section, size_t index, const char *what)
{
    *p->fault = (struct pack_fault){.section = section, .index = index, .what = what};
    FAIL(INVALID);
}

static void on_match(void *context, size_t rule)
{
    struct proof *p = context;
    p->matched = p->matched || rule == p->rule;
}

static void on_fault(void *context, size_t rule, const char *what)
{
    struct proof *p = context;
    (void)rule;
    (void)what;
    p->failed = true;
}

/* One run; `expected` is what the rule has to say. NULL: it did. */
static const char *run(struct proof *p, const struct event *event, bool expected)
{
    struct matcher_sink sink = {.context = p, .on_match = on_match, .on_fault = on_fault};
    uint64_t most = p->pack->cost[event->header.type] + event->header.size + RUN_COST;
    if (p->steps < most) {
        return "to run all test events up to it takes too long";
    }
    p->matched = false;
    matcher_run(p->matcher, event, &sink);
    p->steps -= matcher_steps(p->matcher) + event->header.size + RUN_COST;
    if (p->failed) {
        return "a rule left its bounds while it was tried";
    }
    if (matcher_steps(p->matcher) > p->pack->cost[event->header.type]) {
        return "it took more steps than were proven";
    }
    if (matcher_undecided(p->matcher)) {
        return "what the rules say about it was not decided within the budget";
    }
    if (p->matched == expected) {
        return NULL;
    }
    return expected ? "the rule does not match its test event"
                    : "the rule matches an event that it has to miss";
}

/* What a probe that ran as it has to shows about its field. Any change of where an event comes from
 * will do: without log_product it comes from linux. */
static void note_shown(struct proof *p, const struct event *base, const struct probe *probe)
{
    enum value_kind before = event_get(base, probe->field).kind;
    bool by_value = !probe->removed && before != VALUE_ABSENT && before != VALUE_NULL;
    enum reading shown = by_value ? READING_VALUE : READING_PRESENCE;
    bool first = p->shown[probe->field] == READING_NONE;
    if (p->shown[probe->field] < shown) {
        p->shown[probe->field] = (uint8_t)shown;
    }
    /* For keywords, fields that the rule does not read by their names. */
    p->any_shown += first && p->reads.how[probe->field] == READING_NONE &&
                    !p->reads.origin[probe->field] && shown >= p->reads.any_field;
}

static struct status run_probe(struct proof *p, const struct event *base, size_t index)
{
    struct event changed;
    struct probe probe = pack_probe(p->pack, index);
    if (!status_ok(vector_change(base, &probe, p->room, EVENT_MAX, &changed))) {
        return refuse(p, "probes", index, "it changes nothing, or makes an event too large");
    }
    const char *wrong = run(p, &changed, false);
    if (wrong) {
        TRY(refuse(p, "probes", index, wrong));
    }
    note_shown(p, base, &probe);
    return OK;
}

static struct status run_vector(struct proof *p, size_t index, const struct pack_vector *v)
{
    struct event event;
    TRY(event_open(v->event, &event)); /* proven by pack_open() */
    const char *wrong = run(p, &event, v->matches);
    if (wrong) {
        return refuse(p, "vectors", index, wrong);
    }
    for (uint32_t i = 0; i < v->probe_count; i++) {
        TRY(run_probe(p, &event, v->first_probe + i));
    }
    return OK;
}

static struct status unproven(struct proof *p, const char *field)
{
    *p->fault = (struct pack_fault){
        .section = "rules",
        .index = p->rule,
        .what = "no test event shows that this field decides, whatever else is in it",
        .field = field};
    FAIL(INVALID);
}

static struct status check_coverage(struct proof *p)
{
    for (unsigned field = 0; field < FIELD_COUNT; field++) {
        bool origin = p->reads.origin[field] && p->shown[field] == READING_NONE;
        if (origin || p->shown[field] < p->reads.how[field]) {
            return unproven(p, field_info((enum field)field)->name);
        }
    }
    unsigned wanted = p->reads.any_field == READING_NONE ? 0 : ANY_FIELDS;
    return p->any_shown == wanted ? OK : unproven(p, "any field");
}

/* A rule of which no node leads to a match says nothing, and there is nothing to test; nor has a
 * correlation, whose rule has no program. */
static bool can_match(const struct pack *pack, uint32_t rule)
{
    struct pack_rule r = pack_rule(pack, rule);
    bool can = r.node_count == 0 && r.types != 0;
    for (uint32_t i = 0; i < r.node_count && !can; i++) {
        struct pack_node node = pack_node(pack, r.first_node + i);
        can = node.on_true == NODE_MATCH || node.on_false == NODE_MATCH;
    }
    return can;
}

/* Vectors stand in the order of the rules: *next is the first that is not looked at yet. */
static struct status prove_rule(struct proof *p, uint32_t rule, size_t *next)
{
    bool matches = false;
    p->rule = rule;
    p->any_shown = 0;
    memset(p->shown, 0, sizeof p->shown);
    reads_of(p->pack, rule, &p->reads);
    for (; *next < pack_count(p->pack, PACK_VECTORS); ++*next) {
        struct pack_vector v = pack_vector(p->pack, *next);
        if (v.rule != rule) {
            break;
        }
        TRY(run_vector(p, *next, &v));
        matches = matches || v.matches;
    }
    if (!can_match(p->pack, rule)) {
        return OK;
    }
    if (!matches) {
        return refuse(p, "rules", rule, "there is no test event that it matches");
    }
    return check_coverage(p);
}

static struct status prove_rules(struct proof *p)
{
    size_t next = 0;
    for (size_t i = 0; i < pack_count(p->pack, PACK_RULES); i++) {
        TRY(prove_rule(p, (uint32_t)i, &next));
    }
    return OK;
}

struct status pack_prove_within(const struct pack *pack, uint64_t steps, struct pack_fault *fault)
{
    OWN(matcher_drop) struct matcher *m = NULL;
    OWN(heap_drop) uint8_t *room = heap_alloc(EVENT_MAX, 1);
    *fault = (struct pack_fault){
        .section = "pack", .index = PACK_WHOLE, .what = "there is no memory to run it"};
    if (!room) {
        FAIL(MEMORY);
    }
    TRY(matcher_new(pack, &m));
    struct proof p = {.pack = pack, .matcher = m, .fault = fault, .room = room, .steps = steps};
    return prove_rules(&p);
}

struct status pack_prove(const struct pack *pack, struct pack_fault *fault)
{
    return pack_prove_within(pack, PROVE_STEPS, fault);
}
