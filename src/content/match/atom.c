#include "content/match/atom.h"

#include "content/match/automaton.h"
#include "content/match/glob.h"

/* A longer literal is no better at ruling out, and its bytes would be in the pack twice. */
enum { PIECE_MAX = 64 };

/* Does `inside` equal the part of `whole` at `at`, whose letters may still be capitals? */
static bool folds_to(struct text whole, size_t at, struct text inside)
{
    return at <= whole.len && text_same_folded(text_part(whole, at, inside.len), inside);
}

static bool has_folded(struct text whole, struct text inside)
{
    bool found = false;
    for (size_t at = 0; at + inside.len <= whole.len && !found; at++) {
        found = folds_to(whole, at, inside);
    }
    return found;
}

/* One byte that is in every other value is no reason to look closer. */
static bool is_telling(enum anchor anchor, struct text literal)
{
    static const char common[] = " -./_\\:=,";
    char c = literal.len ? literal.ptr[0] : 0;
    bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c < 0;
    return literal.len > 1 ||
           (literal.len == 1 && (anchor != ANCHOR_INSIDE || (!letter && !strchr(common, c))));
}

static enum anchor anchor_of(enum predicate_kind kind)
{
    return kind == PREDICATE_EQUAL    ? ANCHOR_WHOLE
           : kind == PREDICATE_PREFIX ? ANCHOR_FRONT
           : kind == PREDICATE_SUFFIX ? ANCHOR_BACK
                                      : ANCHOR_INSIDE;
}

static bool is_literal(enum predicate_kind kind)
{
    return kind == PREDICATE_EQUAL || kind == PREDICATE_PREFIX || kind == PREDICATE_SUFFIX ||
           kind == PREDICATE_CONTAINS;
}

/* ── proving ── */

/* A piece of a pattern is in every value that it matches, and the first and last are at the ends.
 */
static bool glob_follows(struct text pattern, enum anchor anchor, struct text literal)
{
    struct glob_piece piece;
    bool follows = false;
    struct glob_pieces pieces = {.pattern = pattern};
    while (!follows && glob_next_piece(&pieces, &piece)) {
        char room[PIECE_MAX];
        struct text bytes = glob_piece_text(&piece, room, sizeof room);
        switch (anchor) {
        case ANCHOR_INSIDE:
            follows = has_folded(bytes, literal);
            break;
        case ANCHOR_FRONT:
            follows = piece.at_front && folds_to(bytes, 0, literal);
            break;
        case ANCHOR_BACK:
            follows = piece.at_back && bytes.len >= literal.len && !piece.cut &&
                      folds_to(bytes, bytes.len - literal.len, literal);
            break;
        case ANCHOR_WHOLE:
        case ANCHOR_COUNT:
            break;
        }
    }
    return follows;
}

bool atom_follows(const struct predicate *p, enum anchor anchor, struct text literal)
{
    if (literal.len < ATOM_MIN || !text_is_folded(literal)) {
        return false;
    }
    if (is_literal(p->kind)) {
        /* All of the text: half a text is nothing that a builder writes. */
        return anchor == anchor_of(p->kind) && text_same_folded(p->text, literal);
    }
    if (p->kind == PREDICATE_GLOB) {
        return literal.len <= PIECE_MAX && glob_follows(p->text, anchor, literal);
    }
    return p->kind == PREDICATE_REGEX && anchor == ANCHOR_INSIDE &&
           automaton_needs(p->text, literal);
}

bool atom_is_exact(const struct predicate *p, enum anchor anchor, struct text literal)
{
    return is_literal(p->kind) && !p->cased && anchor == anchor_of(p->kind) &&
           literal.len == p->text.len;
}

/* ── choosing ── */

/* Folds into the arena where that changes anything. */
static bool fold_into(struct arena *arena, struct text t, struct text *out)
{
    struct text copy = t;
    if (!text_is_folded(t) && !status_ok(arena_text(arena, t, &copy))) {
        return false;
    }
    for (size_t i = 0; copy.ptr != t.ptr && i < t.len; i++) {
        ((char *)(uintptr_t)copy.ptr)[i] = text_fold(copy.ptr[i]);
    }
    *out = copy;
    return true;
}

/* The longest piece; of equally long ones that at an end, which costs less to find. */
static bool glob_atom(const struct predicate *p, struct arena *arena, struct atom *out)
{
    struct glob_piece piece;
    struct atom best = {0};
    char best_room[PIECE_MAX];
    struct glob_pieces pieces = {.pattern = p->text};
    while (glob_next_piece(&pieces, &piece)) {
        char room[PIECE_MAX];
        struct text bytes = glob_piece_text(&piece, room, sizeof room);
        enum anchor anchor = piece.at_front                ? ANCHOR_FRONT
                             : piece.at_back && !piece.cut ? ANCHOR_BACK
                                                           : ANCHOR_INSIDE;
        bool longer = bytes.len > best.literal.len ||
                      (bytes.len == best.literal.len && best.anchor == ANCHOR_INSIDE);
        if (longer && is_telling(anchor, bytes)) {
            memmove(best_room, bytes.ptr, bytes.len);
            best = (struct atom){.anchor = anchor, .literal = {best_room, bytes.len}};
        }
    }
    struct text copy;
    if (best.literal.len == 0 || !status_ok(arena_text(arena, best.literal, &copy)) ||
        !fold_into(arena, copy, &copy)) {
        return false;
    }
    *out = (struct atom){.anchor = best.anchor, .literal = copy};
    return true;
}

bool atom_of(const struct predicate *p, struct arena *arena, struct atom *out)
{
    struct atom atom = {.anchor = anchor_of(p->kind)};
    if (p->kind == PREDICATE_GLOB) {
        return glob_atom(p, arena, out);
    }
    if (!is_literal(p->kind) && p->kind != PREDICATE_REGEX) {
        return false;
    }
    struct text words = p->kind == PREDICATE_REGEX ? p->factor : p->text;
    if (!fold_into(arena, words, &atom.literal) || !is_telling(atom.anchor, atom.literal) ||
        !atom_follows(p, atom.anchor, atom.literal)) {
        return false;
    }
    atom.exact = atom_is_exact(p, atom.anchor, atom.literal);
    *out = atom;
    return true;
}
