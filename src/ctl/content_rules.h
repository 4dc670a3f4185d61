/*
 * content_rules: the rule files that a command line names, in an order that does not depend on the
 * file system: same rules, same pack.
 */
#pragma once

#include "base/status.h"

/* Calls `on_file` for each: a folder is searched for *.yml and *.yaml (Sigma), *.yar and *.yara
 * (YARA), files are taken whatever their name. `wrong` is NULL, or why that path cannot be read.
 * `paths` ends with NULL. */
struct status content_rules_each(char *const *paths, void *context,
                                 struct status (*on_file)(void *context, const char *path,
                                                          const char *wrong));
