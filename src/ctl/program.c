#include "ctl/program.h"

#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* Is it there? `place` lies between our own folder and the program's name. */
static bool is_at(struct text folder, const char *place, const char *name, char *out)
{
    int wanted = snprintf(out, PROGRAM_PATH, "%.*s/%sbulkhead-%s", TEXT_ARGS(folder), place, name);
    return wanted < PROGRAM_PATH && access(out, X_OK) == 0;
}

struct status program_find(const char *name, char *out)
{
    char self[PROGRAM_PATH];
    char built[64];
    char path[PROGRAM_PATH];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self);
    if (len < 0) {
        FAIL_SYS(errno);
    }
    struct text folder = {.ptr = self, .len = (size_t)len};
    folder = text_part(folder, 0, text_find_last(folder, '/'));
    snprintf(built, sizeof built, "../%s/", name);
    if (!is_at(folder, "", name, path) && !is_at(folder, "../libexec/bulkhead/", name, path) &&
        !is_at(folder, built, name, path)) {
        FAIL(MISSING);
    }
    text_copy(text_of(path), out, PROGRAM_PATH);
    return OK;
}
