#include "content/automaton.h"

#include "content/automaton_table.h"
#include "content/utf8.h"

/* Until this is proven, automaton_table() could point outside. */
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
    size_t used = AUTOMATON_HEADER + ranges * AUTOMATON_RANGE +
                  rows * classes * automaton_width(states) + rows;
    return (used + 7) / 8 * 8 == bytes.len ? NULL : "the automaton's tables do not fill its size";
}

static const char *check_classes(const struct automaton_table *t)
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

static const char *check_states(const struct automaton_table *t, const char *end)
{
    size_t rows = t->states - AUTOMATON_FIRST_ROW;
    bool outside = false;
    for (size_t i = 0; i < rows * t->classes; i++) {
        size_t next = t->width == 1 ? (unsigned char)t->next[i] : load_u16(t->next + i * 2);
        outside |= next >= t->states;
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
    struct automaton_table t = automaton_table(automaton);
    wrong = check_classes(&t);
    return wrong ? wrong : check_states(&t, automaton.ptr + automaton.len);
}

static size_t class_of(const struct automaton_table *t, uint32_t code)
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
    return automaton_range_class(t, low);
}

size_t automaton_walk(struct text automaton, size_t state, struct text subject)
{
    struct automaton_table t = automaton_table(automaton);
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
        state = automaton_next(&t, state, class);
    }
    return state;
}

bool automaton_accepts(struct text automaton, size_t state)
{
    struct automaton_table t = automaton_table(automaton);
    return state == AUTOMATON_FOUND ||
           (state >= AUTOMATON_FIRST_ROW && automaton_found_at_end(&t, state));
}

bool automaton_search(struct text automaton, struct text subject)
{
    size_t start = automaton_table(automaton).start;
    return automaton_accepts(automaton, automaton_walk(automaton, start, subject));
}
