/*
 * content_proof: a pack shown to bulkhead-verify, which proves it in a cage of its own.
 *
 * This program reads no byte of a pack that was not accepted there, if it is there at all.
 */
#pragma once

#include "base/text.h"
#include "ctl/program.h"

enum { CONTENT_PROOF_LINE = 1024, CONTENT_PROOF_OPTIONS = 12 };

struct content_proof {
    bool accepted;
    char line[CONTENT_PROOF_LINE]; /* what it says, without the line's end */
};

/* False, after a complaint: what begins with `head` is no pack, but something that is easily given
 * for one. */
bool content_proof_likely(const char *path, struct text head);

/* `options` are bulkhead-verify's, NULL at the end (at most CONTENT_PROOF_OPTIONS). False, after a
 * complaint: there was no answer; *exit_code says why. */
bool content_proof(const char *path, const char *const *options, struct content_proof *out,
                   int *exit_code);

/* The same for bytes in memory. */
bool content_proof_bytes(struct text pack, const char *const *options, struct content_proof *out,
                         int *exit_code);

/* Is the pack accepted? Otherwise after a complaint; *exit_code is `refused` where it was refused.
 */
bool content_accepted(const char *path, int refused, int *exit_code);
bool content_accepted_bytes(const char *path, struct text pack, int refused, int *exit_code);

/* Is what the pack is made of accepted? Its test events are not run: to look at a pack is not to
 * rely on it. Otherwise after a complaint. True as well, after a loud word, where there is no
 * bulkhead-verify. */
bool content_structure_bytes(const char *path, struct text pack);
