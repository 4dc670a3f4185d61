#include "content/automaton.h"

#include "base/bytes.h"
#include "content/load.h"
#include "content/utf8.h"

/* Where the parts of an automaton lie. */
struct table {
    size_t states;
    size_t start;
    size_t classes;
    size_t ranges;
    size_t invalid;     /* the class of a byte that begins no UTF-8 sequence */
    const char *ascii;  /* a class for each byte below 0x80 */
    const char *range;  /* u32 first code point, u32 class; sorted */
    const char *next;   /* u16 [states - 2][classes] */
    const char *at_end; /* u8 [states - 2]: found if the subject ends here */
};

static struct table table_over(struct text bytes)
{
    struct table t = {.states = load_u16(bytes.ptr + 4),
                      .start = load_u16(bytes.ptr + 6),
                      .classes = load_u16(bytes.ptr + 8),
                      .ranges = load_u16(bytes.ptr + 10),
                      .invalid = load_u16(bytes.ptr + 12),
                      .ascii = bytes.ptr + 16};
    t.range = bytes.ptr + AUTOMATON_HEADER;
    t.next = t.range + t.ranges * AUTOMATON_RANGE;
    t.at_end = t.next + (t.states - AUTOMATON_FIRST_ROW) * t.classes * 2;
    return t;
}

/* Until this is proven, table_over() could point outside. */
static const char *check_shape(struct text bytes)
{
    if (bytes.len < AUTOMATON_HEADER || bytes.len > AUTOMATON_SIZE_MAX ||
        load_u32(bytes.ptr) != bytes.len) {
        return "the automaton's size is wrong";
    }
    size_t states = load_u16(bytes.ptr + 4);
    size_t start = load_u16(bytes.ptr + 6);
    if (states < AUTOMATON_FIRST_ROW || states > AUTOMATON_STATES_MAX || start >= states) {
        return "the automaton's number of states is wrong";
    }
    size_t classes = load_u16(bytes.ptr + 8);
    size_t ranges = load_u16(bytes.ptr + 10);
    size_t invalid = load_u16(bytes.ptr + 12);
    if (classes == 0 || classes > AUTOMATON_CLASSES_MAX || invalid >= classes || ranges == 0 ||
        ranges > AUTOMATON_RANGES_MAX || load_u16(bytes.ptr + 14) != 0) {
        return "the automaton's classes are wrong";
    }
    size_t rows = states - AUTOMATON_FIRST_ROW;
    size_t used = AUTOMATON_HEADER + ranges * AUTOMATON_RANGE + rows * classes * 2 + rows;
    return (used + 7) / 8 * 8 == bytes.len ? NULL : "the automaton's tables do not fill its size";
}

static const char *check_classes(const struct table *t)
{
    for (size_t i = 0; i < AUTOMATON_ASCII; i++) {
        if ((unsigned char)t->ascii[i] >= t->classes) {
            return "the automaton names a class that is not there";
        }
    }
    uint32_t least = 0x80;
    for (size_t i = 0; i < t->ranges; i++) {
        uint32_t first = load_u32(t->range + i * AUTOMATON_RANGE);
        /* The first range begins where ASCII ends, so that every code point has a class. */
        if (first < least || (i == 0 && first != least) || first >= UTF8_INVALID) {
            return "the automaton's ranges are not in order";
        }
        if (load_u32(t->range + i * AUTOMATON_RANGE + 4) >= t->classes) {
            return "the automaton names a class that is not there";
        }
        least = first + 1;
    }
    return NULL;
}

static const char *check_states(const struct table *t, const char *end)
{
    size_t rows = t->states - AUTOMATON_FIRST_ROW;
    bool outside = false;
    for (size_t i = 0; i < rows * t->classes; i++) {
        outside |= load_u16(t->next + i * 2) >= t->states;
    }
    if (outside) {
        return "the automaton goes to a state that is not there";
    }
    for (const char *at = t->at_end; at < end; at++) {
        bool padding = at >= t->at_end + rows;
        if ((unsigned char)*at > !padding) {
            return "the automaton's end flags are wrong";
        }
    }
    return NULL;
}

const char *automaton_check(struct text automaton)
{
    const char *wrong = check_shape(automaton);
    if (wrong) {
        return wrong;
    }
    struct table t = table_over(automaton);
    wrong = check_classes(&t);
    return wrong ? wrong : check_states(&t, automaton.ptr + automaton.len);
}

static size_t class_of(const struct table *t, uint32_t code)
{
    size_t low = 0;
    size_t high = t->ranges;
    if (code == UTF8_INVALID) {
        return t->invalid;
    }
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (code < load_u32(t->range + middle * AUTOMATON_RANGE)) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return load_u32(t->range + low * AUTOMATON_RANGE + 4);
}

bool automaton_search(struct text automaton, struct text subject)
{
    struct table t = table_over(automaton);
    size_t state = t.start;
    for (size_t i = 0; i < subject.len && state >= AUTOMATON_FIRST_ROW;) {
        unsigned char byte = (unsigned char)subject.ptr[i];
        size_t class;
        if (byte < AUTOMATON_ASCII) {
            class = (unsigned char)t.ascii[byte];
            i++;
        } else {
            uint32_t code;
            i += utf8_next(text_part(subject, i, 4), &code);
            class = class_of(&t, code);
        }
        state = load_u16(t.next + ((state - AUTOMATON_FIRST_ROW) * t.classes + class) * 2);
    }
    return state == AUTOMATON_FOUND ||
           (state >= AUTOMATON_FIRST_ROW && t.at_end[state - AUTOMATON_FIRST_ROW]);
}
