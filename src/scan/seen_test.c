#include "base/test.h"
#include "scan/seen.h"

static struct seen seen;

static int set_up(void **state)
{
    (void)state;
    return status_ok(seen_init(&seen)) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    seen_done(&seen);
    return 0;
}

static struct seen_key key(uint64_t inode)
{
    return (struct seen_key){
        .device = 1, .inode = inode, .size = 10, .changed_ns = 5, .written_ns = 5};
}

static void a_file_is_known_as_it_stands(void **state)
{
    (void)state;
    struct seen_key k = key(1);
    assert_false(seen_has(&seen, &k));
    seen_add(&seen, &k);
    assert_true(seen_has(&seen, &k));
    struct seen_key changed[4] = {k, k, k, k};
    changed[0].size++;
    changed[1].changed_ns++;
    changed[2].written_ns++;
    changed[3].device++;
    for (unsigned i = 0; i < 4; i++) {
        assert_false(seen_has(&seen, &changed[i]));
    }
    seen_add(&seen, &changed[1]);
    assert_true(seen_has(&seen, &changed[1]));
    assert_false(seen_has(&seen, &k));
}

/* However many files there are, the newest is known and memory is what it was. */
static void the_oldest_are_forgotten(void **state)
{
    (void)state;
    unsigned known = 0;
    for (uint64_t i = 1; i <= 4 * SEEN_FILES; i++) {
        struct seen_key k = key(i);
        seen_add(&seen, &k);
        assert_true(seen_has(&seen, &k));
    }
    for (uint64_t i = 1; i <= 4 * SEEN_FILES; i++) {
        struct seen_key k = key(i);
        known += seen_has(&seen, &k);
    }
    assert_true(known > SEEN_FILES / 2 && known <= SEEN_FILES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_is_known_as_it_stands, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_oldest_are_forgotten, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
