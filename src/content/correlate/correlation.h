/*
 * correlation: the correlations of an open pack, and how much memory their windows need.
 *
 * A correlation is a rule without program: one row of `rules` for people, one of `correlations`
 * that says what is counted. docs/formats/pack.md gives the bytes, correlate.h runs them. Verifier
 * and runtime share the arithmetic of memory, so that what was accepted has room.
 */
#pragma once

#include "content/correlate/window.h"
#include "content/pack/pack.h"
#include "schema/event.h"

enum {
    CORRELATION_NONE = UINT32_MAX,
    /* A group that has more than this part of its correlation's memory is cut first. */
    WINDOW_GROUP_PART = 4,
    WINDOW_LEAST = 64,     /* events that every correlation has room for */
    WINDOW_MOST = 1 << 22, /* a bound for arithmetic: 16 MiB hold 130,000 */
    WINDOW_WALKS = 4,  /* an event's place, its span, its steps, and those of later ones again */
    WINDOW_HASH = 100, /* to join the hash of one field to that of a group */
    CORRELATION_NS = 1000000000, /* of a second */
};

/* For one event, in steps: each of its fields is hashed once at most, whatever asks for it. */
#define CORRELATION_EVENT_COST (EVENT_MAX + FIELD_COUNT * (uint64_t)WINDOW_HASH)

struct pack_correlation {
    uint32_t rule; /* of the pack */
    uint32_t span_s;
    uint32_t first_reference;
    uint32_t first_condition;
    enum correlation_type type;
    unsigned group_fields;
    unsigned value_fields;
    unsigned conditions;
    unsigned references;
};

struct pack_reference {
    uint32_t rule;        /* of the pack; if it is a correlation, an earlier one */
    uint32_t first_field; /* group_fields + value_fields of them */
};

struct pack_correlation pack_correlation(const struct pack *pack, size_t index);
struct pack_reference pack_reference(const struct pack *pack, size_t index);
struct correlation_condition pack_condition(const struct pack *pack, size_t index);
enum field pack_correlation_field(const struct pack *pack, size_t index);

/* The correlation that a rule is, or CORRELATION_NONE. */
uint32_t pack_correlation_of(const struct pack *pack, size_t rule);

/* Sigma's words, and back: …_COUNT where there is none. */
const char *correlation_type_name(enum correlation_type type);
enum correlation_type correlation_type_by_name(struct text name);
const char *correlation_operator_name(enum correlation_operator operator);
enum correlation_operator correlation_operator_by_name(struct text name);

/* Does the type measure values of fields? And these as numbers? Does it keep which value an event
 * had? Does it go by which rule matched? */
bool correlation_has_values(enum correlation_type type);
bool correlation_has_numbers(enum correlation_type type);
bool correlation_has_members(enum correlation_type type);
bool correlation_has_steps(enum correlation_type type);

/* `measured` / `divisor`, in millionths, against a condition. */
bool correlation_holds(const struct correlation_condition *condition, __int128 measured,
                       uint32_t divisor);

/* What one event in a window takes, at most, with everything that belongs to it. */
size_t window_entry_bytes(const struct pack_correlation *c);

/* Bytes without which the correlations could never be right, all together. */
uint64_t windows_need(const struct pack *pack);

/* How `memory` bytes, at least windows_need(), are divided: each gets what it needs, and all the
 * same share of the rest. `need` is windows_need(). */
struct window_plan window_plan_of(const struct pack *pack, size_t index, uint64_t memory,
                                  uint64_t need);

/* The most steps for one event, beside CORRELATION_EVENT_COST: the hashes of its fields are joined
 * for each rule that it matched, it is put into its groups, and their events are walked over. What
 * an event may take is cut far below it (pack.h). */
uint64_t correlation_cost(const struct pack *pack, size_t index, uint64_t memory, uint64_t need);
