#include "content/match/automaton.h"

#include "content/match/automaton_table.h"
#include "content/match/utf8.h"

/* Until this is proven, automaton_table() could point outside. */
static const char *check_shape(struct text bytes)
{
    if (bytes.len < AUTOMATON_HEADER || bytes.len > AUTOMATON_SIZE_MAX ||
        load_u32(bytes.ptr) != bytes.len) {
        return "the automaton's size is wrong";
    }
    struct automaton_shape shape = {.states = load_u16(bytes.ptr + 4),
                                    .classes = load_u16(bytes.ptr + 8),
                                    .ranges = load_u16(bytes.ptr + 10),
                                    .blocks = load_u16(bytes.ptr + 14)};
    if (shape.states < AUTOMATON_FIRST_ROW || shape.states > AUTOMATON_STATES_MAX ||
        load_u16(bytes.ptr + 6) >= shape.states) {
        return "the automaton's number of states is wrong";
    }
    if (shape.classes == 0 || shape.classes > AUTOMATON_CLASSES_MAX ||
        load_u16(bytes.ptr + 12) >= shape.classes || shape.ranges == 0 ||
        shape.ranges > AUTOMATON_RANGES_MAX) {
        return "the automaton's classes are wrong";
    }
    return automaton_size(&shape) == bytes.len ? NULL
                                               : "the automaton's tables do not fill its size";
}

/* All below `count`, which is not 0. */
static bool bytes_below(const char *at, size_t bytes, size_t count)
{
    unsigned outside = 0;
    for (size_t i = 0; i < bytes; i++) {
        outside |= (unsigned char)at[i] > (unsigned)count - 1;
    }
    return outside == 0;
}

static bool ascii_outside(const struct automaton_table *t)
{
    uint8_t classes[AUTOMATON_ASCII];
    automaton_ascii_classes(t, classes);
    return !bytes_below((const char *)classes, sizeof classes, t->shape.classes);
}

static const char *check_classes(const struct automaton_table *t)
{
    bool outside = ascii_outside(t);
    uint32_t least = 0x80;
    for (size_t i = 0; i < t->shape.ranges; i++) {
        uint32_t first = load_u32(t->range + i * AUTOMATON_RANGE);
        size_t class = load_u32(t->range + i * AUTOMATON_RANGE + 4);
        /* The first range begins where ASCII ends, so that every code point has a class. */
        if (first < least || (i == 0 && first != least) || first >= UTF8_INVALID) {
            return "the automaton's ranges are not in order";
        }
        if (i > 0 && class == automaton_range_class(t, i - 1)) {
            return "two of the automaton's ranges are one";
        }
        outside |= class >= t->shape.classes;
        least = first + 1;
    }
    return outside ? "the automaton names a class that is not there" : NULL;
}

/* Likewise of numbers of two bytes, or of one. */
static bool all_below(const char *at, size_t numbers, size_t width, size_t count)
{
    unsigned outside = 0;
    if (width == 1) {
        return bytes_below(at, numbers, count);
    }
    for (size_t i = 0; i < numbers; i++) {
        outside |= load_u16(at + i * 2) > (unsigned)count - 1;
    }
    return outside == 0;
}

/* A block as one number. */
static uint64_t block_word(const struct automaton_table *t, size_t block)
{
    const char *at = t->block + block * AUTOMATON_BLOCK * t->width;
    return t->width == 1 ? load_u32(at) : load_u64(at);
}

/* Blocks rise, so that no two are equal. */
static bool blocks_rise(const struct automaton_table *t)
{
    uint64_t last = 0;
    bool rise = true;
    for (size_t i = 0; i < t->shape.blocks; i++) {
        uint64_t block = block_word(t, i);
        rise &= i == 0 || block > last;
        last = block;
    }
    return rise;
}

static const char *check_blocks(const struct automaton_table *t)
{
    if (!all_below(t->block, t->shape.blocks * AUTOMATON_BLOCK, t->width, t->shape.states)) {
        return "the automaton goes to a state that is not there";
    }
    return blocks_rise(t) ? NULL : "the automaton's blocks are not in order";
}

/* The classes that rows' last blocks have too many lead to 0. */
static bool rest_is_zero(const struct automaton_table *t)
{
    size_t rows = t->shape.states - AUTOMATON_FIRST_ROW;
    size_t used = t->shape.classes % AUTOMATON_BLOCK * t->width; /* bytes of such a block */
    uint64_t rest = 0;
    for (size_t i = 0; i < rows && used; i++) {
        size_t block = automaton_block(t, i + AUTOMATON_FIRST_ROW, t->row_blocks - 1);
        rest |= block_word(t, block) >> used * 8;
    }
    return rest == 0;
}

/* How many blocks the rows name; SIZE_MAX: one that is not there. For numbers of one byte … */
static size_t count_narrow(const struct automaton_table *t)
{
    bool named[UINT8_MAX + 1] = {false};
    size_t numbers = (t->shape.states - AUTOMATON_FIRST_ROW) * t->row_blocks;
    const char *row = t->row;
    size_t count = 0;
    for (size_t i = 0; i < numbers; i++) {
        named[(unsigned char)row[i]] = true;
    }
    for (size_t i = 0; i < t->shape.blocks; i++) {
        count += named[i];
    }
    return memchr(named + t->shape.blocks, true, sizeof named - t->shape.blocks) ? SIZE_MAX : count;
}

