#include "compile/expression.h"

#include "base/hash.h"
#include "content/match/predicate.h"

static struct status expression_new(struct job *job, enum expression_kind kind,
                                    struct expression **out)
{
    struct expression *e = arena_alloc(job->arena, 1, sizeof *e);
    if (!e) {
        FAIL(MEMORY);
    }
    e->kind = kind;
    *out = e;
    return OK;
}

static enum expression_effort effort_of(enum predicate_kind kind)
{
    switch ((int)kind) {
    case PREDICATE_EQUAL:
    case PREDICATE_PREFIX:
    case PREDICATE_SUFFIX:
    case PREDICATE_CONTAINS:
    case PREDICATE_EXISTS:
    case PREDICATE_PRESENT:
        return EFFORT_LITERAL;
    case PREDICATE_GLOB:
        return EFFORT_PATTERN;
    case PREDICATE_REGEX:
        return EFFORT_AUTOMATON;
    default:
        return EFFORT_PARSE;
    }
}

struct status expression_leaf(struct job *job, const struct predicate *predicate,
                              const struct expression **out)
{
    struct expression *e;
    TRY(expression_new(job, EXPRESSION_PREDICATE, &e));
    e->predicate = *predicate;
    e->effort = effort_of(predicate->kind);
    *out = e;
    return OK;
}

struct status expression_not(struct job *job, const struct expression *item,
                             const struct expression **out)
{
    if (item->kind == EXPRESSION_NOT) {
        *out = item->items[0];
        return OK;
    }
    struct expression *e;
    struct expression_list list = {0};
    TRY(expression_new(job, EXPRESSION_NOT, &e));
    TRY(expression_add(job, &list, item));
    e->items = list.items;
    e->count = 1;
    e->effort = item->effort;
    e->depth = item->depth + 1;
    *out = e;
    return OK;
}

struct status expression_add(struct job *job, struct expression_list *list,
                             const struct expression *item)
{
    list->items =
        arena_push(job->arena, list->items, list->count, &list->capacity, sizeof *list->items);
    if (!list->items) {
        FAIL(MEMORY);
    }
    list->items[list->count++] = item;
    return OK;
}

struct status expression_join(struct job *job, enum expression_kind kind, uint32_t line,
                              const struct expression_list *list, const struct expression **out)
{
    ENSURE(list->count > 0);
    if (list->count == 1) {
        *out = list->items[0];
        return OK;
    }
    struct expression *e;
    TRY(expression_new(job, kind, &e));
    e->items = list->items;
    e->count = list->count;
    for (size_t i = 0; i < list->count; i++) {
        const struct expression *item = list->items[i];
        e->depth = item->depth >= e->depth ? item->depth + 1 : e->depth;
        e->effort = item->effort > e->effort ? item->effort : e->effort;
    }
    if (e->depth > EXPRESSION_DEPTH_MAX) {
        return job_refuse(job, REFUSAL_CONDITION, line, "and, or and not are nested over %d deep",
                          EXPRESSION_DEPTH_MAX);
    }
    *out = e;
    return OK;
}

/*
 * The program is written from its end to its start, since a node has to know where it goes on: what
 * comes later in the program is written first. References count from the end until all is there.
 */
enum { PREDICATE_BUCKETS = 1024 };

struct program {
    struct job *job;
    uint32_t line;
    struct predicate *predicates;
    uint16_t *chain; /* the predicate before this one in its bucket, + 1 */
    uint16_t buckets[PREDICATE_BUCKETS];
    size_t predicate_count;
    size_t predicate_capacity;
    size_t chain_capacity;
    struct node *nodes;
    size_t node_count;
    size_t node_capacity;
};

static size_t bucket_of(const struct predicate *p)
{
    uint64_t hash = hash_bytes(hash_text(p->text), &p->number, sizeof p->number);
    return (hash ^ (hash >> 32) ^ p->field) % PREDICATE_BUCKETS;
}

