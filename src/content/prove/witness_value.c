#include "content/prove/witness_value.h"

#include "base/bytes.h"
#include "content/indicator/indicator.h"
#include "content/match/number.h"
#include "content/match/predicate.h"
#include "content/prove/automaton_text.h"
#include "content/prove/vector.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    PIECES_MAX = 256, /* texts of one value; one that needs more is not found */
    NUMBER_TRIES = 5, /* at a bound, and on both sides of it */
    DIGITS = 48,      /* room for a number or a time as text */
};

struct search {
    const struct witness_room *room;
    enum field field;
    const struct wish *wishes;
    size_t count;
};

static bool fulfils(const struct search *s, struct text value)
{
    struct event_builder b;
    struct event event;
    struct text record;
    event_begin(&b, s->room->record, EVENT_MAX);
    vector_put(&b, s->field, value);
    if (value.len > EVENT_TEXT_MAX ||
        !status_ok(event_end(&b, (struct event_header){0}, &record)) ||
        !status_ok(event_open(record, &event))) {
        return false;
    }
    struct subject subject = {.event = &event, .folded = s->room->folded, .budget = UINT64_MAX};
    for (size_t i = 0; i < s->count; i++) {
        if (predicate_holds(s->wishes[i].predicate, &subject) != s->wishes[i].holds) {
            return false;
        }
    }
    return true;
}

static struct status settle(const struct search *s, struct text value, struct text *out)
{
    if (!fulfils(s, value)) {
        FAIL(MISSING);
    }
    return arena_text(s->room->arena, value, out);
}

/* ── numbers and times ── */

static struct text decimal(int64_t scaled, char room[DIGITS])
{
    int64_t whole = scaled / NUMBER_SCALE;
    int64_t rest = scaled % NUMBER_SCALE;
    int len = snprintf(room, DIGITS, "%s%" PRId64 ".%06" PRId64,
                       scaled < 0 && whole == 0 ? "-" : "", whole, rest < 0 ? -rest : rest);
    struct text t = {.ptr = room, .len = (size_t)len};
    while (text_ends(t, TEXT("0"))) {
        t.len--;
    }
    t.len -= text_ends(t, TEXT("."));
    return t;
}

static bool is_bound(const struct predicate *p)
{
    return p->kind >= PREDICATE_LESS && p->kind <= PREDICATE_GREATER_EQUAL;
}

/* At every bound, next to it by one and by the least that counts. */
static struct status number_value(const struct search *s, struct text *out)
{
    static const int64_t steps[NUMBER_TRIES] = {0, NUMBER_SCALE, -NUMBER_SCALE, 1, -1};
    for (size_t i = 0; i < s->count * NUMBER_TRIES; i++) {
        const struct predicate *p = s->wishes[i / NUMBER_TRIES].predicate;
        int64_t scaled = 0;
        char room[DIGITS];
        if (is_bound(p) && !__builtin_add_overflow(p->number, steps[i % NUMBER_TRIES], &scaled) &&
            status_ok(settle(s, decimal(scaled, room), out))) {
            return OK;
        }
    }
    FAIL(MISSING);
}

/* Only what is asked about a part below a day: those do not depend on the date. */
static int clock_part(const struct search *s, enum time_part part, int most)
{
    for (int value = 0; value <= most; value++) {
        char room[DIGITS];
        bool fits = true;
        int len = snprintf(room, sizeof room, "2024-07-19T%02d:%02d:00Z",
                           part == TIME_HOUR ? value : 0, part == TIME_MINUTE ? value : 0);
        for (size_t i = 0; i < s->count && fits; i++) {
            const struct predicate *p = s->wishes[i].predicate;
            struct search one = {s->room, s->field, &s->wishes[i], 1};
            fits = p->kind != PREDICATE_TIME || p->part != part ||
                   fulfils(&one, (struct text){room, (size_t)len});
        }
        if (fits) {
            return value;
        }
    }
    return 0;
}

/* Every day of a year that is asked about, of those next to it, and of 2024. */
static struct status time_value(const struct search *s, struct text *out)
{
    int hour = clock_part(s, TIME_HOUR, 23);
    int minute = clock_part(s, TIME_MINUTE, 59);
    for (size_t i = 0; i <= s->count * 3; i++) {
        const struct predicate *p = i ? s->wishes[(i - 1) / 3].predicate : NULL;
        if (p && (p->kind != PREDICATE_TIME || p->part != TIME_YEAR || p->number < 1 ||
                  p->number > 9998)) {
            continue;
        }
        int year = p ? (int)p->number + (int)((i - 1) % 3) - 1 : 2024;
        for (int day = 0; day < 12 * 31; day++) {
            char room[DIGITS];
            int len = snprintf(room, sizeof room, "%04d-%02d-%02dT%02d:%02d:00Z", year,
                               day / 31 + 1, day % 31 + 1, hour, minute);
            if (status_ok(settle(s, (struct text){room, (size_t)len}, out))) {
                return OK;
            }
        }
    }
    FAIL(MISSING);
}

