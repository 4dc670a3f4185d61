/*
 * amount: how people write durations and sizes: "90s", "15m", "2h", "1d"; "500K", "100M", "2GiB".
 */
#pragma once

#include "base/text.h"

/* Whole seconds where no unit is given. False: it is none, 0, or above a hundred years. */
bool amount_duration_ms(struct text text, uint64_t *out);

/* Bytes where no unit is given; K, M, G and T are powers of 1,024, with or without "iB" or "B".
 * False: it is none, 0, or above 2^63 - 1. */
bool amount_size(struct text text, uint64_t *out);
