#include "content/correlate/window.h"

#include "base/heap.h"

/* ── making ── */

static uint32_t buckets_for(uint32_t room)
{
    uint32_t count = 1;
    while (count < room) {
        count *= 2;
    }
    return count;
}

static void *reserve(struct window *w, size_t count, size_t size)
{
    w->bytes += count * size;
    return heap_alloc(count, size);
}

struct status window_init(struct window *w, struct window_plan plan)
{
    size_t room = plan.room + 1U; /* number 0 is none */
    *w = (struct window){.plan = plan, .bucket_count = buckets_for(plan.room)};
    w->entries = reserve(w, room, sizeof *w->entries);
    w->groups = reserve(w, room, sizeof *w->groups);
    w->group_buckets = reserve(w, w->bucket_count, sizeof *w->group_buckets);
    bool whole = w->entries && w->groups && w->group_buckets;
    if (plan.members) {
        w->members = reserve(w, room, sizeof *w->members);
        w->member_buckets = reserve(w, w->bucket_count, sizeof *w->member_buckets);
        whole = whole && w->members && w->member_buckets;
    }
    if (plan.ranked) {
        w->rank.seed = plan.seed;
        w->rank.nodes = reserve(w, room, sizeof *w->rank.nodes);
        w->roots = reserve(w, room, sizeof *w->roots);
        whole = whole && w->rank.nodes && w->roots;
    }
    if (plan.steps) {
        w->steps = reserve(w, room * plan.steps, sizeof *w->steps);
        w->matches = reserve(w, room * plan.steps, sizeof *w->matches);
        whole = whole && w->steps && w->matches;
    }
    if (!whole) {
        window_done(w);
        FAIL(MEMORY);
    }
    return OK;
}

void window_done(struct window *w)
{
    heap_free(w->entries);
    heap_free(w->groups);
    heap_free(w->members);
    heap_free(w->rank.nodes);
    heap_free(w->roots);
    heap_free(w->steps);
    heap_free(w->matches);
    heap_free(w->group_buckets);
    heap_free(w->member_buckets);
    *w = (struct window){0};
}

uint64_t *window_steps(struct window *w, uint32_t group)
{
    return w->steps + (size_t)group * w->plan.steps;
}

uint32_t *window_matches(struct window *w, uint32_t group)
{
    return w->matches + (size_t)group * w->plan.steps;
}

/* ── groups and values: chained tables over keyed hashes ── */

/* Never more items than buckets, and nobody who sends events knows the key: a chain of more than a
 * dozen does not happen. */
static uint32_t *group_slot(const struct window *w, struct hash128 key)
{
    uint32_t *slot = &w->group_buckets[key.low & (w->bucket_count - 1)];
    while (*slot &&
           (w->groups[*slot].key.low != key.low || w->groups[*slot].key.high != key.high)) {
        slot = &w->groups[*slot].next;
    }
    return slot;
}

static uint32_t *member_slot(const struct window *w, struct hash128 key, uint32_t group)
{
    /* The same values occur in many groups. */
    uint64_t bucket = key.low ^ group * 0x9e3779b97f4a7c15ULL >> 32;
    uint32_t *slot = &w->member_buckets[bucket & (w->bucket_count - 1)];
    while (*slot) {
        const struct window_member *m = &w->members[*slot];
        if (m->group == group && m->key.low == key.low && m->key.high == key.high) {
            break;
        }
        slot = &w->members[*slot].next;
    }
    return slot;
}

static uint32_t find_group(struct window *w, struct hash128 key)
{
    uint32_t *slot = group_slot(w, key);
    if (*slot) {
        return *slot;
    }
    uint32_t index = w->free_group;
    if (index) {
        w->free_group = w->groups[index].next;
    } else {
        index = ++w->used_groups;
    }
    w->groups[index] = (struct window_group){.key = key};
    for (unsigned i = 0; i < w->plan.steps; i++) {
        window_steps(w, index)[i] = WINDOW_NEVER;
        window_matches(w, index)[i] = 0;
    }
    *slot = index;
    return index;
}

static uint32_t find_member(struct window *w, struct hash128 key, uint32_t group)
{
    uint32_t *slot = member_slot(w, key, group);
    if (*slot) {
        return *slot;
    }
    uint32_t index = w->free_member;
    if (index) {
        w->free_member = w->members[index].next;
    } else {
        index = ++w->used_members;
    }
    w->members[index] = (struct window_member){.key = key, .group = group};
    *slot = index;
    return index;
}

static void free_group(struct window *w, uint32_t index)
{
    uint32_t *slot = group_slot(w, w->groups[index].key);
    *slot = w->groups[index].next;
    w->groups[index].next = w->free_group;
    w->free_group = index;
}

static void drop_member(struct window *w, uint32_t index)
{
    struct window_member *m = &w->members[index];
    if (--m->count == 0) {
        uint32_t *slot = member_slot(w, m->key, m->group);
        *slot = m->next;
        m->next = w->free_member;
        w->free_member = index;
    }
}

