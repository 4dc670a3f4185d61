/*
 * action: our own key of a Sigma rule: `bulkhead: {action: kill}`.
 */
#pragma once

#include "compile/job.h"
#include "content/rule.h"

/* The action that a rule asks for: alert where it does not say. Refused: another key, another word.
 */
struct status action_compile(struct job *job, const struct yaml_node *document, struct rule *rule);
