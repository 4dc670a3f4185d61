#include "compile/value.h"

#include "compile/value_text.h"

#include <arpa/inet.h>
#include <stdio.h>

static bool event_carries(const struct job *job, enum field field)
{
    if (job->foreign || field_info(field)->recorded || job->types >> EVENT_RECORDED & 1) {
        return true;
    }
    for (unsigned type = 0; type < EVENT_COUNT; type++) {
        if (job->types >> type & 1 &&
            field_guarantee((enum event_type)type, field) != GUARANTEE_NONE) {
            return true;
        }
    }
    return false;
}

/* The Sigma name that differs in case only, for the message; "" where there is none. */
static const char *similar_field(struct text name)
{
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        const struct field_info *info = field_info((enum field)i);
        if (text_same_folded(name, text_of(info->sigma))) {
            return info->sigma;
        }
    }
    return "";
}

struct status value_field(struct job *job, struct text name, uint32_t line, enum field *out)
{
    enum field field = field_by_sigma(name);
    if (field == FIELD_COUNT) {
        field = field_by_name(name);
    }
    if (field == FIELD_COUNT) {
        const char *similar = similar_field(name);
        return job_refuse(job, REFUSAL_DETECTION, line, "no event has a field '%.*s'%s%s%s",
                          SHORT_ARGS(name), *similar ? ": did you mean '" : "", similar,
                          *similar ? "'?" : "");
    }
    if (!event_carries(job, field)) {
        return job_refuse(job, REFUSAL_DETECTION, line,
                          "events of this log source do not carry the field '%.*s'",
                          SHORT_ARGS(name));
    }
    *out = field;
    return OK;
}

static struct status null_value(struct job *job, const struct place *at,
                                const struct expression **out)
{
    const struct expression *present;
    if (at->modifiers & ~(M(NEQ) | M(ALL)) || at->field == FIELD_COUNT) {
        return job_refuse(job, REFUSAL_TYPE, at->value->line,
                          "null is no text: it stands alone, without modifiers");
    }
    struct predicate p = {.kind = PREDICATE_PRESENT, .field = at->field};
    TRY(expression_leaf(job, &p, &present));
    return expression_not(job, present, out);
}

static struct status exists_value(struct job *job, const struct place *at,
                                  const struct expression **out)
{
    const struct expression *exists;
    if (at->value->kind != YAML_BOOL) {
        return job_refuse(job, REFUSAL_TYPE, at->value->line, "'exists' takes true or false");
    }
    struct predicate p = {.kind = PREDICATE_EXISTS, .field = at->field};
    TRY(expression_leaf(job, &p, &exists));
    if (!at->value->truth) {
        return expression_not(job, exists, out);
    }
    *out = exists;
    return OK;
}

static struct status fieldref_value(struct job *job, const struct place *at,
                                    const struct expression **out)
{
    struct predicate p = {
        .kind = PREDICATE_SAME, .field = at->field, .cased = at->modifiers & M(CASED)};
    if (at->value->kind != YAML_TEXT) {
        return job_refuse(job, REFUSAL_TYPE, at->value->line, "'fieldref' takes a field's name");
    }
    if (at->modifiers & M(CONTAINS)) {
        p.kind = PREDICATE_SAME_CONTAINS;
    } else if (at->modifiers & M(STARTSWITH)) {
        p.kind = PREDICATE_SAME_PREFIX;
    } else if (at->modifiers & M(ENDSWITH)) {
        p.kind = PREDICATE_SAME_SUFFIX;
    }
    TRY(value_field(job, at->value->text, at->value->line, &p.other));
    return expression_leaf(job, &p, out);
}

enum { FRACTION_DIGITS = 6 }; /* PREDICATE_LESS … carry numbers scaled by 1e6 */

/* A YAML number, scaled; saturates at the ends of the type. */
static int64_t scaled_number(const struct yaml_node *value)
{
    struct text t = value->text;
    bool negative = t.len && t.ptr[0] == '-';
    __int128 number = value->whole ? value->number : 0;
    size_t digits = 0; /* after the point */
    bool point = false;
    for (size_t i = 0; !value->whole && i < t.len && digits < FRACTION_DIGITS; i++) {
        bool digit = t.ptr[i] >= '0' && t.ptr[i] <= '9';
        number = digit && number < INT64_MAX ? number * 10 + (t.ptr[i] - '0') : number;
        digits += point && digit;
        point = point || t.ptr[i] == '.';
    }
    for (; digits < FRACTION_DIGITS; digits++) {
        number *= 10;
    }
    number = negative && !value->whole ? -number : number;
    return number > INT64_MAX ? INT64_MAX : number < INT64_MIN ? INT64_MIN : (int64_t)number;
}

static struct status number_value(struct job *job, const struct place *at,
                                  const struct expression **out)
{
    struct predicate p = {.field = at->field};
    if (at->value->kind != YAML_NUMBER) {
        return job_refuse(job, REFUSAL_TYPE, at->value->line,
                          "'gt', 'gte', 'lt' and 'lte' take a number, without quotes");
    }
    p.kind = at->modifiers & M(GT)    ? PREDICATE_GREATER
             : at->modifiers & M(GTE) ? PREDICATE_GREATER_EQUAL
             : at->modifiers & M(LT)  ? PREDICATE_LESS
                                      : PREDICATE_LESS_EQUAL;
    p.number = scaled_number(at->value);
    return expression_leaf(job, &p, out);
}

