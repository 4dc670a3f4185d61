#include "content/prove/idle.h"

#include "content/prove/witness_path.h"

/* Turns that are taken before it is given up: public rules need some thousand at most. */
enum { TURNS_MAX = 200000, DEPTH_MAX = 1024 };

enum said { SAID_NOTHING, SAID_NO, SAID_YES };

/* What is known about predicates: answers, and the list of those that were given. */
struct answers {
    uint8_t *said;
    struct wish *wishes;
    size_t count;
};

struct search {
    const struct rule *rule;
    enum field field;
    struct answers shared; /* about other fields: the same in both runs */
    struct answers own[2]; /* about the field */
    uint16_t last;         /* the last node that asks about the field */
    unsigned turns;
    unsigned depth;
};

enum found { FOUND_NOTHING, FOUND_DIFFERENCE, FOUND_TOO_MUCH };

static struct status answers_init(struct answers *a, struct arena *arena, size_t count)
{
    a->said = arena_alloc(arena, count, 1);
    a->wishes = arena_alloc(arena, count, sizeof *a->wishes);
    if (!a->said || !a->wishes) {
        FAIL(MEMORY);
    }
    return OK;
}

static enum found follow(struct search *s, uint16_t first, uint16_t second);

/* Run `which` stands at a node; the other stays, unless it stands there and gets the same answer.
 */
static enum found answer(struct search *s, const uint16_t at[2], unsigned which, bool yes)
{
    const struct node *n = &s->rule->nodes[at[which]];
    const struct predicate *p = &s->rule->predicates[n->predicate];
    bool own = witness_asks(p, s->field);
    struct answers *a = own ? &s->own[which] : &s->shared;
    uint8_t before = a->said[n->predicate];
    struct wish w = {.predicate = p, .holds = yes};
    uint16_t next[2] = {at[0], at[1]};
    if (before != SAID_NOTHING ? before != (yes ? SAID_YES : SAID_NO)
                               : !witness_is_possible(a->wishes, a->count, &w)) {
        return FOUND_NOTHING;
    }
    if (before == SAID_NOTHING) {
        a->said[n->predicate] = yes ? SAID_YES : SAID_NO;
        a->wishes[a->count++] = w;
    }
    next[which] = yes ? n->on_true : n->on_false;
    if (!own && at[0] == at[1]) {
        next[!which] = next[which];
    }
    enum found found = follow(s, next[0], next[1]);
    if (before == SAID_NOTHING) {
        a->said[n->predicate] = SAID_NOTHING;
        a->count--;
    }
    return found;
}

/* The run that is behind goes on: so both come to a node with the same knowledge. Deep programs are
 * given up, as this calls itself. */
static enum found follow(struct search *s, uint16_t first, uint16_t second)
{
    size_t count = s->rule->node_count;
    const uint16_t at[2] = {first, second};
    if (first >= count && second >= count) {
        return first == second ? FOUND_NOTHING : FOUND_DIFFERENCE;
    }
    if (first == second && first > s->last) {
        return FOUND_NOTHING; /* from here on they are one */
    }
    if (++s->turns > TURNS_MAX || s->depth == DEPTH_MAX) {
        return FOUND_TOO_MUCH;
    }
    unsigned which = first >= count || (second < count && second < first);
    s->depth++;
    enum found found = answer(s, at, which, true);
    found = found == FOUND_NOTHING ? answer(s, at, which, false) : found;
    s->depth--;
    return found;
}

struct status idle_is(struct arena *arena, const struct rule *rule, enum field field, bool *out)
{
    struct search s = {.rule = rule, .field = field};
    TRY(answers_init(&s.shared, arena, rule->predicate_count));
    TRY(answers_init(&s.own[0], arena, rule->predicate_count));
    TRY(answers_init(&s.own[1], arena, rule->predicate_count));
    for (size_t i = 0; i < rule->node_count; i++) {
        const struct predicate *p = &rule->predicates[rule->nodes[i].predicate];
        if (p->field == FIELD_COUNT) {
            *out = false; /* keywords look into this field, too */
            return OK;
        }
        s.last = witness_asks(p, field) ? (uint16_t)i : s.last;
    }
    *out = follow(&s, rule->node_count ? 0 : NODE_MATCH, rule->node_count ? 0 : NODE_MATCH) ==
           FOUND_NOTHING;
    return OK;
}

/* ── without it ── */

/* Where a jump leads if predicates about the field are false. */
static uint16_t past(const struct rule *rule, enum field field, uint16_t jump)
{
    while (jump < rule->node_count &&
           witness_asks(&rule->predicates[rule->nodes[jump].predicate], field)) {
        jump = rule->nodes[jump].on_false;
    }
    return jump;
}

struct status idle_drop(struct arena *arena, struct rule *rule, enum field field)
{
    size_t count = rule->node_count;
    struct node *nodes = arena_alloc(arena, count, sizeof *nodes);
    uint16_t *number = arena_alloc(arena, count, sizeof *number);
    struct predicate *predicates = arena_alloc(arena, count, sizeof *predicates);
    bool *reached = arena_alloc(arena, count, sizeof *reached);
    size_t used = 0;
    if (!nodes || !number || !predicates || !reached) {
        FAIL(MEMORY);
    }
    uint16_t start = past(rule, field, 0);
    if (start >= count) {
        FAIL(INVALID); /* nothing is left to ask: such a rule is better looked at by its author */
    }
    reached[start] = true;
    for (size_t i = start; i < count; i++) {
        uint16_t jumps[2] = {past(rule, field, rule->nodes[i].on_true),
                             past(rule, field, rule->nodes[i].on_false)};
        if (!reached[i]) {
            continue;
        }
        predicates[used] = rule->predicates[rule->nodes[i].predicate];
        nodes[used] =
            (struct node){.predicate = (uint16_t)used, .on_true = jumps[0], .on_false = jumps[1]};
        number[i] = (uint16_t)used++;
        for (unsigned k = 0; k < 2; k++) {
            if (jumps[k] < count) {
                reached[jumps[k]] = true;
            }
        }
    }
    for (size_t i = 0; i < used; i++) {
        nodes[i].on_true = nodes[i].on_true < count ? number[nodes[i].on_true] : nodes[i].on_true;
        nodes[i].on_false =
            nodes[i].on_false < count ? number[nodes[i].on_false] : nodes[i].on_false;
    }
    rule->nodes = nodes;
    rule->node_count = used;
    rule->predicates = predicates;
    rule->predicate_count = used;
    return OK;
}
