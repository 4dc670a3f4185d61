#include "ctl/scanner.h"

#include "base/heap.h"
#include "base/own.h"
#include "ctl/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where it finds what we hand it (scan/cage.h), and how an early end of the child is told. */
enum { CHILD_OUT = 3, CHILD_PACK = 4, EXIT_NOT_STARTED = 127 };

/* Sealed: what it reads is what we have proven. */
static struct status pack_file(struct text pack, int *out)
{
    OWN(fd_drop) int fd = memfd_create("rules", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) {
        FAIL_SYS(errno);
    }
    for (struct text left = pack; left.len;) {
        ssize_t len = write(fd, left.ptr, left.len);
        if (len < 0 && errno != EINTR) {
            FAIL_SYS(errno);
        }
        left = text_part(left, len > 0 ? (size_t)len : 0, SIZE_MAX);
    }
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
        FAIL_SYS(errno);
    }
    *out = fd_take(&fd);
    return OK;
}

/* In the child: only what is safe after fork(). */
__attribute__((noreturn)) static void become(const char *program, char *const *arguments, int out,
                                             int pack, pid_t parent)
{
    enum { ASIDE = 64 };

    bool good = dup2(out, ASIDE) >= 0 && dup2(pack, ASIDE + 1) >= 0 &&
                dup2(ASIDE, CHILD_OUT) >= 0 && dup2(ASIDE + 1, CHILD_PACK) >= 0 &&
                close(ASIDE) == 0 && close(ASIDE + 1) == 0 &&
                prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() == parent;
    if (good) {
        execv(program, arguments);
    }
    _exit(EXIT_NOT_STARTED);
}

/* Lines that are no JSON would be a mistake of ours. */
static bool read_lines(FILE *lines, const struct scanner_listener *listener)
{
    json_error_t error;
    for (;;) {
        json_t *line = json_loadf(lines, JSON_DISABLE_EOF_CHECK, &error);
        if (!line) {
            return feof(lines);
        }
        listener->on_line(listener->context, line);
        json_decref(line);
    }
}

static void file_drop(FILE **file)
{
    if (*file) {
        fclose(*file);
    }
}

static struct status collect(pid_t pid, bool good, int *out)
{
    int how;
    while (waitpid(pid, &how, 0) < 0) {
        if (errno != EINTR) {
            FAIL_SYS(errno);
        }
    }
    *out = good && WIFEXITED(how) && WEXITSTATUS(how) != EXIT_NOT_STARTED ? WEXITSTATUS(how)
                                                                          : SCANNER_ENDED;
    return OK;
}

static struct status listen(pid_t pid, int from, const struct scanner_listener *listener, int *out)
{
    OWN(file_drop) FILE *lines = fdopen(from, "r");
    if (!lines) {
        close(from);
        kill(pid, SIGTERM);
    }
    /* Ctrl-C reaches it too, as it is in our group: it ends, and we say what it found so far. */
    signal(SIGINT, SIG_IGN);
    bool good = lines && read_lines(lines, listener);
    struct status s = collect(pid, good, out);
    signal(SIGINT, SIG_DFL);
    return s;
}

struct status scanner_run(struct text pack, char *const *arguments,
                          const struct scanner_listener *listener, int *out)
{
    static char name[] = "bulkhead-scan";
    char program[PROGRAM_PATH];
    int ends[2];
    size_t count = 0;
    OWN(fd_drop) int file = -1;
    while (arguments[count]) {
        count++;
    }
    OWN(heap_drop) char **all = heap_alloc(count + 2, sizeof *all);
    if (!all) {
        FAIL(MEMORY);
    }
    all[0] = name;
    for (size_t i = 0; i < count; i++) {
        all[i + 1] = arguments[i];
    }
    TRY(program_find("bulkhead-scan", "scan", program));
    TRY(pack_file(pack, &file));
    if (pipe2(ends, O_CLOEXEC) != 0) {
        FAIL_SYS(errno);
    }
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        become(program, all, ends[1], file, parent);
    }
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        FAIL_SYS(errno);
    }
    return listen(pid, ends[0], listener, out);
}
