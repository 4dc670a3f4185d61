/*
 * mutate: one small change of a pack, where it hurts. For tests and fuzz targets only.
 *
 * Half of the changes go to a section chosen without regard to its size, or the small ones (tables
 * of sections, filters, rules that always run) would hardly ever be met in a large pack.
 */
#pragma once

#include "content/pack/pack.h"

enum { MUTATION_MAX = 64 /* bytes that one changes */ };

/* What a change overwrote. */
struct mutation {
    size_t at;
    size_t len;
    uint8_t before[MUTATION_MAX];
};

/* Changes the pack in `data`, whatever it is by now; `size` is above PACK_HEADER, `state` is that
 * of xorshift(). */
void mutate(uint8_t *data, size_t size, uint64_t *state, struct mutation *out);
void mutate_undo(uint8_t *data, const struct mutation *m);

/* Makes the size in the header and the checksum right. */
void mutate_repair(uint8_t *data, size_t size);
