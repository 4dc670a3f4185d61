/*
 * content_compile: rules into a pack that is gone again afterwards, by the very command that builds
 * packs, so that what is tried is what would be shipped.
 */
#pragma once

#include "base/status.h"

#include <limits.h>
#include <stdint.h>

struct content_compiled {
    char folder[64];       /* of its own; "" where there is none */
    char pack[PATH_MAX];   /* in it */
    char report[PATH_MAX]; /* beside it: what the builder says on its standard output */
    uint64_t refused;      /* rules and entries of lists that are not in the pack: the builder has
                              said which */
};

/* `paths` ends with NULL. MISSING: there is no pack, and the builder has said why. */
struct status content_compile(char *const *paths, bool any_product, struct content_compiled *out);

/* Removes it. For OWN(). */
void content_compiled_drop(struct content_compiled *c);
