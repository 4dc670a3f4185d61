#include "content/match/trigger.h"

/*
 * The rarest cut is a minimum cut, and the largest flow finds it (Ford and Fulkerson 1956; shortest
 * augmenting paths, Edmonds and Karp 1972). Nodes are those of the program; the "yes" of a
 * predicate with an atom lets through as much as the atom is likely, everything else any amount.
 */
enum {
    NODES_FLOW_MAX = 8192, /* a longer program is cut at all its atoms: flows take nodes² steps */
    WITHOUT_BOUND = UINT32_MAX,
    NOT_REACHED = UINT32_MAX,
};

struct flow {
    const struct pack *pack;
    uint32_t first_node;
    uint32_t count;
    uint32_t *room;    /* what the "yes" of each node still lets through */
    uint32_t *back[2]; /* what flows through "no" and "yes", and could be taken back */
    uint32_t *from;    /* on the way to each node: the node before * 4 + yes + 2 * taken back */
    uint32_t *queue;
    uint32_t *into_first; /* edges into each node, as a list: edge = node * 2 + yes, + 1 */
    uint32_t *into_next;
};

static uint32_t jump_of(const struct flow *f, uint32_t node, unsigned yes)
{
    struct pack_node n = pack_node(f->pack, f->first_node + node);
    return yes ? n.on_true : n.on_false;
}

static uint32_t *words(struct arena *arena, size_t count)
{
    return arena_alloc(arena, count, sizeof(uint32_t));
}

static struct status flow_new(struct flow *f, const struct pack_program *rule,
                              const struct trigger_choice *choice)
{
    struct arena *a = choice->arena;
    uint32_t n = rule->node_count;
    f->first_node = rule->first_node;
    f->count = n;
    f->room = words(a, n);
    f->back[0] = words(a, n);
    f->back[1] = words(a, n);
    f->from = words(a, n);
    f->queue = words(a, n);
    f->into_first = words(a, n);
    f->into_next = words(a, 2UL * n);
    if (!f->room || !f->back[0] || !f->back[1] || !f->from || !f->queue || !f->into_first ||
        !f->into_next) {
        FAIL(MEMORY);
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t weight =
            choice->weight(choice->context, pack_node(f->pack, f->first_node + i).predicate);
        f->room[i] = weight ? weight : WITHOUT_BOUND;
        for (unsigned yes = 0; yes < 2; yes++) {
            uint32_t to = jump_of(f, i, yes);
            if (to < n) {
                f->into_next[i * 2 + yes] = f->into_first[to];
                f->into_first[to] = i * 2 + yes + 1;
            }
        }
    }
    return OK;
}

/* What an edge lets through. */
static uint32_t room_of(const struct flow *f, uint32_t node, unsigned yes)
{
    return yes ? f->room[node] : WITHOUT_BOUND;
}

static void reach(struct flow *f, uint32_t node, uint32_t from, size_t *end)
{
    if (f->from[node] == NOT_REACHED) {
        f->from[node] = from;
        f->queue[(*end)++] = node;
    }
}

/* Breadth first from the program's start. True: `last` is the edge by which a match is reached. */
static bool search(struct flow *f, uint32_t *last)
{
    size_t end = 0;
    for (uint32_t i = 0; i < f->count; i++) {
        f->from[i] = NOT_REACHED;
    }
    reach(f, 0, 0, &end);
    for (size_t at = 0; at < end; at++) {
        uint32_t node = f->queue[at];
        for (unsigned yes = 0; yes < 2; yes++) {
            uint32_t to = jump_of(f, node, yes);
            if (room_of(f, node, yes) == 0) {
                continue;
            }
            if (to == NODE_MATCH) {
                *last = node * 2 + yes;
                return true;
            }
            if (to < f->count) {
                reach(f, to, node * 4 + yes, &end);
            }
        }
        for (uint32_t edge = f->into_first[node]; edge; edge = f->into_next[edge - 1]) {
            uint32_t before = (edge - 1) / 2;
            unsigned yes = (edge - 1) & 1;
            if (f->back[yes][before]) {
                reach(f, before, node * 4 + yes + 2, &end);
            }
        }
    }
    return false;
}

