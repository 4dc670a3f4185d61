#include "content/prove/witness_path.h"

#include "content/match/predicate.h"
#include "content/prove/automaton_text.h"

enum { FAR = UINT32_MAX };

enum said { SAID_NOTHING, SAID_NO, SAID_YES };

/* How a way goes on where both answers lead to the goal. */
enum style { STYLE_SHORT, STYLE_NO, STYLE_YES, STYLE_RANDOM };

/* Each leg has a style of its own: 4 × 4 × 4 attempts. */
static enum style style_of(unsigned attempt, unsigned leg)
{
    return (enum style)(attempt >> 2 * leg & 3);
}

/* A node on the way that is being searched, and what was wished for before it. */
struct witness_turn {
    uint16_t node;
    bool answer;
    bool last; /* the other answer was tried, or leads nowhere */
    size_t wish_count;
    size_t off_count;
};

static uint32_t distance(const uint32_t *of, uint16_t jump, uint16_t goal, size_t count)
{
    return jump == goal ? 0 : jump < count ? of[jump] : FAR;
}

static uint32_t nearer(uint32_t a, uint32_t b)
{
    uint32_t least = a < b ? a : b;
    return least == FAR ? FAR : least + 1;
}

static void measure(const struct rule *rule, uint16_t goal, uint32_t *out)
{
    size_t count = rule->node_count;
    for (size_t i = count; i-- > 0;) {
        out[i] = nearer(distance(out, rule->nodes[i].on_true, goal, count),
                        distance(out, rule->nodes[i].on_false, goal, count));
    }
}

static void measure_fork(struct witness_paths *paths, size_t node)
{
    for (size_t i = node + 1; i < paths->rule->node_count; i++) {
        paths->to_fork[i] = FAR;
    }
    paths->to_fork[node] = 0;
    for (size_t i = node; i-- > 0;) {
        const struct node *n = &paths->rule->nodes[i];
        paths->to_fork[i] =
            nearer(distance(paths->to_fork, n->on_true, (uint16_t)node, paths->rule->node_count),
                   distance(paths->to_fork, n->on_false, (uint16_t)node, paths->rule->node_count));
    }
}

struct status witness_paths_init(struct witness_paths *paths, struct arena *arena,
                                 const struct rule *rule)
{
    *paths = (struct witness_paths){.rule = rule, .random = 0x9e3779b97f4a7c15ULL};
    paths->to_match = arena_alloc(arena, rule->node_count, sizeof *paths->to_match);
    paths->to_miss = arena_alloc(arena, rule->node_count, sizeof *paths->to_miss);
    paths->to_fork = arena_alloc(arena, rule->node_count, sizeof *paths->to_fork);
    paths->said = arena_alloc(arena, rule->predicate_count, 1);
    paths->said_off = arena_alloc(arena, rule->predicate_count, 1);
    /* A predicate is wished for once; that a field is there comes on top. */
    paths->wishes = arena_alloc(arena, rule->predicate_count + 1, sizeof *paths->wishes);
    paths->off_wishes = arena_alloc(arena, rule->predicate_count, sizeof *paths->off_wishes);
    paths->turns = arena_alloc(arena, rule->node_count, sizeof *paths->turns);
    if (!paths->to_match || !paths->to_miss || !paths->to_fork || !paths->said ||
        !paths->said_off || !paths->wishes || !paths->off_wishes || !paths->turns) {
        FAIL(MEMORY);
    }
    measure(rule, NODE_MATCH, paths->to_match);
    measure(rule, NODE_MISS, paths->to_miss);
    return OK;
}

bool witness_asks(const struct predicate *p, enum field field)
{
    return p->field == field || (predicate_info(p->kind)->uses & USES_OTHER && p->other == field);
}

/* xorshift64*: not for secrets. */
static bool toss(struct witness_paths *paths)
{
    paths->random ^= paths->random >> 12;
    paths->random ^= paths->random << 25;
    paths->random ^= paths->random >> 27;
    return paths->random * 0x2545f4914f6cdd1dULL >> 63;
}

static bool choose(struct witness_paths *paths, enum style style, uint32_t yes, uint32_t no)
{
    if (yes == FAR || no == FAR) {
        return no == FAR;
    }
    return style == STYLE_RANDOM  ? toss(paths)
           : style == STYLE_SHORT ? yes < no
                                  : style == STYLE_YES;
}

static void wish(struct witness_paths *paths, uint16_t predicate, bool holds)
{
    if (paths->said[predicate] == SAID_NOTHING) {
        paths->said[predicate] = holds ? SAID_YES : SAID_NO;
        paths->wishes[paths->wish_count++] =
            (struct wish){.predicate = &paths->rule->predicates[predicate], .holds = holds};
    }
}

