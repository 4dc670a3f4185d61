/*
 * Hopcroft's algorithm (1971): parts the states until no part leads to two parts by one class.
 *
 * A part is a run of `order`. The splitters that still have to be used are (part, class) pairs; of
 * two halves the smaller one is enough, which makes it n log n for each class.
 */
#include "compile/regex_tree.h"
#include "content/match/automaton.h"

struct part {
    uint32_t first;
    uint32_t size;
    uint32_t marked; /* at the front of the run */
};

struct work {
    const struct regex_dfa *dfa;
    uint32_t *order; /* states, part by part */
    uint32_t *where; /* place of each state in `order` */
    uint32_t *part_of;
    struct part *parts;
    uint32_t part_count;
    uint32_t *from;  /* states that lead to a state by a class: [class][count + 1] … */
    uint32_t *lead;  /* … are lead[from[i]] up to lead[from[i + 1]] */
    uint32_t *queue; /* part * classes + class */
    size_t queued;
    bool *waiting;     /* whether a pair is in the queue */
    uint32_t *touched; /* parts that have marked states */
    size_t touched_count;
    uint32_t *splitter; /* the states of the part in use, as parts change meanwhile */
};

static struct status make_room(struct work *w, struct arena *arena)
{
    size_t n = w->dfa->count;
    size_t pairs = n * w->dfa->class_count;
    w->order = arena_alloc(arena, n, sizeof *w->order);
    w->where = arena_alloc(arena, n, sizeof *w->where);
    w->part_of = arena_alloc(arena, n, sizeof *w->part_of);
    w->parts = arena_alloc(arena, n, sizeof *w->parts);
    w->from = arena_alloc(arena, pairs + w->dfa->class_count, sizeof *w->from);
    w->lead = arena_alloc(arena, pairs, sizeof *w->lead);
    w->queue = arena_alloc(arena, pairs, sizeof *w->queue);
    w->waiting = arena_alloc(arena, pairs, sizeof *w->waiting);
    w->touched = arena_alloc(arena, n, sizeof *w->touched);
    w->splitter = arena_alloc(arena, n, sizeof *w->splitter);
    if (!w->order || !w->where || !w->part_of || !w->parts || !w->from || !w->lead || !w->queue ||
        !w->waiting || !w->touched || !w->splitter) {
        FAIL(MEMORY);
    }
    return OK;
}

/* The transitions backwards: a counting sort for each class. */
static void turn_round(struct work *w)
{
    size_t n = w->dfa->count;
    size_t classes = w->dfa->class_count;
    for (size_t class = 0; class < classes; class ++) {
        uint32_t *from = w->from + class * (n + 1);
        for (size_t s = 0; s < n; s++) {
            from[w->dfa->next[s * classes + class] + 1U]++;
        }
        for (size_t s = 0; s < n; s++) {
            from[s + 1] += from[s];
        }
        for (size_t s = n; s-- > 0;) {
            uint32_t *end = &from[w->dfa->next[s * classes + class] + 1U];
            w->lead[class * n + --*end] = (uint32_t)s;
        }
        /* The loop above left in from[t + 1] where t's run begins: move it to from[t]. */
        for (size_t s = 0; s < n; s++) {
            from[s] = from[s + 1];
        }
        from[n] = (uint32_t)n;
    }
}

static void enqueue(struct work *w, uint32_t part, size_t class)
{
    uint32_t pair = (uint32_t)(part * w->dfa->class_count + class);
    if (!w->waiting[pair]) {
        w->waiting[pair] = true;
        w->queue[w->queued++] = pair;
    }
}

static void part_add(struct work *w, uint32_t part, uint32_t state)
{
    struct part *p = &w->parts[part];
    uint32_t at = p->first + p->size++;
    w->order[at] = state;
    w->where[state] = at;
    w->part_of[state] = part;
}

/* The first two parts: whether a subject may end here. */
static void first_parts(struct work *w)
{
    uint32_t accepting = 0;
    for (size_t s = 0; s < w->dfa->count; s++) {
        accepting += w->dfa->at_end[s];
    }
    /* "Found" accepts, so the first is never empty. */
    w->part_count = 1;
    if (accepting < w->dfa->count) {
        w->parts[w->part_count++].first = accepting;
    }
    for (size_t s = 0; s < w->dfa->count; s++) {
        part_add(w, w->dfa->at_end[s] ? 0 : 1, (uint32_t)s);
    }
    for (uint32_t part = 0; part < w->part_count; part++) {
        for (size_t class = 0; class < w->dfa->class_count; class ++) {
            enqueue(w, part, class);
        }
    }
}