static struct status intern(struct program *p, const struct predicate *predicate, uint16_t *out)
{
    size_t bucket = bucket_of(predicate);
    for (uint16_t at = p->buckets[bucket]; at; at = p->chain[at - 1]) {
        if (predicate_same(&p->predicates[at - 1], predicate)) {
            *out = (uint16_t)(at - 1);
            return OK;
        }
    }
    if (p->predicate_count == PREDICATES_MAX) {
        return job_refuse(p->job, REFUSAL_DETECTION, p->line,
                          "a rule may ask at most %d different things: make it several rules",
                          PREDICATES_MAX);
    }
    struct arena *arena = p->job->arena;
    p->predicates = arena_push(arena, p->predicates, p->predicate_count, &p->predicate_capacity,
                               sizeof *p->predicates);
    p->chain =
        arena_push(arena, p->chain, p->predicate_count, &p->chain_capacity, sizeof *p->chain);
    if (!p->predicates || !p->chain) {
        FAIL(MEMORY);
    }
    *out = (uint16_t)p->predicate_count;
    p->predicates[*out] = *predicate;
    p->chain[*out] = p->buckets[bucket];
    p->predicate_count++;
    p->buckets[bucket] = (uint16_t)p->predicate_count;
    return OK;
}

/* A node that goes on to `on_true` and `on_false`; *entry is where it stands. */
static struct status emit(struct program *p, const struct predicate *predicate, uint16_t on_true,
                          uint16_t on_false, uint16_t *entry)
{
    if (p->node_count == NODES_MAX) {
        return job_refuse(p->job, REFUSAL_CONDITION, p->line,
                          "the rule needs over %d steps: make it several rules", NODES_MAX);
    }
    p->nodes =
        arena_push(p->job->arena, p->nodes, p->node_count, &p->node_capacity, sizeof *p->nodes);
    if (!p->nodes) {
        FAIL(MEMORY);
    }
    struct node *node = &p->nodes[p->node_count];
    *node = (struct node){.on_true = on_true, .on_false = on_false};
    TRY(intern(p, predicate, &node->predicate));
    *entry = (uint16_t)p->node_count++;
    return OK;
}

static struct status lower(struct program *p, const struct expression *e, uint16_t on_true,
                           uint16_t on_false, uint16_t *entry)
{
    if (e->kind == EXPRESSION_PREDICATE) {
        return emit(p, &e->predicate, on_true, on_false, entry);
    }
    if (e->kind == EXPRESSION_NOT) {
        return lower(p, e->items[0], on_false, on_true, entry);
    }
    bool all = e->kind == EXPRESSION_ALL;
    uint16_t next = all ? on_true : on_false;
    for (int effort = EFFORT_COUNT - 1; effort >= 0; effort--) {
        for (size_t i = e->count; i > 0; i--) {
            const struct expression *item = e->items[i - 1];
            if (item->effort == (enum expression_effort)effort) {
                TRY(lower(p, item, all ? next : on_true, all ? on_false : next, &next));
            }
        }
    }
    *entry = next;
    return OK;
}

static uint16_t from_start(const struct program *p, uint16_t from_end)
{
    return from_end >= NODES_MAX ? from_end : (uint16_t)(p->node_count - 1 - from_end);
}

static void turn_round(struct program *p)
{
    for (size_t i = 0; i < p->node_count; i++) {
        p->nodes[i].on_true = from_start(p, p->nodes[i].on_true);
        p->nodes[i].on_false = from_start(p, p->nodes[i].on_false);
    }
    for (size_t i = 0; i < p->node_count / 2; i++) {
        struct node other = p->nodes[p->node_count - 1 - i];
        p->nodes[p->node_count - 1 - i] = p->nodes[i];
        p->nodes[i] = other;
    }
}

struct status expression_lower(struct job *job, const struct expression *root, uint32_t line,
                               struct rule *out)
{
    struct program p = {.job = job, .line = line};
    uint16_t entry;
    TRY(lower(&p, root, NODE_MATCH, NODE_MISS, &entry));
    turn_round(&p);
    out->predicates = p.predicates;
    out->predicate_count = p.predicate_count;
    out->nodes = p.nodes;
    out->node_count = p.node_count;
    return OK;
}
