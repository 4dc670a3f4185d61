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
    USES_AUTOMATON = 2, /* text: content/automaton.h */
    USES_CASED = 4,
    USES_NUMBER = 8,
    USES_OTHER = 16,
    USES_TIME = 32,      /* part, compare */
    USES_ANY_FIELD = 64, /* field may be FIELD_COUNT */
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

/* NULL: it means something and is plain. Otherwise what is wrong. USES_AUTOMATON's text is not
 * looked at, which is checked once for all its predicates. */
const char *predicate_check(const struct predicate *p);

/* Can predicate_holds() be asked at all? The part of predicate_check() that costs nothing. */
bool predicate_in_range(const struct predicate *p);

/* The most steps that it can take on any event. */
uint64_t predicate_cost(const struct predicate *p);

/* What predicates are asked about. */
struct subject {
    const struct event *event;
    char *folded;   /* EVENT_MAX bytes: the record with ASCII letters folded … */
    bool is_folded; /* … once somebody asked */
    uint64_t steps;
};

/* Only for what predicate_check() accepted. */
bool predicate_holds(const struct predicate *p, struct subject *subject);
