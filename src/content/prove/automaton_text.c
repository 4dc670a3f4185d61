#include "content/prove/automaton_text.h"

#include "content/match/automaton_table.h"
#include "content/match/utf8.h"

/* A character, as UTF-8. */
struct sample {
    char bytes[4];
    uint8_t len; /* 0: no character is in the class */
};

/* How a state was come to. */
struct step {
    uint16_t from;
    uint16_t class;
    bool seen;
};

struct search {
    struct text automaton;
    struct text after;
    struct sample samples[AUTOMATON_CLASSES_MAX];
    size_t classes;
    struct step *steps; /* of each state */
    uint16_t *queue;
};

static void sample_code(struct sample *out, uint32_t code)
{
    if (code < 0x800) {
        *out = (struct sample){.bytes = {(char)(0xc0 | code >> 6), (char)(0x80 | (code & 0x3f))},
                               .len = 2};
    } else if (code < 0x10000) {
        *out =
            (struct sample){.bytes = {(char)(0xe0 | code >> 12), (char)(0x80 | (code >> 6 & 0x3f)),
                                      (char)(0x80 | (code & 0x3f))},
                            .len = 3};
    } else {
        *out = (struct sample){
            .bytes = {(char)(0xf0 | code >> 18), (char)(0x80 | (code >> 12 & 0x3f)),
                      (char)(0x80 | (code >> 6 & 0x3f)), (char)(0x80 | (code & 0x3f))},
            .len = 4};
    }
}

/* A character of each class: a letter where the class has one. */
static size_t take_samples(struct text automaton, struct sample out[AUTOMATON_CLASSES_MAX])
{
    struct automaton_table t = automaton_table(automaton);
    memset(out, 0, AUTOMATON_CLASSES_MAX * sizeof *out);
    out[t.invalid] = (struct sample){.bytes = {(char)0xff}, .len = 1};
    for (size_t i = t.shape.ranges; i-- > 0;) {
        uint32_t code = load_u32(t.range + i * AUTOMATON_RANGE);
        if (code < 0xd800 || code > 0xdfff) { /* surrogates are no characters */
            sample_code(&out[automaton_range_class(&t, i)], code);
        }
    }
    /* What is best comes last: controls, then what prints, then digits and letters. */
    static const uint8_t spans[][2] = {{0x00, 0x1f}, {0x7f, 0x7f}, {0x20, 0x7e},
                                       {'A', 'Z'},   {'0', '9'},   {'a', 'z'}};
    for (size_t s = 0; s < sizeof spans / sizeof *spans; s++) {
        for (unsigned c = spans[s][1] + 1U; c-- > spans[s][0];) {
            out[automaton_ascii_class(&t, c)] = (struct sample){.bytes = {(char)c}, .len = 1};
        }
    }
    return t.shape.classes;
}

static bool is_goal(const struct search *s, size_t state)
{
    return automaton_accepts(s->automaton, automaton_walk(s->automaton, state, s->after));
}

/* The nearest state from which `after` is accepted, or SIZE_MAX. */
static size_t find_goal(struct search *s, size_t start)
{
    size_t used = 0;
    s->queue[used++] = (uint16_t)start;
    s->steps[start].seen = true;
    for (size_t i = 0; i < used; i++) {
        size_t state = s->queue[i];
        if (is_goal(s, state)) {
            return state;
        }
        for (size_t c = 0; state >= AUTOMATON_FIRST_ROW && c < s->classes; c++) {
            struct text one = {.ptr = s->samples[c].bytes, .len = s->samples[c].len};
            size_t next = one.len ? automaton_walk(s->automaton, state, one) : AUTOMATON_NEVER;
            if (next != AUTOMATON_NEVER && !s->steps[next].seen) {
                s->steps[next] =
                    (struct step){.from = (uint16_t)state, .class = (uint16_t)c, .seen = true};
                s->queue[used++] = (uint16_t)next;
            }
        }
    }
    return SIZE_MAX;
}

static struct status spell(const struct search *s, struct arena *arena, size_t start, size_t goal,
                           struct text *out)
{
    size_t len = 0;
    for (size_t at = goal; at != start; at = s->steps[at].from) {
        len += s->samples[s->steps[at].class].len;
    }
    char *bytes = arena_alloc(arena, len + 1, 1);
    if (!bytes) {
        FAIL(MEMORY);
    }
    size_t left = len;
    for (size_t at = goal; at != start; at = s->steps[at].from) {
        const struct sample *one = &s->samples[s->steps[at].class];
        left -= one->len;
        memmove(bytes + left, one->bytes, one->len);
    }
    *out = (struct text){.ptr = bytes, .len = len};
    return OK;
}

struct status automaton_text(struct arena *arena, struct text automaton, struct text before,
                             struct text after, struct text *out)
{
    struct search s = {.automaton = automaton, .after = after};
    size_t states = automaton_table(automaton).shape.states;
    size_t start = automaton_walk(automaton, automaton_table(automaton).start, before);
    s.steps = arena_alloc(arena, states, sizeof *s.steps);
    s.queue = arena_alloc(arena, states, sizeof *s.queue);
    if (!s.steps || !s.queue) {
        FAIL(MEMORY);
    }
    s.classes = take_samples(automaton, s.samples);
    size_t goal = find_goal(&s, start);
    if (goal == SIZE_MAX) {
        FAIL(MISSING);
    }
    return spell(&s, arena, start, goal, out);
}

bool automaton_takes_all(struct text automaton)
{
    return automaton_table(automaton).start == AUTOMATON_FOUND;
}

/* ── letters of either case ── */

enum { STATES_AT_ONCE = 64 }; /* a word with so many different ends is not followed */

struct states {
    uint16_t at[STATES_AT_ONCE];
    size_t count;
    bool full;
};

static void add_state(struct states *s, size_t state)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->at[i] == state) {
            return;
        }
    }
    s->full = s->full || s->count == STATES_AT_ONCE;
    if (!s->full) {
        s->at[s->count++] = (uint16_t)state;
    }
}

bool automaton_may_find(struct text automaton, struct text subject)
{
    size_t start = automaton_table(automaton).start;
    struct states now = {.at = {(uint16_t)start}, .count = 1};
    for (size_t i = 0; i < subject.len && !now.full;) {
        uint32_t code;
        struct text one = text_part(subject, i, utf8_next(text_part(subject, i, 4), &code));
        char capital = one.ptr[0] >= 'a' && one.ptr[0] <= 'z' ? (char)(one.ptr[0] - 0x20)
                                                              : text_fold(one.ptr[0]);
        struct states next = {0};
        for (size_t k = 0; k < now.count; k++) {
            add_state(&next, automaton_walk(automaton, now.at[k], one));
            if (one.len == 1) {
                add_state(&next, automaton_walk(automaton, now.at[k], (struct text){&capital, 1}));
            }
        }
        now = next;
        i += one.len;
    }
    for (size_t k = 0; k < now.count; k++) {
        if (automaton_accepts(automaton, now.at[k])) {
            return true;
        }
    }
    return now.full;
}
