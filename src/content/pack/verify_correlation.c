#include "content/pack/verify.h"

#include "base/heap.h"
#include "base/own.h"
#include "content/correlate/correlation.h"
#include "content/pack/load.h"

/* What is known of the correlations so far. */
struct progress {
    uint32_t *depths; /* of each rule: 0 is none that was proven, or no correlation */
    uint64_t *types;  /* of each rule: events at which it can match, chains included */
    uint32_t fields, references, conditions; /* used by those before */
    uint32_t depth;                          /* of the one before */
};

static const char *check_fields(const struct check *c)
{
    for (size_t i = 0; i < pack_count(&c->pack, PACK_CORRELATION_FIELDS); i++) {
        if ((unsigned)pack_correlation_field(&c->pack, i) >= FIELD_COUNT) {
            return "a field is not in the schema";
        }
    }
    return NULL;
}

static const char *check_shape(const struct pack_correlation *k, const char *at)
{
    if ((unsigned)k->type >= CORRELATION_TYPE_COUNT) {
        return "there is no such type";
    }
    if (k->span_s > CORRELATION_SPAN_MAX) {
        return "its timespan is over a year";
    }
    if (k->references == 0 || k->references > CORRELATION_REFERENCES_MAX ||
        k->group_fields > CORRELATION_FIELDS_MAX || k->value_fields > CORRELATION_FIELDS_MAX) {
        return "it has too many rules or fields, or no rule";
    }
    if (correlation_has_values(k->type) != (k->value_fields > 0) ||
        (correlation_has_numbers(k->type) && k->value_fields > 1)) {
        return "it counts fields that its type does not, or does not say which";
    }
    if ((k->conditions == 0) != (k->type == CORRELATION_TEMPORAL_ORDERED)) {
        return "it needs a condition, or may not have one";
    }
    return at[21] == 0 && at[22] == 0 && at[23] == 0 ? NULL : "a byte that must be zero is not";
}

/* Each operator once, in their order. */
static const char *check_conditions(const struct check *c, const struct pack_correlation *k)
{
    unsigned least = 0;
    for (uint32_t i = 0; i < k->conditions; i++) {
        const char *at = c->pack.sections[PACK_CORRELATION_CONDITIONS].at +
                         (size_t)(k->first_condition + i) * 16;
        unsigned operator=(unsigned char) at[0];
        if (operator>= CORRELATION_OPERATOR_COUNT || operator<least ||
            load_u32(at + 4) >= CORRELATION_SCALE) {
            return "its condition has an operator that is not there or twice, or a wrong number";
        }
        if (at[1] != 0 || at[2] != 0 || at[3] != 0) {
            return "a byte of its condition that must be zero is not";
        }
        least = operator+ 1;
    }
    return NULL;
}

static bool lists_equal(const struct check *c, uint32_t a, uint32_t b, uint32_t width)
{
    for (uint32_t i = 0; i < width; i++) {
        if (pack_correlation_field(&c->pack, a + i) != pack_correlation_field(&c->pack, b + i)) {
            return false;
        }
    }
    return true;
}

/* A list of fields is that of an earlier reference, or follows those before and differs. */
static const char *check_list(const struct check *c, const struct pack_correlation *k,
                              uint32_t reference, struct progress *p)
{
    uint32_t width = k->group_fields + k->value_fields;
    uint32_t own = pack_reference(&c->pack, k->first_reference + reference).first_field;
    bool fresh = true;
    for (uint32_t i = 0; i < reference; i++) {
        uint32_t other = pack_reference(&c->pack, k->first_reference + i).first_field;
        if (other == own) {
            fresh = false;
        }
    }
    if (!fresh) {
        return NULL;
    }
    if (own != p->fields || width > pack_count(&c->pack, PACK_CORRELATION_FIELDS) - own) {
        return "its fields are not where they should be";
    }
    for (uint32_t i = 0; i < reference; i++) {
        uint32_t other = pack_reference(&c->pack, k->first_reference + i).first_field;
        if (lists_equal(c, other, own, width)) {
            return "it has the same fields twice";
        }
    }
    p->fields += width;
    return NULL;
}

/* Only temporal_ordered may name a rule twice: again means later. */
static const char *check_reference(const struct check *c, const struct pack_correlation *k,
                                   uint32_t reference, const struct progress *p)
{
    uint32_t rule = pack_reference(&c->pack, k->first_reference + reference).rule;
    if (rule >= pack_count(&c->pack, PACK_RULES)) {
        return "a rule that it refers to is not there";
    }
    if (p->types[rule] == 0) {
        return "it refers to a correlation that is not before it";
    }
    for (uint32_t i = 0; i < reference && k->type != CORRELATION_TEMPORAL_ORDERED; i++) {
        if (pack_reference(&c->pack, k->first_reference + i).rule == rule) {
            return "it refers to a rule twice";
        }
    }
    return NULL;
}

