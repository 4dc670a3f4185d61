#include "content/pack/explain.h"

#include "base/json.h"
#include "content/indicator/indicator.h"
#include "content/match/number.h"
#include "content/match/predicate.h"

static void write_field(enum field field, struct writer *out)
{
    writer_bytes(out, text_of(field == FIELD_COUNT ? "any field" : field_info(field)->name));
}

/* Comparisons carry decimals scaled by a million. */
static void write_decimal(int64_t scaled, struct writer *out)
{
    int64_t fraction = scaled % NUMBER_SCALE;
    fraction = fraction < 0 ? -fraction : fraction;
    writer_print(out, "%s%lld", scaled < 0 && scaled > -NUMBER_SCALE ? "-" : "",
                 (long long)(scaled / NUMBER_SCALE));
    if (fraction) {
        writer_print(out, ".%06lld", (long long)fraction);
    }
}

static void write_time(const struct predicate *p, struct writer *out)
{
    static const char *const parts[TIME_PART_COUNT] = {
        [TIME_MINUTE] = "minute", [TIME_HOUR] = "hour",   [TIME_DAY] = "day",
        [TIME_WEEK] = "week",     [TIME_MONTH] = "month", [TIME_YEAR] = "year"};
    static const char *const signs[COMPARE_COUNT] = {[COMPARE_EQUAL] = "is",
                                                     [COMPARE_LESS] = "<",
                                                     [COMPARE_LESS_EQUAL] = "<=",
                                                     [COMPARE_GREATER] = ">",
                                                     [COMPARE_GREATER_EQUAL] = ">="};
    writer_print(out, ": %s %s %lld", parts[p->part], signs[p->compare], (long long)p->number);
}

void explain_predicate(const struct predicate *p, struct writer *out)
{
    const struct predicate_info *info = predicate_info(p->kind);
    struct json quoted = json_over(out);
    write_field(p->field, out);
    writer_print(out, " %s", info->words);
    if (info->uses & USES_TEXT) {
        writer_u8(out, ' ');
        json_text(&quoted, p->text);
    }
    if (info->uses & USES_LIST) {
        writer_u8(out, ' ');
        json_text(&quoted, indicator_name(p->text));
        writer_print(out, " (%s, %u entries)", indicator_kind_name(indicator_kind(p->text)),
                     indicator_count(p->text));
    }
    if (info->uses & USES_AUTOMATON) {
        writer_print(out, " (a table of %zu bytes)", p->text.len);
    }
    if (info->uses & USES_OTHER) {
        writer_u8(out, ' ');
        write_field(p->other, out);
    }
    if (info->uses & USES_TIME) {
        write_time(p, out);
    } else if (info->uses & USES_NUMBER) {
        writer_u8(out, ' ');
        write_decimal(p->number, out);
    }
    if ((info->uses & USES_CASED) && !p->cased) {
        writer_bytes(out, TEXT(", any case"));
    }
}

static void write_jump(const char *when, uint16_t jump, struct writer *out)
{
    writer_print(out, "  %s: ", when);
    if (jump == NODE_MATCH || jump == NODE_MISS) {
        writer_bytes(out, jump == NODE_MATCH ? TEXT("match") : TEXT("miss"));
    } else {
        writer_print(out, "%u", jump);
    }
}

void explain_program(const struct pack *pack, size_t rule, struct writer *out)
{
    struct pack_rule r = pack_rule(pack, rule);
    uint32_t correlation = r.types ? CORRELATION_NONE : pack_correlation_of(pack, rule);
    if (correlation != CORRELATION_NONE) {
        explain_correlation(pack, correlation, out);
        return;
    }
    if (r.node_count == 0) {
        writer_bytes(out, TEXT("every event of its types matches\n"));
    }
    for (uint32_t i = 0; i < r.node_count; i++) {
        struct pack_node node = pack_node(pack, r.first_node + i);
        struct predicate p = pack_predicate(pack, node.predicate);
        writer_print(out, "%5u  ", i);
        explain_predicate(&p, out);
        write_jump("yes", node.on_true, out);
        write_jump("no", node.on_false, out);
        writer_u8(out, '\n');
    }
}
