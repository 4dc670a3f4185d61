#include "compile/regex_tree.h"
#include "content/match/utf8.h"

#include <stdio.h>

struct parser {
    struct text pattern;
    size_t at;
    unsigned flags;
    unsigned depth;
    struct regex_tree *tree;
    char *why;
};

/* `at` is a byte offset; people count from 1. */
static struct status refuse(const struct parser *p, size_t at, const char *what)
{
    snprintf(p->why, REGEX_WHY, "at byte %zu: %s", at + 1, what);
    FAIL(INVALID);
}

static struct status unsupported(const struct parser *p, size_t at, const char *what)
{
    snprintf(p->why, REGEX_WHY, "at byte %zu: %s", at + 1, what);
    FAIL(UNSUPPORTED);
}

static struct text rest(const struct parser *p)
{
    return text_part(p->pattern, p->at, p->pattern.len);
}

static bool at_end(const struct parser *p)
{
    return p->at == p->pattern.len;
}

/* The byte at the place, 0 at the end. */
static char peek(const struct parser *p)
{
    return at_end(p) ? 0 : p->pattern.ptr[p->at];
}

static bool accept(struct parser *p, struct text token)
{
    if (!text_starts(rest(p), token)) {
        return false;
    }
    p->at += token.len;
    return true;
}

static struct status node_new(struct parser *p, enum regex_kind kind, struct regex_node **out)
{
    struct regex_node *node = arena_alloc(p->tree->arena, 1, sizeof *node);
    if (!node) {
        FAIL(MEMORY);
    }
    node->kind = kind;
    *out = node;
    return OK;
}

static void node_append(struct regex_node *parent, struct regex_node *child)
{
    child->before = parent->last;
    parent->last = child;
}

static struct status set_node(struct parser *p, struct regex_set *set, struct regex_node **out)
{
    struct regex_node *node;
    regex_set_close(set);
    TRY(node_new(p, REGEX_SET, &node));
    TRY(regex_set_keep(p->tree, set, &node->set));
    *out = node;
    return OK;
}

static struct status literal(struct parser *p, uint32_t code, struct regex_node **out)
{
    struct regex_set set = {0};
    TRY(regex_set_add(p->tree->arena, &set, code, code));
    if (p->flags & REGEX_I) {
        regex_set_fold(&set);
    }
    return set_node(p, &set, out);
}

static struct status assertion(struct parser *p, enum regex_assertion what, struct regex_node **out)
{
    TRY(node_new(p, REGEX_ASSERTION, out));
    (*out)->assertion = what;
    return OK;
}

/* Up to `max_digits` digits of base 10 or 16, at least one; leaves `out` alone where there is none.
 */
static bool number(struct parser *p, unsigned base, size_t max_digits, uint32_t *out)
{
    uint32_t value = 0;
    size_t digits = 0;
    for (; digits < max_digits; digits++, p->at++) {
        char c = text_fold(peek(p));
        bool decimal = c >= '0' && c <= '9';
        if (!decimal && (base == 10 || c < 'a' || c > 'f')) {
            break;
        }
        value = value * base + (uint32_t)(decimal ? c - '0' : c - 'a' + 10);
    }
    if (digits) {
        *out = value;
    }
    return digits > 0;
}

/* After "\x": two digits, or up to six in braces. */
static struct status hexadecimal(struct parser *p, uint32_t *out)
{
    size_t start = p->at;
    bool braces = accept(p, TEXT("{"));
    uint32_t code = 0;
    if (!number(p, 16, braces ? 6 : 2, &code) || (braces && !accept(p, TEXT("}")))) {
        return refuse(p, start, "\\x wants two hexadecimal digits, or up to six in braces");
    }
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
        return refuse(p, start, "there is no such Unicode character");
    }
    *out = code;
    return OK;
}

