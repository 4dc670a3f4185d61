/*
 * rule: one rule in the form that packs hold, before it is bytes: predicates over fields and a
 * decision program over predicates.
 *
 * compile/ makes these, builder.h turns them into a pack, pack.h reads a pack back. A program is a
 * sequence of nodes; a node asks one predicate and goes on to a later node, or ends. Since every
 * jump is forward it ends, and its cost is the costliest path.
 */
#pragma once

#include "schema/schema.h"

enum predicate_kind {
    PREDICATE_EQUAL,    /* the field's text is `text` */
    PREDICATE_PREFIX,   /* … starts with it */
    PREDICATE_SUFFIX,   /* … ends with it */
    PREDICATE_CONTAINS, /* … contains it */
    PREDICATE_GLOB,     /* the whole field matches `text` as a pattern, see below */
    PREDICATE_REGEX,    /* the automaton `text` (content/match/automaton.h) accepts the field */
    PREDICATE_CIDR,     /* the field is an address in the network `text`, "10.0.0.0/8" */
    PREDICATE_LESS,     /* the field is, as a number, < `number` */
    PREDICATE_LESS_EQUAL,
    PREDICATE_GREATER,
    PREDICATE_GREATER_EQUAL,
    PREDICATE_EXISTS,      /* the event has the field, null or not */
    PREDICATE_PRESENT,     /* the event has the field, and it is not null */
    PREDICATE_SAME,        /* the field's text is that of field `other` */
    PREDICATE_SAME_PREFIX, /* … starts with that of `other`; likewise: */
    PREDICATE_SAME_SUFFIX,
    PREDICATE_SAME_CONTAINS,
    PREDICATE_TIME, /* part `part` of the field as ISO 8601 time compares to `number`: `compare` */
    PREDICATE_LISTED, /* the field is in the list `text` (content/indicator/indicator.h) */
    PREDICATE_KIND_COUNT
};

#define PREDICATE_HAS_NUMBER(kind)                                                                 \
    (((kind) >= PREDICATE_LESS && (kind) <= PREDICATE_GREATER_EQUAL) || (kind) == PREDICATE_TIME)

enum time_part {
    TIME_MINUTE,
    TIME_HOUR,
    TIME_DAY,
    TIME_WEEK,
    TIME_MONTH,
    TIME_YEAR,
    TIME_PART_COUNT
};

enum compare {
    COMPARE_EQUAL,
    COMPARE_LESS,
    COMPARE_LESS_EQUAL,
    COMPARE_GREATER,
    COMPARE_GREATER_EQUAL,
    COMPARE_COUNT
};

/*
 * A predicate over an absent or null field is false, but for EXISTS (true for null). Numbers and
 * bools are compared as text in decimal, true, false. Unless `cased`, ASCII letters fold.
 *
 * PREDICATE_GLOB patterns: '*' any bytes, '?' one code point (a byte that begins no valid UTF-8
 * sequence counts as one), "\-" one of - / U+2013 U+2014 U+2015, '\' and any other byte that byte.
 *
 * `field` FIELD_COUNT asks the text of every field that the event carries, one after another (never
 * across two), as Sigma's keywords do; EXISTS, PRESENT, SAME… and TIME need a field. log_product,
 * log_service and log_category are where an event comes from, and no values of it.
 *
 * LESS … GREATER_EQUAL compare numbers and decimal texts, fractions included: `number` is always
 * scaled by 1e6, saturating. TIME's `number` is not.
 */
struct predicate {
    enum predicate_kind kind;
    enum field field;
    bool cased;
    struct text text;
    int64_t number;
    enum field other;
    enum time_part part;
    enum compare compare;
    struct text factor; /* REGEX, for the builder: folded, in every value that matches; or empty */
};

enum { NODE_MATCH = UINT16_MAX, NODE_MISS = UINT16_MAX - 1, NODES_MAX = UINT16_MAX - 1 };

struct node {
    uint16_t predicate; /* index into the rule's predicates */
    uint16_t on_true;   /* a later node, NODE_MATCH or NODE_MISS */
    uint16_t on_false;
};

/* What a match asks for, beside the alert that it always is. */
#define ACTIONS(X)                                                                                 \
    X(ALERT, "alert")           /* nothing more */                                                 \
    X(BLOCK, "block")           /* what is about to happen is denied */                            \
    X(KILL, "kill")             /* the process is ended */                                         \
    X(QUARANTINE, "quarantine") /* the file is put away, restorable */                             \
    X(ISOLATE, "isolate")       /* the machine speaks to its fleet only */

