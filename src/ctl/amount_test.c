#include "ctl/amount.h"

#include "base/test.h"

static void durations_as_people_write_them(void **state)
{
    (void)state;

    static const struct {
        const char *text;
        uint64_t ms;
    } good[] = {{"90", 90000},   {"90s", 90000},   {"250ms", 250},   {"15m", 900000},
                {"2h", 7200000}, {"1d", 86400000}, {"1W", 604800000}};

    static const char *const bad[] = {"",     "s",  "0",   "0s",           "-1s",
                                      "1.5h", "1y", "1 h", "99999999999d", "18446744073709551616"};
    uint64_t ms;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(amount_duration_ms(text_of(good[i].text), &ms));
        assert_int_equal(ms, good[i].ms);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ms = 7;
        assert_false(amount_duration_ms(text_of(bad[i]), &ms));
        assert_int_equal(ms, 7);
    }
}

static void sizes_as_people_write_them(void **state)
{
    (void)state;

    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {{"1", 1},
                {"500K", 512000},
                {"10kb", 10240},
                {"100M", 104857600},
                {"2GiB", 2147483648},
                {"1t", 1099511627776}};

    static const char *const bad[] = {"", "K", "0", "1.5G", "1P", "9000000000000M"};
    uint64_t bytes;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(amount_size(text_of(good[i].text), &bytes));
        assert_int_equal(bytes, good[i].bytes);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(amount_size(text_of(bad[i]), &bytes));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_as_people_write_them),
        cmocka_unit_test(sizes_as_people_write_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
