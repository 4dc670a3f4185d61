#include "compile/pattern.h"

static struct status pattern_new(struct job *job, size_t room, struct pattern *out)
{
    uint16_t *pieces = arena_alloc(job->arena, room + 1, sizeof *pieces);
    if (!pieces) {
        FAIL(MEMORY);
    }
    *out = (struct pattern){.pieces = pieces};
    return OK;
}

static void push(struct pattern *p, uint16_t piece)
{
    p->pieces[p->count++] = piece;
}

struct status pattern_read(struct job *job, struct text value, struct pattern *out)
{
    struct pattern p;
    TRY(pattern_new(job, value.len, &p));
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        bool escape =
            c == '\\' && i + 1 < value.len &&
            (value.ptr[i + 1] == '*' || value.ptr[i + 1] == '?' || value.ptr[i + 1] == '\\');
        if (escape) {
            push(&p, (unsigned char)value.ptr[++i]);
        } else if (c == '*' || c == '?') {
            push(&p, c == '*' ? PIECE_STAR : PIECE_QUESTION);
        } else {
            push(&p, (unsigned char)c);
        }
    }
    *out = p;
    return OK;
}

struct status pattern_literal(struct job *job, struct text value, struct pattern *out)
{
    struct pattern p;
    TRY(pattern_new(job, value.len, &p));
    for (size_t i = 0; i < value.len; i++) {
        push(&p, (unsigned char)value.ptr[i]);
    }
    *out = p;
    return OK;
}

bool pattern_has_wildcards(const struct pattern *p)
{
    for (size_t i = 0; i < p->count; i++) {
        if (p->pieces[i] == PIECE_STAR || p->pieces[i] == PIECE_QUESTION) {
            return true;
        }
    }
    return false;
}

static struct status bytes_of(struct job *job, const uint16_t *pieces, size_t count,
                              struct text *out)
{
    char *bytes = arena_alloc(job->arena, count + 1, 1);
    if (!bytes) {
        FAIL(MEMORY);
    }
    for (size_t i = 0; i < count; i++) {
        bytes[i] = (char)pieces[i];
    }
    *out = (struct text){.ptr = bytes, .len = count};
    return OK;
}

struct status pattern_text(struct job *job, const struct pattern *p, struct text *out)
{
    return bytes_of(job, p->pieces, p->count, out);
}

/* Letters of other scripts count as words: whatever is not ASCII, but for the dashes. */
static bool is_word(const struct pattern *p, size_t at)
{
    unsigned c = at < p->count ? p->pieces[at] : ' ';
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z' && c < 0x80) ||
           c == '_' || (c >= 0x80 && c <= 0xff);
}

/* Pieces that the dash at `at` takes: '-' and '/' one, U+2013 to U+2015 (E2 80 93 … 95) three. */
static size_t dash_at(const struct pattern *p, size_t at)
{
    const uint16_t *pieces = p->pieces + at;
    if (pieces[0] == '-' || pieces[0] == '/') {
        return 1;
    }
    bool wide = p->count - at >= 3 && pieces[0] == 0xe2 && pieces[1] == 0x80 && pieces[2] >= 0x93 &&
                pieces[2] <= 0x95;
    return wide ? 3 : 0;
}

void pattern_windash(struct pattern *p)
{
    size_t used = 0;
    bool after_word = false;
    for (size_t at = 0; at < p->count;) {
        size_t dash = dash_at(p, at);
        size_t size = dash ? dash : 1;
        bool before_word = is_word(p, at + size) && dash_at(p, at + size) == 0;
        bool flag = dash && !after_word && before_word;
        after_word = !dash && is_word(p, at);
        if (flag) {
            p->pieces[used++] = PIECE_DASH;
        } else {
            memmove(p->pieces + used, p->pieces + at, size * sizeof *p->pieces);
            used += size;
        }
        at += size;
    }
    p->count = used;
}

struct status pattern_widen(struct job *job, struct pattern *p, bool front, bool back)
{
    struct pattern wide;
    TRY(pattern_new(job, p->count + 2, &wide));
    if (front) {
        push(&wide, PIECE_STAR);
    }
    for (size_t i = 0; i < p->count; i++) {
        push(&wide, p->pieces[i]);
    }
    if (back) {
        push(&wide, PIECE_STAR);
    }
    *p = wide;
    return OK;
}

/* The pattern language of PREDICATE_GLOB; content/rule.h describes it. */
static struct status glob(struct job *job, const struct pattern *p, struct text *out)
{
    char *bytes = arena_alloc(job->arena, p->count + 1, 2);
    size_t used = 0;
    if (!bytes) {
        FAIL(MEMORY);
    }
    for (size_t i = 0; i < p->count; i++) {
        uint16_t piece = p->pieces[i];
        bool again = piece == PIECE_STAR && i > 0 && p->pieces[i - 1] == PIECE_STAR;
        if (piece == PIECE_STAR || piece == PIECE_QUESTION) {
            bytes[used] = piece == PIECE_STAR ? '*' : '?';
            used += !again;
            continue;
        }
        if (piece == PIECE_DASH || piece == '*' || piece == '?' || piece == '\\') {
            bytes[used++] = '\\';
        }
        bytes[used++] = piece == PIECE_DASH ? '-' : (char)piece;
    }
    *out = (struct text){.ptr = bytes, .len = used};
    return OK;
}

struct status pattern_predicate(struct job *job, const struct pattern *p, struct predicate *out)
{
    static const enum predicate_kind kinds[2][2] = {
        {PREDICATE_EQUAL, PREDICATE_PREFIX},
        {PREDICATE_SUFFIX, PREDICATE_CONTAINS},
    };

    size_t from = 0;
    size_t to = p->count;
    while (from < to && p->pieces[from] == PIECE_STAR) {
        from++;
    }
    while (to > from && p->pieces[to - 1] == PIECE_STAR) {
        to--;
    }
    bool plain = true;
    for (size_t i = from; i < to; i++) {
        plain = plain && p->pieces[i] < PIECE_STAR;
    }
    if (plain && from == to && p->count && out->field != FIELD_COUNT) {
        out->kind = PREDICATE_PRESENT;
        return OK;
    }
    if (!plain || (from == to && p->count)) {
        out->kind = PREDICATE_GLOB;
        return glob(job, p, &out->text);
    }
    out->kind = kinds[from > 0][to < p->count];
    return bytes_of(job, p->pieces + from, to - from, &out->text);
}
