#include "ctl/program.h"

#include "base/cage.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_program(const char *path)
{
    return access(path, X_OK) == 0;
}

struct status program_find(const char *name, const char *folder, char out[PROGRAM_PATH])
{
    static const char *const places[] = {"", "../libexec/bulkhead/", "../"};
    char self[PROGRAM_PATH];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self);
    if (len < 0) {
        FAIL_SYS(errno);
    }
    size_t slash = text_find_last((struct text){self, (size_t)len}, '/');
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        bool in_folder = i == 2;
        char found[PROGRAM_PATH];
        int wanted = snprintf(found, sizeof found, "%.*s/%s%s%s%s", (int)slash, self, places[i],
                              in_folder ? folder : "", in_folder ? "/" : "", name);
        if (wanted < (int)sizeof found && is_program(found)) {
            text_copy(text_of(found), out, PROGRAM_PATH);
            return OK;
        }
    }
    FAIL(MISSING);
}

/* In the child: only what is safe after fork(). */
__attribute__((noreturn)) static void become(const struct program_job *job, int output)
{
    if (dup2(job->input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0) {
        _exit(127);
    }
    execv(job->path, job->arguments);
    _exit(127);
}

static struct status read_answer(int from, const struct program_job *job, struct text *out)
{
    size_t used = 0;
    while (used < job->size) {
        ssize_t got = read(from, job->room + used, job->size - used);
        if (got < 0 && errno != EINTR) {
            FAIL_SYS(errno);
        }
        if (got == 0) {
            break;
        }
        used += got > 0 ? (size_t)got : 0;
    }
    *out = (struct text){.ptr = job->room, .len = used};
    return OK;
}

struct status program_ask(const struct program_job *job, struct text *out, struct program_end *end)
{
    OWN(fd_drop) int from = -1;
    OWN(fd_drop) int to = -1;
    int both[2];
    int how = 0;
    if (pipe2(both, O_CLOEXEC) != 0) {
        FAIL_SYS(errno);
    }
    from = both[0];
    to = both[1];
    pid_t pid = fork();
    if (pid < 0) {
        FAIL_SYS(errno);
    }
    if (pid == 0) {
        become(job, to);
    }
    fd_drop(&to);
    struct status s = read_answer(from, job, out);
    while (waitpid(pid, &how, 0) < 0 && errno == EINTR) {
    }
    /* What this machine lacks is the same for the next, and was said: a drill asks 300 times.
     * Without memory it is said again. */
    setenv(CAGE_TOLD, "1", 1);
    *end = (struct program_end){.signal = WIFSIGNALED(how) ? WTERMSIG(how) : 0,
                                .code = WIFEXITED(how) ? WEXITSTATUS(how) : 0};
    return s;
}
