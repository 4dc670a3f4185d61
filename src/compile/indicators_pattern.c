/*
 * STIX patterns, as far as lists can hold what they ask for: comparisons of one value, joined by
 * OR. What is joined by AND is taken where one half says all: the hash of a file and its name.
 */
#include "base/bytes.h"
#include "base/own.h"
#include "base/status.h"
#include "compile/indicators.h"

#include <stdio.h>

/* A pattern's values, and what they come to: 48 bytes a comparison, doubled as it grows. */
enum { PATTERN_MEMORY = 4 * INDICATORS_OBJECT_MAX };

enum token { TOKEN_END, TOKEN_WORD, TOKEN_TEXT, TOKEN_MARK, TOKEN_WRONG };

/* What waits until the whole pattern is understood: a value, or why one is not taken. */
struct pending {
    struct text value;
    enum indicators_expected expected;
    const char *refusal; /* not NULL: of the part that `value` names */
};

struct comparison {
    struct text path;
    struct text operator; /* "=" for sets and subsets too, which are as many comparisons */
    struct text value;
};

/* The comparisons of which one has to hold together with others. */
struct chain {
    struct comparison items[INDICATORS_CHAIN_MAX];
    size_t count;
};

struct pattern {
    struct arena *arena; /* of this pattern */
    struct text left;
    enum token token;
    struct text text; /* of the token; texts without quotes, escapes undone */
    char *room;       /* for those: as many bytes as the pattern has */
    struct pending *pending;
    size_t count;
    size_t capacity;
    unsigned depth;  /* of parentheses */
    char words[160]; /* why it is refused as a whole; else empty */
};

/* ── tokens ── */

static bool is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == ':' || c == '*';
}

/* Object paths have quoted parts: file:hashes.'SHA-256'. */
static size_t word_size(struct text t)
{
    size_t i = 0;
    while (i < t.len) {
        bool quoted = i > 0 && t.ptr[i] == '\'' && t.ptr[i - 1] == '.';
        size_t end = quoted ? text_find_byte(text_part(t, i + 1, t.len), '\'') : SIZE_MAX;
        if (quoted && end != SIZE_MAX) {
            i += end + 2;
        } else if (is_word_byte(t.ptr[i])) {
            i++;
        } else if (t.ptr[i] == '[' && i > 0) {
            end = text_find_byte(text_part(t, i, 16), ']'); /* an index: hashes[0] */
            return end == SIZE_MAX ? i : i + end + 1;
        } else {
            break;
        }
    }
    return i;
}

static void read_quoted(struct pattern *p)
{
    size_t used = 0;
    p->token = TOKEN_WRONG;
    for (size_t i = 1; i < p->left.len; i++) {
        char c = p->left.ptr[i];
        if (c == '\'') {
            p->token = TOKEN_TEXT;
            p->text = (struct text){.ptr = p->room, .len = used};
            p->room += used;
            p->left = text_part(p->left, i + 1, p->left.len);
            return;
        }
        if (c == '\\' && i + 1 < p->left.len) {
            c = p->left.ptr[++i];
        }
        p->room[used++] = c;
    }
    p->text = TEXT("a text that does not end");
    p->left = TEXT("");
}

static void next(struct pattern *p)
{
    p->left = text_trim(p->left);
    if (p->left.len == 0) {
        p->token = TOKEN_END;
        p->text = TEXT("the end");
        return;
    }
    if (p->left.ptr[0] == '\'') {
        read_quoted(p);
        return;
    }
    size_t size = word_size(p->left);
    p->token = size ? TOKEN_WORD : TOKEN_MARK;
    bool two = !size && p->left.len > 1 && p->left.ptr[1] == '=';
    p->text = text_part(p->left, 0, size ? size : two ? 2 : 1);
    p->left = text_part(p->left, p->text.len, p->left.len);
}

static bool is(const struct pattern *p, const char *words)
{
    return (p->token == TOKEN_WORD || p->token == TOKEN_MARK) && text_same(p->text, text_of(words));
}

static bool takes(struct pattern *p, const char *words)
{
    bool there = is(p, words);
    if (there) {
        next(p);
    }
    return there;
}

/* The first reason stays. False, so that it can be returned. */
static bool fails(struct pattern *p, struct text quoted, const char *what)
{
    if (!p->words[0]) {
        snprintf(p->words, sizeof p->words, "'%.*s' %s", SHORT_ARGS(quoted), what);
    }
    return false;
}

/* ── what comparisons come to ── */

static bool put(struct pattern *p, struct pending pending)
{
    if (p->count == INDICATORS_TERMS_MAX) {
        return fails(p, p->text, "is one comparison too many");
    }
    struct pending *more = arena_push(p->arena, p->pending, p->count, &p->capacity, sizeof *more);
    if (!more) {
        return fails(p, p->text, "needs more memory than a pattern may");
    }
    p->pending = more;
    p->pending[p->count++] = pending;
    return true;
}

