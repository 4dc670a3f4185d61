#include "content/correlate/correlation.h"

#include "content/pack/load.h"

enum { FIELD_SIZE = 1, CONDITION_SIZE = 16, REFERENCE_SIZE = 8, CORRELATION_SIZE = 24 };

static const char *item(const struct pack *pack, enum pack_section section, size_t index,
                        size_t size)
{
    ENSURE(index < pack_count(pack, section));
    return pack->sections[section].at + index * size;
}

struct pack_correlation pack_correlation(const struct pack *pack, size_t index)
{
    const char *at = item(pack, PACK_CORRELATIONS, index, CORRELATION_SIZE);
    return (struct pack_correlation){.rule = load_u32(at),
                                     .span_s = load_u32(at + 4),
                                     .first_reference = load_u32(at + 8),
                                     .first_condition = load_u32(at + 12),
                                     .type = (enum correlation_type)(unsigned char)at[16],
                                     .group_fields = (unsigned char)at[17],
                                     .value_fields = (unsigned char)at[18],
                                     .conditions = (unsigned char)at[19],
                                     .references = (unsigned char)at[20]};
}

struct pack_reference pack_reference(const struct pack *pack, size_t index)
{
    const char *at = item(pack, PACK_CORRELATION_REFERENCES, index, REFERENCE_SIZE);
    return (struct pack_reference){.rule = load_u32(at), .first_field = load_u32(at + 4)};
}

struct correlation_condition pack_condition(const struct pack *pack, size_t index)
{
    const char *at = item(pack, PACK_CORRELATION_CONDITIONS, index, CONDITION_SIZE);
    return (struct correlation_condition){.operator=(enum correlation_operator)(unsigned char)
                                              at[0],
                                          .millionths = load_u32(at + 4),
                                          .whole = (int64_t)load_u64(at + 8)};
}

enum field pack_correlation_field(const struct pack *pack, size_t index)
{
    return (enum field)(unsigned char)*item(pack, PACK_CORRELATION_FIELDS, index, FIELD_SIZE);
}

/* Their order is another one than that of the rules. For people, and at load. */
uint32_t pack_correlation_of(const struct pack *pack, size_t rule)
{
    for (size_t i = 0; i < pack_count(pack, PACK_CORRELATIONS); i++) {
        if (pack_correlation(pack, i).rule == rule) {
            return (uint32_t)i;
        }
    }
    return CORRELATION_NONE;
}

/* ── words ── */

static const char *const types[CORRELATION_TYPE_COUNT] = {
#define TYPE_NAME(ID, name) [CORRELATION_##ID] = (name),
    CORRELATION_TYPES(TYPE_NAME)
#undef TYPE_NAME
};

static const char *const operators[CORRELATION_OPERATOR_COUNT] = {
#define OPERATOR_NAME(ID, name) [CORRELATION_##ID] = (name),
    CORRELATION_OPERATORS(OPERATOR_NAME)
#undef OPERATOR_NAME
};

static unsigned place(const char *const *names, unsigned count, struct text name)
{
    unsigned i = 0;
    while (i < count && !text_same(name, text_of(names[i]))) {
        i++;
    }
    return i;
}

const char *correlation_type_name(enum correlation_type type)
{
    ENSURE((unsigned)type < CORRELATION_TYPE_COUNT);
    return types[type];
}

enum correlation_type correlation_type_by_name(struct text name)
{
    return (enum correlation_type)place(types, CORRELATION_TYPE_COUNT, name);
}

const char *correlation_operator_name(enum correlation_operator operator)
{
    ENSURE((unsigned)operator<CORRELATION_OPERATOR_COUNT);
    return operators[operator];
}

enum correlation_operator correlation_operator_by_name(struct text name)
{
    return (enum correlation_operator)place(operators, CORRELATION_OPERATOR_COUNT, name);
}

/* ── what a type needs ── */

bool correlation_has_numbers(enum correlation_type type)
{
    return type == CORRELATION_VALUE_SUM || type == CORRELATION_VALUE_AVG ||
           type == CORRELATION_VALUE_MEDIAN;
}

bool correlation_has_members(enum correlation_type type)
{
    return type == CORRELATION_VALUE_COUNT || type == CORRELATION_VALUE_PERCENTILE;
}

bool correlation_has_values(enum correlation_type type)
{
    return correlation_has_numbers(type) || correlation_has_members(type);
}

bool correlation_has_steps(enum correlation_type type)
{
    return type == CORRELATION_TEMPORAL || type == CORRELATION_TEMPORAL_ORDERED;
}

