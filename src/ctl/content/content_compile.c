#include "ctl/content/content_compile.h"

#include "base/heap.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { FIXED_ARGUMENTS = 7 };

void content_compiled_drop(struct content_compiled *c)
{
    if (c->folder[0]) {
        unlink(c->pack);
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
    return OK;
}

/* The builder's summary would stand in the middle of ours; its complaints are for the caller. */
static struct status spawn(char *const *arguments, int *code)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int state;
    if (posix_spawn_file_actions_init(&actions) != 0) {
        FAIL(MEMORY);
    }
    int error = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
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
static struct status build(char *const *paths, bool any_product, const char *pack, int *code)
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
    arguments[used++] = (char *)(uintptr_t)pack;
    if (any_product) {
        arguments[used++] = words[4];
    }
    arguments[used++] = words[5];
    for (size_t i = 0; i < count; i++) {
        arguments[used++] = paths[i];
    }
    return spawn(arguments, code);
}

struct status content_compile(char *const *paths, bool any_product, struct content_compiled *out)
{
    OWN(content_compiled_drop) struct content_compiled compiled = {0};
    int code = 0;
    TRY(make_folder(&compiled));
    TRY(build(paths, any_product, compiled.pack, &code));
    if (access(compiled.pack, R_OK) != 0) {
        FAIL(MISSING);
    }
    compiled.refused = code != 0;
    *out = compiled;
    compiled.folder[0] = '\0';
    return OK;
}
