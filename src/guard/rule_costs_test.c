#include "guard/rule_costs.h"

#include "base/test.h"

static struct rule_costs costs;

static struct wire_rule_cost row(uint16_t nth, uint16_t count, uint64_t steps)
{
    return (struct wire_rule_cost){.nth = nth,
                                   .count = count,
                                   .all_events = 7,
                                   .all_steps = 1000,
                                   .runs = 3,
                                   .matches = 1,
                                   .steps = steps,
                                   .rule_id = TEXT("an id"),
                                   .rule_title = TEXT("A \"title\"")};
}

static void say(uint16_t nth, uint16_t count, uint64_t steps)
{
    struct wire_rule_cost m = row(nth, count, steps);
    assert_ok(rule_costs_take(&costs, &m));
}

static int start(void **state)
{
    (void)state;
    costs = (struct rule_costs){0};
    return 0;
}

static void rows_are_written(void **state)
{
    (void)state;
    char room[1000];
    struct writer out = writer_over(room, sizeof room);
    struct json j = json_over(&out);
    say(0, 2, 500);
    say(1, 2, UINT64_MAX);
    json_open(&j, '{');
    rule_costs_write(&costs, &j);
    json_close(&j, '}');
    assert_text(
        writer_text(&out),
        "{\"matching\":{\"events\":7,\"steps\":1000},\"rules\":["
        "{\"id\":\"an id\",\"title\":\"A \\\"title\\\"\",\"runs\":3,\"steps\":500,\"matches\":1},"
        "{\"id\":\"an id\",\"title\":\"A \\\"title\\\"\",\"runs\":3,"
        "\"steps\":9223372036854775807,\"matches\":1}]}");
}

/* Another pack has other rules, and fewer: those of the first are not shown among them. */
static void fewer_rows_replace_more(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < RULE_COSTS; i++) {
        say(i, RULE_COSTS, 9);
    }
    assert_int_equal(costs.count, RULE_COSTS);
    say(0, 2, 5);
    say(1, 2, 4);
    assert_int_equal(costs.count, 2);
    say(0, 3, 5);
    assert_int_equal(costs.count, 2);
    say(1, 3, 4);
    say(2, 3, 4);
    assert_int_equal(costs.count, 3);
}

static void rows_that_cannot_be_are_refused(void **state)
{
    (void)state;
    const struct wire_rule_cost bad[] = {row(0, 0, 1), row(2, 2, 1), row(1, 2, 1),
                                         row(0, RULE_COSTS + 1, 1)};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_fault(rule_costs_take(&costs, &bad[i]), INVALID);
    }
    assert_int_equal(costs.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(rows_are_written, start),
        cmocka_unit_test_setup(fewer_rows_replace_more, start),
        cmocka_unit_test_setup(rows_that_cannot_be_are_refused, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
