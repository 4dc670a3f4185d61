#include "base/json.h"
#include "content/correlate/correlation.h"
#include "content/pack/explain.h"

#include <inttypes.h>

enum { VALUE_MAX = 100 /* bytes of a value in words: a message has room for a few */ };

static void write_span(uint32_t seconds, struct writer *out)
{
    static const struct {
        uint32_t seconds;
        char unit;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};

    size_t unit = 0;
    while (seconds == 0 ? units[unit].seconds > 1 : seconds % units[unit].seconds != 0) {
        unit++;
    }
    writer_print(out, "%u%c", seconds / units[unit].seconds, units[unit].unit);
}

/* A number in millionths, without zeroes that say nothing. */
static void write_number(__int128 millionths, struct writer *out)
{
    bool negative = millionths < 0;
    __int128 magnitude = negative ? -millionths : millionths;
    /* Above 64 bits the digits help nobody. */
    __int128 whole = magnitude / CORRELATION_SCALE;
    unsigned fraction = (unsigned)(magnitude % CORRELATION_SCALE);
    unsigned digits = 6;
    writer_print(out, "%s%s%" PRIu64, whole > UINT64_MAX ? "over " : "", negative ? "-" : "",
                 whole > UINT64_MAX ? UINT64_MAX : (uint64_t)whole);
    while (fraction && fraction % 10 == 0) {
        fraction /= 10;
        digits--;
    }
    if (fraction) {
        writer_print(out, ".%0*u", (int)digits, fraction);
    }
}

static void write_fields(const struct pack *pack, uint32_t first, unsigned count,
                         struct writer *out)
{
    for (uint32_t i = 0; i < count; i++) {
        enum field field = pack_correlation_field(pack, first + i);
        writer_print(out, "%s%s", i ? ", " : "", field_info(field)->name);
    }
}

/* ── what a correlation asks ── */

static void write_lists(const struct pack *pack, const struct pack_correlation *k, uint32_t first,
                        struct writer *out)
{
    if (k->value_fields) {
        writer_bytes(out, TEXT(" of "));
        write_fields(pack, first + k->group_fields, k->value_fields, out);
    }
    if (k->group_fields) {
        writer_bytes(out, TEXT(" by "));
        write_fields(pack, first, k->group_fields, out);
    }
}

static void write_conditions(const struct pack *pack, const struct pack_correlation *k,
                             struct writer *out)
{
    for (uint32_t i = 0; i < k->conditions; i++) {
        struct correlation_condition condition = pack_condition(pack, k->first_condition + i);
        writer_print(out, "%s%s ", i ? " and " : ": ",
                     correlation_operator_name(condition.operator));
        write_number((__int128)condition.whole * CORRELATION_SCALE + condition.millionths, out);
    }
}

static void write_quoted(struct text text, struct writer *out)
{
    struct json quoted = json_over(out);
    json_text(&quoted, text);
}

void explain_correlation(const struct pack *pack, size_t correlation, struct writer *out)
{
    struct pack_correlation k = pack_correlation(pack, correlation);
    writer_print(out, "%s within ", correlation_type_name(k.type));
    write_span(k.span_s, out);
    write_conditions(pack, &k, out);
    writer_u8(out, '\n');
    for (uint32_t i = 0; i < k.references; i++) {
        struct pack_reference reference = pack_reference(pack, k.first_reference + i);
        struct pack_rule rule = pack_rule(pack, reference.rule);
        writer_print(out, "%5u  ", i);
        write_quoted(rule.id, out);
        writer_u8(out, ' ');
        write_quoted(rule.title, out);
        write_lists(pack, &k, reference.first_field, out);
        writer_u8(out, '\n');
    }
}

/* ── why it fired ── */

static void write_value(const struct event *event, enum field field, struct writer *out)
{
    struct value value = event_get(event, field);
    writer_print(out, "%s=", field_info(field)->name);
    if (value.kind == VALUE_TEXT) {
        writer_bytes(out, text_part(value.text, 0, VALUE_MAX));
        writer_bytes(out, value.text.len > VALUE_MAX ? TEXT("…") : TEXT(""));
    } else if (value.kind == VALUE_BOOL) {
        writer_bytes(out, value.number ? TEXT("true") : TEXT("false"));
    } else {
        writer_print(out, "%" PRId64, value.number);
    }
}

static void write_values(const struct pack *pack, uint32_t first, unsigned count,
                         const struct event *event, struct writer *out)
{
    for (uint32_t i = 0; i < count; i++) {
        writer_bytes(out, i ? TEXT(", ") : TEXT(""));
        write_value(event, pack_correlation_field(pack, first + i), out);
    }
}

static void write_measure(const struct pack *pack, const struct pack_correlation *k,
                          const struct correlation_hit *hit, struct writer *out)
{
    static const char *const before[CORRELATION_TYPE_COUNT] = {
        [CORRELATION_VALUE_SUM] = "sum ",
        [CORRELATION_VALUE_AVG] = "average ",
        [CORRELATION_VALUE_MEDIAN] = "median ",
    };
    static const char *const after[CORRELATION_TYPE_COUNT] = {
        [CORRELATION_EVENT_COUNT] = " events",
        [CORRELATION_VALUE_COUNT] = " different values",
        [CORRELATION_TEMPORAL] = " different rules",
        [CORRELATION_TEMPORAL_ORDERED] = " rules in order",
        [CORRELATION_VALUE_PERCENTILE] = " percent of the events share the value",
    };
    writer_bytes(out, text_of(before[k->type]));
    write_number(hit->measured / hit->divisor, out);
    writer_bytes(out, text_of(after[k->type]));
    if (k->value_fields) {
        writer_bytes(out, TEXT(" of "));
        write_fields(pack, hit->first_field + k->group_fields, k->value_fields, out);
    }
}

void explain_hit(const struct pack *pack, const struct correlation_hit *hit,
                 const struct event *event, struct writer *out)
{
    struct pack_correlation k = pack_correlation(pack, hit->correlation);
    write_measure(pack, &k, hit, out);
    writer_bytes(out, TEXT(" within "));
    write_span(k.span_s, out);
    if (k.group_fields) {
        writer_bytes(out, TEXT(" for "));
        write_values(pack, hit->first_field, k.group_fields, event, out);
    }
}
