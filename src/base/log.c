#include "base/log.h"

#include "base/quote.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LOG_LINE = 1024 };

static const char *log_tag = "bulkhead";
static enum log_level log_max = LOG_LEVEL_INFO;

void log_open(const char *tag, enum log_level max)
{
    log_tag = tag;
    log_max = max;
}

void log_line(enum log_level level, const char *format, ...)
{
    static const char *const words[] = {"error: ", "warning: ", "", "debug: "};
    char raw[LOG_LINE];
    char line[LOG_LINE + 1];
    if (level > log_max) {
        return;
    }
    int head = snprintf(raw, sizeof raw, "%s: %s", log_tag, words[level]);
    va_list args;
    va_start(args, format);
    vsnprintf(raw + head, sizeof raw - (size_t)head, format, args);
    va_end(args);
    /* Paths and names in it were written by others: they draw nothing on a terminal. */
    size_t len = strlen(quote_line(line, LOG_LINE, text_of(raw)));
    line[len++] = '\n';
    /* Standard error gone is no reason to stop: there is nobody left to tell. */
    if (write(STDERR_FILENO, line, len) < 0) {
        return;
    }
}

void log_status(const char *what, struct status s)
{
    char words[256];
    log_error("%s: %s", what, status_text(s, words, sizeof words));
}