static struct status time_value(struct job *job, const struct place *at,
                                const struct expression **out)
{
    struct predicate p = {.kind = PREDICATE_TIME, .field = at->field};
    if (at->value->kind != YAML_NUMBER || !at->value->whole) {
        return job_refuse(job, REFUSAL_TYPE, at->value->line, "'%s' takes a whole number",
                          modifier_name((enum modifier)__builtin_ctz(at->modifiers & M_TIME)));
    }
    p.part = at->modifiers & M(MINUTE)  ? TIME_MINUTE
             : at->modifiers & M(HOUR)  ? TIME_HOUR
             : at->modifiers & M(DAY)   ? TIME_DAY
             : at->modifiers & M(WEEK)  ? TIME_WEEK
             : at->modifiers & M(MONTH) ? TIME_MONTH
                                        : TIME_YEAR;
    p.compare = at->modifiers & M(GT)    ? COMPARE_GREATER
                : at->modifiers & M(GTE) ? COMPARE_GREATER_EQUAL
                : at->modifiers & M(LT)  ? COMPARE_LESS
                : at->modifiers & M(LTE) ? COMPARE_LESS_EQUAL
                                         : COMPARE_EQUAL;
    p.number = at->value->number;
    return expression_leaf(job, &p, out);
}

static bool host_bits_set(const uint8_t *address, size_t bits, uint64_t prefix)
{
    for (size_t bit = prefix; bit < bits; bit++) {
        if (address[bit / 8] >> (7 - bit % 8) & 1) {
            return true;
        }
    }
    return false;
}

/* Without a prefix length the network is one address. */
static struct status cidr_value(struct job *job, const struct place *at,
                                const struct expression **out)
{
    struct predicate p = {.kind = PREDICATE_CIDR, .field = at->field};
    struct text text = at->value->text;
    size_t slash = text_find_byte(text, '/');
    char address[INET6_ADDRSTRLEN];
    uint8_t bytes[16];
    text_copy(text_part(text, 0, slash), address, sizeof address);
    bool six = text_find_byte(text, ':') != SIZE_MAX;
    uint64_t bits = six ? 128 : 32;
    uint64_t prefix = bits;
    bool good = at->value->kind == YAML_TEXT &&
                inet_pton(six ? AF_INET6 : AF_INET, address, bytes) == 1 &&
                strlen(address) == text_part(text, 0, slash).len &&
                (slash == SIZE_MAX || text_to_u64(text_part(text, slash + 1, text.len), &prefix)) &&
                prefix <= bits;
    if (!good) {
        return job_refuse(job, REFUSAL_CIDR, at->value->line,
                          "'%.*s' is no network such as 10.0.0.0/8 or fe80::/10", SHORT_ARGS(text));
    }
    if (host_bits_set(bytes, bits, prefix)) {
        return job_refuse(job, REFUSAL_CIDR, at->value->line,
                          "'%.*s' has bits set after its first %u: no network begins there",
                          SHORT_ARGS(text), (unsigned)prefix);
    }
    char network[INET6_ADDRSTRLEN + 8];
    snprintf(network, sizeof network, "%s/%u", address, (unsigned)prefix);
    TRY(arena_text(job->arena, text_of(network), &p.text));
    return expression_leaf(job, &p, out);
}

static struct status check_keyword(struct job *job, const struct place *at)
{
    uint32_t misplaced = at->modifiers & (M(STARTSWITH) | M(ENDSWITH) | M(EXISTS) | M(FIELDREF) |
                                          M_COMPARE | M_TIME | M(CIDR));
    if (at->field == FIELD_COUNT && misplaced) {
        return job_refuse(job, REFUSAL_MODIFIER, at->value->line,
                          "'%s' needs a field: keywords are searched in all of them",
                          modifier_name((enum modifier)__builtin_ctz(misplaced)));
    }
    return OK;
}

struct status value_compile(struct job *job, const struct yaml_node *value, enum field field,
                            uint32_t modifiers, const struct expression **out)
{
    static const struct {
        uint32_t modifiers;
        struct status (*compile)(struct job *, const struct place *, const struct expression **);
    } ways[] = {
        {M(EXISTS), exists_value}, {M(FIELDREF), fieldref_value},
        {M_TIME, time_value},      {M_COMPARE, number_value},
        {M(CIDR), cidr_value},     {M(RE), value_regex},
        {M(BASE64), value_base64}, {M(BASE64OFFSET), value_base64offset},
        {0, value_plain},
    };
    struct place at = {.value = value, .field = field, .modifiers = modifiers};
    if (!yaml_is_scalar(value)) {
        return job_refuse(job, REFUSAL_TYPE, value->line,
                          "a value is a text, a number, true, false or null");
    }
    if (modifiers & M(EXPAND)) {
        return job_refuse(job, REFUSAL_PLACEHOLDER, value->line,
                          "nothing here can fill in placeholders such as '%.*s'",
                          SHORT_ARGS(value->text));
    }
    TRY(check_keyword(job, &at));
    if (value->kind == YAML_NULL) {
        return null_value(job, &at, out);
    }
    size_t way = 0;
    while (ways[way].modifiers && !(ways[way].modifiers & modifiers)) {
        way++;
    }
    return ways[way].compile(job, &at, out);
}