/* ── texts ── */

/* What a value has to begin and end with, and hold in between. */
struct shape {
    struct text whole; /* all of it, where is_whole */
    bool is_whole;
    struct text head;
    struct text tail;
    struct text pieces[PIECES_MAX];
    size_t piece_count;
    struct text automata[PIECES_MAX];
    size_t automaton_count;
};

static void add_piece(struct shape *shape, struct text piece)
{
    if (piece.len && shape->piece_count < PIECES_MAX) {
        shape->pieces[shape->piece_count++] = piece;
    }
}

static void keep_longer(struct text *slot, struct text t)
{
    *slot = t.len > slot->len ? t : *slot;
}

/* A part of a pattern between two stars, as a text that it takes. */
static struct status spell_part(struct arena *arena, struct text *pattern, bool *starred,
                                struct text *out)
{
    char *room = arena_alloc(arena, pattern->len + 1, 1);
    size_t used = 0;
    size_t i = 0;
    if (!room) {
        FAIL(MEMORY);
    }
    for (; i < pattern->len && pattern->ptr[i] != '*'; i++) {
        bool escape = pattern->ptr[i] == '\\' && i + 1 < pattern->len;
        i += escape;
        room[used++] = !escape && pattern->ptr[i] == '?' ? 'a' : pattern->ptr[i];
    }
    *starred = i < pattern->len;
    *pattern = text_part(*pattern, i + *starred, pattern->len);
    *out = (struct text){.ptr = room, .len = used};
    return OK;
}

static struct status add_glob(struct shape *shape, struct arena *arena, struct text pattern)
{
    struct text part;
    bool starred;
    TRY(spell_part(arena, &pattern, &starred, &part));
    if (!starred) {
        shape->whole = part;
        shape->is_whole = true;
        return OK;
    }
    keep_longer(&shape->head, part);
    while (starred) {
        TRY(spell_part(arena, &pattern, &starred, &part));
        if (starred) {
            add_piece(shape, part);
        }
    }
    keep_longer(&shape->tail, part);
    return OK;
}

/* The first entry of a list as an event would have it: "10.0.0.0/8" is a network, "*.example.org" a
 * name and what is below it, "/opt/x/" a folder. */
static struct status add_listed(struct shape *shape, struct arena *arena, struct text list)
{
    const struct indicator_found first = {.table = indicator_table(list, 0)};
    char *room = arena_alloc(arena, INDICATOR_WORDS + 1, 1);
    if (!room) {
        FAIL(MEMORY);
    }
    struct text words = indicator_words(list, &first, room);
    if (text_starts(words, TEXT("*."))) {
        words = text_part(words, 2, words.len);
    } else if (indicator_kind(list) == INDICATOR_ADDRESS) {
        words = text_part(words, 0, text_find_byte(words, '/'));
    } else if (text_ends(words, TEXT("/"))) {
        room[words.len++] = 'x'; /* words begin where the room does */
    }
    shape->whole = words;
    shape->is_whole = true;
    return OK;
}

static struct status add_wish(struct shape *shape, struct arena *arena, const struct predicate *p)
{
    switch ((int)p->kind) {
    case PREDICATE_EQUAL:
        shape->whole = p->text;
        shape->is_whole = true;
        break;
    case PREDICATE_CIDR: /* the network's own address is in it */
        shape->whole = text_part(p->text, 0, text_find_byte(p->text, '/'));
        shape->is_whole = true;
        break;
    case PREDICATE_LISTED:
        return add_listed(shape, arena, p->text);
    case PREDICATE_PREFIX:
        keep_longer(&shape->head, p->text);
        break;
    case PREDICATE_SUFFIX:
        keep_longer(&shape->tail, p->text);
        break;
    case PREDICATE_CONTAINS:
        add_piece(shape, p->text);
        break;
    case PREDICATE_GLOB:
        return add_glob(shape, arena, p->text);
    case PREDICATE_REGEX:
        if (shape->automaton_count < PIECES_MAX) {
            shape->automata[shape->automaton_count++] = p->text;
        }
        break;
    default:
        break;
    }
    return OK;
}

/* One way to put a value together. */
struct way {
    unsigned variant;
    struct text joint;
    bool turned;  /* the pieces in the other order */
    bool densely; /* a piece that is there already is not put again */
    bool expressions_first;
    bool framed; /* something before what it begins with, and after what it ends with */
};

