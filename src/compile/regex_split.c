/*
 * An expression with a choice of words, "(chisel|frpc|ngrok) ", has no word that every match holds.
 * Each choice by itself has one: (a|b)c is ac or bc. So it becomes several automata, each of which
 * is asked only about values with its word. Choices within choices are taken apart as well.
 */
#include "compile/regex_tree.h"

enum {
    PARTS_MAX = 64,   /* with more the automata weigh more than what they save */
    DEPTH_MAX = 3,    /* choices within choices */
    LOOKS_MAX = 4096, /* words looked for: each walks the tree */
    WORD_MIN = 3,     /* bytes that rule anything out */
    WORD_ENOUGH = 5,  /* and that need no longer ones */
};

/* A choice of the tree whose alternatives take turns at being the only one. */
struct choice {
    struct regex_node *node; /* NULL: there is none */
    struct regex_node *last; /* its alternatives */
    struct regex_node only;
};

struct split {
    const struct regex_tree *tree;
    size_t looks;
    size_t parts;
    void *context;
    regex_part_maker *on_part;
};

/* The node that stands for itself: groups of one thing are looked through. */
static struct regex_node *inner(struct regex_node *node)
{
    while ((node->kind == REGEX_SEQUENCE || node->kind == REGEX_CHOICE) && node->last &&
           !node->last->before) {
        node = node->last;
    }
    return node;
}

/* A copy becomes the only one: in the choice the alternative has neighbours. */
static void choose(struct choice *choice, const struct regex_node *alternative)
{
    choice->only = *alternative;
    choice->only.before = NULL;
    choice->node->last = &choice->only;
}

static void choose_all(struct choice *choice)
{
    choice->node->last = choice->last;
}

static struct status word_length(struct split *s, size_t *out)
{
    struct text word;
    s->looks++;
    TRY(regex_factor(s->tree, s->tree->arena, &word));
    *out = word.len;
    return OK;
}

static struct status best_word(struct split *s, unsigned depth, struct choice *choice, size_t *out);

/* The shortest word that the alternatives give the expression, each taken apart as far as it helps;
 * 0 where one of them has none. */
static struct status worst_word(struct split *s, unsigned depth, struct choice *choice, size_t *out)
{
    size_t worst = SIZE_MAX;
    for (const struct regex_node *a = choice->last; a && worst > 0; a = a->before) {
        struct choice within;
        size_t word = 0;
        choose(choice, a);
        struct status status = best_word(s, depth, &within, &word);
        choose_all(choice);
        TRY(status);
        worst = word < worst ? word : worst;
    }
    *out = worst < WORD_MIN ? 0 : worst;
    return OK;
}

/* The word of the expression as it stands, or the longer one that a choice would give; `choice` is
 * that choice. Looks at those in the outermost sequence, or all of the expression. */
static struct status best_word(struct split *s, unsigned depth, struct choice *choice, size_t *out)
{
    struct regex_node *root = inner(s->tree->root);
    bool sequence = root->kind == REGEX_SEQUENCE;
    choice->node = NULL;
    TRY(word_length(s, out));
    struct regex_node *item = depth > 0 && *out < WORD_ENOUGH ? root : NULL;
    for (item = item && sequence ? root->last : item; item && s->looks < LOOKS_MAX;
         item = sequence ? item->before : NULL) {
        struct choice one = {.node = inner(item)};
        size_t word = 0;
        one.last = one.node->last;
        if (one.node->kind == REGEX_CHOICE) {
            TRY(worst_word(s, depth - 1, &one, &word));
        }
        if (word > *out) {
            *out = word;
            *choice = one;
        }
    }
    return OK;
}

static struct status make_parts(struct split *s, unsigned depth)
{
    struct choice choice;
    size_t word;
    TRY(best_word(s, depth, &choice, &word));
    if (!choice.node) {
        if (++s->parts > PARTS_MAX) {
            FAIL(LIMIT);
        }
        return s->on_part(s->context, s->tree);
    }
    for (const struct regex_node *a = choice.last; a; a = a->before) {
        choose(&choice, a);
        struct status status = make_parts(s, depth - 1);
        choose_all(&choice);
        TRY(status);
    }
    return OK;
}

/* No deeper than it has to be: every choice that is taken multiplies the parts. */
struct status regex_split(const struct regex_tree *tree, void *context, regex_part_maker *on_part)
{
    struct split s = {.tree = tree, .context = context, .on_part = on_part};
    struct choice choice = {0};
    unsigned depth = 0;
    size_t word;
    do {
        TRY(best_word(&s, ++depth, &choice, &word));
    } while (word < WORD_MIN && depth < DEPTH_MAX);
    return make_parts(&s, depth);
}
