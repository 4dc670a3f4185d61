#include "compile/condition.h"

/* What has been read since an open parenthesis: any of (all of (…), all of (…)). */
struct level {
    struct expression_list any;
    struct expression_list all;
    bool negated; /* the operand that comes next */
};

struct parser {
    struct job *job;
    const struct selections *selections;
    uint32_t line;
    struct text left;
    struct level levels[CONDITION_DEPTH_MAX + 1];
    size_t depth;
    bool operand_read; /* an operator or the end has to follow */
};

static struct text peek(struct parser *p)
{
    p->left = text_trim(p->left);
    size_t len = 0;
    while (len < p->left.len && !strchr(" \t\r\n\v\f()|", p->left.ptr[len])) {
        len++;
    }
    return text_part(p->left, 0, len ? len : 1);
}

static struct text next(struct parser *p)
{
    struct text word = peek(p);
    p->left = text_part(p->left, word.len, p->left.len);
    return word;
}

static struct status refuse(struct parser *p, const char *before, struct text word,
                            const char *after)
{
    return job_refuse(p->job, REFUSAL_CONDITION, p->line, "%s'%.*s'%s", before, SHORT_ARGS(word),
                      after);
}

/* A pattern covers the whole name; '*' is its only wildcard. Two-pointer search: linear for each
 * star, nothing to blow up. */
static bool name_matches(struct text name, struct text pattern)
{
    size_t n = 0;
    size_t p = 0;
    size_t star = SIZE_MAX;
    size_t resume = 0;
    while (n < name.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            resume = n;
        } else if (p < pattern.len && pattern.ptr[p] == name.ptr[n]) {
            p++;
            n++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            n = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*') {
        p++;
    }
    return p == pattern.len;
}

/* Names that start with '_' are meant by name only, or by a pattern that starts so. */
static bool is_meant(struct text name, struct text pattern)
{
    bool hidden = text_starts(name, TEXT("_")) && !text_starts(pattern, TEXT("_"));
    return !hidden && name_matches(name, pattern);
}

static struct status quantified(struct parser *p, enum expression_kind kind,
                                const struct expression **out)
{
    struct expression_list list = {0};
    struct text pattern = next(p);
    if (pattern.len == 0 || strchr("()|", pattern.ptr[0])) {
        return refuse(p, "no pattern follows ", TEXT("of"), ": write 1 of sel_* or all of them");
    }
    bool them = text_same(pattern, TEXT("them"));
    for (size_t i = 0; i < p->selections->count; i++) {
        const struct selection *s = &p->selections->items[i];
        if (is_meant(s->name, them ? TEXT("*") : pattern)) {
            TRY(expression_add(p->job, &list, s->expression));
        }
    }
    if (list.count == 0) {
        return refuse(p, "no selection matches ", pattern, "");
    }
    return expression_join(p->job, kind, p->line, &list, out);
}

static struct status named(struct parser *p, struct text name, const struct expression **out)
{
    for (size_t i = 0; i < p->selections->count; i++) {
        if (text_same(p->selections->items[i].name, name)) {
            *out = p->selections->items[i].expression;
            return OK;
        }
    }
    bool upper = text_same_folded(name, TEXT("and")) || text_same_folded(name, TEXT("or")) ||
                 text_same_folded(name, TEXT("not"));
    return refuse(p, "there is no selection ", name,
                  upper ? ": operators are written in lower case" : "");
}

static struct level *top(struct parser *p)
{
    return &p->levels[p->depth];
}

static struct status take_operand(struct parser *p, const struct expression *e)
{
    struct level *level = top(p);
    if (level->negated) {
        TRY(expression_not(p->job, e, &e));
        level->negated = false;
    }
    p->operand_read = true;
    return expression_add(p->job, &level->all, e);
}

static struct status end_of_and(struct parser *p)
{
    struct level *level = top(p);
    const struct expression *e;
    TRY(expression_join(p->job, EXPRESSION_ALL, p->line, &level->all, &e));
    level->all = (struct expression_list){0};
    return expression_add(p->job, &level->any, e);
}