/* What stands for one character after a backslash, in classes and outside. */
static struct status escaped(struct parser *p, uint32_t *out)
{
    static const char letters[] = "tnrfae";
    static const char meant[] = "\t\n\r\f\a\x1b";
    size_t start = p->at - 1;
    if (at_end(p)) {
        return refuse(p, start, "a backslash ends the expression; a literal one is \\\\");
    }
    char c = peek(p);
    const char *letter = c ? strchr(letters, c) : NULL;
    if (c == 'x') {
        p->at++;
        return hexadecimal(p, out);
    }
    if (c >= '0' && c <= '9') {
        return unsupported(p, start, "back-references and octal escapes are not supported");
    }
    if (!letter && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) {
        return unsupported(p, start, "this escape is not supported");
    }
    p->at += utf8_next(rest(p), out);
    if (letter) {
        *out = (unsigned char)meant[letter - letters];
    }
    return OK;
}

/* One member of a class: a character, or a shorthand, which is added at once (*single false). */
static struct status class_member(struct parser *p, struct regex_set *set, uint32_t *out,
                                  bool *single)
{
    *single = true;
    struct text here = rest(p);
    if (text_starts(here, TEXT("[:")) || text_starts(here, TEXT("[.")) ||
        text_starts(here, TEXT("[="))) {
        return unsupported(p, p->at, "named classes are not supported; a literal [ here is \\[");
    }
    if (!accept(p, TEXT("\\"))) {
        p->at += utf8_next(rest(p), out);
        return OK;
    }
    if (regex_set_is_shorthand((unsigned char)peek(p))) {
        *single = false;
        return regex_set_add_shorthand(p->tree->arena, set, (unsigned char)p->pattern.ptr[p->at++]);
    }
    if (accept(p, TEXT("b"))) {
        *out = '\b';
        return OK;
    }
    return escaped(p, out);
}

/* A member, or a range of two. A '-' at either end, or beside a shorthand, is itself. */
static struct status class_item(struct parser *p, struct regex_set *set)
{
    size_t start = p->at;
    uint32_t first;
    uint32_t last;
    bool single;
    TRY(class_member(p, set, &first, &single));
    if (!single) {
        return OK;
    }
    last = first;
    struct text next = rest(p);
    if (next.len > 1 && next.ptr[0] == '-' && next.ptr[1] != ']') {
        p->at++;
        TRY(class_member(p, set, &last, &single));
        if (!single) {
            return refuse(p, start, "a range cannot end in a shorthand; a literal - is \\-");
        }
        if (last < first) {
            return refuse(p, start, "the range's end comes before its start");
        }
    }
    return regex_set_add(p->tree->arena, set, first, last);
}

/* After "[". */
static struct status class(struct parser *p, struct regex_node **out)
{
    size_t start = p->at - 1;
    struct regex_set set = {0};
    bool negated = accept(p, TEXT("^"));
    bool first = true; /* a ']' there is itself */
    while (first || peek(p) != ']') {
        if (at_end(p)) {
            return refuse(p, start, "this [ is not closed");
        }
        TRY(class_item(p, &set));
        first = false;
    }
    p->at++;
    regex_set_close(&set);
    if (p->flags & REGEX_I) {
        regex_set_fold(&set);
    }
    if (negated) {
        TRY(regex_set_negate(p->tree->arena, &set));
    }
    return set_node(p, &set, out);
}

static struct status dot(struct parser *p, struct regex_node **out)
{
    struct regex_set set = {0};
    if (!(p->flags & REGEX_S)) {
        TRY(regex_set_add(p->tree->arena, &set, '\n', '\n'));
    }
    TRY(regex_set_negate(p->tree->arena, &set));
    return set_node(p, &set, out);
}

/* After a backslash outside classes. */
static struct status escape(struct parser *p, struct regex_node **out)
{
    static const struct {
        char letter;
        enum regex_assertion what;
    } assertions[] = {{'A', ASSERTION_START},
                      {'z', ASSERTION_END},
                      {'Z', ASSERTION_LAST_LINE},
                      {'b', ASSERTION_WORD},
                      {'B', ASSERTION_NOT_WORD}};

