#include "content/match/glob.h"

#include "content/match/utf8.h"

const char *glob_check(struct text pattern)
{
    for (size_t i = 0; i < pattern.len; i++) {
        if (pattern.ptr[i] == '\\' && ++i == pattern.len) {
            return "the pattern ends in a backslash that escapes nothing";
        }
    }
    return NULL;
}

/* The characters that start a flag on one system or another: - / U+2013 U+2014 U+2015. */
static size_t dash_length(struct text subject)
{
    static const struct text dashes[] = {
        {"-", 1}, {"/", 1}, {"\xe2\x80\x93", 3}, {"\xe2\x80\x94", 3}, {"\xe2\x80\x95", 3}};
    for (size_t i = 0; i < sizeof dashes / sizeof *dashes; i++) {
        if (text_starts(subject, dashes[i])) {
            return dashes[i].len;
        }
    }
    return 0;
}

/* Moves both past the pattern's next element, no '*', if it takes the start of the subject. */
static bool take(struct text *pattern, struct text *subject)
{
    uint32_t code;
    bool escape = pattern->ptr[0] == '\\';
    char c = pattern->ptr[escape];
    size_t taken = c == subject->ptr[0];
    if (!escape && c == '?') {
        taken = utf8_next(*subject, &code);
    } else if (escape && c == '-') {
        taken = dash_length(*subject);
    }
    if (taken) {
        *pattern = text_part(*pattern, 1U + escape, pattern->len);
        *subject = text_part(*subject, taken, subject->len);
    }
    return taken;
}

bool glob_match(struct text pattern, struct text subject, uint64_t most, uint64_t *steps)
{
    struct text after_star = {0}; /* the pattern after the last '*' … */
    struct text retry = {0};      /* … and where the subject's rest was tried for it */
    bool starred = false;
    while (subject.len) {
        if (++*steps > most) {
            return false;
        }
        if (pattern.len && pattern.ptr[0] == '*') {
            pattern = text_part(pattern, 1, pattern.len);
            after_star = pattern;
            retry = subject;
            starred = true;
        } else if (!pattern.len || !take(&pattern, &subject)) {
            uint32_t code;
            if (!starred) {
                return false;
            }
            /* A '*' takes whole characters, or '?' could match the inner bytes of one. */
            retry = text_part(retry, utf8_next(retry, &code), retry.len);
            subject = retry;
            pattern = after_star;
        }
        if (starred && !after_star.len) {
            return true;
        }
    }
    while (pattern.len && pattern.ptr[0] == '*') {
        pattern = text_part(pattern, 1, pattern.len);
    }
    return pattern.len == 0;
}

uint64_t glob_cost(struct text pattern, size_t bytes, size_t texts)
{
    uint64_t stars = 0;
    uint64_t longest = 0;
    uint64_t piece = 0;
    for (size_t i = 0; i < pattern.len; i++) {
        if (pattern.ptr[i] == '*') {
            stars++;
            piece = 0;
        } else {
            i += pattern.ptr[i] == '\\';
            piece++;
        }
        longest = piece > longest ? piece : longest;
    }
    /* Each place of the subject begins at most one try, and so does each star. */
    return (bytes + texts * (stars + 2)) * (longest + 2);
}

/* Bytes of the pattern's element at `at`, and whether it stands for itself. */
static size_t element(struct text pattern, size_t at, bool *literal)
{
    char c = pattern.ptr[at];
    bool escape = c == '\\' && at + 1 < pattern.len;
    *literal = escape ? pattern.ptr[at + 1] != '-' : c != '*' && c != '?';
    return 1U + escape;
}

/* Where the elements from `at` on stop to be literals, or to be none. */
static size_t run_end(struct text pattern, size_t at, bool literals)
{
    bool literal;
    while (at < pattern.len) {
        size_t size = element(pattern, at, &literal);
        if (literal != literals) {
            break;
        }
        at += size;
    }
    return at;
}

bool glob_next_piece(struct glob_pieces *pieces, struct glob_piece *out)
{
    struct text pattern = pieces->pattern;
    size_t from = run_end(pattern, pieces->at, false);
    size_t to = run_end(pattern, from, true);
    *out = (struct glob_piece){.source = text_part(pattern, from, to - from),
                               .at_front = from == 0,
                               .at_back = to == pattern.len};
    pieces->at = to;
    return to > from;
}

struct text glob_piece_text(struct glob_piece *piece, char *room, size_t size)
{
    size_t used = 0;
    size_t at = 0;
    for (; at < piece->source.len && used < size; at++) {
        at += piece->source.ptr[at] == '\\';
        room[used++] = piece->source.ptr[at];
    }
    piece->cut = at < piece->source.len;
    return (struct text){.ptr = room, .len = used};
}
