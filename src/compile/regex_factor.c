/*
 * regex_factor(): the longest word that every match of an expression holds, so that an automaton is
 * asked only about values with that word. content/match/automaton.h proves it once more.
 */
#include "compile/regex_tree.h"

enum { REPEATS_MAX = 64 }; /* copies of a repeated letter that are of use */

/* A run of letters being collected, from its end to its start, and the longest so far. */
struct runs {
    const struct regex_tree *tree;
    char run[REGEX_FACTOR_MAX];
    size_t len;
    char best[REGEX_FACTOR_MAX];
    size_t best_len;
};

/* Of single characters the sign says more than the letter. */
static bool is_better(const struct runs *r)
{
    char best = r->best[0];
    bool letter = (best >= 'a' && best <= 'z') || (best >= '0' && best <= '9') || best == ' ';
    return r->len > r->best_len || (r->len == 1 && r->best_len == 1 && letter);
}

static void end_run(struct runs *r)
{
    if (is_better(r)) {
        memmove(r->best, r->run, r->len);
        r->best_len = r->len;
    }
    r->len = 0;
}

/* The one ASCII character that a set is, its case aside; 0: it is more. */
static char letter_of(const struct regex_set *set)
{
    char letter = 0;
    if (set->invalid || set->range_count) {
        return 0;
    }
    for (unsigned c = 1; c < 128; c++) {
        if (!(set->ascii[c / 64] >> c % 64 & 1)) {
            continue;
        }
        if (letter && letter != text_fold((char)c)) {
            return 0;
        }
        letter = text_fold((char)c);
    }
    return set->ascii[0] & 1 ? 0 : letter;
}

/* A run that is full is as good as a longer one. */
static void add_letter(struct runs *r, char letter)
{
    if (!letter || r->len == REGEX_FACTOR_MAX) {
        end_run(r);
    }
    if (letter) {
        r->run[r->len++] = letter;
    }
}

static void collect(struct runs *r, const struct regex_node *node);

static void collect_times(struct runs *r, const struct regex_node *node, uint32_t times)
{
    for (uint32_t i = 0; i < times; i++) {
        collect(r, node);
    }
}

/* "ab+c": the last b touches the c and the first one the a, but they need not be the same. A group
 * is collected once: twice each would be 2^50 times for 50 groups in each other. */
static void collect_repeat(struct runs *r, const struct regex_node *node)
{
    bool letter = node->last->kind == REGEX_SET;
    bool fixed = node->min == node->max && node->min <= (letter ? REPEATS_MAX : 1);
    uint32_t times = node->min < REPEATS_MAX ? node->min : REPEATS_MAX;
    collect_times(r, node->last, letter || times == 0 ? times : 1);
    if (!fixed) {
        end_run(r);
        collect_times(r, node->last, letter ? times : 0);
    }
}

static void collect(struct runs *r, const struct regex_node *node)
{
    switch (node->kind) {
    case REGEX_SET:
        add_letter(r, letter_of(&r->tree->sets[node->set]));
        break;
    case REGEX_SEQUENCE:
        for (const struct regex_node *item = node->last; item; item = item->before) {
            collect(r, item);
        }
        break;
    case REGEX_REPEAT:
        collect_repeat(r, node);
        break;
    case REGEX_CHOICE:
        if (node->last && !node->last->before) {
            collect(r, node->last); /* of one */
        } else {
            end_run(r);
        }
        break;
    case REGEX_EMPTY:
    case REGEX_ASSERTION:
        break;
    }
}

struct status regex_factor(const struct regex_tree *tree, struct arena *arena, struct text *out)
{
    struct runs r = {.tree = tree};
    char letters[REGEX_FACTOR_MAX];
    collect(&r, tree->root);
    end_run(&r);
    for (size_t i = 0; i < r.best_len; i++) {
        letters[i] = r.best[r.best_len - 1 - i];
    }
    return arena_text(arena, (struct text){.ptr = letters, .len = r.best_len}, out);
}
