#include "compile/correlation.h"

#include "compile/value.h"
#include "content/correlate/correlation.h"
#include "content/match/number.h"

/* A correlation on its way from YAML. */
struct reading {
    struct job *job;
    const struct sigma_links *links;
    const struct yaml_node *map; /* what stands under `correlation` */
    struct correlation *to;
    const struct link **rules; /* of each reference */
    uint64_t types;
    bool foreign;
};

static struct status wrong(struct reading *r, const struct yaml_node *node, const char *words)
{
    return job_refuse(r->job, REFUSAL_CORRELATION, node ? node->line : r->map->line, "%s", words);
}

/* ── type and timespan ── */

static struct status read_type(struct reading *r)
{
    const struct yaml_node *type = yaml_get(r->map, TEXT("type"));
    if (!type || type->kind != YAML_TEXT) {
        return wrong(r, type, "a correlation needs a 'type'");
    }
    r->to->type = correlation_type_by_name(type->text);
    if (r->to->type == CORRELATION_TYPE_COUNT) {
        return job_refuse(r->job, REFUSAL_CORRELATION, type->line,
                          "'%.*s' is no type of correlation", SHORT_ARGS(type->text));
    }
    return OK;
}

static struct status read_timespan(struct reading *r)
{
    static const struct {
        char unit;
        uint32_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {0, 0}};

    const struct yaml_node *span = yaml_get(r->map, TEXT("timespan"));
    struct text t = span && yaml_is_scalar(span) ? span->text : TEXT("");
    uint64_t number = 0;
    size_t unit = 0;
    while (units[unit].unit && (t.len == 0 || t.ptr[t.len - 1] != units[unit].unit)) {
        unit++;
    }
    if (!units[unit].unit || !text_to_u64(text_part(t, 0, t.len - 1), &number)) {
        return wrong(r, span,
                     "a correlation needs a 'timespan': a whole number and s, m, h or d: 15m");
    }
    if (number > CORRELATION_SPAN_MAX / units[unit].seconds) {
        return wrong(r, span, "a timespan over a year: no memory could hold that window");
    }
    r->to->span_s = (uint32_t)(number * units[unit].seconds);
    return OK;
}

/* ── rules ── */

static struct status read_rule(struct reading *r, const struct yaml_node *node, size_t at)
{
    const struct link *link;
    TRY(sigma_links_find(r->links, r->job, node->line, node->text, &link));
    if (!link) {
        return job_refuse(r->job, REFUSAL_REFERENCE, node->line,
                          "no rule has the id or name '%.*s'", SHORT_ARGS(node->text));
    }
    if (link->state != LINK_TAKEN) {
        return job_refuse(r->job, REFUSAL_REFERENCE, node->line,
                          "the rule '%.*s' that it refers to was refused itself",
                          SHORT_ARGS(node->text));
    }
    r->rules[at] = link;
    r->types |= link->types;
    r->foreign = r->foreign || link->foreign;
    return OK;
}

/* In a sequence a rule may come again, which means later; elsewhere it adds nothing. */
static bool is_repeated(const struct reading *r, size_t at)
{
    bool repeated = false;
    for (size_t i = 0; i < at && r->to->type != CORRELATION_TEMPORAL_ORDERED; i++) {
        repeated = repeated || r->rules[i] == r->rules[at];
    }
    return repeated;
}

static struct status read_rules(struct reading *r)
{
    const struct yaml_node *list = yaml_get(r->map, TEXT("rules"));
    size_t count = 0;
    if (!list || list->kind != YAML_LIST || list->count == 0) {
        return wrong(r, list, "a correlation needs 'rules': a list of ids or names of rules");
    }
    if (list->count > CORRELATION_REFERENCES_MAX) {
        return job_refuse(r->job, REFUSAL_CORRELATION, list->line,
                          "a correlation refers to at most %d rules", CORRELATION_REFERENCES_MAX);
    }
    r->rules = arena_alloc(r->job->arena, list->count, sizeof *r->rules);
    struct correlation_reference *references =
        arena_alloc(r->job->arena, list->count, sizeof *references);
    if (!r->rules || !references) {
        FAIL(MEMORY);
    }
    for (size_t i = 0; i < list->count; i++) {
        const struct yaml_node *node = list->items[i].value;
        if (!yaml_is_scalar(node)) {
            return wrong(r, node, "a rule is referred to by its id or its name");
        }
        TRY(read_rule(r, node, count));
        if (!is_repeated(r, count)) {
            references[count].id = r->rules[count]->id;
            count++;
        }
    }
    r->to->references = references;
    r->to->reference_count = count;
    return OK;
}

