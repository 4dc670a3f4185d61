#include "ctl/amount.h"

struct unit {
    const char *name;
    uint64_t factor;
};

#define CENTURY_MS (UINT64_C(36525) * 86400 * 1000)

static bool read_amount(struct text text, const struct unit *units, size_t count, uint64_t max,
                        uint64_t *out)
{
    uint64_t number;
    size_t digits = 0;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9') {
        digits++;
    }
    struct text unit = text_part(text, digits, text.len);
    if (!text_to_u64(text_part(text, 0, digits), &number) || number == 0) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (text_same_folded(unit, text_of(units[i].name))) {
            if (number > max / units[i].factor) {
                return false;
            }
            *out = number * units[i].factor;
            return true;
        }
    }
    return false;
}

bool amount_duration_ms(struct text text, uint64_t *out)
{
    static const struct unit units[] = {{"", 1000},      {"ms", 1},      {"s", 1000},
                                        {"m", 60000},    {"min", 60000}, {"h", 3600000},
                                        {"d", 86400000}, {"sec", 1000},  {"w", 604800000}};
    return read_amount(text, units, sizeof units / sizeof units[0], CENTURY_MS, out);
}

bool amount_size(struct text text, uint64_t *out)
{
    static const uint64_t k = 1024;
    static const struct unit units[] = {
        {"", 1},          {"B", 1},        {"K", 1 << 10},   {"KB", 1 << 10}, {"KiB", 1 << 10},
        {"M", 1 << 20},   {"MB", 1 << 20}, {"MiB", 1 << 20}, {"G", 1 << 30},  {"GB", 1 << 30},
        {"GiB", 1 << 30}, {"T", k << 30},  {"TB", k << 30},  {"TiB", k << 30}};
    return read_amount(text, units, sizeof units / sizeof units[0], INT64_MAX, out);
}
