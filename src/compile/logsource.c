#include "compile/logsource.h"

/* A rule without category is asked for every event of its product, but not for what Bulkhead says
 * itself: an alert about an alert would never end. */
static const uint64_t all_types =
    ((1ULL << (EVENT_COUNT - 1) << 1) - 1) & ~(1ULL << EVENT_ALERT | 1ULL << EVENT_HEALTH);

static struct status member(struct job *job, const struct yaml_node *source, const char *key,
                            struct text *out)
{
    const struct yaml_node *node = yaml_get(source, text_of(key));
    if (node && node->kind != YAML_TEXT && node->kind != YAML_NULL) {
        return job_refuse(job, REFUSAL_LOGSOURCE, node->line, "'%s' has to be a word", key);
    }
    *out = node ? node->text : TEXT("");
    if (out->len > LOG_SOURCE_MAX) {
        return job_refuse(job, REFUSAL_LOGSOURCE, node->line, "'%s' has more than %d bytes", key,
                          LOG_SOURCE_MAX);
    }
    return OK;
}

/* Sigma's categories first; then, as our extension, the names of our event types. */
static uint64_t types_of(struct text category)
{
    enum sigma_category sigma = sigma_category_by_name(category);
    enum event_type type = event_type_by_name(category);
    if (sigma != SIGMA_CATEGORY_COUNT) {
        return event_types_of(sigma);
    }
    return type == EVENT_COUNT ? 0 : 1ULL << type & all_types;
}

struct status logsource_compile(struct job *job, bool any_product, const struct yaml_node *document,
                                struct rule *rule)
{
    const struct yaml_node *source = yaml_get(document, TEXT("logsource"));
    struct text category;
    if (!source || source->kind != YAML_MAP) {
        return job_refuse(job, REFUSAL_LOGSOURCE, source ? source->line : document->line,
                          "the rule needs a 'logsource': a map of category, product, service");
    }
    TRY(member(job, source, "category", &category));
    TRY(member(job, source, "product", &rule->product));
    TRY(member(job, source, "service", &rule->service));
    if (category.len + rule->product.len + rule->service.len == 0) {
        return job_refuse(job, REFUSAL_LOGSOURCE, source->line,
                          "'logsource' names neither category nor product nor service");
    }
    job->foreign = rule->product.len && !text_same(rule->product, TEXT("linux"));
    if (job->foreign && !any_product) {
        return job_refuse(
            job, REFUSAL_LOGSOURCE, source->line,
            "the product '%.*s' is not linux: --any-product compiles it for recordings",
            SHORT_ARGS(rule->product));
    }
    rule->types = category.len ? types_of(category) : all_types;
    if (rule->types == 0 && !any_product) {
        return job_refuse(job, REFUSAL_LOGSOURCE, source->line,
                          "no endpoint event carries the category '%.*s'", SHORT_ARGS(category));
    }
    if (rule->types == 0) {
        /* Recordings name categories that are none of ours, and keep them as a field. */
        rule->types = 1ULL << EVENT_RECORDED;
    }
    rule->category = category;
    job->types = rule->types;
    return OK;
}
