#include "content/match/number.h"

int64_t number_scale(int64_t value)
{
    int64_t scaled;
    if (__builtin_mul_overflow(value, (int64_t)NUMBER_SCALE, &scaled)) {
        return value < 0 ? INT64_MIN : INT64_MAX;
    }
    return scaled;
}

static bool all_digits(struct text t)
{
    for (size_t i = 0; i < t.len; i++) {
        if (t.ptr[i] < '0' || t.ptr[i] > '9') {
            return false;
        }
    }
    return t.len > 0;
}

/* Six digits of a fraction. */
static int64_t millionths(struct text fraction)
{
    int64_t value = 0;
    for (size_t i = 0; i < 6; i++) {
        value = value * 10 + (i < fraction.len ? fraction.ptr[i] - '0' : 0);
    }
    return value;
}

bool number_parse_wide(struct text t, __int128 *out)
{
    if (t.len > NUMBER_TEXT_MAX) {
        return false;
    }
    bool negative = t.len && t.ptr[0] == '-';
    struct text digits = text_part(t, negative, t.len);
    size_t dot = text_find_byte(digits, '.');
    struct text whole = text_part(digits, 0, dot);
    struct text fraction = dot < digits.len ? text_part(digits, dot + 1, digits.len) : TEXT("0");
    if (!all_digits(whole) || !all_digits(fraction)) {
        return false;
    }
    int64_t value;
    if (!text_to_i64(whole, &value)) {
        value = INT64_MAX; /* too large to be held, and larger than what it is compared to */
    }
    __int128 wide = (__int128)value * NUMBER_SCALE + millionths(fraction);
    *out = negative ? -wide : wide;
    return true;
}

bool number_parse(struct text t, int64_t *out)
{
    __int128 wide;
    if (!number_parse_wide(t, &wide)) {
        return false;
    }
    *out = wide > INT64_MAX ? INT64_MAX : wide < INT64_MIN ? INT64_MIN : (int64_t)wide;
    return true;
}

struct moment {
    int64_t year, month, day;
    int64_t hour, minute; /* -1: only a date */
};

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t days_before_month(int64_t year, int64_t month)
{
    static const int days[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    return days[month - 1] + (month > 2 && is_leap(year));
}

/* Exactly `count` digits at `at`, from `least` to `most`. */
static bool digits_at(struct text t, size_t at, size_t count, int64_t least, int64_t most,
                      int64_t *out)
{
    struct text digits = text_part(t, at, count);
    return digits.len == count && all_digits(digits) && text_to_i64(digits, out) && *out >= least &&
           *out <= most;
}

static bool is_at(struct text t, size_t at, const char *any_of)
{
    return at < t.len && t.ptr[at] && strchr(any_of, t.ptr[at]);
}

/* What may follow the minutes: seconds, their fraction, a zone. Anything else is no ISO 8601. */
static bool ends_a_time(struct text t)
{
    int64_t ignored;
    size_t at = 0;
    if (is_at(t, 0, ":")) {
        if (!digits_at(t, 1, 2, 0, 60, &ignored)) {
            return false;
        }
        at = 3;
        if (is_at(t, at, ".,")) {
            size_t first = ++at;
            while (at < t.len && t.ptr[at] >= '0' && t.ptr[at] <= '9') {
                at++;
            }
            if (at == first) {
                return false;
            }
        }
    }
    struct text zone = text_part(t, at, t.len);
    if (zone.len == 0 || (zone.len == 1 && is_at(zone, 0, "Zz"))) {
        return true;
    }
    bool colon = is_at(zone, 3, ":");
    return is_at(zone, 0, "+-") && digits_at(zone, 1, 2, 0, 23, &ignored) &&
           (zone.len == 3 ||
            (zone.len == 5U + colon && digits_at(zone, 3U + colon, 2, 0, 59, &ignored)));
}

static bool moment_parse(struct text t, struct moment *out)
{
    struct moment m = {.hour = -1, .minute = -1};
    if (t.len > NUMBER_TEXT_MAX) {
        return false;
    }
    if (!digits_at(t, 0, 4, 0, 9999, &m.year) || !is_at(t, 4, "-") ||
        !digits_at(t, 5, 2, 1, 12, &m.month) || !is_at(t, 7, "-") ||
        !digits_at(t, 8, 2, 1, 31, &m.day)) {
        return false;
    }
    if (m.day > days_before_month(m.year, m.month + 1) - days_before_month(m.year, m.month)) {
        return false;
    }
    if (t.len > 10 &&
        (!is_at(t, 10, "Tt ") || !digits_at(t, 11, 2, 0, 23, &m.hour) || !is_at(t, 13, ":") ||
         !digits_at(t, 14, 2, 0, 59, &m.minute) || !ends_a_time(text_part(t, 16, t.len)))) {
        return false;
    }
    *out = m;
    return true;
}

/* 1 is Monday, which the first day of year 1 was; the calendar repeats after 400 years, which are
 * whole weeks. */
static int64_t weekday(int64_t year, int64_t day_of_year)
{
    int64_t before = year + 399; /* keeps years 0 and -1 positive */
    return (before * 365 + before / 4 - before / 100 + before / 400 + day_of_year - 1) % 7 + 1;
}

static int64_t weeks_of(int64_t year)
{
    int64_t first = weekday(year, 1);
    return first == 4 || (first == 3 && is_leap(year)) ? 53 : 52;
}

/* ISO 8601: weeks begin on Monday, the first is the one with the year's first Thursday. */
static int64_t iso_week(const struct moment *m)
{
    int64_t day = days_before_month(m->year, m->month) + m->day;
    int64_t week = (day - weekday(m->year, day) + 10) / 7;
    if (week < 1) {
        return weeks_of(m->year - 1);
    }
    return week > weeks_of(m->year) ? 1 : week;
}

bool number_time_part(struct text t, enum time_part part, int64_t *out)
{
    struct moment m;
    if (!moment_parse(t, &m)) {
        return false;
    }
    const int64_t parts[TIME_PART_COUNT] = {
        [TIME_MINUTE] = m.minute,   [TIME_HOUR] = m.hour,   [TIME_DAY] = m.day,
        [TIME_WEEK] = iso_week(&m), [TIME_MONTH] = m.month, [TIME_YEAR] = m.year};
    if (parts[part] < 0) {
        return false;
    }
    *out = parts[part];
    return true;
}
