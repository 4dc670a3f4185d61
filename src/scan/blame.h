/*
 * blame: which rule is it that hangs or crashes on this file?
 *
 * libyara does not say. So the file is scanned again with half of the rules, then with half of the
 * half that was bad. Pure: it says which range to try next, and is told how that went.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum blame_step {
    BLAME_ASK,    /* try the rules `first` to before `end` */
    BLAME_RULE,   /* rule number `first` alone is bad */
    BLAME_NOBODY, /* the file is bad without any rule, or only several rules together are */
};

struct blame {
    uint32_t first, end; /* what to try, or whom to blame */
    uint32_t low, high;  /* the one to blame is among these */
    bool upper;          /* the upper half is being tried */
};

/* Among `rules` rules. The first range to try is the empty one. */
struct blame blame_begin(uint32_t rules);

/* How the range that was asked for went. */
enum blame_step blame_answer(struct blame *b, bool bad);