/* 3 SHA-256, 2 SHA-1, 1 MD5; 0: no such hash. */
static unsigned hash_strength(struct text path)
{
    static const char *const names[] = {"md5", "sha1", "sha256"};
    char room[16];
    size_t used = 0;
    if (!text_starts(path, TEXT("file:hashes."))) {
        return 0;
    }
    for (size_t i = strlen("file:hashes."); i < path.len && used < sizeof room; i++) {
        char c = text_fold(path.ptr[i]);
        if (c != '\'' && c != '-' && c != '_') {
            room[used++] = c;
        }
    }
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (text_same((struct text){.ptr = room, .len = used}, text_of(names[i]))) {
            return i + 1;
        }
    }
    return 0;
}

static enum indicators_expected expected_of(struct text path)
{
    static const struct {
        const char *path;
        enum indicators_expected expected;
    } paths[] = {{"ipv4-addr:value", EXPECTED_ADDRESS},
                 {"ipv6-addr:value", EXPECTED_ADDRESS},
                 {"network-traffic:dst_ref.value", EXPECTED_ANY},
                 {"network-traffic:src_ref.value", EXPECTED_ANY},
                 {"domain-name:value", EXPECTED_DOMAIN},
                 {"url:value", EXPECTED_URL},
                 {"file:name", EXPECTED_PATH}};

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        if (text_same(path, text_of(paths[i].path))) {
            return paths[i].expected;
        }
    }
    return hash_strength(path) ? EXPECTED_HASH : EXPECTED_NOTHING;
}

static bool put_one(struct pattern *p, const struct comparison *c)
{
    struct pending pending = {.value = c->value, .expected = expected_of(c->path)};
    if (pending.expected == EXPECTED_NOTHING) {
        pending = (struct pending){.value = c->path, .refusal = "is nothing that a list holds"};
    } else if (!text_same(c->operator, TEXT("="))) {
        pending = (struct pending){.value = c->operator,
                                   .refusal = "asks for more than a list can hold" };
    } else if (pending.expected == EXPECTED_PATH && !text_starts(c->value, TEXT("/"))) {
        pending = (struct pending){.value = c->value, .refusal = "is a name without its folder"};
    }
    return put(p, pending);
}

static const struct comparison *find(const struct chain *chain, const char *path)
{
    for (size_t i = 0; i < chain->count; i++) {
        if (text_same(chain->items[i].path, text_of(path)) &&
            text_same(chain->items[i].operator, TEXT("="))) {
            return &chain->items[i];
        }
    }
    return NULL;
}

/* A hash says which file it is: what else is asked of that file is true of it. */
static const struct comparison *hash_of(const struct chain *chain)
{
    const struct comparison *best = NULL;
    for (size_t i = 0; i < chain->count; i++) {
        const struct comparison *c = &chain->items[i];
        if (!text_starts(c->path, TEXT("file:")) || !text_same(c->operator, TEXT("="))) {
            return NULL;
        }
        if (hash_strength(c->path) > (best ? hash_strength(best->path) : 0)) {
            best = c;
        }
    }
    return best;
}

static bool put_path(struct pattern *p, struct text folder, struct text name)
{
    char *room = arena_alloc(p->arena, folder.len + name.len + 1, 1);
    if (!room) {
        return fails(p, name, "needs more memory than a pattern may");
    }
    struct writer w = writer_over(room, folder.len + name.len + 1);
    writer_bytes(&w, folder);
    writer_bytes(&w, text_ends(folder, TEXT("/")) ? TEXT("") : TEXT("/"));
    writer_bytes(&w, name);
    return put(p, (struct pending){.value = writer_text(&w), .expected = EXPECTED_PATH});
}

static bool put_chain(struct pattern *p, const struct chain *chain)
{
    const struct comparison *hash = hash_of(chain);
    const struct comparison *name = find(chain, "file:name");
    const struct comparison *folder = find(chain, "file:parent_directory_ref.path");
    const struct comparison *to = find(chain, "network-traffic:dst_ref.value");
    const struct comparison *from = find(chain, "network-traffic:src_ref.value");
    if (chain->count == 1 || hash) {
        return put_one(p, hash ? hash : chain->items);
    }
    if (chain->count == 2 && name && folder) {
        return put_path(p, folder->value, name->value);
    }
    if (chain->count == 2 && to && find(chain, "network-traffic:dst_ref.type")) {
        return put_one(p, to);
    }
    if (chain->count == 2 && from && find(chain, "network-traffic:src_ref.type")) {
        return put_one(p, from);
    }
    return put(p, (struct pending){.value = chain->items[1].path,
                                   .refusal = "is asked for together with something else, which "
                                              "no list can hold"});
}

/* ── grammar ── */

static bool any_of(struct pattern *p);

