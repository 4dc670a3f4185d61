#include "base/test.h"
#include "guard/raised.h"

#include <stdio.h>
#include <string.h>

static struct raised raised;

static int start(void **state)
{
    (void)state;
    raised_init(&raised, (const uint8_t *)"0123456789abcdef");
    return 0;
}

static struct raised_about about(uint64_t event, const char *rule, uint32_t nth)
{
    return (struct raised_about){
        .client = TEXT("engine"), .rule = text_of(rule), .event = event, .nth = nth};
}

static bool before(uint64_t event, const char *rule, uint32_t nth)
{
    struct raised_about a = about(event, rule, nth);
    return raised_before(&raised, &a);
}

static void add(uint64_t event, const char *rule, uint32_t nth, uint64_t position)
{
    struct raised_about a = about(event, rule, nth);
    raised_add(&raised, &a, position);
}

static void an_alert_is_event_rule_and_number(void **state)
{
    (void)state;
    add(7, "rule-a", 0, 100);
    assert_true(before(7, "rule-a", 0));
    assert_false(before(7, "rule-b", 0)); /* a rule that only the other pack has */
    assert_false(before(8, "rule-a", 0));
    assert_false(before(7, "rule-a", 1));
    struct raised_about other = about(7, "rule-a", 0);
    other.client = TEXT("scanner");
    assert_false(raised_before(&raised, &other));
}

/* What two packs have in common comes in another order, with others in between. */
static void the_order_of_rules_does_not_matter(void **state)
{
    (void)state;
    add(7, "rule-c", 0, 100);
    add(7, "rule-a", 0, 200);
    assert_true(before(7, "rule-a", 0));
    assert_false(before(7, "rule-b", 0));
    assert_true(before(7, "rule-c", 0));
    assert_false(before(6, "rule-a", 0)); /* an older event that was not looked at yet */
}

static void what_is_found_is_counted(void **state)
{
    (void)state;
    struct raised_about a = about(7, "rule-a", 0);
    raised_found(&raised, &a, 100);
    raised_found(&raised, &a, 200);
    assert_true(before(7, "rule-a", 0));
    assert_true(before(7, "rule-a", 1));
    assert_false(before(7, "rule-a", 2));
}

static bool holds(const struct raised *r, uint64_t key)
{
    bool found = false;
    for (unsigned i = 0; i < RAISED_BUCKETS * RAISED_PLACES; i++) {
        found = found || r->alerts[i / RAISED_PLACES][i % RAISED_PLACES].key == key;
    }
    return found;
}

/* What two alerts are in one guard's table says nothing of another's: nobody can look for a pair
 * that is taken for one. */
static void each_guard_has_its_own_secret(void **state)
{
    (void)state;
    static struct raised other;
    unsigned alike = 0;
    raised_init(&other, (const uint8_t *)"0123456789abcdeg");
    for (uint64_t i = 1; i <= 100; i++) {
        struct raised_about a = about(i, "rule-a", 0);
        raised_add(&raised, &a, i);
        raised_add(&other, &a, i);
    }
    for (unsigned i = 0; i < RAISED_BUCKETS * RAISED_PLACES; i++) {
        const struct raised_alert *a = &other.alerts[i / RAISED_PLACES][i % RAISED_PLACES];
        alike += a->position > 0 && holds(&raised, a->key);
    }
    assert_int_equal(alike, 0);
}

/* Bytes of the client's name are never taken for the event's, nor for the rule's. */
static void names_end_where_they_end(void **state)
{
    (void)state;
    struct raised_about one = about(7, "rule", 0);
    struct raised_about two = about(7, "erule", 0);
    two.client = TEXT("engin");
    raised_add(&raised, &one, 100);
    assert_false(raised_before(&raised, &two));
}

/* The last of them are known four times over, however many came before. */
static void as_many_as_the_stream_holds(void **state)
{
    (void)state;

    enum { HELD = 4 * 16000, EACH = 1024, RULES = 5 };

    char rule[32];
    unsigned missed = 0;
    unsigned first = 0;
    for (uint64_t i = 1; i <= 8 * HELD; i++) {
        snprintf(rule, sizeof rule, "rule-%u", (unsigned)(i % RULES));
        add(i / RULES, rule, 0, i * EACH);
    }
    for (uint64_t i = 1; i <= HELD; i++) {
        snprintf(rule, sizeof rule, "rule-%u", (unsigned)(i % RULES));
        first += before(i / RULES, rule, 0);
    }
    for (uint64_t i = 7 * HELD + 1; i <= 8 * HELD; i++) {
        snprintf(rule, sizeof rule, "rule-%u", (unsigned)(i % RULES));
        missed += !before(i / RULES, rule, 0);
    }
    assert_true(missed < HELD / 100); /* a few buckets have more than their share */
    assert_int_equal(first, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_alert_is_event_rule_and_number, start),
        cmocka_unit_test_setup(the_order_of_rules_does_not_matter, start),
        cmocka_unit_test_setup(what_is_found_is_counted, start),
        cmocka_unit_test_setup(each_guard_has_its_own_secret, start),
        cmocka_unit_test_setup(names_end_where_they_end, start),
        cmocka_unit_test_setup(as_many_as_the_stream_holds, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
