#include "base/test.h"
#include "content/match/glob.h"
#include "content/match/network.h"
#include "content/match/number.h"
#include "content/match/utf8.h"

static bool like(const char *pattern, struct text subject)
{
    uint64_t steps = 0;
    struct text p = text_of(pattern);
    assert_null(glob_check(p));
    bool matches = glob_match(p, subject, UINT64_MAX, &steps);
    assert_true(steps <= glob_cost(p, subject.len, 1));
    return matches;
}

#define assert_like(pattern, subject) assert_true(like(pattern, TEXT(subject)))
#define assert_unlike(pattern, subject) assert_false(like(pattern, TEXT(subject)))

static void stars_take_anything(void **state)
{
    (void)state;
    assert_like("*", "");
    assert_like("a*c", "ac");
    assert_like("a*c", "a\nbc");
    assert_unlike("a*c", "acd");
    assert_like("*ab*ab", "abab");
    assert_unlike("*ab*ab", "ab");
    assert_like("*a*b*c*", "xxaxxbxxcxx");
    assert_unlike("", "a");
    assert_like("", "");
    assert_unlike("a", "");
}

static void question_takes_one_character(void **state)
{
    (void)state;
    assert_like("?", "\xe2\x82\xac");
    assert_unlike("??", "\xe2\x82\xac");
    assert_unlike("*??", "\xe2\x82\xac");
    assert_unlike("*??cd", "\xe2\x82\xac"
                           "cd");
    assert_unlike("?*?", "\xc3\xa9");
    assert_like("??", "\xe2\x82");
    assert_like("a?", "a\xff");
    assert_unlike("?", "");
}

static void backslash_escapes(void **state)
{
    (void)state;
    assert_like("\\*\\?\\\\", "*?\\");
    assert_unlike("\\*", "a");
    assert_like("*\\-c", "sh -c");
    assert_like("*\\-c", "sh /c");
    assert_like("*\\-c", "sh \xe2\x80\x93"
                         "c");
    assert_like("*\\-c", "sh \xe2\x80\x94"
                         "c");
    assert_like("*\\-c", "sh \xe2\x80\x95"
                         "c");
    assert_unlike("*\\-c", "sh \xe2\x80\x92"
                           "c");
    assert_unlike("*-c", "sh /c");
    assert_non_null(glob_check(TEXT("a\\")));
    assert_null(glob_check(TEXT("a\\\\")));
}

/* What made backtracking matchers take exponential time. */
static void many_stars_stay_cheap(void **state)
{
    (void)state;
    static char subject[32768];
    memset(subject, 'a', sizeof subject);
    assert_false(like("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", (struct text){subject, sizeof subject}));
    assert_false(like("*aaaaaaaaaaaaaaaaaaab*", (struct text){subject, sizeof subject}));
}

static bool in(const char *network, struct text address)
{
    struct network n;
    assert_true(network_parse(text_of(network), &n));
    return network_has(&n, address);
}

/* A socket of both families reports IPv4 peers so. */
static void a_mapped_address_is_the_ipv4_address(void **state)
{
    (void)state;
    assert_true(in("10.0.0.0/8", TEXT("::ffff:10.1.2.3")));
    assert_true(in("10.0.0.0/8", TEXT("::FFFF:0a01:0203")));
    assert_false(in("10.0.0.0/8", TEXT("::ffff:11.1.2.3")));
    assert_false(in("10.0.0.0/8", TEXT("::fffe:10.1.2.3")));
    assert_false(in("10.0.0.0/8", TEXT("::10.1.2.3")));
    assert_false(in("::/0", TEXT("::ffff:10.1.2.3")));
    assert_true(in("::ffff:10.0.0.0/104", TEXT("10.1.2.3")));
    assert_true(in("::ffff:10.0.0.0/104", TEXT("::ffff:10.1.2.3")));
    assert_false(in("::ffff:10.0.0.0/104", TEXT("11.1.2.3")));
    assert_true(in("::ffff:0:0/96", TEXT("192.0.2.1")));
    assert_false(in("::ffff:0:0/96", TEXT("2001:db8::1")));
    assert_true(in("::ffff:0:0/95", TEXT("::fffe:1.2.3.4")));
}

static void networks_hold_their_own_family(void **state)
{
    (void)state;
    struct network n;
    assert_true(in("10.1.0.0/20", TEXT("10.1.15.255")));
    assert_false(in("10.1.0.0/20", TEXT("10.1.16.0")));
    assert_true(in("0.0.0.0/0", TEXT("8.8.8.8")));
    assert_false(in("0.0.0.0/0", TEXT("2001:db8::1")));
    assert_true(in("2001:db8::/32", TEXT("2001:0DB8:0:0:1::")));
    assert_false(in("2001:db8::/32", TEXT("2001:db9::1")));
    assert_true(in("::1/128", TEXT("0:0:0:0:0:0:0:1")));
    assert_false(in("::1/128", TEXT("::2")));
    assert_false(in("10.0.0.0/8", TEXT("10.0.0.1\0x")));
    assert_false(in("10.0.0.0/8", TEXT("")));
    assert_false(network_parse(TEXT("10.0.0.0/33"), &n));
    assert_false(network_parse(TEXT("300.0.0.0/8"), &n));
    assert_false(network_parse(TEXT("10.0.0.0"), &n));
    assert_false(network_parse(TEXT("10.0.0.0/"), &n));
}