/* ── fields ── */

/* Scalars of a list, or one that stands for a list of one. */
static struct status names_of(struct reading *r, const struct yaml_node *node, const char *what,
                              const struct yaml_node **out, size_t *count)
{
    size_t items = node && node->kind == YAML_LIST ? node->count : 1;
    *count = 0;
    if (!node || node->kind == YAML_NULL) {
        return OK;
    }
    if (items > CORRELATION_FIELDS_MAX) {
        return job_refuse(r->job, REFUSAL_CORRELATION, node->line, "'%s' names over %d fields",
                          what, CORRELATION_FIELDS_MAX);
    }
    for (size_t i = 0; i < items; i++) {
        out[i] = node->kind == YAML_LIST ? node->items[i].value : node;
        if (out[i]->kind != YAML_TEXT || out[i]->text.len == 0) {
            return job_refuse(r->job, REFUSAL_CORRELATION, out[i]->line,
                              "'%s' has to name a field, or a list of fields", what);
        }
    }
    *count = items;
    return OK;
}

/* The field that an alias means for a rule; the name itself where none does. */
static struct status alias_of(struct reading *r, const struct link *rule,
                              const struct yaml_node *name, const struct yaml_node **out)
{
    const struct yaml_node *aliases = yaml_get(r->map, TEXT("aliases"));
    const struct yaml_node *alias = aliases ? yaml_get(aliases, name->text) : NULL;
    *out = name;
    for (size_t i = 0; alias && i < alias->count; i++) {
        const struct yaml_item *pair = &alias->items[i];
        const struct link *link;
        TRY(sigma_links_find(r->links, r->job, pair->key->line, pair->key->text, &link));
        if (link == rule) {
            *out = pair->value;
        }
    }
    return OK;
}

static struct status check_aliases(struct reading *r)
{
    const struct yaml_node *aliases = yaml_get(r->map, TEXT("aliases"));
    if (!aliases || aliases->kind == YAML_NULL) {
        return OK;
    }
    if (aliases->kind != YAML_MAP) {
        return wrong(r, aliases, "'aliases' is a map: a name, and under it a field for each rule");
    }
    for (size_t i = 0; i < aliases->count; i++) {
        const struct yaml_node *alias = aliases->items[i].value;
        if (alias->kind != YAML_MAP) {
            return wrong(r, alias, "an alias is a map: the field for each rule");
        }
        for (size_t j = 0; j < alias->count; j++) {
            const struct yaml_item *pair = &alias->items[j];
            const struct link *link;
            TRY(sigma_links_find(r->links, r->job, pair->key->line, pair->key->text, &link));
            if (!link) {
                return job_refuse(r->job, REFUSAL_REFERENCE, pair->key->line,
                                  "no rule has the id or name '%.*s'", SHORT_ARGS(pair->key->text));
            }
            if (pair->value->kind != YAML_TEXT) {
                return wrong(r, pair->value, "an alias names one field for each rule");
            }
        }
    }
    return OK;
}

/* A field that none of its events carries leaves a rule out; where all rules have to match, the
 * correlation would never fire. */
static struct status resolve(struct reading *r, const struct link *rule,
                             const struct yaml_node *name, enum field *out)
{
    const struct yaml_node *field;
    bool alone = correlation_has_steps(r->to->type);
    TRY(alias_of(r, rule, name, &field));
    r->job->types = alone ? rule->types : r->types;
    r->job->foreign = alone ? rule->foreign : r->foreign;
    struct status s = value_field(r->job, field->text, field->line, out);
    r->job->refusal.class = REFUSAL_CORRELATION;
    return s;
}

