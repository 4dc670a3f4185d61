#include "compile/detection.h"

#include "compile/condition.h"
#include "compile/value.h"

/* `field|modifiers: value`, the value a scalar or a list of them. */
static struct status item(struct job *job, const struct yaml_item *pair,
                          const struct expression **out)
{
    struct modified key;
    enum field field = FIELD_COUNT;
    const struct yaml_node *value = pair->value;
    struct expression_list list = {0};
    size_t count = value->kind == YAML_LIST ? value->count : 1;
    TRY(modifier_read(job, pair->key, &key));
    if (key.field.len) {
        TRY(value_field(job, key.field, pair->key->line, &field));
    } else if (key.modifiers == 0) {
        return job_refuse(job, REFUSAL_DETECTION, pair->key->line, "a field needs a name");
    }
    if (count == 0) {
        return job_refuse(job, REFUSAL_VALUE, value->line, "an empty list matches nothing");
    }
    if (key.modifiers & M(ALL) && count == 1) {
        return job_refuse(job, REFUSAL_MODIFIER, pair->key->line,
                          "'all' needs a list of two values or more");
    }
    for (size_t i = 0; i < count; i++) {
        const struct yaml_node *one = value->kind == YAML_LIST ? value->items[i].value : value;
        const struct expression *e;
        if (one->kind == YAML_NULL && value->kind == YAML_LIST) {
            return job_refuse(job, REFUSAL_VALUE, one->line,
                              "null may not stand in a list: make it a selection of its own");
        }
        TRY(value_compile(job, one, field, key.modifiers, &e));
        TRY(expression_add(job, &list, e));
    }
    enum expression_kind kind = key.modifiers & M(ALL) ? EXPRESSION_ALL : EXPRESSION_ANY;
    TRY(expression_join(job, kind, value->line, &list, out));
    return key.modifiers & M(NEQ) ? expression_not(job, *out, out) : OK;
}

static struct status map(struct job *job, const struct yaml_node *node,
                         const struct expression **out)
{
    struct expression_list list = {0};
    if (node->count == 0) {
        return job_refuse(job, REFUSAL_DETECTION, node->line, "an empty map selects nothing");
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct expression *e;
        TRY(item(job, &node->items[i], &e));
        TRY(expression_add(job, &list, e));
    }
    return expression_join(job, EXPRESSION_ALL, node->line, &list, out);
}

/* A list holds maps and keywords, any of which is enough. */
static struct status list_entry(struct job *job, const struct yaml_node *node,
                                const struct expression **out)
{
    if (node->kind == YAML_MAP) {
        return map(job, node, out);
    }
    if (node->kind == YAML_NULL) {
        return job_refuse(job, REFUSAL_VALUE, node->line, "null is no keyword");
    }
    return value_compile(job, node, FIELD_COUNT, 0, out);
}

static struct status selection(struct job *job, const struct yaml_item *pair,
                               const struct expression **out)
{
    const struct yaml_node *node = pair->value;
    struct expression_list list = {0};
    if (node->kind == YAML_MAP) {
        return map(job, node, out);
    }
    if (node->kind != YAML_LIST || node->count == 0) {
        return job_refuse(job, REFUSAL_DETECTION, pair->key->line,
                          "the selection '%.*s' has to be a map of fields or a list of maps or "
                          "keywords",
                          SHORT_ARGS(pair->key->text));
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct expression *e;
        TRY(list_entry(job, node->items[i].value, &e));
        TRY(expression_add(job, &list, e));
    }
    return expression_join(job, EXPRESSION_ANY, node->line, &list, out);
}

struct status detection_compile(struct job *job, const struct yaml_node *detection,
                                const struct expression **out)
{
    const struct yaml_node *condition = yaml_get(detection, TEXT("condition"));
    struct selections all = {0};
    if (!condition) {
        return job_refuse(job, REFUSAL_CONDITION, detection->line,
                          "'detection' has no 'condition'");
    }
    all.items = arena_alloc(job->arena, detection->count, sizeof *all.items);
    if (!all.items) {
        FAIL(MEMORY);
    }
    /* Also what the condition does not use: a mistake there is a mistake. */
    for (size_t i = 0; i < detection->count; i++) {
        if (detection->items[i].value != condition) {
            struct selection *s = &all.items[all.count++];
            s->name = detection->items[i].key->text;
            TRY(selection(job, &detection->items[i], &s->expression));
        }
    }
    return condition_compile(job, condition, &all, out);
}
