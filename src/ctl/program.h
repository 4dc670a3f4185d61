/*
 * program: where the other programs of Bulkhead lie.
 */
#pragma once

#include "base/status.h"

enum { PROGRAM_PATH = 4096 };

/* Finds bulkhead-NAME: beside this program, in its libexec folder, or where the build puts it.
 * `out` holds PROGRAM_PATH bytes. MISSING: nowhere there. */
struct status program_find(const char *name, char *out);