/* ── rich groups: those that are cut first ── */

static void count_group(struct window *w, uint32_t index, int change)
{
    struct window_group *g = &w->groups[index];
    bool was_rich = g->count > w->plan.keep;
    g->count += (uint32_t)change;
    bool is_rich = g->count > w->plan.keep;
    if (is_rich && !was_rich) {
        g->rich_before = WINDOW_NONE;
        g->rich_after = w->rich;
        w->groups[w->rich].rich_before = index; /* number 0 takes it too */
        w->rich = index;
    } else if (was_rich && !is_rich) {
        *(g->rich_before ? &w->groups[g->rich_before].rich_after : &w->rich) = g->rich_after;
        w->groups[g->rich_after].rich_before = g->rich_before;
    }
}

/* ── the span of a group ── */

static void count_matches(struct window *w, const struct window_entry *e, uint32_t change)
{
    uint32_t *matches = window_matches(w, e->group);
    for (uint64_t mask = (uint64_t)e->number; mask; mask &= mask - 1) {
        matches[__builtin_ctzll(mask)] += change;
    }
}

static void enter(struct window *w, struct window_group *g, uint32_t index)
{
    struct window_entry *e = &w->entries[index];
    e->counted = true;
    g->inside++;
    if (w->plan.steps) {
        count_matches(w, e, 1);
    } else {
        g->sum += e->number;
    }
    if (e->member && w->members[e->member].inside++ == 0) {
        g->distinct++;
    }
    if (w->plan.ranked) {
        rank_insert(&w->rank, w->entries, &w->roots[e->group], index);
    }
}

static void uncount(struct window *w, struct window_group *g, uint32_t index)
{
    struct window_entry *e = &w->entries[index];
    e->counted = false;
    g->inside--;
    if (w->plan.steps) {
        count_matches(w, e, UINT32_MAX); /* one less */
    } else {
        g->sum -= e->number;
    }
    if (e->member && --w->members[e->member].inside == 0) {
        g->distinct--;
    }
    if (g->first == g->end) {
        g->first = g->end = WINDOW_NONE;
    } else if (g->first == index) {
        g->first = e->after;
    } else if (g->end == index) {
        g->end = e->before;
    }
}

static void leave(struct window *w, struct window_group *g, uint32_t index)
{
    if (w->plan.ranked) {
        rank_remove(&w->rank, w->entries, &w->roots[w->entries[index].group], index);
    }
    uncount(w, g, index);
}

/* Numbers need not be taken out of their order one by one. */
static void leave_all(struct window *w, struct window_group *g)
{
    if (w->plan.ranked && g->end) {
        w->roots[w->entries[g->end].group] = WINDOW_NONE;
    }
    while (g->end) {
        uncount(w, g, g->end);
    }
}

/* Whoever enters pays for leaving too, which then is free: so a quiet hour, after which much leaves
 * at once, does not look like an attack. */
static bool pay_and_enter(struct window *w, struct window_group *g, uint32_t index,
                          struct window_budget *b)
{
    bool paid = window_spend(b, WINDOW_STEP + (w->plan.ranked ? WINDOW_RANK : 0));
    if (paid) {
        enter(w, g, index);
    }
    return paid;
}

/* Makes the span end at the event: a short way from where it ends, or anew. */
static bool move_end(struct window *w, struct window_group *g, uint32_t index,
                     struct window_budget *b)
{
    const struct window_entry *e = &w->entries[index];
    while (e->counted && g->end != index) {
        leave(w, g, g->end);
    }
    if (!e->counted && g->end && !window_within(w, w->entries[g->end].time_ns, e->time_ns)) {
        leave_all(w, g); /* they are too old, or later than it */
    }
    if (!g->end) {
        g->first = g->end = index;
        if (!pay_and_enter(w, g, index, b)) {
            g->first = g->end = WINDOW_NONE;
            return false;
        }
    }
    while (g->end != index) {
        uint32_t next = w->entries[g->end].after;
        if (!pay_and_enter(w, g, next, b)) {
            return false;
        }
        g->end = next;
    }
    return true;
}

bool window_look(struct window *w, uint32_t index, struct window_budget *b)
{
    uint64_t last_ns = w->entries[index].time_ns;
    struct window_group *g = &w->groups[w->entries[index].group];
    if (!move_end(w, g, index, b)) {
        return false;
    }
    while (!window_within(w, w->entries[g->first].time_ns, last_ns)) {
        leave(w, g, g->first);
    }
    for (uint32_t i = w->entries[g->first].before;
         i && window_within(w, w->entries[i].time_ns, last_ns); i = w->entries[i].before) {
        if (!pay_and_enter(w, g, i, b)) {
            return false;
        }
        g->first = i;
    }
    return true;
}

/* ── places ── */

/* Goes on from the span, which is where the last event was: after a wrong clock the latest ones may
 * be far away. False: the budget ended. *before: what it comes after, or WINDOW_NONE. */
