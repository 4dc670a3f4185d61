#include "compile/job.h"

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

void refusal_words(struct refusal *r, const char *format, va_list args)
{
    char raw[sizeof r->words];
    vsnprintf(raw, sizeof raw, format, args);
    struct text words = text_of(raw);
    words.len = words.len < sizeof raw - 1 ? words.len : quote_cut(words, words.len - 1);
    quote_line(r->words, sizeof r->words, words);
}

struct status job_refuse(struct job *job, enum refusal_class class, uint32_t line,
                         const char *format, ...)
{
    va_list args;
    va_start(args, format);
    refusal_words(&job->refusal, format, args);
    va_end(args);
    job->refusal.class = class;
    job->refusal.line = line;
    FAIL(INVALID);
}
