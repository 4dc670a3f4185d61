#include "base/clock.h"
#include "base/test.h"
#include "engine/costs.h"

/* A pack without rules has nothing to tell, so there is nobody to tell it to: what is left is when.
 */
static void costs_are_told_in_time(void **state)
{
    (void)state;
    const struct pack none = {0};
    struct costs costs = {.pack = &none};
    uint64_t start = 5 * (uint64_t)CLOCK_NS_PER_S;
    uint64_t first = start + (uint64_t)COSTS_FIRST_MS * CLOCK_NS_PER_MS;
    costs_tick(&costs, NULL, start);
    assert_int_equal(costs.next_ns, first);
    costs_tick(&costs, NULL, first); /* there was no event yet */
    assert_int_equal(costs.next_ns, first);
    costs_count(&costs, 7);
    costs_count(&costs, 8);
    assert_true(costs.events == 2 && costs.steps == 15);
    costs_tick(&costs, NULL, first - 1);
    assert_int_equal(costs.next_ns, first);
    costs_tick(&costs, NULL, first);
    assert_int_equal(costs.next_ns, first + (uint64_t)COSTS_EVERY_S * CLOCK_NS_PER_S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(costs_are_told_in_time)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
