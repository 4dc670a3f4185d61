/*
 * types: event types as the command line names them.
 */
#pragma once

#include "ctl/ctl.h"

/* Adds the types of a comma separated list to the set. CTL_OK, or the exit code after a complaint
 * of `command` that offers the nearest name; `out` may then hold some of them. */
int types_add(const char *command, struct text list, uint64_t *out);
