/*
 * sample: rules of every kind and a few events, for this folder's tests and its fuzz target only.
 */
#pragma once

#include "content/indicator/indicator.h"
#include "content/match/match.h"
#include "content/pack/builder.h"
#include "schema/event.h"

enum { SAMPLE_EVENTS = 4 };

/* Puts a rule for each kind of predicate, and some that share and jump, into a pack. */
struct status sample_pack(struct arena *arena, struct text *out);

/* The same and correlations: one of each type, one with an alias, and one over another. */
struct status sample_correlations(struct arena *arena, struct text *out);

/* Events of several types, with nulls, cut texts and bytes that are not UTF-8. */
struct status sample_event(unsigned index, void *buffer, size_t size, struct event *out);

/* The automaton of "a+b" found anywhere. */
struct text sample_automaton(void);

/* One in the wide forms, in the arena: the letters a to p, again and again, 257 of them; or 20 of
 * them at the end of the value. */
struct status sample_large_automaton(struct arena *arena, struct text *out);

/* Does a rule match, by its program alone: every node asked, no table looked at? The other opinion
 * on matcher_run(), for rules that name no log source. */
bool sample_naive(const struct pack *pack, size_t rule, const struct event *event);

/* The same of all rules, against what a matcher says; false: they differ, or it did not decide. */
bool sample_agrees(const struct pack *pack, struct matcher *m, const struct event *event);

/* A list of entries that are right, named "sample"; and one of four. */
struct status sample_list_of(enum indicator_kind kind, const char *const *words, size_t count,
                             struct arena *arena, struct text *out);
struct status sample_list(enum indicator_kind kind, struct arena *arena, struct text *out);
