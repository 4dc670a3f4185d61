/*
 * drill: `bulkhead drill channel-291`: the fault of July 2024, on this machine, in a scratch home.
 *
 * Everything that is tried, what stopped it, and how long that took.
 */
#pragma once

#include "ctl/drill/drill_live.h"

/* Where a fault can be stopped, first to last. */
#define DRILL_GATES(X)                                                                             \
    X(BUILD, "build", "the builder refuses the rule")                                              \
    X(VERIFY, "verify", "bulkhead-verify refuses the pack's structure")                            \
    X(VECTORS, "vectors", "the pack's own test events show it")                                    \
    X(LOAD, "load", "the engine proves the pack again, and refuses it")                            \
    X(RUN, "run", "the interpreter switches the rule off, or the engine ends and guard goes on")   \
    X(HARMLESS, "none needed", "the pack is still right in all that was shown of it")              \
    X(NONE, "nothing", "it came through")

enum drill_gate {

#define DRILL_GATE_ENUM(ID, name, words) DRILL_GATE_##ID,
    DRILL_GATES(DRILL_GATE_ENUM)
#undef DRILL_GATE_ENUM
        DRILL_GATE_COUNT
};

enum { DRILL_WHY = 1024, DRILL_TRIES = 16 };

/* One thing that was tried. */
struct drill_try {
    unsigned variant; /* 1 to 5; 6: all gates open */
    const char *what;
    enum drill_gate gate;
    enum drill_gate wanted; /* the earliest that can stop it */
    char why[DRILL_WHY];    /* what the gate said */
    double ms;
    const struct drill_live *live; /* where guard and engine ran; NULL elsewhere */
};

struct drill_report {
    struct drill_try tries[DRILL_TRIES];
    size_t count;
    const char *left_out[2]; /* what was not tried, and why; NULL: nothing */
    double seconds;
    bool passed;
};

/* The report, as words for people or as one JSON object. */
void drill_report_print(const struct drill_report *report, bool json);
