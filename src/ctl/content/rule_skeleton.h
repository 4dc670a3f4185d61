/*
 * rule_skeleton: a Sigma rule that matches one event, for an author to go on from; and the test
 * events that belong to it: the event itself, and one that differs in what the rule asks.
 *
 * What the event quotes was written by whoever was watched: it is escaped for Sigma and for YAML,
 * so that the rule asks for these very bytes and the file says nothing else.
 */
#pragma once

#include "base/bytes.h"
#include "schema/event.h"

enum {
    SKELETON_ID = 37,         /* bytes of a UUID, terminated */
    SKELETON_VALUE_MAX = 800, /* bytes of a value; of longer ones the rule asks for the beginning */
    SKELETON_ROOM = 512 * 1024,
};

struct skeleton {
    const struct event *event;
    const char *id;     /* of the rule */
    const char *date;   /* "2026-11-21" */
    struct text origin; /* where the event came from, for a comment */
};

/* The rule as YAML. MISSING: the event carries nothing that a rule could ask for, or is one that no
 * rule is asked about. */
struct status skeleton_rule(const struct skeleton *s, struct writer *out);

/* Its test events: two lines, as content/README.md describes them. After skeleton_rule(). */
struct status skeleton_tests(const struct skeleton *s, struct writer *out);

/* A random UUID (version 4) of 16 random bytes, into SKELETON_ID bytes. */
void skeleton_id(const uint8_t random[16], char *out);
