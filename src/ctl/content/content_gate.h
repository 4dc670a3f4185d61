/*
 * content_gate: may this pack leave the house? `content build --release`.
 *
 * Every fault is told, rule by rule, with the first event that shows it. A pack that does not pass
 * is written nowhere.
 */
#pragma once

#include "base/text.h"

/* What a pack may cost and do. Texts are handed on to bulkhead-verify as they stand; NULL: what it
 * takes by itself. */
struct gate_limits {
    const char *golden; /* folder of recordings of healthy machines */
    const char *max_event_cost;
    const char *max_memory;
    const char *max_size;
    uint64_t alerts_per_hour; /* of level medium and above, all rules together */
};

enum { GATE_ALERTS_PER_HOUR = 1 }; /* more than that, and people stop to look */

/* True: it may. Otherwise the reasons are on standard error. */
bool content_gate(const struct gate_limits *limits, struct text pack);