static void wish_off(struct witness_paths *paths, uint16_t predicate, bool holds)
{
    if (paths->said_off[predicate] == SAID_NOTHING) {
        paths->said_off[predicate] = holds ? SAID_YES : SAID_NO;
        paths->off_wishes[paths->off_count++] =
            (struct wish){.predicate = &paths->rule->predicates[predicate], .holds = holds};
    }
}

/* ── contradictions that can be seen ── */

static bool is_plain(const struct predicate *p)
{
    return p->kind <= PREDICATE_CONTAINS;
}

/* Does every value that fulfils `a` fulfil `b`, as far as their texts tell? */
static bool implies(const struct predicate *a, const struct predicate *b)
{
    switch ((int)b->kind) {
    case PREDICATE_EQUAL:
        return a->kind == PREDICATE_EQUAL && text_same(a->text, b->text);
    case PREDICATE_PREFIX:
        return (a->kind == PREDICATE_EQUAL || a->kind == PREDICATE_PREFIX) &&
               text_starts(a->text, b->text);
    case PREDICATE_SUFFIX:
        return (a->kind == PREDICATE_EQUAL || a->kind == PREDICATE_SUFFIX) &&
               text_ends(a->text, b->text);
    default:
        return text_find(a->text, b->text) != SIZE_MAX;
    }
}

/* Is there no value that fulfils both, as far as their texts tell? */
static bool excludes(const struct predicate *a, const struct predicate *b)
{
    if (a->kind == PREDICATE_EQUAL || b->kind == PREDICATE_EQUAL) {
        return a->kind == PREDICATE_EQUAL ? !implies(a, b) : !implies(b, a);
    }
    bool same = a->kind == b->kind && a->kind != PREDICATE_CONTAINS;
    return same && !implies(a, b) && !implies(b, a);
}

/* A value that is `a`, in whatever case, and in which the expression of `b` is found, or is not. */
static bool excludes_expression(const struct wish *a, const struct wish *b)
{
    return a->holds && b->holds && a->predicate->kind == PREDICATE_EQUAL &&
           b->predicate->kind == PREDICATE_REGEX &&
           !automaton_may_find(b->predicate->text, a->predicate->text);
}

static bool contradicts(const struct wish *a, const struct wish *b)
{
    const struct predicate *p = a->predicate;
    const struct predicate *q = b->predicate;
    if (p->field == q->field && p->field != FIELD_COUNT &&
        (excludes_expression(a, b) || excludes_expression(b, a))) {
        return true;
    }
    if (p->field != q->field || p->field == FIELD_COUNT || p->cased != q->cased || !is_plain(p) ||
        !is_plain(q)) {
        return false;
    }
    return a->holds && b->holds ? excludes(p, q)
           : a->holds           ? implies(p, q)
                                : b->holds && implies(q, p);
}

bool witness_is_possible(const struct wish *wishes, size_t count, const struct wish *w)
{
    for (size_t i = 0; i < count; i++) {
        if ((w->holds || wishes[i].holds) && contradicts(&wishes[i], w)) {
            return false;
        }
    }
    return true;
}

/* ── the search ── */

/* Where a way begins, where it has to go, and how far each node is from there. */
struct leg {
    uint16_t from;
    uint16_t goal; /* a node, NODE_MATCH or NODE_MISS */
    const uint32_t *distance;
    enum style style;
    const enum field *off; /* on the way to the miss: the field that decides */
};

static bool is_off(const struct witness_paths *paths, const struct leg *leg, uint16_t predicate)
{
    return leg->off && witness_asks(&paths->rule->predicates[predicate], *leg->off);
}

/* What the node may answer. On the way to the miss only predicates about the field that decides may
 * say something else than on the way to the match. */
static bool may_answer(const struct witness_paths *paths, const struct leg *leg, uint16_t node,
                       bool answer)
{
    const struct node *n = &paths->rule->nodes[node];
    uint16_t next = answer ? n->on_true : n->on_false;
    bool off = is_off(paths, leg, n->predicate);
    uint8_t said = off ? paths->said_off[n->predicate] : paths->said[n->predicate];
    struct wish w = {.predicate = &paths->rule->predicates[n->predicate], .holds = answer};
    if (distance(leg->distance, next, leg->goal, paths->rule->node_count) == FAR) {
        return false;
    }
    if (said != SAID_NOTHING) {
        return said == (answer ? SAID_YES : SAID_NO);
    }
    return off ? witness_is_possible(paths->off_wishes, paths->off_count, &w)
               : witness_is_possible(paths->wishes, paths->wish_count, &w);
}

static void take_back(struct witness_paths *paths, const struct witness_turn *turn)
{
    while (paths->wish_count > turn->wish_count) {
        const struct wish *w = &paths->wishes[--paths->wish_count];
        paths->said[w->predicate - paths->rule->predicates] = SAID_NOTHING;
    }
    while (paths->off_count > turn->off_count) {
        const struct wish *w = &paths->off_wishes[--paths->off_count];
        paths->said_off[w->predicate - paths->rule->predicates] = SAID_NOTHING;
    }
}

