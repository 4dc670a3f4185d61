#include "base/status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *fault_name(enum fault fault)
{
    static const char *const names[] = {
#define FAULT_NAME(name, words) [FAULT_##name] = #name,
        FAULTS(FAULT_NAME)
#undef FAULT_NAME
    };
    return (size_t)fault < sizeof names / sizeof *names ? names[fault] : "UNKNOWN";
}

const char *fault_words(enum fault fault)
{
    static const char *const words[] = {
#define FAULT_WORDS(name, text) [FAULT_##name] = text,
        FAULTS(FAULT_WORDS)
#undef FAULT_WORDS
    };
    return (size_t)fault < sizeof words / sizeof *words ? words[fault] : "an unknown fault";
}

const char *status_text(struct status s, char *out, size_t out_size)
{
    char reason[128] = "";
    if (s.sys != 0) {
        snprintf(reason, sizeof reason, ": %s", strerrordesc_np(s.sys) ?: "unknown error");
    }
    snprintf(out, out_size, "%s%s (%s)", fault_words(s.fault), reason, s.where ? s.where : "-");
    return out;
}

const char *status_plain(struct status s, char *out, size_t out_size)
{
    switch (s.fault == FAULT_SYSTEM ? s.sys : 0) {
    case EISDIR:
        snprintf(out, out_size, "it is a folder");
        return out;
    case ENOENT:
    case EACCES:
    case EPERM:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case EEXIST:
    case ENOSPC:
    case EDQUOT:
    case EROFS:
        snprintf(out, out_size, "%s", strerrordesc_np(s.sys));
        return out;
    default:
        return status_text(s, out, out_size);
    }
}

void bug(const char *what, const char *where)
{
    fprintf(stderr, "bulkhead: bug: %s is false at %s\n", what, where);
    abort();
}