static struct status read_fields(struct reading *r, const struct yaml_node *counted)
{
    const struct yaml_node *names[2 * CORRELATION_FIELDS_MAX];
    struct correlation *to = r->to;
    TRY(check_aliases(r));
    TRY(names_of(r, yaml_get(r->map, TEXT("group-by")), "group-by", names, &to->group_fields));
    TRY(names_of(r, counted, "field", names + to->group_fields, &to->value_fields));
    size_t width = to->group_fields + to->value_fields;
    enum field *fields = arena_alloc(r->job->arena, width * to->reference_count, sizeof *fields);
    struct correlation_reference *references =
        arena_alloc(r->job->arena, to->reference_count, sizeof *references);
    if (!fields || !references) {
        FAIL(MEMORY);
    }
    for (size_t i = 0; i < to->reference_count; i++) {
        references[i] = (struct correlation_reference){.id = to->references[i].id,
                                                       .fields = fields + i * width};
        for (size_t j = 0; j < width; j++) {
            TRY(resolve(r, r->rules[i], names[j], &fields[i * width + j]));
        }
    }
    to->references = references;
    return OK;
}

/* ── condition ── */

static struct status read_number(struct reading *r, const struct yaml_node *node,
                                 struct correlation_condition *out)
{
    struct text t =
        text_starts(node->text, TEXT("+")) ? text_part(node->text, 1, node->text.len) : node->text;
    size_t point = text_find_byte(t, '.');
    __int128 wide = (__int128)node->number * CORRELATION_SCALE;
    if (node->kind != YAML_NUMBER) {
        return wrong(r, node, "a condition compares to a number, without quotes");
    }
    if (!node->whole && (!number_parse_wide(t, &wide) || text_part(t, point, t.len).len > 7)) {
        return wrong(r, node, "a number has digits on both sides of its point, six behind it");
    }
    int64_t whole = (int64_t)(wide / CORRELATION_SCALE);
    int64_t millionths = (int64_t)(wide % CORRELATION_SCALE);
    out->whole = millionths < 0 ? whole - 1 : whole;
    out->millionths = (uint32_t)(millionths < 0 ? millionths + CORRELATION_SCALE : millionths);
    return OK;
}

static struct status read_operators(struct reading *r, const struct yaml_node *map,
                                    struct correlation_condition *conditions)
{
    size_t count = 0;
    for (size_t i = 0; i < map->count; i++) {
        if (correlation_operator_by_name(map->items[i].key->text) == CORRELATION_OPERATOR_COUNT &&
            !text_same(map->items[i].key->text, TEXT("field"))) {
            return job_refuse(r->job, REFUSAL_CORRELATION, map->items[i].key->line,
                              "'%.*s' is no operator of a correlation: eq, neq, lt, lte, gt, gte",
                              SHORT_ARGS(map->items[i].key->text));
        }
    }
    for (unsigned i = 0; i < CORRELATION_OPERATOR_COUNT; i++) {
        enum correlation_operator operator=(enum correlation_operator) i;
        const struct yaml_node *node = yaml_get(map, text_of(correlation_operator_name(operator)));
        if (node) {
            conditions[count].operator= operator;
            TRY(read_number(r, node, &conditions[count++]));
        }
    }
    r->to->conditions = conditions;
    r->to->condition_count = count;
    return count ? OK : wrong(r, map, "the condition compares to nothing");
}

/* All rules in their order is what the type means, and all that a condition can say of it here. */
static struct status check_order(struct reading *r, const struct yaml_node *condition)
{
    struct correlation *to = r->to;
    for (size_t matched = 0; matched <= to->reference_count; matched++) {
        bool holds = true;
        for (size_t i = 0; i < to->condition_count; i++) {
            holds = holds &&
                    correlation_holds(&to->conditions[i], (__int128)matched * CORRELATION_SCALE, 1);
        }
        if (holds != (matched == to->reference_count)) {
            return wrong(r, condition,
                         "temporal_ordered wants all its rules: a condition that means another "
                         "number is not defined");
        }
    }
    to->condition_count = 0;
    return OK;
}

