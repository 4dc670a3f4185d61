/*
 * scanner: runs bulkhead-scan with the YARA rules of a pack, and reads its lines.
 *
 * It is the only way to libyara: whatever it makes of rules and files happens in its own cages.
 */
#pragma once

#include "base/text.h"

#include <jansson.h>

struct scanner_listener {
    void *context;
    void (*on_line)(void *context, const json_t *line); /* docs/formats/scan.md */
};

enum {
    SCANNER_ENDED = -1, /* by a signal, or its lines are none */
};

/* Runs it to its end. `arguments` end with NULL. `out` is its exit code, or SCANNER_ENDED. MISSING:
 * it is not installed. */
struct status scanner_run(struct text pack, char *const *arguments,
                          const struct scanner_listener *listener, int *out);
