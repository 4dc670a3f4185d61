/*
 * checks: what this machine lets Bulkhead see and do, found out without guard.
 *
 * Features are tried, versions are never compared. The answer has the shape of guard's own,
 * which doctor puts below it:
 * {"kernel","tier","checks":[{"name","ok","detail","advice"}…]}.
 */
#pragma once

#include <jansson.h>

/* For json_decref(); NULL: no memory. */
json_t *checks_run(void);
