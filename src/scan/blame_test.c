#include "base/test.h"
#include "scan/blame.h"

enum { NONE = UINT32_MAX, STEPS_MAX = 64 };

/* Blames among `rules` where a range is bad if it holds `culprit`; the one found, or NONE. */
static uint32_t find(uint32_t rules, uint32_t culprit, unsigned *out_steps)
{
    struct blame b = blame_begin(rules);
    enum blame_step step = BLAME_ASK;
    unsigned steps = 0;
    while (step == BLAME_ASK) {
        assert_true(++steps < STEPS_MAX);
        assert_true(b.first <= b.end && b.end <= rules);
        step = blame_answer(&b, b.first <= culprit && culprit < b.end);
    }
    *out_steps = steps;
    return step == BLAME_RULE ? b.first : NONE;
}

static void each_rule_is_found(void **state)
{
    (void)state;
    unsigned steps;
    for (uint32_t rules = 1; rules < 70; rules++) {
        for (uint32_t culprit = 0; culprit < rules; culprit++) {
            assert_int_equal(find(rules, culprit, &steps), culprit);
        }
    }
    assert_int_equal(find(65536, 40000, &steps), 40000);
    assert_true(steps <= 1 + 2 * 16);
}

static void nobody_is_blamed_without_proof(void **state)
{
    (void)state;
    unsigned steps;
    for (uint32_t rules = 0; rules < 20; rules++) {
        assert_int_equal(find(rules, NONE, &steps), NONE);
    }
}

static void a_file_that_is_bad_by_itself_blames_no_rule(void **state)
{
    (void)state;
    struct blame b = blame_begin(100);
    assert_int_equal(b.first, b.end);
    assert_int_equal(blame_answer(&b, true), BLAME_NOBODY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_is_found),
        cmocka_unit_test(nobody_is_blamed_without_proof),
        cmocka_unit_test(a_file_that_is_bad_by_itself_blames_no_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
