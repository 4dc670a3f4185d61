/*
 * content_detector: rules and correlations as the engine runs them, for events of files.
 */
#pragma once

#include "content/correlate/detect.h"

/* A detector with the engine's memory. The pack must stay open. */
struct status content_detector_new(const struct pack *pack, struct detector **out);

/* Tell people, on standard error: for the sink. */
void content_tell_fault(const struct pack *pack, size_t rule, const char *what);
void content_tell_lossy(const struct pack *pack, size_t rule, uint64_t events);