/* Below 2^104: a sum of a million 64-bit numbers in millionths; the operand times a million too. */
bool correlation_holds(const struct correlation_condition *condition, __int128 measured,
                       uint32_t divisor)
{
    __int128 operand =
        ((__int128)condition->whole * CORRELATION_SCALE + condition->millionths) * divisor;
    switch (condition->operator) {
    case CORRELATION_EQ:
        return measured == operand;
    case CORRELATION_NEQ:
        return measured != operand;
    case CORRELATION_LT:
        return measured < operand;
    case CORRELATION_LTE:
        return measured <= operand;
    case CORRELATION_GT:
        return measured > operand;
    case CORRELATION_GTE:
        return measured >= operand;
    case CORRELATION_OPERATOR_COUNT:
        break;
    }
    return false;
}

/* ── memory ── */

/* Tables of buckets have at least as many as there are items, rounded up to a power of two. */
size_t window_entry_bytes(const struct pack_correlation *c)
{
    size_t buckets = 2 * sizeof(uint32_t);
    size_t bytes = sizeof(struct window_entry) + sizeof(struct window_group) + buckets;
    if (correlation_has_members(c->type)) {
        bytes += sizeof(struct window_member) + buckets;
    }
    if (c->type == CORRELATION_VALUE_MEDIAN) {
        bytes += sizeof(struct rank_node) + sizeof(uint32_t);
    }
    if (correlation_has_steps(c->type)) {
        bytes += c->references * (sizeof(uint64_t) + sizeof(uint32_t));
    }
    return bytes;
}

/* Above the largest operand, all counts are the same to a condition. */
static uint64_t above_conditions(const struct pack *pack, const struct pack_correlation *c)
{
    uint64_t need = 1;
    for (uint32_t i = 0; i < c->conditions; i++) {
        int64_t whole = pack_condition(pack, c->first_condition + i).whole;
        if (whole >= 0 && (uint64_t)whole + 1 > need) {
            need = (uint64_t)whole + 1;
        }
    }
    return need;
}

/* As many events (for value_count: different values) as the condition names have to fit. What
 * cannot be reserved anyway must not overflow. */
static uint64_t window_need(const struct pack *pack, const struct pack_correlation *c)
{
    uint64_t events = WINDOW_LEAST;
    if (c->type == CORRELATION_EVENT_COUNT || c->type == CORRELATION_VALUE_COUNT) {
        uint64_t least = above_conditions(pack, c);
        events = least > events ? least : events;
    }
    events = events > WINDOW_MOST ? WINDOW_MOST : events;
    return (events + 1) * window_entry_bytes(c); /* number 0 is none */
}

uint64_t windows_need(const struct pack *pack)
{
    uint64_t need = 0;
    for (size_t i = 0; i < pack_count(pack, PACK_CORRELATIONS); i++) {
        struct pack_correlation c = pack_correlation(pack, i);
        need += window_need(pack, &c);
    }
    return need;
}

struct window_plan window_plan_of(const struct pack *pack, size_t index, uint64_t memory,
                                  uint64_t need)
{
    struct pack_correlation c = pack_correlation(pack, index);
    uint64_t share = (memory - need) / pack_count(pack, PACK_CORRELATIONS);
    uint64_t room = (window_need(pack, &c) + share) / window_entry_bytes(&c) - 1;
    struct window_plan plan = {
        .span_ns = (uint64_t)c.span_s * CORRELATION_NS,
        .room = (uint32_t)(room < WINDOW_MOST ? room : WINDOW_MOST),
        .steps = correlation_has_steps(c.type) ? c.references : 0,
        .members = correlation_has_members(c.type),
        .ranked = c.type == CORRELATION_VALUE_MEDIAN,
    };
    plan.keep = plan.room / WINDOW_GROUP_PART;
    if (c.type == CORRELATION_EVENT_COUNT) {
        plan.keep = plan.spare = (uint32_t)above_conditions(pack, &c);
    } else if (correlation_has_steps(c.type)) {
        plan.keep = plan.spare = 1; /* the last time of each rule is kept beside the events */
    } else if (c.type == CORRELATION_VALUE_COUNT) {
        plan.spare = 1; /* another event with this value is as good */
    }
    return plan;
}

/* ── cost ── */

uint64_t correlation_cost(const struct pack *pack, size_t index, uint64_t memory, uint64_t need)
{
    struct pack_correlation c = pack_correlation(pack, index);
    struct window_plan plan = window_plan_of(pack, index, memory, need);
    uint64_t fields = c.references * (c.group_fields + c.value_fields + 1U);
    uint64_t step = WINDOW_STEP + plan.steps + (plan.ranked ? WINDOW_RANK : 0);
    return fields * WINDOW_HASH + (uint64_t)c.references * WINDOW_ADD +
           WINDOW_WALKS * step * ((uint64_t)plan.room + c.references);
}
