#include "content/match/predicate.h"

#include "content/indicator/indicator.h"
#include "content/match/automaton.h"
#include "content/match/glob.h"
#include "content/match/network.h"
#include "content/match/number.h"

enum {
    PARSE_COST = 192, /* an address, a decimal or a time: all are short, or not looked at */
    /* What a byte takes in the worst texts that could be made for it, in nanoseconds and rounded
     * up: measured with values of 32 KiB on the machine that docs/formats/pack.md names. */
    SEARCH_WEIGHT = 5, /* 4.3: a needle of a's and one b in a value of a's */
    GLOB_WEIGHT = 7,   /* 6.9: a piece of dashes in a value of dashes; of letters 3.1, of '?' 4.5 */
    REGEX_WEIGHT = 5,  /* 4.8: bytes that are no UTF-8, by an automaton of 259 states */
};

static const struct predicate_info infos[PREDICATE_KIND_COUNT] = {
    [PREDICATE_EQUAL] = {"is", USES_TEXT | USES_CASED | USES_ANY_FIELD},
    [PREDICATE_PREFIX] = {"starts with", USES_TEXT | USES_CASED | USES_ANY_FIELD},
    [PREDICATE_SUFFIX] = {"ends with", USES_TEXT | USES_CASED | USES_ANY_FIELD},
    [PREDICATE_CONTAINS] = {"contains", USES_TEXT | USES_CASED | USES_ANY_FIELD},
    [PREDICATE_GLOB] = {"is like", USES_TEXT | USES_CASED | USES_ANY_FIELD},
    [PREDICATE_REGEX] = {"matches expression", USES_AUTOMATON | USES_ANY_FIELD},
    [PREDICATE_CIDR] = {"is in network", USES_TEXT | USES_ANY_FIELD},
    [PREDICATE_LESS] = {"<", USES_NUMBER | USES_ANY_FIELD},
    [PREDICATE_LESS_EQUAL] = {"<=", USES_NUMBER | USES_ANY_FIELD},
    [PREDICATE_GREATER] = {">", USES_NUMBER | USES_ANY_FIELD},
    [PREDICATE_GREATER_EQUAL] = {">=", USES_NUMBER | USES_ANY_FIELD},
    [PREDICATE_EXISTS] = {"exists", 0},
    [PREDICATE_PRESENT] = {"is present and not null", 0},
    [PREDICATE_SAME] = {"is the same as", USES_OTHER | USES_CASED},
    [PREDICATE_SAME_PREFIX] = {"starts with the text of", USES_OTHER | USES_CASED},
    [PREDICATE_SAME_SUFFIX] = {"ends with the text of", USES_OTHER | USES_CASED},
    [PREDICATE_SAME_CONTAINS] = {"contains the text of", USES_OTHER | USES_CASED},
    [PREDICATE_TIME] = {"as time", USES_NUMBER | USES_TIME},
    [PREDICATE_LISTED] = {"is in list", USES_LIST},
};

const struct predicate_info *predicate_info(enum predicate_kind kind)
{
    ENSURE((unsigned)kind < PREDICATE_KIND_COUNT);
    return &infos[kind];
}

static void fold(struct text t, char *out)
{
    size_t i = 0;
    for (; i + 8 <= t.len; i += 8) {
        uint64_t word;
        memcpy(&word, t.ptr + i, 8);
        word = text_fold_word(word);
        memcpy(out + i, &word, 8);
    }
    for (; i < t.len; i++) {
        out[i] = text_fold(t.ptr[i]);
    }
}

struct predicate predicate_plain(const struct predicate *p, char *folded)
{
    unsigned uses = predicate_info(p->kind)->uses;
    struct predicate plain = {.kind = p->kind, .field = p->field, .other = FIELD_COUNT};
    plain.cased = (uses & USES_CASED) && p->cased;
    plain.text = uses & (USES_TEXT | USES_AUTOMATON | USES_LIST) ? p->text : TEXT("");
    plain.number = uses & USES_NUMBER ? p->number : 0;
    plain.other = uses & USES_OTHER ? p->other : FIELD_COUNT;
    plain.part = uses & USES_TIME ? p->part : TIME_MINUTE;
    plain.compare = uses & USES_TIME ? p->compare : COMPARE_EQUAL;
    plain.factor = uses & USES_AUTOMATON ? p->factor : TEXT("");
    if ((uses & USES_CASED) && !plain.cased && !text_is_folded(plain.text)) {
        fold(plain.text, folded);
        plain.text.ptr = folded;
    }
    return plain;
}