static void swap_to(struct work *w, uint32_t state, uint32_t at)
{
    uint32_t other = w->order[at];
    uint32_t from = w->where[state];
    w->order[at] = state;
    w->where[state] = at;
    w->order[from] = other;
    w->where[other] = from;
}

static void mark(struct work *w, uint32_t state)
{
    uint32_t part = w->part_of[state];
    struct part *p = &w->parts[part];
    if (w->where[state] < p->first + p->marked) {
        return;
    }
    if (p->marked == 0) {
        w->touched[w->touched_count++] = part;
    }
    swap_to(w, state, p->first + p->marked++);
}

/* Makes a part of its own of the marked states, unless all are marked. */
static void split(struct work *w, uint32_t part)
{
    struct part *old = &w->parts[part];
    uint32_t marked = old->marked;
    old->marked = 0;
    if (marked == old->size) {
        return;
    }
    uint32_t fresh = w->part_count++;
    w->parts[fresh] = (struct part){.first = old->first, .size = marked};
    old->first += marked;
    old->size -= marked;
    for (uint32_t i = 0; i < marked; i++) {
        w->part_of[w->order[w->parts[fresh].first + i]] = fresh;
    }
    for (size_t class = 0; class < w->dfa->class_count; class ++) {
        bool waiting = w->waiting[part * w->dfa->class_count + class];
        enqueue(w, waiting || marked <= old->size ? fresh : part, class);
    }
}

static void use_splitter(struct work *w, uint32_t part, size_t class)
{
    size_t n = w->dfa->count;
    const uint32_t *from = w->from + class * (n + 1);
    const uint32_t *lead = w->lead + class * n;
    struct part p = w->parts[part];
    for (uint32_t i = 0; i < p.size; i++) {
        w->splitter[i] = w->order[p.first + i];
    }
    w->touched_count = 0;
    for (uint32_t i = 0; i < p.size; i++) {
        for (uint32_t k = from[w->splitter[i]]; k < from[w->splitter[i] + 1]; k++) {
            mark(w, lead[k]);
        }
    }
    for (size_t i = 0; i < w->touched_count; i++) {
        split(w, w->touched[i]);
    }
}

/* Nothing that follows a state of this part will be found. */
static bool is_never(const struct work *w, uint32_t part)
{
    uint32_t state = w->order[w->parts[part].first];
    bool never = !w->dfa->at_end[state];
    for (size_t class = 0; never && class < w->dfa->class_count; class ++) {
        never = w->part_of[w->dfa->next[state * w->dfa->class_count + class]] == part;
    }
    return never;
}

/* Fixed numbers for "never" and "found", then in the order of the states' making. */
static size_t give_numbers(struct work *w, uint16_t *number)
{
    enum { NONE = UINT16_MAX };

    uint16_t *of_part = (uint16_t *)(void *)w->splitter; /* no longer in use, and large enough */
    size_t count = AUTOMATON_FIRST_ROW;
    for (uint32_t part = 0; part < w->part_count; part++) {
        of_part[part] = is_never(w, part) ? AUTOMATON_NEVER : (uint16_t)NONE;
    }
    of_part[w->part_of[1]] = AUTOMATON_FOUND;
    for (size_t s = 0; s < w->dfa->count; s++) {
        uint32_t part = w->part_of[s];
        if (of_part[part] == NONE) {
            of_part[part] = (uint16_t)count++;
        }
        number[s] = of_part[part];
    }
    return count;
}

struct status regex_minimise(const struct regex_dfa *dfa, struct arena *arena, uint16_t *number,
                             size_t *count)
{
    struct work w = {.dfa = dfa};
    TRY(make_room(&w, arena));
    turn_round(&w);
    first_parts(&w);
    while (w.queued) {
        uint32_t pair = w.queue[--w.queued];
        w.waiting[pair] = false;
        use_splitter(&w, (uint32_t)(pair / dfa->class_count), pair % dfa->class_count);
    }
    *count = give_numbers(&w, number);
    return OK;
}