enum action {

#define ACTION_ENUM(ID, name) ACTION_##ID,
    ACTIONS(ACTION_ENUM)
#undef ACTION_ENUM
        ACTION_COUNT
};

/* Sigma's correlations: what is counted over the window of one group. */
#define CORRELATION_TYPES(X)                                                                       \
    X(EVENT_COUNT, "event_count")           /* events */                                           \
    X(VALUE_COUNT, "value_count")           /* different values */                                 \
    X(TEMPORAL, "temporal")                 /* different rules */                                  \
    X(TEMPORAL_ORDERED, "temporal_ordered") /* a later event for each rule, in their order */      \
    X(VALUE_SUM, "value_sum")                                                                      \
    X(VALUE_AVG, "value_avg")                                                                      \
    X(VALUE_PERCENTILE, "value_percentile") /* percent of events that carry this event's value */  \
    X(VALUE_MEDIAN, "value_median")

enum correlation_type {

#define CORRELATION_ENUM(ID, name) CORRELATION_##ID,
    CORRELATION_TYPES(CORRELATION_ENUM)
#undef CORRELATION_ENUM
        CORRELATION_TYPE_COUNT
};

/* In this order in a correlation, each at most once. */
#define CORRELATION_OPERATORS(X)                                                                   \
    X(EQ, "eq")                                                                                    \
    X(NEQ, "neq")                                                                                  \
    X(LT, "lt")                                                                                    \
    X(LTE, "lte")                                                                                  \
    X(GT, "gt")                                                                                    \
    X(GTE, "gte")

enum correlation_operator {

#define OPERATOR_ENUM(ID, name) CORRELATION_##ID,
    CORRELATION_OPERATORS(OPERATOR_ENUM)
#undef OPERATOR_ENUM
        CORRELATION_OPERATOR_COUNT
};

enum {
    CORRELATION_REFERENCES_MAX = 64,        /* a bit each in a word */
    CORRELATION_FIELDS_MAX = 8,             /* to group by; and likewise to count */
    CORRELATION_SPAN_MAX = 366 * 24 * 3600, /* seconds: what is older is no window but an archive */
    CORRELATION_SCALE = 1000000,            /* conditions have six places after the point */
};

/* What is measured compares to whole + millionths / 1e6. */
struct correlation_condition {
    enum correlation_operator operator;
    int64_t whole;
    uint32_t millionths;
};

/* A rule that is referred to, and the fields of its events: those to group by, then those to count.
 * They differ between rules only where aliases say so. */
struct correlation_reference {
    struct text id;
    const enum field *fields;
};

struct correlation {
    enum correlation_type type;
    uint32_t span_s;
    size_t group_fields;
    size_t value_fields;
    const struct correlation_reference *references;
    size_t reference_count;
    const struct correlation_condition *conditions; /* all have to hold */
    size_t condition_count;
    bool generate; /* what it refers to goes on raising alerts */
};

/* One field of an event changed, after which the rule has to say the opposite. */
struct probe {
    enum field field;
    bool removed;      /* … or put in its place or, where the event has not the field, added: */
    struct text value; /* as vector_put() (vector.h) puts it */
};

/* An event that proves something about the rule: a record as in schema/event.h. */
struct vector {
    struct text event;
    bool matches;               /* what the rule has to say */
    const struct probe *probes; /* sorted by field, each once; none where it does not match */
    size_t probe_count;
};

/* Bytes: an alert is known by the whole id of its rule, and carries no more. A UUID has 36. */
enum { RULE_ID_MAX = 64 };

/* Bytes of each part of a log source. It is compared for every candidate; names such as
 * process_creation have 10 to 30. */
enum { LOG_SOURCE_MAX = 64 };

struct rule {
    struct text id; /* UUID, or what the author wrote; unique in a pack */
    struct text title;
    struct text author;
    struct text level; /* one of Sigma's words */
    struct text status;
    struct text description;
    struct text tags; /* comma separated */
    struct text file; /* where it was compiled from, for people */
    uint64_t types;   /* events it is asked for, 1 << enum event_type; none for correlations */
    enum action action;
    bool silent;          /* raises no alert itself: others refer to it */
    struct text product;  /* the event's log_product must equal these, */
    struct text service;  /* log_service and log_category likewise; empty: any. */
    struct text category; /* An event without log_product is linux's, one without log_category has
                             all that its type has. */
    const struct predicate *predicates;
    size_t predicate_count;
    const struct node *nodes; /* none: the rule matches every event of its types */
    size_t node_count;
    const struct correlation *correlation; /* or NULL. With one: no types, no program */
    const struct vector *vectors; /* the author's own; builder.h makes those that are missing */
    size_t vector_count;
};
