/*
 * An expression with a choice of words, "(chisel|frpc|ngrok) ", has no word that every match holds.
 * Each choice by itself has one: (a|b)c is ac or bc. So it becomes several automata, each of which
 * is asked only about values with its word.
 */
#include "compile/regex_tree.h"

/* Alternatives of one choice. With more the automata weigh more than what they save. */
enum { SPLIT_MAX = 64, WORD_MIN = 3, WORD_ENOUGH = 5 };

/* The node that stands for itself: groups of one thing are looked through. */
static struct regex_node *inner(struct regex_node *node)
{
    while ((node->kind == REGEX_SEQUENCE || node->kind == REGEX_CHOICE) && node->last &&
           !node->last->before) {
        node = node->last;
    }
    return node;
}

void regex_choose(struct regex_choice *choice, const struct regex_node *alternative)
{
    /* A copy: in the choice it has neighbours. */
    choice->only = *alternative;
    choice->only.before = NULL;
    choice->node->last = &choice->only;
}

void regex_choose_all(struct regex_choice *choice)
{
    choice->node->last = choice->last;
}

/* The shortest word that the alternatives give the expression; 0: one of them has none. */
static struct status worst_word(const struct regex_tree *tree, struct regex_choice *choice,
                                size_t *out)
{
    size_t count = 0;
    size_t worst = SIZE_MAX;
    for (const struct regex_node *a = choice->last; a && worst > 0; a = a->before) {
        struct text word = TEXT("");
        regex_choose(choice, a);
        struct status s = regex_factor(tree, tree->arena, &word);
        regex_choose_all(choice);
        TRY(s);
        worst = word.len < worst ? word.len : worst;
        worst = ++count > SPLIT_MAX ? 0 : worst;
    }
    *out = worst < WORD_MIN ? 0 : worst;
    return OK;
}

/* Looks at the choices that stand in the outermost sequence, or are all of the expression. */
struct status regex_find_choice(const struct regex_tree *tree, size_t word,
                                struct regex_choice *out)
{
    struct regex_node *root = inner(tree->root);
    struct regex_node *first = root->kind == REGEX_SEQUENCE ? root->last : root;
    size_t best = word;
    *out = (struct regex_choice){0};
    for (struct regex_node *item = word < WORD_ENOUGH ? first : NULL; item; item = item->before) {
        struct regex_node *node = inner(item);
        struct regex_choice choice = {.node = node, .last = node->last};
        size_t worst = 0;
        if (node->kind == REGEX_CHOICE) {
            TRY(worst_word(tree, &choice, &worst));
        }
        if (worst > best) {
            best = worst;
            *out = choice;
        }
        if (root->kind != REGEX_SEQUENCE) {
            break;
        }
    }
    return OK;
}
