#include "scan/keeper.h"

#include "base/log.h"
#include "base/own.h"
#include "scan/cage.h"
#include "scan/post.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 65536 }; /* paths of a command line */

struct keeper {
    int self;   /* our own binary, whatever becomes of its name */
    int opener; /* our end of its socket */
    pid_t opener_pid;
    pid_t workers[TALK_SLOTS]; /* 0: none */
    int signals;
    int exit_code; /* -1: goes on */
};

/* ── starting ── */

/* In the child: only what is safe after fork(). A new program, and not only a new process, so that
 * each worker has its memory laid out anew: one that crashed tells nothing about the next. */
__attribute__((noreturn)) static void become(const struct keeper *k, char *const *arguments,
                                             const int fds[2], pid_t parent)
{
    enum { ASIDE = 64 };

    static char *const environment[] = {NULL};
    sigset_t none;
    sigemptyset(&none);
    for (int i = 0; i < 2; i++) {
        if (dup2(fds[i], ASIDE + i) < 0) {
            _exit(EX_OSERR);
        }
    }
    /* These lie from 3 on, where ours may lie too: self has to be out of the way. */
    int self = fcntl(k->self, F_DUPFD_CLOEXEC, ASIDE + 2);
    if (self < 0 || dup2(ASIDE, SCAN_OUT) < 0 || dup2(ASIDE + 1, SCAN_OUT + 1) < 0 ||
        close(ASIDE) != 0 || close(ASIDE + 1) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
        getppid() != parent || sigprocmask(SIG_SETMASK, &none, NULL) != 0) {
        _exit(EX_OSERR);
    }
    fexecve(self, arguments, environment);
    _exit(EX_OSERR);
}

static struct status spawn(const struct keeper *k, char *const *arguments, int first, int second,
                           pid_t *out)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        become(k, arguments, (const int[]){first, second}, parent);
    }
    if (pid < 0) {
        FAIL_SYS(errno);
    }
    *out = pid;
    return OK;
}

static struct status socket_pair(int *ours, int *theirs)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        FAIL_SYS(errno);
    }
    *ours = pair[0];
    *theirs = pair[1];
    return OK;
}

static struct status start_opener(struct keeper *k, char *const *arguments)
{
    static char name[] = "bulkhead-scan";
    static char role[] = "--opener";
    static char *all[ARGUMENTS_MAX + 3] = {name, role};
    OWN(fd_drop) int theirs = -1;
    size_t count = 0;
    while (arguments[count]) {
        if (count == ARGUMENTS_MAX) {
            FAIL(LIMIT);
        }
        all[count + 2] = arguments[count];
        count++;
    }
    TRY(socket_pair(&k->opener, &theirs));
    TRY(spawn(k, all, SCAN_OUT, theirs, &k->opener_pid));
    close(SCAN_OUT); /* its reader has to see when the opener is gone */
    return OK;
}

static struct status start_worker(struct keeper *k, uint8_t slot)
{
    static char name[] = "bulkhead-scan";
    static char role[] = "--worker";
    static char *const arguments[] = {name, role, NULL};
    struct talk_message m = {.number = MESSAGE_STARTED, .started = {.slot = slot}};
    OWN(fd_drop) int openers = -1;
    OWN(fd_drop) int workers = -1;
    if (k->workers[slot]) {
        FAIL(INVALID);
    }
    TRY(socket_pair(&openers, &workers));
    TRY(spawn(k, arguments, workers, SCAN_PACK, &k->workers[slot]));
    return post_send(k->opener, &m, openers);
}

/* ── serving ── */

static void end(struct keeper *k, int exit_code)
{
    k->exit_code = k->exit_code < 0 ? exit_code : k->exit_code;
}

