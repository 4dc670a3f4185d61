/*
 * indicator: what the pack's lists of hashes know about a file. For workers alone.
 */
#pragma once

#include "content/pack/pack.h"
#include "scan/talk.h"

enum { SCAN_SHA256 = 32 }; /* bytes of one */

/* Lists of the pack that hold hashes. */
uint32_t scan_hash_lists(const struct pack *pack);

/* Is this SHA-256 (64 hex digits, small letters) on a list? True: `out` is the rule that asks for
 * it; its texts live as long as the pack. */
bool scan_on_hash(const struct pack *pack, struct text sha256, struct talk_match *out);