static bool read_value(struct pattern *p, struct text *out)
{
    bool typed = is(p, "t") || is(p, "h") || is(p, "b"); /* t'2024-01-01T00:00:00Z' */
    if (typed) {
        next(p);
    }
    if (p->token != TOKEN_TEXT && p->token != TOKEN_WORD) {
        return fails(p, p->text, "stands where a value should");
    }
    *out = p->text;
    next(p);
    return true;
}

/* path IN ('a', 'b'): each is a comparison of its own. */
static bool read_set(struct pattern *p, struct comparison *c)
{
    if (!takes(p, "(")) {
        return fails(p, p->text, "stands where the values of IN should begin");
    }
    for (bool more = true; more;) {
        if (!read_value(p, &c->value)) {
            return false;
        }
        more = takes(p, ",");
        if (more && !put_one(p, c)) {
            return false;
        }
    }
    return takes(p, ")") ? true : fails(p, p->text, "stands where IN should end");
}

static bool read_comparison(struct pattern *p, struct comparison *c, bool *is_set)
{
    if (p->token != TOKEN_WORD || text_find_byte(p->text, ':') == SIZE_MAX) {
        return fails(p, p->text, "stands where a path should, as ipv4-addr:value");
    }
    *c = (struct comparison){.path = p->text, .operator= TEXT("=")};
    next(p);
    bool negated = takes(p, "NOT");
    struct text operator= p->text;
    *is_set = is(p, "IN") && !negated;
    if (p->token != TOKEN_WORD && p->token != TOKEN_MARK) {
        return fails(p, p->text, "stands where = should");
    }
    next(p);
    if (*is_set) {
        return read_set(p, c);
    }
    bool plain =
        text_same(operator, TEXT("=")) || text_same(operator, TEXT("==")) ||
        (text_same(operator, TEXT("ISSUBSET")) && expected_of(c->path) == EXPECTED_ADDRESS);
    c->operator= negated ? TEXT("NOT") : plain ? TEXT("=") : operator;
    if (text_same(operator, TEXT("IN"))) {
        return read_set(p, c);
    }
    return read_value(p, &c->value);
}

static bool in_parentheses(struct pattern *p, bool (*inner)(struct pattern *p))
{
    if (++p->depth > INDICATORS_DEPTH_MAX) {
        return fails(p, p->text, "is nested too deeply");
    }
    if (!inner(p)) {
        return false;
    }
    p->depth--;
    return takes(p, ")") ? true : fails(p, p->text, "stands where ) should");
}

/* Comparisons joined by AND, which binds before OR. */
static bool all_of(struct pattern *p)
{
    struct chain chain = {0};
    bool set = false;
    if (takes(p, "(")) {
        return in_parentheses(p, any_of) &&
               (!is(p, "AND") || fails(p, p->text, "joins parentheses, which no list can hold"));
    }
    do {
        if (chain.count == INDICATORS_CHAIN_MAX || set) {
            return fails(p, p->text, set ? "is joined to a set" : "is one AND too many");
        }
        if (!read_comparison(p, &chain.items[chain.count], &set)) {
            return false;
        }
        chain.count++;
    } while (takes(p, "AND"));
    return (!set || chain.count == 1 || fails(p, p->text, "ends a set that AND joins")) &&
           put_chain(p, &chain);
}

static bool any_of(struct pattern *p)
{
    do {
        if (!all_of(p)) {
            return false;
        }
    } while (takes(p, "OR"));
    return true;
}

static bool observations(struct pattern *p)
{
    do {
        if (takes(p, "(")) {
            if (!in_parentheses(p, observations)) {
                return false;
            }
        } else if (!takes(p, "[")) {
            return fails(p, p->text, "stands where [ should");
        } else if (!any_of(p)) {
            return false;
        } else if (!takes(p, "]")) {
            return fails(p, p->text, "stands where ] should");
        }
    } while (takes(p, "OR"));
    return true;
}

static bool whole(struct pattern *p)
{
    next(p);
    if (!observations(p)) {
        return false;
    }
    /* AND, FOLLOWEDBY, WITHIN, START, REPEATS */
    return p->token == TOKEN_END ||
           fails(p, p->text, "joins or limits observations, which no list can hold");
}

static struct status commit(struct indicators *in, uint32_t line, const struct pattern *p)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct pending *pending = &p->pending[i];
        if (pending->refusal) {
            indicators_skip(in, line, "'%.*s' %s", SHORT_ARGS(pending->value), pending->refusal);
        } else {
            TRY(indicators_value(in, line, pending->value, pending->expected));
        }
    }
    return OK;
}

struct status indicators_pattern(struct indicators *in, uint32_t line, struct text pattern)
{
    OWN(arena_done) struct arena arena;
    struct pattern p = {.arena = &arena, .left = pattern};
    arena_init(&arena, PATTERN_MEMORY);
    p.room = arena_alloc(&arena, pattern.len, 1);
    if (!p.room) {
        FAIL(MEMORY);
    }
    if (!whole(&p)) {
        indicators_refuse(in, REFUSAL_PATTERN, line, "%s", p.words);
        return OK;
    }
    return commit(in, line, &p);
}