    char c = peek(p);
    for (size_t i = 0; i < sizeof assertions / sizeof *assertions; i++) {
        if (c == assertions[i].letter) {
            p->at++;
            return assertion(p, assertions[i].what, out);
        }
    }
    if (regex_set_is_shorthand((unsigned char)c)) {
        struct regex_set set = {0};
        p->at++;
        TRY(regex_set_add_shorthand(p->tree->arena, &set, (unsigned char)c));
        return set_node(p, &set, out);
    }
    uint32_t code;
    TRY(escaped(p, &code));
    return literal(p, code, out);
}

static struct status choice(struct parser *p, struct regex_node **out);

/* What stands after "(?" and is no plain group. */
static struct status special_group(const struct parser *p, size_t start)
{
    struct text after = rest(p);
    if (text_starts(after, TEXT("=")) || text_starts(after, TEXT("!")) ||
        text_starts(after, TEXT("<=")) || text_starts(after, TEXT("<!"))) {
        return unsupported(p, start,
                           "look-around is not supported, as no bounded matcher offers it");
    }
    if (text_starts(after, TEXT(">"))) {
        return unsupported(p, start, "atomic groups are not supported; write (?:...)");
    }
    if (text_starts(after, TEXT("<")) || text_starts(after, TEXT("P")) ||
        text_starts(after, TEXT("'"))) {
        return unsupported(p, start, "named groups and references are not supported");
    }
    return unsupported(p, start, "only (?:...), and flags at the very start, are supported");
}

/* After "(". */
static struct status group(struct parser *p, struct regex_node **out)
{
    size_t start = p->at - 1;
    if (accept(p, TEXT("?")) && !accept(p, TEXT(":"))) {
        return special_group(p, start);
    }
    if (peek(p) == '*') {
        return unsupported(p, start, "verbs such as (*UTF) are not supported");
    }
    if (++p->depth > REGEX_DEPTH_MAX) {
        return regex_too_large("groups are nested too deep (limit 50)", p->why);
    }
    TRY(choice(p, out));
    p->depth--;
    return accept(p, TEXT(")")) ? OK : refuse(p, start, "this ( is not closed");
}

static struct status atom(struct parser *p, struct regex_node **out)
{
    size_t start = p->at;
    uint32_t code;
    switch (peek(p)) {
    case '(':
        p->at++;
        return group(p, out);
    case '[':
        p->at++;
        return class(p, out);
    case '.':
        p->at++;
        return dot(p, out);
    case '\\':
        p->at++;
        return escape(p, out);
    case '^':
        p->at++;
        return assertion(p, p->flags & REGEX_M ? ASSERTION_LINE_START : ASSERTION_START, out);
    case '$':
        p->at++;
        return assertion(p, p->flags & REGEX_M ? ASSERTION_LINE_END : ASSERTION_LAST_LINE, out);
    case '*':
    case '+':
    case '?':
        return refuse(p, start, "there is nothing to repeat; a literal one wants a backslash");
    default:
        p->at += utf8_next(rest(p), &code);
        return literal(p, code, out);
    }
}

/* "{n}", "{n,}" or "{n,m}"; any other brace is a literal one, as in PCRE. */
static bool counts(struct parser *p, uint32_t *min, uint32_t *max)
{
    size_t start = p->at;
    if (accept(p, TEXT("{")) && number(p, 10, 9, min)) {
        *max = *min;
        if (accept(p, TEXT(","))) {
            *max = REGEX_NO_MAX;
            number(p, 10, 9, max);
        }
        if (accept(p, TEXT("}"))) {
            return true;
        }
    }
    p->at = start;
    return false;
}

static bool quantifier(struct parser *p, uint32_t *min, uint32_t *max)
{
    *min = 0;
    *max = REGEX_NO_MAX;
    if (accept(p, TEXT("*"))) {
        return true;
    }
    if (accept(p, TEXT("+"))) {
        *min = 1;
        return true;
    }
    if (accept(p, TEXT("?"))) {
        *max = 1;
        return true;
    }
    return counts(p, min, max);
}

