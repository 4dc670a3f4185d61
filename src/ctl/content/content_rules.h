/*
 * content_rules: the rule files and lists that a command line names, in an order that does not
 * depend on the file system: same rules, same pack.
 */
#pragma once

#include "base/status.h"
#include "base/text.h"

/* Calls `on_file` for each: a folder is searched for *.yml, *.yaml, *.yar, *.yara and lists, files
 * are taken whatever their name. `wrong` is NULL, or why that path cannot be read. `paths` ends
 * with NULL. */
struct status content_rules_each(char *const *paths, void *context,
                                 struct status (*on_file)(void *context, const char *path,
                                                          const char *wrong));

/* Is it a list of indicators, and no rule file? In folders these are *.ioc.txt, *.ioc.csv,
 * *.ioc.json and *.stix.json; where somebody `named` the file also *.txt, *.csv, *.json, *.stix. */
bool content_is_list(struct text path, bool named);