/* … and of two, a bit each. */
static size_t count_wide(const struct automaton_table *t)
{
    uint64_t named[(AUTOMATON_BLOCKS_MAX + 1) / 64] = {0};
    size_t numbers = (t->shape.states - AUTOMATON_FIRST_ROW) * t->row_blocks;
    size_t count = 0;
    if (!all_below(t->row, numbers, t->row_width, t->shape.blocks)) {
        return SIZE_MAX;
    }
    for (size_t i = 0; i < numbers; i++) {
        size_t block = load_u16(t->row + i * 2);
        named[block / 64] |= 1ULL << block % 64;
    }
    for (size_t i = 0; i < (t->shape.blocks + 63) / 64; i++) {
        count += (size_t)__builtin_popcountll(named[i]);
    }
    return count;
}

/* Rows name blocks that are there, and every block is named. */
static const char *check_rows(const struct automaton_table *t)
{
    size_t count = t->row_width == 1 ? count_narrow(t) : count_wide(t);
    if (count == SIZE_MAX) {
        return "the automaton names a block that is not there";
    }
    if (!rest_is_zero(t)) {
        return "the automaton has classes too many";
    }
    return count == t->shape.blocks ? NULL : "the automaton has a block that no state names";
}

/* A bit for each row, and zeroes. */
static const char *check_end(const struct automaton_table *t, const char *end)
{
    size_t rows = t->shape.states - AUTOMATON_FIRST_ROW;
    const char *at = t->at_end + rows / 8;
    unsigned used = rows % 8;
    bool wrong = used && (unsigned char)*at++ >> used;
    for (; at < end; at++) {
        wrong |= *at != 0;
    }
    return wrong ? "the automaton's end flags are wrong" : NULL;
}

const char *automaton_check(struct text automaton)
{
    const char *wrong = check_shape(automaton);
    if (wrong) {
        return wrong;
    }
    struct automaton_table t = automaton_table(automaton);
    wrong = check_classes(&t);
    wrong = wrong ? wrong : check_blocks(&t);
    wrong = wrong ? wrong : check_rows(&t);
    return wrong ? wrong : check_end(&t, automaton.ptr + automaton.len);
}

static size_t class_of(const struct automaton_table *t, uint32_t code)
{
    size_t low = 0;
    size_t high = t->shape.ranges;
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

/* What a step takes, in tables that cost some 100 ns to make: for subjects that are longer. */
struct steps {
    uint8_t class[AUTOMATON_ASCII];
    bool stays[AUTOMATON_ASCII]; /* the start state goes on to itself */
};

enum { STEPS_MIN = 256 /* bytes of a subject */ };

static void make_steps(const struct automaton_table *t, struct steps *out)
{
    bool stays[AUTOMATON_CLASSES_MAX];
    bool has_row = t->start >= AUTOMATON_FIRST_ROW;
    for (size_t class = 0; class < t->shape.classes; class ++) {
        stays[class] = has_row && automaton_next(t, t->start, class) == t->start;
    }
    automaton_ascii_classes(t, out->class);
    for (size_t i = 0; i < AUTOMATON_ASCII; i++) {
        out->stays[i] = stays[out->class[i]];
    }
}

static size_t step(const struct automaton_table *t, size_t state, struct text subject, size_t *i)
{
    unsigned char byte = (unsigned char)subject.ptr[*i];
    size_t class;
    if (byte < AUTOMATON_ASCII) {
        class = automaton_ascii_class(t, byte);
        ++*i;
    } else {
        uint32_t code;
        *i += utf8_next(text_part(subject, *i, 4), &code);
        class = class_of(t, code);
    }
    return automaton_next(t, state, class);
}

/* Most bytes of most subjects lead from the start to the start: they are passed without a step. */
static size_t walk_long(const struct automaton_table *t, size_t state, struct text subject,
                        uint64_t most, uint64_t *taken)
{
    struct steps steps;
    size_t passed = 0;
    uint64_t walked = 0;
    make_steps(t, &steps);
    for (size_t i = 0; i < subject.len && state >= AUTOMATON_FIRST_ROW && walked <= most;) {
        unsigned char byte = (unsigned char)subject.ptr[i];
        if (byte < AUTOMATON_ASCII && state == t->start && steps.stays[byte]) {
            passed++;
            i++;
            continue;
        }
        walked++;
        if (byte >= AUTOMATON_ASCII) {
            state = step(t, state, subject, &i);
        } else {
            state = automaton_next(t, state, steps.class[byte]);
            i++;
        }
    }
    *taken = walked + (passed + AUTOMATON_SKIP - 1) / AUTOMATON_SKIP;
    return state;
}

size_t automaton_walk(struct text automaton, size_t state, struct text subject)
{
    struct automaton_table t = automaton_table(automaton);
    uint64_t taken;
    if (subject.len >= STEPS_MIN) {
        return walk_long(&t, state, subject, UINT64_MAX, &taken);
    }
    for (size_t i = 0; i < subject.len && state >= AUTOMATON_FIRST_ROW;) {
        state = step(&t, state, subject, &i);
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

bool automaton_search_within(struct text automaton, struct text subject, uint64_t most,
                             uint64_t *steps)
{
    struct automaton_table t = automaton_table(automaton);
    *steps = subject.len;
    if (subject.len < STEPS_MIN) {
        return *steps <= most && automaton_search(automaton, subject);
    }
    size_t state = walk_long(&t, t.start, subject, most, steps);
    return *steps <= most && automaton_accepts(automaton, state);
}