static int64_t number(const char *text)
{
    int64_t value = 42;
    return number_parse(text_of(text), &value) ? value : 42;
}

static void decimals_are_scaled(void **state)
{
    (void)state;
    assert_int_equal(number("1.5"), 1500000);
    assert_int_equal(number("-0.25"), -250000);
    assert_int_equal(number("0.1234567"), 123456);
    assert_int_equal(number("99999999999999999999"), INT64_MAX);
    assert_int_equal(number("-99999999999999999999.5"), INT64_MIN);
    assert_int_equal(number("9223372036854.999999"), INT64_MAX);
    assert_int_equal(number(""), 42);
    assert_int_equal(number("-"), 42);
    assert_int_equal(number("1."), 42);
    assert_int_equal(number(".5"), 42);
    assert_int_equal(number("1e3"), 42);
    assert_int_equal(number("0x10"), 42);
    assert_int_equal(number_scale(INT64_MIN / 2), INT64_MIN);
}

static int64_t part(const char *time, enum time_part which)
{
    int64_t value = -1;
    return number_time_part(text_of(time), which, &value) ? value : -1;
}

static void times_are_read_as_written(void **state)
{
    (void)state;
    assert_int_equal(part("2024-05-06 07:08:09.123", TIME_HOUR), 7);
    assert_int_equal(part("2024-05-06T22:59:00+02:00", TIME_MINUTE), 59);
    assert_int_equal(part("2024-05-06", TIME_DAY), 6);
    assert_int_equal(part("2024-05-06", TIME_HOUR), -1);
    assert_int_equal(part("2024-05-06x07:08", TIME_DAY), -1);
    assert_int_equal(part("2024-02-29", TIME_MONTH), 2);
    assert_int_equal(part("2023-02-29", TIME_MONTH), -1);
    assert_int_equal(part("2024-13-01", TIME_YEAR), -1);
    assert_int_equal(part("2024-05-06 24:00", TIME_YEAR), -1);
    assert_int_equal(part("x", TIME_YEAR), -1);
    assert_int_equal(part("2024-05-06T07:08", TIME_HOUR), 7);
    assert_int_equal(part("2024-05-06T07:08Z", TIME_HOUR), 7);
    assert_int_equal(part("2024-05-06 07:08:09,5+0200", TIME_HOUR), 7);
    assert_int_equal(part("2024-05-06 07:08:", TIME_HOUR), -1);
    assert_int_equal(part("2024-05-06 07:08:9", TIME_HOUR), -1);
    assert_int_equal(part("2024-05-06 07:08:09.", TIME_YEAR), -1);
    assert_int_equal(part("2024-05-06 07:08:09x", TIME_YEAR), -1);
    assert_int_equal(part("2024-05-06 07:08:09+2", TIME_YEAR), -1);
}

static void weeks_are_iso_weeks(void **state)
{
    (void)state;
    assert_int_equal(part("2024-05-06", TIME_WEEK), 19);
    assert_int_equal(part("2024-05-05", TIME_WEEK), 18);
    assert_int_equal(part("2021-01-03", TIME_WEEK), 53);
    assert_int_equal(part("2021-01-04", TIME_WEEK), 1);
    assert_int_equal(part("2024-12-30", TIME_WEEK), 1);
    assert_int_equal(part("2020-12-31", TIME_WEEK), 53);
    assert_int_equal(part("0000-01-01", TIME_WEEK), 52);
}

static void characters_have_one_length(void **state)
{
    (void)state;
    uint32_t code;
    assert_int_equal(utf8_next(TEXT("\xf0\x9f\x98\x80"), &code), 4);
    assert_int_equal(code, 0x1f600);
    assert_int_equal(utf8_next(TEXT("\xed\xa0\x80"), &code), 1); /* a surrogate */
    assert_int_equal(code, UTF8_INVALID);
    assert_int_equal(utf8_next(TEXT("\xc0\xaf"), &code), 1); /* too long a form */
    assert_int_equal(utf8_next(TEXT("\xe0\x80\xaf"), &code), 1);
    assert_int_equal(utf8_next(TEXT("\xf4\x90\x80\x80"), &code), 1);
    assert_int_equal(utf8_next(TEXT("\xe2\x82"), &code), 1); /* cut */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stars_take_anything),
        cmocka_unit_test(question_takes_one_character),
        cmocka_unit_test(backslash_escapes),
        cmocka_unit_test(many_stars_stay_cheap),
        cmocka_unit_test(networks_hold_their_own_family),
        cmocka_unit_test(a_mapped_address_is_the_ipv4_address),
        cmocka_unit_test(decimals_are_scaled),
        cmocka_unit_test(times_are_read_as_written),
        cmocka_unit_test(weeks_are_iso_weeks),
        cmocka_unit_test(characters_have_one_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