static bool find_place(const struct window *w, const struct window_group *g, uint64_t time_ns,
                       struct window_budget *b, uint32_t *before)
{
    uint32_t at = g->tail;
    if (at && w->entries[at].time_ns > time_ns) {
        at = g->end ? g->end : at;
        for (uint32_t next = w->entries[at].after;
             w->entries[at].time_ns <= time_ns && w->entries[next].time_ns <= time_ns;
             next = w->entries[next].after) {
            if (!window_spend(b, WINDOW_STEP)) {
                return false;
            }
            at = next;
        }
        for (; at && w->entries[at].time_ns > time_ns; at = w->entries[at].before) {
            if (!window_spend(b, WINDOW_STEP)) {
                return false;
            }
        }
    }
    *before = at;
    return true;
}

/* The span has no holes: what comes between two that it counts is counted. */
static void link_entry(struct window *w, struct window_group *g, uint32_t index, uint32_t before)
{
    struct window_entry *e = &w->entries[index];
    e->before = before;
    e->after = before ? w->entries[before].after : g->head;
    *(e->before ? &w->entries[e->before].after : &g->head) = index;
    *(e->after ? &w->entries[e->after].before : &g->tail) = index;
    if (e->before && e->after && w->entries[e->before].counted && w->entries[e->after].counted) {
        enter(w, g, index);
    }
}

static void unlink_entry(struct window *w, struct window_group *g, uint32_t index)
{
    struct window_entry *e = &w->entries[index];
    if (e->counted) {
        leave(w, g, index);
    }
    *(e->before ? &w->entries[e->before].after : &g->head) = e->after;
    *(e->after ? &w->entries[e->after].before : &g->tail) = e->before;
}

/* ── memory ── */

/* In no span any more, as long as events come in order. By the time of the last event and not the
 * latest: one with a wrong clock must not make all others old. */
static bool is_over(const struct window *w, const struct window_entry *e)
{
    return e->time_ns < w->now_ns && w->now_ns - e->time_ns > w->plan.span_ns;
}

/* Would an event of this window that is in order come out differently without this one? */
static bool matters(const struct window *w, const struct window_entry *e)
{
    if (is_over(w, e)) {
        return false;
    }
    uint32_t left = w->plan.members ? w->members[e->member].count : w->groups[e->group].count;
    return w->plan.spare == 0 || left <= w->plan.spare;
}

static void free_entry(struct window *w, uint32_t index)
{
    w->entries[index].newer = w->free_entry;
    w->free_entry = index;
    w->count--;
}

static void drop(struct window *w, uint32_t index)
{
    struct window_entry *e = &w->entries[index];
    struct window_group *g = &w->groups[e->group];
    w->lost += matters(w, e);
    unlink_entry(w, g, index);
    *(e->older ? &w->entries[e->older].newer : &w->oldest) = e->newer;
    *(e->newer ? &w->entries[e->newer].older : &w->newest) = e->older;
    if (e->member) {
        drop_member(w, e->member);
    }
    count_group(w, e->group, -1);
    if (g->count == 0) {
        free_group(w, e->group);
    }
    free_entry(w, index);
}

/* First what is in no span any more, then the oldest of a group that has more than others, then the
 * oldest of all. */
static void make_room(struct window *w)
{
    bool over = is_over(w, &w->entries[w->oldest]);
    drop(w, !over && w->rich ? w->groups[w->rich].head : w->oldest);
}

static uint32_t take_entry(struct window *w)
{
    if (w->count == w->plan.room) {
        make_room(w);
    }
    uint32_t index = w->free_entry;
    if (index) {
        w->free_entry = w->entries[index].newer;
    } else {
        index = ++w->used_entries;
    }
    w->count++;
    return index;
}

uint32_t window_add(struct window *w, const struct window_event *event, struct window_budget *b,
                    bool *late)
{
    uint32_t before;
    if (!window_spend(b, WINDOW_ADD)) {
        return WINDOW_NONE;
    }
    w->now_ns = event->time_ns;
    uint32_t index = take_entry(w);
    uint32_t group = find_group(w, event->group);
    struct window_group *g = &w->groups[group];
    struct window_entry *e = &w->entries[index];
    if (!find_place(w, g, event->time_ns, b, &before)) {
        free_entry(w, index);
        return WINDOW_NONE; /* the group has others */
    }
    *e = (struct window_entry){.number = event->number,
                               .time_ns = event->time_ns,
                               .older = w->newest,
                               .group = group & WINDOW_NUMBER_MAX};
    if (w->plan.members) {
        e->member = find_member(w, event->member, group);
        w->members[e->member].count++;
    }
    *(w->newest ? &w->entries[w->newest].newer : &w->oldest) = index;
    w->newest = index;
    *late = g->count && event->time_ns < g->top_ns;
    g->top_ns = *late ? g->top_ns : event->time_ns;
    link_entry(w, g, index, before);
    count_group(w, group, 1);
    return index;
}
