#include "ctl/supervisor.h"

#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "ctl/program.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A guard that lived this long did not die of starting: killed again and again it is still back at
 * once. The delay doubles from the first to the last number. */
enum { WELL_MS = 200, DELAY_FIRST_MS = 50, DELAY_LAST_MS = 10000 };

struct status supervisor_find(struct supervisor *s)
{
    return program_find("bulkhead-guard", "guard", s->program);
}

/* In the child: only what is safe after fork(). 127 is what shells say of a missing program. */
__attribute__((noreturn)) static void become_guard(const struct supervisor *s, pid_t parent)
{
    sigset_t none;
    const char *arguments[] = {"bulkhead-guard", "--home", s->home, NULL, NULL, NULL};
    if (s->content) {
        arguments[3] = "--content";
        arguments[4] = s->content;
    }
    sigemptyset(&none);
    /* Ctrl-Z, or reading from the terminal in the background, would stop it. Its parts inherit it.
     */
    signal(SIGTSTP, SIG_IGN);
    signal(SIGTTIN, SIG_IGN);
    signal(SIGTTOU, SIG_IGN);
    if (setpgid(0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent ||
        sigprocmask(SIG_SETMASK, &none, NULL) != 0) {
        _exit(127);
    }
    execv(s->program, (char *const *)(uintptr_t)arguments);
    _exit(127);
}

struct status supervisor_start(struct supervisor *s)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0) {
        FAIL_SYS(errno);
    }
    if (pid == 0) {
        become_guard(s, parent);
    }
    s->pid = pid;
    s->started_ns = clock_boot_ns();
    s->pidfd = pidfd_open(pid, 0);
    if (s->pidfd < 0) {
        int error = errno;
        status_ignore(supervisor_stop(s, 0)); /* it cannot be watched: the first error counts */
        FAIL_SYS(error);
    }
    return OK;
}

struct status supervisor_reap(struct supervisor *s, struct supervisor_end *out)
{
    int how;
    while (waitpid(s->pid, &how, 0) < 0) {
        if (errno != EINTR) {
            FAIL_SYS(errno);
        }
    }
    s->pid = 0;
    fd_drop(&s->pidfd);
    *out = (struct supervisor_end){.signal = WIFSIGNALED(how) ? WTERMSIG(how) : 0,
                                   .code = WIFEXITED(how) ? WEXITSTATUS(how) : 0};
    return OK;
}

unsigned supervisor_delay_ms(struct supervisor *s, uint64_t now_ns)
{
    if (now_ns - s->started_ns >= (uint64_t)WELL_MS * CLOCK_NS_PER_MS) {
        s->quick_deaths = 0;
        return 0;
    }
    unsigned delay = 0;
    for (unsigned i = 0; i < s->quick_deaths && delay < DELAY_LAST_MS; i++) {
        delay = delay ? delay * 2 : DELAY_FIRST_MS;
    }
    s->quick_deaths++;
    return delay < DELAY_LAST_MS ? delay : DELAY_LAST_MS;
}

struct status supervisor_stop(struct supervisor *s, int wait_ms)
{
    struct supervisor_end end;
    struct pollfd ended = {.fd = s->pidfd, .events = POLLIN};
    if (s->pid == 0) {
        return OK;
    }
    kill(s->pid, SIGTERM);
    bool in_time = poll(&ended, 1, wait_ms) > 0;
    if (!in_time) {
        kill(s->pid, SIGKILL);
    }
    TRY(supervisor_reap(s, &end));
    if (!in_time) {
        FAIL(TIMEOUT);
    }
    return OK;
}
