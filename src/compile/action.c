#include "compile/action.h"

#include "content/pack/pack.h"

/* A key that is not known may be an action of a later version: to leave it out would be to let
 * happen what somebody wanted to be stopped. */
static struct status check_keys(struct job *job, const struct yaml_node *ours)
{
    for (size_t i = 0; i < ours->count; i++) {
        struct text key = ours->items[i].key->text;
        if (!text_same(key, TEXT("action"))) {
            return job_refuse(job, REFUSAL_METADATA, ours->items[i].value->line,
                              "'bulkhead' has no key '%.*s'; it has 'action'", SHORT_ARGS(key));
        }
    }
    return OK;
}

struct status action_compile(struct job *job, const struct yaml_node *document, struct rule *rule)
{
    const struct yaml_node *ours = yaml_get(document, TEXT("bulkhead"));
    if (!ours) {
        return OK;
    }
    if (ours->kind != YAML_MAP) {
        return job_refuse(job, REFUSAL_METADATA, ours->line,
                          "'bulkhead' has to be a map: {action: block}");
    }
    TRY(check_keys(job, ours));
    const struct yaml_node *word = yaml_get(ours, TEXT("action"));
    enum action action =
        word && word->kind == YAML_TEXT ? action_by_name(word->text) : ACTION_COUNT;
    if (action == ACTION_COUNT) {
        return job_refuse(job, REFUSAL_METADATA, word ? word->line : ours->line,
                          "an action is alert, block, kill, quarantine or isolate");
    }
    rule->action = action;
    return OK;
}
