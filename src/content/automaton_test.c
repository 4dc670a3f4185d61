/*
 * An automaton by hand, and every way to damage it. What expressions become is
 * compile/regex_test.c's subject.
 */
#include "base/bytes.h"
#include "base/test.h"
#include "content/automaton.h"

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
    writer_u16(&w, 0);
    for (unsigned i = 0; i < AUTOMATON_ASCII; i++) {
        writer_u8(&w, i == 'a' ? 1 : i == 'b' ? 2 : 0);
    }
    writer_u32(&w, 0x80);
    writer_u32(&w, 3);
    writer_u32(&w, 0x20ac); /* the euro sign counts as "other" */
    writer_u32(&w, 0);
    static const uint8_t next[3][5] = {{2, 3, 2, 4, 2}, {2, 3, 1, 4, 2}, {2, 3, 2, 4, 2}};
    for (unsigned i = 0; i < 15; i++) {
        writer_u8(&w, next[i / 5][i % 5]);
    }
    writer_u8(&w, 0);
    writer_u8(&w, 0);
    writer_u8(&w, 1);
    while (w.used % 8) {
        writer_u8(&w, 0);
    }
    room[0] = (uint8_t)w.used;
    return writer_text(&w);
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

/* The sanitizers watch what a search reads in whatever was accepted. */
static void damage_is_seen_or_harmless(void **state)
{
    (void)state;
    struct text a = some_automaton();
    unsigned refused = 0;
    for (size_t bit = 0; bit < a.len * 8; bit++) {
        room[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (automaton_check(a)) {
            refused++;
        } else {
            automaton_search(a, TEXT("abx\xc3\xa9\xe2\x82\xac\xff\xf0\x9f\x98\x80 aab"));
        }
        room[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_true(refused > a.len); /* sizes, states and classes: most of them */
    for (size_t len = 0; len < a.len; len++) {
        assert_non_null(automaton_check(text_part(a, 0, len)));
    }
}

/* The search halves the ranges, so out of order they would be wrong, not unsafe: only this sees it.
 */
static void ranges_are_in_order(void **state)
{
    (void)state;
    struct text a = some_automaton();
    struct writer second = writer_over(room + AUTOMATON_HEADER + AUTOMATON_RANGE, 4);
    writer_u32(&second, 0x80);
    assert_string_equal(automaton_check(a), "the automaton's ranges are not in order");
    a = some_automaton();
    struct writer first = writer_over(room + AUTOMATON_HEADER, 4);
    writer_u32(&first, 0x81);
    assert_string_equal(automaton_check(a), "the automaton's ranges are not in order");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walks_over_characters),
        cmocka_unit_test(damage_is_seen_or_harmless),
        cmocka_unit_test(ranges_are_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