static const char *check_references(const struct check *c, const struct pack_correlation *k,
                                    struct progress *p, uint32_t *depth, uint64_t *types)
{
    *depth = 1;
    *types = 0;
    for (uint32_t i = 0; i < k->references; i++) {
        const char *wrong = check_reference(c, k, i, p);
        wrong = wrong ? wrong : check_list(c, k, i, p);
        if (wrong) {
            return wrong;
        }
        uint32_t rule = pack_reference(&c->pack, k->first_reference + i).rule;
        *depth = p->depths[rule] >= *depth ? p->depths[rule] + 1 : *depth;
        *types |= p->types[rule];
    }
    return NULL;
}

/* By depth, then by id: each correlation once, and after those that it refers to. */
static const char *check_place(const struct check *c, size_t index, struct progress *p)
{
    struct pack_correlation k = pack_correlation(&c->pack, index);
    uint32_t depth;
    uint64_t types;
    if (k.rule >= pack_count(&c->pack, PACK_RULES) || pack_program(&c->pack, k.rule).types != 0 ||
        p->types[k.rule] != 0) {
        return "its rule is not there, or is none of a correlation, or that of two";
    }
    if (k.first_reference != p->references || k.first_condition != p->conditions ||
        k.references > pack_count(&c->pack, PACK_CORRELATION_REFERENCES) - p->references ||
        k.conditions > pack_count(&c->pack, PACK_CORRELATION_CONDITIONS) - p->conditions) {
        return "its rules or conditions are not where they should be";
    }
    const char *wrong = check_references(c, &k, p, &depth, &types);
    wrong = wrong ? wrong : check_conditions(c, &k);
    if (wrong) {
        return wrong;
    }
    bool later = index == 0 || depth > p->depth ||
                 (depth == p->depth && k.rule > pack_correlation(&c->pack, index - 1).rule);
    if (!later) {
        return "the correlations are not in order";
    }
    p->references += k.references;
    p->conditions += k.conditions;
    p->depth = depth;
    p->depths[k.rule] = depth;
    p->types[k.rule] = types;
    return NULL;
}

static struct status check_all(struct check *c, struct progress *p)
{
    size_t count = pack_count(&c->pack, PACK_CORRELATIONS);
    size_t without_program = 0;
    for (size_t i = 0; i < pack_count(&c->pack, PACK_RULES); i++) {
        p->types[i] = pack_program(&c->pack, i).types;
        without_program += p->types[i] == 0;
    }
    const char *wrong = check_fields(c);
    if (wrong || without_program != count) {
        return check_refuse(c, PACK_CORRELATIONS, PACK_WHOLE,
                            wrong ? wrong : "there are not as many as rules without events");
    }
    for (size_t i = 0; i < count; i++) {
        struct pack_correlation k = pack_correlation(&c->pack, i);
        wrong = check_shape(&k, c->pack.sections[PACK_CORRELATIONS].at + i * 24);
        wrong = wrong ? wrong : check_place(c, i, p);
        if (wrong) {
            return check_refuse(c, PACK_CORRELATIONS, i, wrong);
        }
    }
    if (p->fields != pack_count(&c->pack, PACK_CORRELATION_FIELDS) ||
        p->references != pack_count(&c->pack, PACK_CORRELATION_REFERENCES) ||
        p->conditions != pack_count(&c->pack, PACK_CORRELATION_CONDITIONS)) {
        return check_refuse(c, PACK_CORRELATIONS, PACK_WHOLE, "parts that belong to none of them");
    }
    return OK;
}

struct status check_correlations(struct check *c)
{
    size_t rules = pack_count(&c->pack, PACK_RULES);
    OWN(heap_drop) uint32_t *depths = heap_alloc(rules + 1, sizeof *depths);
    OWN(heap_drop) uint64_t *types = heap_alloc(rules + 1, sizeof *types);
    struct progress p = {.depths = depths, .types = types};
    if (!depths || !types) {
        return check_no_memory(c, PACK_CORRELATIONS);
    }
    TRY(check_all(c, &p));
    uint64_t need = windows_need(&c->pack);
    if (need > c->limits.windows) {
        return check_exceeds(c, PACK_CORRELATIONS, PACK_WHOLE,
                             "their windows need more memory than there is");
    }
    for (unsigned type = 0; type < EVENT_COUNT && pack_count(&c->pack, PACK_CORRELATIONS); type++) {
        c->pack.windows_cost[type] = CORRELATION_EVENT_COST;
    }
    for (size_t i = 0; i < pack_count(&c->pack, PACK_CORRELATIONS); i++) {
        uint64_t cost = correlation_cost(&c->pack, i, c->limits.windows, need);
        for (unsigned type = 0; type < EVENT_COUNT; type++) {
            bool asked = types[pack_correlation(&c->pack, i).rule] >> type & 1;
            c->pack.windows_cost[type] += asked ? cost : 0;
        }
    }
    for (unsigned type = 0; type < EVENT_COUNT; type++) {
        uint64_t *cost = &c->pack.windows_cost[type];
        *cost = *cost < c->limits.correlations ? *cost : c->limits.correlations;
    }
    return OK;
}