static struct status end_of_level(struct parser *p, const struct expression **out)
{
    TRY(end_of_and(p));
    return expression_join(p->job, EXPRESSION_ANY, p->line, &top(p)->any, out);
}

static struct status open_parenthesis(struct parser *p)
{
    if (p->depth == CONDITION_DEPTH_MAX) {
        return job_refuse(p->job, REFUSAL_CONDITION, p->line, "parentheses may be nested %d deep",
                          CONDITION_DEPTH_MAX);
    }
    p->depth++;
    *top(p) = (struct level){0};
    return OK;
}

static struct status close_parenthesis(struct parser *p)
{
    const struct expression *e;
    if (p->depth == 0) {
        return refuse(p, "", TEXT(")"), " closes nothing");
    }
    TRY(end_of_level(p, &e));
    p->depth--;
    return take_operand(p, e);
}

static bool is_of(struct parser *p)
{
    return text_same(peek(p), TEXT("of"));
}

static struct status operand(struct parser *p, struct text word)
{
    const struct expression *e;
    if (text_same(word, TEXT("not"))) {
        top(p)->negated = !top(p)->negated;
        return OK;
    }
    if (word.ptr[0] == '(') {
        return open_parenthesis(p);
    }
    if (word.ptr[0] == ')' || word.ptr[0] == '|' || text_same(word, TEXT("and")) ||
        text_same(word, TEXT("or"))) {
        return refuse(p, "a selection is missing before ", word, "");
    }
    if (is_of(p)) {
        bool all = text_same(word, TEXT("all"));
        if (!all && !text_same(word, TEXT("1"))) {
            return refuse(p, "", word, " of: there are only 1 of and all of");
        }
        next(p);
        TRY(quantified(p, all ? EXPRESSION_ALL : EXPRESSION_ANY, &e));
    } else {
        TRY(named(p, word, &e));
    }
    return take_operand(p, e);
}

static struct status operation(struct parser *p, struct text word)
{
    if (word.ptr[0] == ')') {
        return close_parenthesis(p);
    }
    p->operand_read = false;
    if (text_same(word, TEXT("and"))) {
        return OK;
    }
    if (text_same(word, TEXT("or"))) {
        return end_of_and(p);
    }
    if (word.ptr[0] == '|' || text_same(word, TEXT("near"))) {
        return refuse(p, "", word,
                      " is an aggregation: these are obsolete, correlations replace them");
    }
    return refuse(p, "'and' or 'or' is missing before ", word, "");
}

static struct status one(struct job *job, const struct yaml_node *node,
                         const struct selections *selections, const struct expression **out)
{
    if (node->kind != YAML_TEXT || text_trim(node->text).len == 0) {
        return job_refuse(job, REFUSAL_CONDITION, node->line,
                          "a condition is a text, and not empty");
    }
    if (node->text.len > CONDITION_BYTES_MAX) {
        return job_refuse(job, REFUSAL_CONDITION, node->line, "a condition has at most %d bytes",
                          CONDITION_BYTES_MAX);
    }
    struct parser p = {
        .job = job, .selections = selections, .line = node->line, .left = node->text};
    while (peek(&p).len) {
        struct text word = next(&p);
        TRY(p.operand_read ? operation(&p, word) : operand(&p, word));
    }
    if (!p.operand_read) {
        return refuse(&p, "a selection is missing at the end of ", node->text, "");
    }
    if (p.depth) {
        return refuse(&p, "", TEXT("("), " is not closed");
    }
    return end_of_level(&p, out);
}

struct status condition_compile(struct job *job, const struct yaml_node *node,
                                const struct selections *selections, const struct expression **out)
{
    struct expression_list any = {0};
    if (node->kind != YAML_LIST) {
        return one(job, node, selections, out);
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct expression *e;
        TRY(one(job, node->items[i].value, selections, &e));
        TRY(expression_add(job, &any, e));
    }
    if (any.count == 0) {
        return job_refuse(job, REFUSAL_CONDITION, node->line, "the list of conditions is empty");
    }
    return expression_join(job, EXPRESSION_ANY, node->line, &any, out);
}
