/*
 * window: the recent events of one correlation, by group, in memory that is reserved once.
 *
 * Events of a group stand in the order of their time, ties in the order of arrival; all events of
 * the window also in the order of arrival, in which they are dropped when memory is short
 * (docs/decisions/0014-windows-shorten-when-full.md). Nothing here looks at a pack or an event.
 */
#pragma once

#include "base/siphash.h"
#include "base/status.h"
#include "content/correlate/rank.h"

enum {
    WINDOW_NONE = 0,              /* items are numbered from 1, so that zeroed memory is empty */
    WINDOW_NUMBER_MAX = INT32_MAX /* of a group, which shares its word with a bit */
};

struct window_entry {
    __int128 number; /* what is added up, in millionths; or a bit for each rule that matched */
    uint64_t time_ns;
    uint32_t before, after; /* in the group, by time */
    uint32_t older, newer;  /* in the window, by arrival; `newer` also chains free ones */
    uint32_t group : 31;
    uint32_t counted : 1; /* in the span of its group */
    uint32_t member;
};

struct window_group {
    __int128 sum; /* of the numbers in the span */
    struct hash128 key;
    uint64_t top_ns; /* the latest time that any event of it had */
    uint32_t next;   /* in its bucket, or free */
    uint32_t head, tail;
    uint32_t first, end; /* the span that was looked at last; what follows concerns it alone: */
    uint32_t inside, distinct;
    uint32_t count;                   /* events of the group, inside or not */
    uint32_t rich_before, rich_after; /* among groups with more than window.keep events */
};

/* A value of a group. */
struct window_member {
    struct hash128 key;
    uint32_t group;
    uint32_t next;   /* in its bucket, or free */
    uint32_t count;  /* events that have it */
    uint32_t inside; /* of these, in the span of the group */
};

/* What a window is for: fixed when it is made. */
struct window_plan {
    uint64_t span_ns;
    uint32_t room;  /* events */
    uint32_t keep;  /* a group that has more is cut first when memory is short */
    unsigned steps; /* rules whose last time is kept for each group, and their number in its span */
    bool members;
    bool ranked;   /* numbers are kept in their order */
    uint64_t seed; /* for that: random, and told nobody */
    /* How many events (or, with members, events of one value) a group must have left so that a
     * dropped one is no loss; 0: every event counts. */
    uint32_t spare;
};

struct window {
    struct window_plan plan;
    struct window_entry *entries;
    struct window_group *groups;
    struct window_member *members;
    struct rank rank;
    uint32_t *roots;   /* the numbers in the span of each group, with plan.ranked */
    uint64_t *steps;   /* `plan.steps` for each group: WINDOW_NEVER, or a time */
    uint32_t *matches; /* likewise: events in the span that this rule matched */
    uint32_t *group_buckets, *member_buckets;
    uint32_t bucket_count;
    uint32_t used_entries, used_groups, used_members; /* ever: memory is touched when needed */
    uint32_t free_entry, free_group, free_member;
    uint32_t oldest, newest; /* by arrival */
    uint32_t count;
    uint32_t rich;   /* a group with more than `keep` */
    uint64_t now_ns; /* the time of the event that came last */
    uint64_t lost;   /* events that were dropped while they still counted */
    size_t bytes;    /* reserved */
};

#define WINDOW_NEVER UINT64_MAX

struct window_event {
    struct hash128 group;
    struct hash128 member; /* with members */
    uint64_t time_ns;
    __int128 number;
};

/* Steps, about a nanosecond each where nothing is in the cache. */
enum {
    WINDOW_STEP = 100, /* to look at one event, or to take it into a span and out again */
    WINDOW_RANK = 900, /* more for that, where numbers are kept in their order */
    WINDOW_ADD = 300,  /* an event in order: its group, its value, its place */
};

/* What may still be spent. */
struct window_budget {
    uint64_t left;
};

/* False: there is not so much left, and nothing was taken. */
static inline bool window_spend(struct window_budget *b, uint64_t steps)
{
    bool enough = steps <= b->left;
    b->left -= enough ? steps : 0;
    return enough;
}

/* MEMORY. */
struct status window_init(struct window *w, struct window_plan plan);
void window_done(struct window *w);

/* Is `time_ns` at most a span before `last_ns`? */
static inline bool window_within(const struct window *w, uint64_t time_ns, uint64_t last_ns)
{
    return time_ns <= last_ns && last_ns - time_ns <= w->plan.span_ns;
}

/* Adds an event and gives its number; WINDOW_NONE: its place was not found within the budget, and
 * it was left out. *late: its group has seen later ones. */
uint32_t window_add(struct window *w, const struct window_event *event, struct window_budget *b,
                    bool *late);

/* Moves the span of the event's group there: from then on what the group knows is about this event
 * and those before it that are at most the timespan older. It stays until it is moved again, so
 * that moving takes what lies between two events that come one after another. False: the budget
 * ended on the way. The next call goes on from there. */
bool window_look(struct window *w, uint32_t index, struct window_budget *b);

/* The times of a group's rules, and how many events of the span each matched. */
uint64_t *window_steps(struct window *w, uint32_t group);
uint32_t *window_matches(struct window *w, uint32_t group);
