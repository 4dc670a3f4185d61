#include "ctl/suggest.h"

/* Longer words are no typos of ours; up to a third of the letters may be wrong, three at most. */
enum { SUGGEST_WORD = 32, SUGGEST_WRONG = 3 };

struct suggest suggest_for(struct text typed)
{
    unsigned wrong = (unsigned)(typed.len + 2) / 3;
    return (struct suggest){.typed = typed,
                            .distance = (wrong < SUGGEST_WRONG ? wrong : SUGGEST_WRONG) + 1};
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Letters to insert, delete, replace or swap with their neighbour (optimal string alignment). */
static unsigned distance(struct text a, struct text b)
{
    unsigned d[SUGGEST_WORD + 1][SUGGEST_WORD + 1];
    for (unsigned i = 0; i <= a.len; i++) {
        for (unsigned j = 0; j <= b.len; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1,
                            d[i - 1][j - 1] + (a.ptr[i - 1] != b.ptr[j - 1]));
            if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1]) {
                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
            }
        }
    }
    return d[a.len][b.len];
}

void suggest_offer(struct suggest *s, const char *word)
{
    struct text offered = text_of(word);
    if (s->typed.len > SUGGEST_WORD || offered.len > SUGGEST_WORD) {
        return;
    }
    unsigned wrong = distance(s->typed, offered);
    if (wrong < s->distance) {
        s->nearest = word;
        s->distance = wrong;
    }
}
