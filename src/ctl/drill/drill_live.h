/*
 * drill_live: a real guard with a real engine in a scratch home, started on content that is bad.
 */
#pragma once

#include "base/text.h"
#include "ctl/program.h"

enum { DRILL_SAID = 400 };

/* What there is to see. */
struct drill_scene {
    struct text bad;      /* the active content */
    struct text previous; /* the content before it, which is good */
    const char *engine;   /* another engine than the product's own; NULL: that one */
};

struct drill_live {
    unsigned started;        /* programs that were run … */
    unsigned seen;           /* … and whose events came */
    unsigned alerts;         /* that the good rule raised about them */
    char said[DRILL_SAID];   /* what the engine said, "" for nothing. Printable */
    char engine[DRILL_SAID]; /* its state at the end, and how it ended last */
    bool guard_lived;        /* from start to end */
};

/* Needs root. Takes some seconds; leaves nothing behind. */
struct status drill_live(const struct drill_scene *scene, struct drill_live *out);
