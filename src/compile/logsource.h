/*
 * logsource: Sigma's category, product and service -> the events a rule is asked for.
 */
#pragma once

#include "compile/job.h"
#include "content/rule.h"

/* Sets types, product, service and category of the rule, and types and foreign of the job. */
struct status logsource_compile(struct job *job, bool any_product, const struct yaml_node *document,
                                struct rule *rule);