/* Takes the turn's answer; returns where it leads. */
static uint16_t take_turn(struct witness_paths *paths, const struct leg *leg,
                          const struct witness_turn *turn)
{
    const struct node *n = &paths->rule->nodes[turn->node];
    if (is_off(paths, leg, n->predicate)) {
        wish_off(paths, n->predicate, turn->answer);
    } else {
        wish(paths, n->predicate, turn->answer);
    }
    return turn->answer ? n->on_true : n->on_false;
}

/* False: neither answer can lead to the goal. */
static bool new_turn(struct witness_paths *paths, const struct leg *leg, uint16_t node,
                     struct witness_turn *out)
{
    const struct node *n = &paths->rule->nodes[node];
    size_t count = paths->rule->node_count;
    bool yes = may_answer(paths, leg, node, true);
    bool no = may_answer(paths, leg, node, false);
    uint32_t far_yes = yes ? distance(leg->distance, n->on_true, leg->goal, count) : FAR;
    uint32_t far_no = no ? distance(leg->distance, n->on_false, leg->goal, count) : FAR;
    *out = (struct witness_turn){.node = node,
                                 .answer = choose(paths, leg->style, far_yes, far_no),
                                 .last = !yes || !no,
                                 .wish_count = paths->wish_count,
                                 .off_count = paths->off_count};
    return yes || no;
}

/* Depth first, as many steps as a large rule's lists need. Where all were tried and none leads to
 * the goal without a contradiction, `exhausted` says so. */
static bool walk(struct witness_paths *paths, const struct leg *leg)
{
    size_t steps = paths->rule->node_count * 4 + 4096;
    paths->exhausted = false;
    size_t depth = 0;
    uint16_t at = leg->from;
    while (at != leg->goal) {
        struct witness_turn turn;
        if (steps-- == 0) {
            return false;
        }
        if (at < paths->rule->node_count && new_turn(paths, leg, at, &turn)) {
            paths->turns[depth++] = turn;
        } else {
            while (depth > 0 && paths->turns[depth - 1].last) {
                take_back(paths, &paths->turns[--depth]);
            }
            if (depth == 0) {
                paths->exhausted = true;
                return false;
            }
            struct witness_turn *back = &paths->turns[depth - 1];
            take_back(paths, back);
            back->answer = !back->answer;
            back->last = true;
        }
        at = take_turn(paths, leg, &paths->turns[depth - 1]);
    }
    return true;
}

static void forget(struct witness_paths *paths)
{
    memset(paths->said, SAID_NOTHING, paths->rule->predicate_count);
    memset(paths->said_off, SAID_NOTHING, paths->rule->predicate_count);
    paths->wish_count = 0;
    paths->off_count = 0;
}

/* What is asked before the ways part holds on both. */
static void copy_to_off(struct witness_paths *paths, enum field field)
{
    for (size_t i = 0; i < paths->wish_count; i++) {
        const struct wish *w = &paths->wishes[i];
        if (witness_asks(w->predicate, field)) {
            wish_off(paths, (uint16_t)(w->predicate - paths->rule->predicates), w->holds);
        }
    }
}

bool witness_paths_fork(struct witness_paths *paths, const struct witness_fork *fork)
{
    const struct node *n = &paths->rule->nodes[fork->node];
    uint16_t predicate = n->predicate;
    struct leg before = {.goal = (uint16_t)fork->node,
                         .distance = paths->to_fork,
                         .style = style_of(fork->attempt, 0)};
    struct leg match = {.from = fork->branch ? n->on_true : n->on_false,
                        .goal = NODE_MATCH,
                        .distance = paths->to_match,
                        .style = style_of(fork->attempt, 1)};
    struct leg miss = {.from = fork->branch ? n->on_false : n->on_true,
                       .goal = NODE_MISS,
                       .distance = paths->to_miss,
                       .style = style_of(fork->attempt, 2),
                       .off = &fork->field};
    forget(paths);
    measure_fork(paths, fork->node);
    if (!walk(paths, &before) || paths->said[predicate] != SAID_NOTHING) {
        return false;
    }
    copy_to_off(paths, fork->field);
    wish(paths, predicate, fork->branch);
    wish_off(paths, predicate, !fork->branch);
    return walk(paths, &match) && walk(paths, &miss);
}

bool witness_paths_match(struct witness_paths *paths, unsigned attempt)
{
    struct leg leg = {
        .goal = NODE_MATCH, .distance = paths->to_match, .style = style_of(attempt, 0)};
    forget(paths);
    return paths->rule->node_count == 0 || walk(paths, &leg);
}