/* The least that an edge on the way found lets through. */
static uint32_t least_on_way(const struct flow *f, uint32_t last)
{
    uint32_t least = room_of(f, last / 2, last & 1);
    for (uint32_t node = last / 2; node != 0;) {
        uint32_t before = f->from[node] / 4;
        unsigned yes = f->from[node] & 1;
        bool taken_back = f->from[node] & 2;
        uint32_t room = taken_back ? f->back[yes][node] : room_of(f, before, yes);
        least = room < least ? room : least;
        node = before;
    }
    return least;
}

static void pass(struct flow *f, uint32_t node, unsigned yes, uint32_t amount)
{
    f->back[yes][node] += amount;
    if (yes && f->room[node] != WITHOUT_BOUND) {
        f->room[node] -= amount;
    }
}

static void pass_along(struct flow *f, uint32_t last, uint32_t amount)
{
    pass(f, last / 2, last & 1, amount);
    for (uint32_t node = last / 2; node != 0;) {
        uint32_t before = f->from[node] / 4;
        unsigned yes = f->from[node] & 1;
        if (f->from[node] & 2) {
            f->back[yes][node] -= amount;
            if (yes && f->room[node] != WITHOUT_BOUND) {
                f->room[node] += amount;
            }
        } else {
            pass(f, before, yes, amount);
        }
        node = before;
    }
}

/* A program too long for flows: every atom is a trigger. */
static void cut_everywhere(const struct pack *pack, const struct pack_program *rule,
                           const struct trigger_choice *choice, bool *cut)
{
    for (uint32_t i = 0; i < rule->node_count; i++) {
        uint32_t predicate = pack_node(pack, rule->first_node + i).predicate;
        cut[i] = choice->weight(choice->context, predicate) != 0;
    }
}

static struct status cut_cheapest(struct flow *f, const struct pack_program *rule,
                                  const struct trigger_choice *choice, bool *cut)
{
    uint32_t last;
    TRY(flow_new(f, rule, choice));
    while (search(f, &last)) {
        uint32_t amount = least_on_way(f, last);
        if (amount == WITHOUT_BOUND) {
            return OK; /* a way without an atom: no cut */
        }
        pass_along(f, last, amount);
    }
    /* The cut: full edges from what is still reached to what is not. */
    for (uint32_t i = 0; i < f->count; i++) {
        uint32_t to = jump_of(f, i, 1);
        bool beyond = to == NODE_MATCH || (to < f->count && f->from[to] == NOT_REACHED);
        cut[i] = f->from[i] != NOT_REACHED && f->room[i] == 0 && beyond;
    }
    return OK;
}

struct status trigger_choose(const struct pack *pack, const struct pack_program *rule,
                             const struct trigger_choice *choice, bool *cut, bool *found)
{
    struct flow f = {.pack = pack};
    bool *reached = arena_alloc(choice->arena, rule->node_count, sizeof *reached);
    if (!reached) {
        FAIL(MEMORY);
    }
    for (uint32_t i = 0; i < rule->node_count; i++) {
        cut[i] = false;
    }
    if (rule->node_count > NODES_FLOW_MAX) {
        cut_everywhere(pack, rule, choice, cut);
    } else if (rule->node_count) {
        TRY(cut_cheapest(&f, rule, choice, cut));
    }
    *found = trigger_covers(pack, rule, cut, reached);
    return OK;
}

/* As jumps are forward, one round reaches all that can be reached. */
bool trigger_covers(const struct pack *pack, const struct pack_program *rule, const bool *cut,
                    bool *reached)
{
    bool elsewhere = rule->node_count == 0;
    for (uint32_t i = 0; i < rule->node_count; i++) {
        reached[i] = i == 0;
    }
    for (uint32_t i = 0; i < rule->node_count && !elsewhere; i++) {
        struct pack_node node = pack_node(pack, rule->first_node + i);
        uint16_t jumps[2] = {node.on_false, cut[i] ? NODE_MISS : node.on_true};
        for (unsigned k = 0; reached[i] && k < 2; k++) {
            elsewhere = elsewhere || jumps[k] == NODE_MATCH;
            if (jumps[k] < rule->node_count) {
                reached[jumps[k]] = true;
            }
        }
    }
    return !elsewhere;
}
