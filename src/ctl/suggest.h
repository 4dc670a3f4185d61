/*
 * suggest: the word that was probably meant, for errors that help.
 *
 * Offer it every word that would have been right; the nearest one wins, if it is near enough.
 */
#pragma once

#include "base/text.h"

struct suggest {
    struct text typed;
    const char *nearest; /* NULL: none is near */
    unsigned distance;
};

struct suggest suggest_for(struct text typed);

/* `word` has to live as long as `s`. */
void suggest_offer(struct suggest *s, const char *word);