/* Checks what a quantifier at `start` said, and what stands after it. */
static struct status check_repeat(struct parser *p, size_t start, uint32_t min, uint32_t max)
{
    uint32_t ignored;
    if (max < min) {
        return refuse(p, start, "the larger count comes first");
    }
    if (min > REGEX_REPEAT_MAX || (max != REGEX_NO_MAX && max > REGEX_REPEAT_MAX)) {
        return regex_too_large("a repeat count is too large (limit 4000)", p->why);
    }
    accept(p, TEXT("?")); /* lazy: the same texts match */
    size_t after = p->at;
    if (accept(p, TEXT("+"))) {
        return unsupported(p, after, "possessive quantifiers are not supported");
    }
    if (quantifier(p, &ignored, &ignored)) {
        return refuse(p, after, "a quantifier follows a quantifier; put the first into (?:...)");
    }
    return OK;
}

static struct status item(struct parser *p, struct regex_node **out)
{
    struct regex_node *inner;
    struct regex_node *repeat;
    uint32_t min;
    uint32_t max;
    size_t brace = p->at;
    if (counts(p, &min, &max)) {
        return refuse(p, brace, "there is nothing to repeat; a literal { is \\{");
    }
    TRY(atom(p, &inner));
    size_t start = p->at;
    if (!quantifier(p, &min, &max)) {
        *out = inner;
        return OK;
    }
    if (inner->kind == REGEX_ASSERTION) {
        return refuse(p, start, "there is nothing to repeat: an anchor takes no characters");
    }
    TRY(check_repeat(p, start, min, max));
    TRY(node_new(p, REGEX_REPEAT, &repeat));
    repeat->min = min;
    repeat->max = max;
    node_append(repeat, inner);
    *out = repeat;
    return OK;
}

static struct status sequence(struct parser *p, struct regex_node **out)
{
    struct regex_node *node;
    TRY(node_new(p, REGEX_SEQUENCE, &node));
    while (!at_end(p) && peek(p) != '|' && peek(p) != ')') {
        struct regex_node *next;
        TRY(item(p, &next));
        node_append(node, next);
    }
    *out = node;
    return OK;
}

static struct status choice(struct parser *p, struct regex_node **out)
{
    struct regex_node *node;
    TRY(node_new(p, REGEX_CHOICE, &node));
    do {
        struct regex_node *next;
        TRY(sequence(p, &next));
        node_append(node, next);
    } while (accept(p, TEXT("|")));
    *out = node;
    return OK;
}

/* "(?i)", "(?ims)" … at the very start. */
static void leading_flags(struct parser *p)
{
    unsigned flags = 0;
    size_t at = 2;
    struct text start = rest(p);
    if (!text_starts(start, TEXT("(?"))) {
        return;
    }
    for (; at < start.len && strchr("ims", start.ptr[at]) && start.ptr[at]; at++) {
        flags |= start.ptr[at] == 'i' ? REGEX_I : start.ptr[at] == 'm' ? REGEX_M : REGEX_S;
    }
    if (at > 2 && at < start.len && start.ptr[at] == ')') {
        p->flags |= flags;
        p->at += at + 1;
    }
}

struct status regex_parse(struct text pattern, unsigned flags, struct regex_tree *tree, char *why)
{
    struct parser p = {.pattern = pattern, .flags = flags, .tree = tree, .why = why};
    if (pattern.len > REGEX_PATTERN_MAX) {
        return regex_too_large("the expression is too long (limit 4096 bytes)", why);
    }
    if (!text_is_utf8(pattern)) {
        return refuse(&p, 0, "the expression is not UTF-8");
    }
    leading_flags(&p);
    struct regex_node *root;
    TRY(choice(&p, &root));
    if (!at_end(&p)) {
        return refuse(&p, p.at, "this ) closes nothing; a literal one is \\)");
    }
    tree->root = root;
    return OK;
}
