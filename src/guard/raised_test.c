#include "base/test.h"
#include "guard/raised.h"

#include <stdio.h>
#include <string.h>

static struct raised raised;

static int start(void **state)
{
    (void)state;
    memset(&raised, 0, sizeof raised);
    return 0;
}

static struct raised_about about(uint64_t event, const char *rule, uint32_t nth)
{
    return (struct raised_about){
        .client = TEXT("engine"), .rule = text_of(rule), .event = event, .nth = nth};
}

static bool before(uint64_t event, const char *rule, uint32_t nth, uint64_t tail)
{
    struct raised_about a = about(event, rule, nth);
    return raised_before(&raised, &a, tail);
}

static void add(uint64_t event, const char *rule, uint32_t nth, uint64_t position)
{
    struct raised_about a = about(event, rule, nth);
    raised_add(&raised, &a, position, 0);
}

static void an_alert_is_event_rule_and_number(void **state)
{
    (void)state;
    add(7, "rule-a", 0, 100);
    assert_true(before(7, "rule-a", 0, 0));
    assert_false(before(7, "rule-b", 0, 0)); /* a rule that only the other pack has */
    assert_false(before(8, "rule-a", 0, 0));
    assert_false(before(7, "rule-a", 1, 0));
    struct raised_about other = about(7, "rule-a", 0);
    other.client = TEXT("scanner");
    assert_false(raised_before(&raised, &other, 0));
}

/* What two packs have in common comes in another order, with others in between. */
static void the_order_of_rules_does_not_matter(void **state)
{
    (void)state;
    add(7, "rule-c", 0, 100);
    add(7, "rule-a", 0, 200);
    assert_true(before(7, "rule-a", 0, 0));
    assert_false(before(7, "rule-b", 0, 0));
    assert_true(before(7, "rule-c", 0, 0));
    assert_false(before(6, "rule-a", 0, 0)); /* an older event that was not looked at yet */
}

static void what_left_the_stream_is_forgotten(void **state)
{
    (void)state;
    add(7, "rule-a", 0, 100);
    assert_true(before(7, "rule-a", 0, 99));
    assert_false(before(7, "rule-a", 0, 100));
}

static void what_is_found_is_counted(void **state)
{
    (void)state;
    struct raised_about a = about(7, "rule-a", 0);
    raised_found(&raised, &a, 100, 0);
    raised_found(&raised, &a, 200, 0);
    assert_true(before(7, "rule-a", 0, 0));
    assert_true(before(7, "rule-a", 1, 0));
    assert_false(before(7, "rule-a", 2, 0));
}

/* As many as the stream can hold, and then as many again: nothing of the last round is lost. */
static void as_many_as_the_stream_holds(void **state)
{
    (void)state;

    enum { HELD = 16000, EACH = 1024 };

    char rule[32];
    unsigned missed = 0;
    for (uint64_t i = 1; i <= 4 * HELD; i++) {
        snprintf(rule, sizeof rule, "rule-%u", (unsigned)(i % 5));
        struct raised_about a = about(i / 5, rule, 0);
        raised_add(&raised, &a, i * EACH, i > HELD ? (i - HELD) * EACH : 0);
    }
    for (uint64_t i = 3 * HELD + 1; i <= 4 * HELD; i++) {
        snprintf(rule, sizeof rule, "rule-%u", (unsigned)(i % 5));
        missed += !before(i / 5, rule, 0, 3ULL * HELD * EACH);
    }
    assert_int_equal(missed, 0);
    assert_false(before(1, "rule-0", 0, 3ULL * HELD * EACH));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_alert_is_event_rule_and_number, start),
        cmocka_unit_test_setup(the_order_of_rules_does_not_matter, start),
        cmocka_unit_test_setup(what_left_the_stream_is_forgotten, start),
        cmocka_unit_test_setup(what_is_found_is_counted, start),
        cmocka_unit_test_setup(as_many_as_the_stream_holds, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
