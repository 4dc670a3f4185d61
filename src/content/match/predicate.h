/*
 * predicate: what a predicate means, what it may cost, and whether an event fulfils it.
 *
 * One table says which members each kind uses; builder, verifier and interpreter all read it. A
 * step is about a nanosecond: a byte that was looked at, times what its kind takes for one at
 * worst. predicate_cost() is the proven most, subject.steps what it took.
 */
#pragma once

#include "content/rule.h"
#include "schema/event.h"

/* Members of struct predicate that a kind uses. What it does not use is zero (FIELD_COUNT for
 * `other`), so that equal predicates have equal bytes. */
enum {
    USES_TEXT = 1,      /* text: UTF-8 */
    USES_AUTOMATON = 2, /* text: content/match/automaton.h */
    USES_CASED = 4,
    USES_NUMBER = 8,
    USES_OTHER = 16,
    USES_TIME = 32,      /* part, compare */
    USES_ANY_FIELD = 64, /* field may be FIELD_COUNT */
    USES_LIST = 128,     /* text: content/indicator/indicator.h */
};

struct predicate_info {
    const char *words; /* between the field and its operand: "starts with" */
    unsigned uses;
};

/* `kind` must be in range. */
const struct predicate_info *predicate_info(enum predicate_kind kind);

/* Zeroes the members that the kind does not use, and folds a text that is not cased: its bytes are
 * copied to `folded`, which has room for all of them, if that changes any. */
struct predicate predicate_plain(const struct predicate *p, char *folded);

bool predicate_same(const struct predicate *a, const struct predicate *b);

/* NULL: it means something and is plain. Otherwise what is wrong. The text of USES_AUTOMATON
 * and USES_LIST is not looked at, which is checked once for all its predicates. */
const char *predicate_check(const struct predicate *p);

/* Can predicate_holds() be asked at all? The part of predicate_check() that costs nothing. */
bool predicate_in_range(const struct predicate *p);

/* The most bytes that a predicate over any field looks at: all texts of an event lie in its record,
 * and each number gives up to 24 more. */
enum { PREDICATE_ANY_BYTES = EVENT_MAX + FIELD_COUNT * 24 };

/* The most steps that it can take on any event. */
uint64_t predicate_cost(const struct predicate *p);

/* What predicates are asked about, and how much may be spent on it. */
struct subject {
    const struct event *event;
    char *folded;   /* EVENT_MAX bytes: the record with ASCII letters folded … */
    bool is_folded; /* … once somebody asked */
    bool spent;     /* something was not looked at, since the budget did not reach */
    uint64_t steps;
    uint64_t budget; /* steps never exceed it */
};

enum { SUBJECT_NUMBER = 24 /* a number as text: 20 bytes */ };

/* Takes steps off the budget. False: they are not there, nothing was taken, and `spent` is set. */
static inline bool subject_spend(struct subject *s, uint64_t steps)
{
    if (__builtin_expect(steps > s->budget - s->steps, 0)) {
        s->spent = true;
        return false;
    }
    s->steps += steps;
    return true;
}

/* What a value is compared as; false: it has no text. `room` has SUBJECT_NUMBER bytes. */
bool value_text(const struct value *v, char *room, struct text *out);

/* What a value is compared as, its letters folded unless `as_is`; false: it has no text, or the
 * budget does not reach. `room` has SUBJECT_NUMBER bytes. */
bool subject_text(struct subject *s, const struct value *v, bool as_is, char *room,
                  struct text *out);

/* Calls `on_value` for every value that predicates over any field are asked about, until it returns
 * true, which is then returned. */
bool subject_each(struct subject *s, void *context,
                  bool (*on_value)(void *context, const struct value *v));

/* The most that folding a record takes. */
enum { SUBJECT_FOLD_COST = EVENT_MAX / 4 + 1 };

/* Only for what predicate_check() accepted. False with `spent` set: nobody knows. */
bool predicate_holds(const struct predicate *p, struct subject *subject);
