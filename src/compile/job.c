#include "compile/job.h"

#include <stdarg.h>
#include <stdio.h>

const char *refusal_name(enum refusal_class class)
{
    static const char *const names[] = {
#define REFUSAL_NAME(ID, name) [REFUSAL_##ID] = name,
        REFUSALS(REFUSAL_NAME)
#undef REFUSAL_NAME
    };
    ENSURE((size_t) class < sizeof names / sizeof *names);
    return names[class];
}

struct status job_refuse(struct job *job, enum refusal_class class, uint32_t line,
                         const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(job->refusal.words, sizeof job->refusal.words, format, args);
    va_end(args);
    for (char *c = job->refusal.words; *c; c++) {
        *c = (unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c;
    }
    job->refusal.class = class;
    job->refusal.line = line;
    FAIL(INVALID);
}
