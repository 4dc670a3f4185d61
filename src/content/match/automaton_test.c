/*
 * An automaton by hand, and every way to damage it. What expressions become is
 * compile/regex_test.c's subject.
 */
#include "base/bytes.h"
#include "base/heap.h"
#include "base/own.h"
#include "base/test.h"
#include "content/match/automaton_build.h"
#include "content/pack/load.h"
#include "content/pack/sample.h"

enum { RANGES_AT = AUTOMATON_HEADER + AUTOMATON_ASCII / 2, BLOCKS_AT = RANGES_AT + 16 };

static uint8_t room[512];

/* Found: "ab" anywhere, or a last character that is no ASCII. Classes: other, a, b, above, stray.
 */
static struct text some_automaton(void)
{
    struct writer w = writer_over(room, sizeof room);
    writer_u32(&w, 0);
    writer_u16(&w, 5); /* states: 2 nothing, 3 after a, 4 after a character above ASCII */
    writer_u16(&w, 2);
    writer_u16(&w, 5);
    writer_u16(&w, 2);
    writer_u16(&w, 4);
    writer_u16(&w, 3);
    for (unsigned i = 0; i < AUTOMATON_ASCII; i += 2) {
        writer_u8(&w, i + 1 == 'a' ? 0x10 : i == 'b' ? 0x02 : 0);
    }
    writer_u32(&w, 0x80);
    writer_u32(&w, 3);
    writer_u32(&w, 0x20ac); /* the euro sign counts as "other" */
    writer_u32(&w, 0);
    static const uint8_t blocks[3][4] = {{2, 0, 0, 0}, {2, 3, 1, 4}, {2, 3, 2, 4}};
    for (unsigned i = 0; i < 12; i++) {
        writer_u8(&w, blocks[i / 4][i % 4]);
    }
    static const uint8_t rows[3][2] = {{2, 0}, {1, 0}, {2, 0}};
    for (unsigned i = 0; i < 6; i++) {
        writer_u8(&w, rows[i / 2][i % 2]);
    }
    writer_u8(&w, 4); /* the third row's */
    while (w.used % 8) {
        writer_u8(&w, 0);
    }
    room[0] = (uint8_t)w.used;
    return writer_text(&w);
}

/* The same as plain tables, with a class and a range too many. */
static struct status build_some(struct arena *arena, struct text *out)
{
    static const uint32_t from[] = {0x80, 0x2000, 0x20ac};
    static const uint16_t next[3][6] = {{2, 3, 2, 2, 4, 2}, {2, 3, 2, 1, 4, 2}, {2, 3, 2, 2, 4, 2}};
    static const bool at_end[] = {false, false, true};
    uint16_t class_of[AUTOMATON_ASCII + 4] = {0};
    for (unsigned c = 'c'; c <= 'z'; c++) {
        class_of[c] = 2; /* as "other" */
    }
    class_of['a'] = 1;
    class_of['b'] = 3;
    static const uint16_t above[] = {4, 4, 0, 5};
    memcpy(class_of + AUTOMATON_ASCII, above, sizeof above);
    return automaton_build(&(struct automaton_plain){.states = 5,
                                                     .start = 2,
                                                     .classes = 6,
                                                     .ranges = 3,
                                                     .class_of = class_of,
                                                     .range_from = from,
                                                     .next = next[0],
                                                     .at_end = at_end},
                           arena, arena, out);
}

static void walks_over_characters(void **state)
{
    (void)state;
    struct text a = some_automaton();
    assert_null(automaton_check(a));
    assert_true(automaton_search(a, TEXT("xaab!")));
    assert_false(automaton_search(a, TEXT("xba")));
    assert_false(automaton_search(a, TEXT("")));
    assert_true(automaton_search(a, TEXT("x\xc3\xa9")));
    assert_false(automaton_search(a, TEXT("\xc3\xa9x")));
    assert_false(automaton_search(a, TEXT("\xe2\x82\xac")));
    assert_false(automaton_search(a, TEXT("\xc3")));
}

/* Stray bytes are "other" too: all columns of it are one class. */
static void equal_classes_and_ranges_become_one(void **state)
{
    (void)state;
    OWN(arena_done) struct arena arena;
    struct text built;
    arena_init(&arena, 1 << 20);
    assert_ok(build_some(&arena, &built));
    assert_int_equal(load_u16(built.ptr + 8), 4);
    assert_int_equal(load_u16(built.ptr + 10), 2);
    static const char *const subjects[] = {"",          "xaab!",        "xba",  "x\xc3\xa9",
                                           "\xc3\xa9x", "\xe2\x82\xac", "\xc3", "czab"};
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        struct text subject = text_of(subjects[i]);
        assert_int_equal(automaton_search(built, subject),
                         automaton_search(some_automaton(), subject));
    }
}