static struct way way_of(unsigned variant)
{
    static const char *const joints[] = {"", " ", "a", "/", "\\", ".", "-", "_", "0"};
    return (struct way){.variant = variant,
                        .joint = text_of(joints[variant % 9]),
                        .turned = variant / 9 & 1,
                        .densely = !(variant / 9 & 1),
                        .expressions_first = variant / 18 & 1,
                        .framed = variant / 36 & 1};
}

static struct status put_expressions(const struct search *s, const struct shape *shape,
                                     const struct way *way, struct writer *out)
{
    for (size_t i = 0; i < shape->automaton_count; i++) {
        struct text found;
        struct text automaton = shape->automata[way->turned ? shape->automaton_count - 1 - i : i];
        TRY(automaton_text(s->room->arena, automaton, writer_text(out), shape->tail, &found));
        writer_bytes(out, found);
    }
    return OK;
}

static void put_pieces(const struct shape *shape, const struct way *way, struct writer *out)
{
    for (size_t i = 0; i < shape->piece_count; i++) {
        struct text piece = shape->pieces[way->turned ? shape->piece_count - 1 - i : i];
        if (way->densely && (text_find(writer_text(out), piece) != SIZE_MAX ||
                             text_find(shape->tail, piece) != SIZE_MAX)) {
            continue;
        }
        writer_bytes(out, out->used ? way->joint : TEXT(""));
        writer_bytes(out, piece);
    }
}

/* What a value is where nothing wants it to be anything: not always the same, as something may want
 * it not to be that. */
static struct text any_value(enum field field, unsigned variant)
{
    static const char *const texts[] = {"a", "x", "-", "0", "~", "Q", "zz", "/"};
    enum field_kind kind = field_info(field)->kind;
    if (variant > 0) {
        return text_of(texts[variant % 8]);
    }
    return kind == FIELD_KIND_NUMBER || kind == FIELD_KIND_GUID ? TEXT("7")
           : kind == FIELD_KIND_BOOL                            ? TEXT("true")
           : kind == FIELD_KIND_ADDRESS                         ? TEXT("192.0.2.7")
                                                                : TEXT("a");
}

static struct status put_together(const struct search *s, const struct shape *shape,
                                  const struct way *way, struct text *out)
{
    struct writer w = writer_over(s->room->value, EVENT_TEXT_MAX);
    writer_bytes(&w, way->framed && !shape->head.len ? way->joint : TEXT(""));
    writer_bytes(&w, shape->head);
    if (way->expressions_first) {
        TRY(put_expressions(s, shape, way, &w));
    }
    put_pieces(shape, way, &w);
    if (!way->expressions_first) {
        TRY(put_expressions(s, shape, way, &w));
    }
    bool there = way->densely && text_ends(writer_text(&w), shape->tail);
    writer_bytes(&w, shape->tail.len && w.used && !there ? way->joint : TEXT(""));
    writer_bytes(&w, there ? TEXT("") : shape->tail);
    writer_bytes(&w, way->framed && !shape->tail.len ? way->joint : TEXT(""));
    writer_bytes(&w, w.used ? TEXT("") : any_value(s->field, way->variant));
    TRY(writer_end(&w));
    *out = writer_text(&w);
    return OK;
}

static struct status text_value(const struct search *s, unsigned variant, struct text *out)
{
    struct shape *shape = arena_alloc(s->room->arena, 1, sizeof *shape);
    if (!shape) {
        FAIL(MEMORY);
    }
    for (size_t i = 0; i < s->count; i++) {
        if (s->wishes[i].holds) {
            TRY(add_wish(shape, s->room->arena, s->wishes[i].predicate));
        }
    }
    if (shape->is_whole) {
        return settle(s, shape->whole, out);
    }
    for (unsigned i = 0; i < WITNESS_VARIANTS; i++) {
        struct way way = way_of((variant + i) % WITNESS_VARIANTS);
        struct text value;
        struct status made = put_together(s, shape, &way, &value);
        if (made.fault == FAULT_MEMORY) {
            return made;
        }
        if (status_ok(made) && status_ok(settle(s, value, out))) {
            return OK;
        }
    }
    FAIL(MISSING);
}

struct status witness_value(const struct witness_room *room, enum field field,
                            const struct wish *wishes, size_t count, unsigned variant,
                            struct text *out)
{
    struct search s = {.room = room, .field = field, .wishes = wishes, .count = count};
    bool number = false;
    bool time = false;
    for (size_t i = 0; i < count; i++) {
        number = number || (wishes[i].holds && is_bound(wishes[i].predicate));
        time = time || (wishes[i].holds && wishes[i].predicate->kind == PREDICATE_TIME);
    }
    struct status found = time ? time_value(&s, out) : number ? number_value(&s, out) : OK;
    if ((time || number) && status_ok(found)) {
        return OK;
    }
    return text_value(&s, variant, out);
}
