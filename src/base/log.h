/*
 * log: one line to standard error, for process edges only. Libraries return a status instead.
 *
 * "bulkhead-guard: warning: what, where, why, what to do". Lines are cut at 1,024 bytes; control
 * characters become '?', so that what an attacker named cannot draw on a terminal.
 */
#pragma once

#include "base/status.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* `tag` is a literal: the process's name. Lines above `max` are dropped. */
void log_open(const char *tag, enum log_level max);

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "error: <what>: <status>" */
void log_status(const char *what, struct status s);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)