static struct status serve(struct keeper *k)
{
    struct post_packet packet;
    struct talk_message m;
    TRY(post_receive(k->opener, TALK_OPENER, &packet, &m, NULL));
    if (m.number == MESSAGE_START) {
        return start_worker(k, m.start.slot);
    }
    if (m.number != MESSAGE_END) {
        FAIL(INVALID);
    }
    /* It may have ended in the meantime, or its death not be told yet. */
    if (k->workers[m.end.slot]) {
        kill(k->workers[m.end.slot], SIGKILL);
    }
    return OK;
}

static struct status tell_end(struct keeper *k, uint8_t slot, int how)
{
    struct talk_message m = {
        .number = MESSAGE_ENDED,
        .ended = {.slot = slot,
                  .signal = WIFSIGNALED(how) ? (uint8_t)WTERMSIG(how) : 0,
                  .code = WIFEXITED(how) ? (uint8_t)WEXITSTATUS(how) : 0},
    };
    k->workers[slot] = 0;
    return post_send(k->opener, &m, -1);
}

static void reap(struct keeper *k)
{
    int how;
    pid_t pid;
    while ((pid = waitpid(-1, &how, WNOHANG)) > 0) {
        if (pid == k->opener_pid) {
            k->opener_pid = 0;
            if (WIFSIGNALED(how)) {
                log_error("the opener was ended by SIG%s", sigabbrev_np(WTERMSIG(how)) ?: "?");
            }
            end(k, WIFEXITED(how) ? WEXITSTATUS(how) : EX_SOFTWARE);
        }
        for (uint8_t i = 0; i < TALK_SLOTS; i++) {
            if (k->workers[i] == pid) {
                /* An opener that is gone is heard of by itself. */
                status_ignore(tell_end(k, i, how));
            }
        }
    }
}

static void on_signal(struct keeper *k)
{
    struct signalfd_siginfo info;
    while (read(k->signals, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo != SIGCHLD) {
            end(k, EX_OK);
        }
    }
    reap(k);
}

static void turn(struct keeper *k)
{
    struct pollfd polled[] = {{.fd = k->signals, .events = POLLIN},
                              {.fd = k->opener, .events = POLLIN}};
    if (poll(polled, 2, -1) < 0) {
        return; /* a signal; there is nothing else to go wrong with these two */
    }
    if (polled[0].revents) {
        on_signal(k);
    }
    if (k->exit_code < 0 && polled[1].revents) {
        struct status s = serve(k);
        if (s.fault == FAULT_CLOSED) {
            fd_drop(&k->opener); /* how it ended is about to be known; it may not have waited for
                                  * a worker that it had asked for */
        } else if (!status_ok(s)) {
            log_status("cannot serve the opener", s);
            end(k, EX_SOFTWARE);
        }
    }
}

static void end_all(struct keeper *k)
{
    if (k->opener_pid) {
        kill(k->opener_pid, SIGKILL);
    }
    for (unsigned i = 0; i < TALK_SLOTS; i++) {
        if (k->workers[i]) {
            kill(k->workers[i], SIGKILL);
        }
    }
}

static struct status open_keeper(struct keeper *k)
{
    sigset_t ours;
    sigemptyset(&ours);
    sigaddset(&ours, SIGCHLD);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &ours, NULL) != 0) {
        FAIL_SYS(errno);
    }
    k->self = open("/proc/self/exe", O_PATH | O_CLOEXEC);
    k->signals = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
    /* Whoever started it may be killed: then nobody waits for what is found. */
    if (k->self < 0 || k->signals < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
        FAIL_SYS(errno);
    }
    return OK;
}

int keeper_run(char *const *arguments)
{
    static struct keeper k = {.self = -1, .opener = -1, .signals = -1, .exit_code = -1};
    struct status s = cage_close_from(SCAN_INHERITED);
    s = status_ok(s) ? open_keeper(&k) : s;
    s = status_ok(s) ? start_opener(&k, arguments) : s;
    if (!status_ok(s)) {
        log_status("cannot start", s);
        return EX_OSERR;
    }
    while (k.exit_code < 0) {
        turn(&k);
    }
    end_all(&k);
    return k.exit_code;
}