static const char *check_text(const struct predicate *p, unsigned uses)
{
    struct network network;
    if (!(uses & USES_TEXT)) {
        return p->text.len && !(uses & (USES_AUTOMATON | USES_LIST))
                   ? "a text that means nothing here"
                   : NULL;
    }
    if (p->text.len > EVENT_TEXT_MAX) {
        return "the text is longer than any field";
    }
    if (p->kind == PREDICATE_CIDR) {
        return network_parse(p->text, &network) ? NULL : "the text is not a network";
    }
    if (!p->cased && !text_is_folded(p->text)) {
        return "a capital in a text that is compared without case: nothing would match";
    }
    return p->kind == PREDICATE_GLOB ? glob_check(p->text) : NULL;
}

static const char *check_other(const struct predicate *p, unsigned uses)
{
    if (!(uses & USES_OTHER)) {
        return p->other == FIELD_COUNT ? NULL : "a second field that means nothing here";
    }
    if ((unsigned)p->other >= FIELD_COUNT) {
        return "the second field is not in the schema";
    }
    return p->other == p->field ? "a field is compared to itself" : NULL;
}

bool predicate_in_range(const struct predicate *p)
{
    return (unsigned)p->kind < PREDICATE_KIND_COUNT && (unsigned)p->field <= FIELD_COUNT &&
           (p->field < FIELD_COUNT || infos[p->kind].uses & USES_ANY_FIELD) &&
           (p->other < FIELD_COUNT || !(infos[p->kind].uses & USES_OTHER)) &&
           (unsigned)p->part < TIME_PART_COUNT && (unsigned)p->compare < COMPARE_COUNT;
}

bool predicate_same(const struct predicate *a, const struct predicate *b)
{
    return a->kind == b->kind && a->field == b->field && a->cased == b->cased &&
           a->number == b->number && a->other == b->other && a->part == b->part &&
           a->compare == b->compare && text_same(a->text, b->text);
}

const char *predicate_check(const struct predicate *p)
{
    if ((unsigned)p->kind >= PREDICATE_KIND_COUNT) {
        return "there is no such kind of predicate";
    }
    unsigned uses = infos[p->kind].uses;
    if ((unsigned)p->field > FIELD_COUNT) {
        return "the field is not in the schema";
    }
    if (p->field == FIELD_COUNT && !(uses & USES_ANY_FIELD)) {
        return "this kind of predicate needs a field";
    }
    if ((p->cased && !(uses & USES_CASED)) || (p->number && !(uses & USES_NUMBER))) {
        return "an operand that means nothing here";
    }
    if ((unsigned)p->part >= TIME_PART_COUNT || (unsigned)p->compare >= COMPARE_COUNT ||
        (!(uses & USES_TIME) && (p->part || p->compare))) {
        return "the part of a time or the comparison is wrong";
    }
    const char *wrong = check_other(p, uses);
    return wrong ? wrong : check_text(p, uses);
}

uint64_t predicate_cost(const struct predicate *p)
{
    size_t texts = p->field == FIELD_COUNT ? FIELD_COUNT : 1;
    size_t bytes = p->field == FIELD_COUNT ? (size_t)PREDICATE_ANY_BYTES : EVENT_TEXT_MAX;
    switch (p->kind) {
    case PREDICATE_EQUAL:
    case PREDICATE_PREFIX:
    case PREDICATE_SUFFIX:
        return texts * (p->text.len + 1);
    case PREDICATE_CONTAINS:
        return SEARCH_WEIGHT * (bytes + texts * p->text.len) + texts;
    case PREDICATE_GLOB:
        return GLOB_WEIGHT * glob_cost(p->text, bytes, texts) + texts;
    case PREDICATE_REGEX:
        return REGEX_WEIGHT * bytes + texts;
    case PREDICATE_SAME:
    case PREDICATE_SAME_PREFIX:
    case PREDICATE_SAME_SUFFIX:
        return 2 * bytes + 1;
    case PREDICATE_SAME_CONTAINS:
        return SEARCH_WEIGHT * 2 * bytes + 1;
    case PREDICATE_CIDR:
    case PREDICATE_LESS:
    case PREDICATE_LESS_EQUAL:
    case PREDICATE_GREATER:
    case PREDICATE_GREATER_EQUAL:
    case PREDICATE_TIME:
        return texts * (PARSE_COST + 1);
    case PREDICATE_LISTED:
        return indicator_cost(p->text, EVENT_TEXT_MAX) + 1;
    case PREDICATE_EXISTS:
    case PREDICATE_PRESENT:
    case PREDICATE_KIND_COUNT:
        break;
    }
    return 1;
}

