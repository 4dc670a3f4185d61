#include "scan/reports.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>

enum { WORDS = 480 }; /* what guard keeps of a report */

void reports_tick(struct reports *r)
{
    char words[WORDS];
    uint64_t now = clock_boot_ns();
    if (now - r->minute_ns < 60ULL * CLOCK_NS_PER_S) {
        return;
    }
    r->minute_ns = now;
    r->told = 0;
    if (r->untold) {
        snprintf(words, sizeof words, "The scanner had %u more reports in a minute.", r->untold);
        r->untold = 0;
        bh_client_report(r->client, "medium", words);
    }
}

void reports_say(struct reports *r, const char *level, const char *format, ...)
{
    char words[WORDS];
    va_list args;
    reports_tick(r);
    if (r->told == REPORTS_MINUTE) {
        r->untold++;
        return;
    }
    r->told++;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    bh_client_report(r->client, level, words);
}
