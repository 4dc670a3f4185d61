/*
 * seen: one record of the kernel part, checked, and its paths as texts.
 *
 * Trusted no more than any other input: lengths are checked, kinds are known, texts are bounded.
 */
#pragma once

#include "base/bytes.h"
#include "bpf/records.h"

/* Room for a path: a base and a caller's string, each cut by the kernel part, and the last name of
 * each. */
enum { SEEN_PARTS = 8, SEEN_PATH = 2 * RECORD_PATH_MAX + 1024 };

struct seen_part {
    enum part_kind kind;
    uint8_t flags;
    struct text bytes;
};

struct seen {
    struct record record;
    struct seen_part parts[SEEN_PARTS];
    unsigned part_count;
};

/* BOUNDS, INVALID or LIMIT: a record that our kernel part cannot have written. Texts point into
 * `bytes`. */
struct status seen_open(struct text bytes, struct seen *out);

/* The `nth` part (from 0) of a kind, or NULL. */
const struct seen_part *seen_part(const struct seen *seen, enum part_kind kind, unsigned nth);

/* A path that the kernel part wrote leaf first, the right way round, in `room` of SEEN_PATH bytes.
 * A detached one (a memfd) has no leading '/'. Keeps the leaf's end where it is too long, and says
 * so in *cut. */
struct text seen_path(const struct seen_part *part, char *room, bool *cut);

/* The `nth` USER_PATH, joined to its BASE, without "." "..", "//"; as seen_path(). The empty text
 * where there is none. */
struct text seen_user_path(const struct seen *seen, unsigned nth, char *room, bool *cut);

/* Arguments joined by single spaces, in `room` of RECORD_ARGUMENTS_MAX bytes. */
struct text seen_arguments(const struct seen_part *part, char *room);