/* ── asking ── */

static struct text number_text(int64_t number, char *room)
{
    uint64_t magnitude = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    char *at = room + SUBJECT_NUMBER;
    do {
        *--at = (char)('0' + magnitude % 10);
        magnitude /= 10;
    } while (magnitude);
    if (number < 0) {
        *--at = '-';
    }
    return (struct text){.ptr = at, .len = (size_t)(room + SUBJECT_NUMBER - at)};
}

/* The whole record at once: its texts lie in it, and most rules ask without case. */
static bool folded(struct subject *s, struct text t, struct text *out)
{
    const struct event *e = s->event;
    if (!s->is_folded) {
        if (!subject_spend(s, e->header.size / 4 + 1)) {
            return false;
        }
        fold((struct text){.ptr = e->record, .len = e->header.size}, s->folded);
        s->is_folded = true;
    }
    *out = (struct text){.ptr = s->folded + (t.ptr - e->record), .len = t.len};
    return true;
}

bool value_text(const struct value *v, char *room, struct text *out)
{
    switch (v->kind) {
    case VALUE_TEXT:
        /* What guard writes is never longer: a limit that the cost can count on. */
        *out = text_part(v->text, 0, EVENT_TEXT_MAX);
        return true;
    case VALUE_NUMBER:
        *out = number_text(v->number, room);
        return true;
    case VALUE_BOOL:
        *out = v->number ? TEXT("true") : TEXT("false");
        return true;
    case VALUE_ABSENT:
    case VALUE_NULL:
        break;
    }
    return false;
}

bool subject_text(struct subject *s, const struct value *v, bool as_is, char *room,
                  struct text *out)
{
    bool there = value_text(v, room, out);
    return there && v->kind == VALUE_TEXT && !as_is ? folded(s, *out, out) : there;
}

static bool compares(enum compare compare, int64_t left, int64_t right)
{
    switch (compare) {
    case COMPARE_EQUAL:
        return left == right;
    case COMPARE_LESS:
        return left < right;
    case COMPARE_LESS_EQUAL:
        return left <= right;
    case COMPARE_GREATER:
        return left > right;
    case COMPARE_GREATER_EQUAL:
        return left >= right;
    case COMPARE_COUNT:
        break;
    }
    return false;
}

static enum compare compare_of(enum predicate_kind kind)
{
    return kind == PREDICATE_LESS         ? COMPARE_LESS
           : kind == PREDICATE_LESS_EQUAL ? COMPARE_LESS_EQUAL
           : kind == PREDICATE_GREATER    ? COMPARE_GREATER
                                          : COMPARE_GREATER_EQUAL;
}

static bool number_holds(const struct predicate *p, const struct value *v)
{
    int64_t number = 0;
    bool is_number = v->kind == VALUE_NUMBER;
    if (is_number) {
        number = number_scale(v->number);
    } else if (v->kind == VALUE_TEXT) {
        is_number = number_parse(v->text, &number);
    }
    return is_number && compares(compare_of(p->kind), number, p->number);
}

static bool time_holds(const struct predicate *p, const struct value *v)
{
    int64_t part;
    return v->kind == VALUE_TEXT && number_time_part(v->text, p->part, &part) &&
           compares(p->compare, part, p->number);
}

static bool network_holds(const struct predicate *p, const struct value *v)
{
    struct network network;
    return v->kind == VALUE_TEXT && network_parse(p->text, &network) &&
           network_has(&network, v->text);
}

static bool texts_hold(enum predicate_kind kind, struct text value, struct text operand)
{
    switch ((int)kind) {
    case PREDICATE_EQUAL:
    case PREDICATE_SAME:
        return text_same(value, operand);
    case PREDICATE_PREFIX:
    case PREDICATE_SAME_PREFIX:
        return text_starts(value, operand);
    case PREDICATE_SUFFIX:
    case PREDICATE_SAME_SUFFIX:
        return text_ends(value, operand);
    default:
        return text_find(value, operand) != SIZE_MAX;
    }
}

static bool same_holds(const struct predicate *p, struct subject *s, const struct value *v)
{
    char room[SUBJECT_NUMBER];
    char other_room[SUBJECT_NUMBER];
    struct text value;
    struct text operand;
    struct value other = event_get(s->event, p->other);
    if (!subject_text(s, v, p->cased, room, &value) ||
        !subject_text(s, &other, p->cased, other_room, &operand)) {
        return false;
    }
    size_t weight = p->kind == PREDICATE_SAME_CONTAINS ? SEARCH_WEIGHT : 1;
    return subject_spend(s, weight * (value.len + operand.len)) &&
           texts_hold(p->kind, value, operand);
}

