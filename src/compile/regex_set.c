#include "compile/regex_tree.h"
#include "content/match/utf8.h"

enum { ASCII_END = 0x80, CODE_LAST = 0x10ffff };

struct status regex_set_add(struct arena *arena, struct regex_set *set, uint32_t first,
                            uint32_t last)
{
    for (uint32_t c = first; c <= last && c < ASCII_END; c++) {
        set->ascii[c / 64] |= 1ULL << c % 64;
    }
    if (last < ASCII_END) {
        return OK;
    }
    set->ranges =
        arena_push(arena, set->ranges, set->range_count, &set->range_capacity, sizeof *set->ranges);
    if (!set->ranges) {
        FAIL(MEMORY);
    }
    set->ranges[set->range_count++] =
        (struct regex_range){.first = first < ASCII_END ? ASCII_END : first, .last = last};
    return OK;
}

static bool is_word(uint32_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool in_shorthand(uint32_t c, uint32_t letter)
{
    switch (letter) {
    case 'd':
        return c >= '0' && c <= '9';
    case 'w':
        return is_word(c);
    default:
        return c == ' ' || (c >= '\t' && c <= '\r');
    }
}

bool regex_set_is_shorthand(uint32_t letter)
{
    return letter && letter < ASCII_END && strchr("dDwWsS", (int)letter);
}

struct status regex_set_add_shorthand(struct arena *arena, struct regex_set *set, uint32_t letter)
{
    bool negated = letter < 'a';
    for (uint32_t c = 0; c < ASCII_END; c++) {
        if (in_shorthand(c, letter | 0x20) != negated) {
            set->ascii[c / 64] |= 1ULL << c % 64;
        }
    }
    if (!negated) {
        return OK;
    }
    set->invalid = true;
    return regex_set_add(arena, set, ASCII_END, CODE_LAST);
}

void regex_set_fold(struct regex_set *set)
{
    /* Both cases of a letter are bits of the second word, 32 apart. */
    uint64_t letters = ((1ULL << 26) - 1) << 1;
    uint64_t upper = set->ascii[1] & letters;
    uint64_t lower = set->ascii[1] >> 32 & letters;
    set->ascii[1] |= upper << 32 | lower;
}

void regex_set_close(struct regex_set *set)
{
    size_t kept = 0;
    for (size_t i = 1; i < set->range_count; i++) {
        struct regex_range moved = set->ranges[i];
        size_t at = i;
        for (; at > 0 && set->ranges[at - 1].first > moved.first; at--) {
            set->ranges[at] = set->ranges[at - 1];
        }
        set->ranges[at] = moved;
    }
    for (size_t i = 0; i < set->range_count; i++) {
        struct regex_range *last = kept ? &set->ranges[kept - 1] : NULL;
        if (last && set->ranges[i].first <= last->last + 1) {
            last->last = set->ranges[i].last > last->last ? set->ranges[i].last : last->last;
        } else {
            set->ranges[kept++] = set->ranges[i];
        }
    }
    set->range_count = kept;
}

struct status regex_set_negate(struct arena *arena, struct regex_set *set)
{
    struct regex_set negated = {.ascii = {~set->ascii[0], ~set->ascii[1]},
                                .invalid = !set->invalid};
    uint32_t from = ASCII_END;
    for (size_t i = 0; i < set->range_count; i++) {
        if (set->ranges[i].first > from) {
            TRY(regex_set_add(arena, &negated, from, set->ranges[i].first - 1));
        }
        from = set->ranges[i].last + 1;
    }
    if (from <= CODE_LAST) {
        TRY(regex_set_add(arena, &negated, from, CODE_LAST));
    }
    *set = negated;
    return OK;
}

bool regex_set_has(const struct regex_set *set, uint32_t code)
{
    if (code == UTF8_INVALID) {
        return set->invalid;
    }
    if (code < ASCII_END) {
        return set->ascii[code / 64] >> code % 64 & 1;
    }
    for (size_t i = 0; i < set->range_count; i++) {
        if (code >= set->ranges[i].first && code <= set->ranges[i].last) {
            return true;
        }
    }
    return false;
}

static bool same_set(const struct regex_set *a, const struct regex_set *b)
{
    bool same = a->ascii[0] == b->ascii[0] && a->ascii[1] == b->ascii[1] &&
                a->invalid == b->invalid && a->range_count == b->range_count;
    for (size_t i = 0; same && i < a->range_count; i++) {
        same = a->ranges[i].first == b->ranges[i].first && a->ranges[i].last == b->ranges[i].last;
    }
    return same;
}

struct status regex_set_keep(struct regex_tree *tree, const struct regex_set *set, size_t *out)
{
    size_t i = 0;
    while (i < tree->set_count && !same_set(&tree->sets[i], set)) {
        i++;
    }
    if (i == tree->set_count) {
        struct regex_set *sets =
            arena_push(tree->arena, tree->sets, tree->set_count, &tree->set_capacity, sizeof *sets);
        if (!sets) {
            FAIL(MEMORY);
        }
        tree->sets = sets;
        tree->sets[tree->set_count++] = *set;
    }
    *out = i;
    return OK;
}
