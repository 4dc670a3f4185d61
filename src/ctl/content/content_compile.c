#include "ctl/content/content_compile.h"

#include "base/heap.h"
#include "base/own.h"
#include "ctl/content/content_file.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum {
    FIXED_ARGUMENTS = 7,
    REPORT_MAX = 65536, /* bytes: a summary is a few lines */
};

void content_compiled_drop(struct content_compiled *c)
{
    if (c->folder[0]) {
        unlink(c->pack);
        unlink(c->report);
        rmdir(c->folder);
        c->folder[0] = '\0';
    }
}

static struct status make_folder(struct content_compiled *c)
{
    snprintf(c->folder, sizeof c->folder, "/tmp/bulkhead-content-XXXXXX");
    if (!mkdtemp(c->folder)) {
        int error = errno;
        c->folder[0] = '\0';
        FAIL_SYS(error);
    }
    snprintf(c->pack, sizeof c->pack, "%s/content.pack", c->folder);
    snprintf(c->report, sizeof c->report, "%s/report", c->folder);
    return OK;
}

/* The builder's summary would stand in the middle of ours: it goes into `report`. Its complaints
 * are for the caller. */
static struct status spawn(char *const *arguments, const char *report, int *code)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int state;
    if (posix_spawn_file_actions_init(&actions) != 0) {
        FAIL(MEMORY);
    }
    int error = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, report,
                                                 O_WRONLY | O_CREAT | O_EXCL, 0600);
    error = error ? error : posix_spawn(&pid, "/proc/self/exe", &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error) {
        FAIL_SYS(error);
    }
    while (waitpid(pid, &state, 0) < 0) {
        if (errno != EINTR) {
            FAIL_SYS(errno);
        }
    }
    *code = WIFEXITED(state) ? WEXITSTATUS(state) : -1;
    return OK;
}

/* "bulkhead content build -o PACK [--any-product] -- PATH...", whose texts are only read. */
static struct status build(char *const *paths, bool any_product, const struct content_compiled *c,
                           int *code)
{
    static char words[][16] = {"bulkhead", "content", "build", "-o", "--any-product", "--"};
    size_t count = 0;
    while (paths[count]) {
        count++;
    }
    OWN(heap_drop) char **arguments = heap_alloc(count + FIXED_ARGUMENTS + 1, sizeof *arguments);
    if (!arguments) {
        FAIL(MEMORY);
    }
    size_t used = 0;
    for (size_t i = 0; i < 4; i++) {
        arguments[used++] = words[i];
    }
    arguments[used++] = (char *)(uintptr_t)c->pack;
    if (any_product) {
        arguments[used++] = words[4];
    }
    arguments[used++] = words[5];
    for (size_t i = 0; i < count; i++) {
        arguments[used++] = paths[i];
    }
    return spawn(arguments, c->report, code);
}

/* Of the builder's summary, which ends with "; 5 refused". */
static uint64_t count_refused(const char *report)
{
    OWN(content_bytes_drop) struct content_bytes bytes = {0};
    uint64_t count = 1; /* at least, or it would not be asked */
    if (status_ok(content_file_read(report, REPORT_MAX, &bytes))) {
        struct text words = content_text(&bytes);
        size_t at = text_find_last(words, ';');
        words = at == SIZE_MAX ? TEXT("") : text_trim(text_part(words, at + 1, words.len));
        if (!text_to_u64(text_part(words, 0, text_find_byte(words, ' ')), &count)) {
            count = 1;
        }
    }
    return count;
}

struct status content_compile(char *const *paths, bool any_product, struct content_compiled *out)
{
    OWN(content_compiled_drop) struct content_compiled compiled = {0};
    int code = 0;
    TRY(make_folder(&compiled));
    TRY(build(paths, any_product, &compiled, &code));
    if (access(compiled.pack, R_OK) != 0) {
        FAIL(MISSING);
    }
    compiled.refused = code ? count_refused(compiled.report) : 0;
    *out = compiled;
    compiled.folder[0] = '\0';
    return OK;
}
