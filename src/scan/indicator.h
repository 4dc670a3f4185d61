/*
 * indicator: what the pack's lists know about a file.
 */
#pragma once

#include "content/pack.h"
#include "scan/talk.h"

/* Is this SHA-256 (64 hex digits, small letters) on a list of the pack? True: `out` says which; its
 * texts live as long as the pack. */
bool scan_on_hash(const struct pack *pack, struct text sha256, struct talk_match *out);