/* Without a condition, temporal wants all of its rules. */
static struct status no_condition(struct reading *r, struct correlation_condition *conditions)
{
    if (!correlation_has_steps(r->to->type)) {
        return wrong(r, NULL, "a correlation needs a 'condition' such as gte: 10");
    }
    conditions[0] = (struct correlation_condition){.operator= CORRELATION_GTE,
                                                   .whole = (int64_t)r->to->reference_count};
    r->to->conditions = conditions;
    r->to->condition_count = r->to->type == CORRELATION_TEMPORAL;
    return OK;
}

static struct status read_condition(struct reading *r)
{
    const struct yaml_node *condition = yaml_get(r->map, TEXT("condition"));
    struct correlation_condition *conditions =
        arena_alloc(r->job->arena, CORRELATION_OPERATOR_COUNT, sizeof *conditions);
    if (!conditions) {
        FAIL(MEMORY);
    }
    if (!condition || condition->kind == YAML_NULL) {
        return no_condition(r, conditions);
    }
    if (condition->kind != YAML_MAP) {
        return wrong(r, condition, "a correlation's condition is a map such as gte: 10");
    }
    TRY(read_operators(r, condition, conditions));
    return r->to->type == CORRELATION_TEMPORAL_ORDERED ? check_order(r, condition) : OK;
}

static struct status check_counted(struct reading *r, const struct yaml_node *counted)
{
    enum correlation_type type = r->to->type;
    if (!correlation_has_values(type) && counted) {
        return job_refuse(r->job, REFUSAL_CORRELATION, counted->line,
                          "%s looks at no field's value", correlation_type_name(type));
    }
    if (correlation_has_values(type) && r->to->value_fields == 0) {
        return job_refuse(r->job, REFUSAL_CORRELATION, r->map->line,
                          "%s needs a 'field' in its condition", correlation_type_name(type));
    }
    if (correlation_has_numbers(type) && r->to->value_fields > 1) {
        return job_refuse(r->job, REFUSAL_CORRELATION, counted->line, "%s takes one field",
                          correlation_type_name(type));
    }
    return OK;
}

/* ── all of it ── */

static struct status read_generate(struct reading *r, const struct yaml_node *map)
{
    const struct yaml_node *generate = yaml_get(map, TEXT("generate"));
    if (generate && generate->kind != YAML_BOOL) {
        return wrong(r, generate, "'generate' is true or false");
    }
    r->to->generate = r->to->generate || (generate && generate->truth);
    return OK;
}

struct status correlation_compile(struct job *job, const struct document *d,
                                  const struct yaml_node *document, struct sigma_outcome *out)
{
    struct correlation *to = arena_alloc(job->arena, 1, sizeof *to);
    struct reading r = {.job = job, .links = d->links, .to = to};
    r.map = yaml_get(document, TEXT("correlation"));
    if (!to) {
        FAIL(MEMORY);
    }
    if (r.map->kind != YAML_MAP) {
        return wrong(&r, r.map, "'correlation' has to be a map: type, rules, timespan …");
    }
    if (d->too_many) {
        return job_refuse(job, REFUSAL_CORRELATION, r.map->line,
                          "there are more than %u correlations before it", LINKS_WAITING_MAX);
    }
    if (d->circle) {
        return job_refuse(job, REFUSAL_REFERENCE, r.map->line,
                          "it refers to itself, through the rules that it names");
    }
    TRY(read_type(&r));
    TRY(read_timespan(&r));
    TRY(read_rules(&r));
    TRY(read_condition(&r));
    const struct yaml_node *condition = yaml_get(r.map, TEXT("condition"));
    const struct yaml_node *counted =
        condition && condition->kind == YAML_MAP ? yaml_get(condition, TEXT("field")) : NULL;
    TRY(read_fields(&r, counted));
    TRY(check_counted(&r, counted));
    TRY(read_generate(&r, r.map));
    TRY(read_generate(&r, document));
    out->rule.correlation = to;
    out->types = r.types;
    out->foreign = r.foreign;
    return OK;
}