static void large_ones_have_wide_numbers(void **state)
{
    (void)state;
    OWN(arena_done) struct arena arena;
    struct text large;
    char subject[257];
    arena_init(&arena, 1 << 20);
    assert_ok(sample_large_automaton(&arena, &large));
    assert_true(load_u16(large.ptr + 4) > 256);               /* states */
    assert_true(load_u16(large.ptr + 8) > AUTOMATON_NIBBLES); /* classes */
    assert_true(load_u16(large.ptr + 14) > 256);              /* blocks */
    for (size_t i = 0; i < sizeof subject; i++) {
        subject[i] = (char)('a' + i % 16);
    }
    assert_true(automaton_search(large, (struct text){subject, 257}));
    assert_false(automaton_search(large, (struct text){subject, 256}));
    assert_true(automaton_search(large, (struct text){subject, 20}));
    subject[200] = 'z';
    assert_false(automaton_search(large, (struct text){subject, 257}));
    assert_true(automaton_needs(large, TEXT("abcdefghijklmnop")));
    assert_false(automaton_needs(large, TEXT("abcdefghijklmnopq")));
    assert_false(automaton_needs(large, TEXT("ba")));
}

/* The sanitizers watch what a search reads in whatever was accepted. */
static unsigned damage(struct text a)
{
    unsigned refused = 0;
    OWN(heap_drop) char *copy = heap_alloc(a.len, 1);
    struct text damaged = {copy, a.len};
    memcpy(copy, a.ptr, a.len);
    for (size_t bit = 0; bit < a.len * 8; bit++) {
        copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
        if (automaton_check(damaged)) {
            refused++;
        } else {
            automaton_search(damaged, TEXT("abx\xc3\xa9\xe2\x82\xac\xff\xf0\x9f\x98\x80 aab"));
            automaton_needs(damaged, TEXT("ab"));
        }
        copy[bit / 8] = a.ptr[bit / 8];
    }
    for (size_t len = 0; len < a.len; len++) {
        assert_non_null(automaton_check(text_part(damaged, 0, len)));
    }
    return refused;
}

static void damage_is_seen_or_harmless(void **state)
{
    (void)state;
    OWN(arena_done) struct arena arena;
    struct text large;
    arena_init(&arena, 1 << 20);
    assert_ok(sample_large_automaton(&arena, &large));
    struct text small = some_automaton();
    assert_true(damage(small) > small.len); /* sizes, states and classes: most of them */
    assert_true(damage(large) > large.len);
}

static void is_refused(size_t at, uint8_t byte, const char *why)
{
    struct text a = some_automaton();
    room[at] = byte;
    assert_string_equal(automaton_check(a), why);
}

/* What would be wrong or said in a second way, and not unsafe: only this sees it. */
static void there_is_one_form(void **state)
{
    (void)state;
    assert_null(automaton_check(some_automaton()));
    is_refused(RANGES_AT, 0x81, "the automaton's ranges are not in order");
    is_refused(RANGES_AT + 10, 0x11, "the automaton's ranges are not in order"); /* no character */
    is_refused(RANGES_AT + 4, 0, "two of the automaton's ranges are one");
    is_refused(RANGES_AT + 4, 5, "the automaton names a class that is not there");
    is_refused(AUTOMATON_HEADER + 1, 0x50, "the automaton names a class that is not there");
    is_refused(BLOCKS_AT, 5, "the automaton goes to a state that is not there");
    is_refused(BLOCKS_AT + 10, 0, "the automaton's blocks are not in order");
    is_refused(BLOCKS_AT + 6, 2, "the automaton's blocks are not in order"); /* equal ones */
    is_refused(BLOCKS_AT + 1, 1, "the automaton has classes too many");
    is_refused(BLOCKS_AT + 12, 3, "the automaton names a block that is not there");
    is_refused(BLOCKS_AT + 14, 2, "the automaton has a block that no state names");
    is_refused(BLOCKS_AT + 18, 12, "the automaton's end flags are wrong");
    is_refused(BLOCKS_AT + 19, 1, "the automaton's end flags are wrong");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walks_over_characters),
        cmocka_unit_test(damage_is_seen_or_harmless),
        cmocka_unit_test(equal_classes_and_ranges_become_one),
        cmocka_unit_test(large_ones_have_wide_numbers),
        cmocka_unit_test(there_is_one_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
