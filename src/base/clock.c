#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static uint64_t clock_read(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * CLOCK_NS_PER_S + (uint64_t)t.tv_nsec;
}

uint64_t clock_boot_ns(void)
{
    return clock_read(CLOCK_BOOTTIME);
}

uint64_t clock_real_ns(void)
{
    return clock_read(CLOCK_REALTIME);
}

const char *clock_text(uint64_t real_ns, char *out)
{
    time_t seconds = (time_t)(real_ns / CLOCK_NS_PER_S);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    size_t len = strftime(out, CLOCK_TEXT, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out + len, CLOCK_TEXT - len, ".%09uZ", (unsigned)(real_ns % CLOCK_NS_PER_S));
    return out;
}