/* What a pattern takes is known when it was taken: it may go on as far as the budget reaches. */
static bool glob_holds(const struct predicate *p, struct subject *s, struct text value)
{
    uint64_t looks = 0;
    uint64_t most = (s->budget - s->steps) / GLOB_WEIGHT;
    bool holds = glob_match(p->text, value, most, &looks);
    return subject_spend(s, GLOB_WEIGHT * looks) && holds;
}

/* Likewise for an expression. */
static bool regex_holds(const struct predicate *p, struct subject *s, struct text value)
{
    uint64_t steps;
    uint64_t most = (s->budget - s->steps) / REGEX_WEIGHT;
    bool holds = automaton_search_within(p->text, value, most, &steps);
    return subject_spend(s, REGEX_WEIGHT * steps) && holds;
}

static bool text_holds(const struct predicate *p, struct subject *s, const struct value *v)
{
    char room[SUBJECT_NUMBER];
    struct text value;
    if (!subject_text(s, v, p->cased || p->kind == PREDICATE_REGEX, room, &value)) {
        return false;
    }
    if (p->kind == PREDICATE_GLOB) {
        return glob_holds(p, s, value);
    }
    if (p->kind == PREDICATE_REGEX) {
        return regex_holds(p, s, value);
    }
    bool search = p->kind == PREDICATE_CONTAINS;
    uint64_t steps = search ? SEARCH_WEIGHT * (p->text.len + value.len) : p->text.len;
    return subject_spend(s, steps) && texts_hold(p->kind, value, p->text);
}

static bool listed(const struct predicate *p, struct subject *s, const struct value *v)
{
    struct indicator_found found;
    uint64_t steps = 0; /* at most what is spent here, which is counted by tests */
    return v->kind == VALUE_TEXT && p->text.len >= INDICATOR_HEADER &&
           subject_spend(s, indicator_cost(p->text, v->text.len)) &&
           indicator_find(p->text, v->text, &found, &steps);
}

static bool value_holds(const struct predicate *p, struct subject *s, const struct value *v)
{
    unsigned uses = infos[p->kind].uses;
    if (!subject_spend(s, 1) || v->kind == VALUE_ABSENT) {
        return false;
    }
    if (p->kind == PREDICATE_EXISTS || p->kind == PREDICATE_PRESENT) {
        return p->kind == PREDICATE_EXISTS || v->kind != VALUE_NULL;
    }
    if (uses & USES_OTHER) {
        return same_holds(p, s, v);
    }
    if ((uses & USES_AUTOMATON) || ((uses & USES_TEXT) && p->kind != PREDICATE_CIDR)) {
        return text_holds(p, s, v);
    }
    if (uses & USES_LIST) {
        return listed(p, s, v);
    }
    if (!subject_spend(s, PARSE_COST)) {
        return false;
    }
    return p->kind == PREDICATE_CIDR   ? network_holds(p, v)
           : p->kind == PREDICATE_TIME ? time_holds(p, v)
                                       : number_holds(p, v);
}

/* Where an event comes from is no value of it: the word "linux" is not in every event. */
static bool is_value(enum field field)
{
    return field != FIELD_LOG_PRODUCT && field != FIELD_LOG_SERVICE && field != FIELD_LOG_CATEGORY;
}

/* Values of an honest record do not overlap, so that together they are no longer than it. */
bool subject_each(struct subject *s, void *context,
                  bool (*on_value)(void *context, const struct value *v))
{
    size_t bytes = 0;
    for (unsigned field = 0; field < FIELD_COUNT; field++) {
        struct value v = event_get(s->event, (enum field)field);
        bytes += v.kind == VALUE_TEXT ? v.text.len : 0;
        if (bytes > EVENT_MAX) {
            return false;
        }
        if (is_value((enum field)field) && on_value(context, &v)) {
            return true;
        }
    }
    return false;
}

struct question {
    const struct predicate *predicate;
    struct subject *subject;
};

static bool on_value(void *context, const struct value *v)
{
    const struct question *q = context;
    return value_holds(q->predicate, q->subject, v) || q->subject->spent;
}

bool predicate_holds(const struct predicate *p, struct subject *subject)
{
    if (p->field == FIELD_COUNT) {
        struct question q = {.predicate = p, .subject = subject};
        return subject_each(subject, &q, on_value) && !subject->spent;
    }
    struct value v = event_get(subject->event, p->field);
    return value_holds(p, subject, &v);
}
