/*
 * run: guard in the foreground. Starts bulkhead-guard, starts it again when it dies, prints alerts
 * and news of Bulkhead's own health as they come, and ends it cleanly.
 */
#include "ctl/content/content_proof.h"
#include "ctl/print.h"
#include "ctl/supervisor.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/own.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "Usage: bulkhead run [--home DIR] [--content PACK] [--json]\n"
    "\n"
    "Watches this machine in the foreground and prints alerts, until Ctrl-C; then nothing is left\n"
    "behind but content and alerts in the home. Needs root.\n"
    "\n"
    "  --home DIR      where state and sockets are (default: $BULKHEAD_HOME or\n"
    "                  /var/lib/bulkhead); instances in different places do not disturb each "
    "other\n"
    "  --content PACK  detection content to use (default: what the home holds)\n"
    "  --json          alerts as JSON, one object a line\n"
    "\n"
    "Exit codes: 0 ended as asked, 70 guard could not be started, 71 the kernel refuses what it\n"
    "needs, 75 another instance has the home, 77 not permitted, 78 bad configuration or content.\n";

/* Guard undoes its mounts, pins and sockets in this time, or is killed. A guard that never got
 * ready and died this often will not get ready. */
enum { STOP_MS = 10000, CONNECT_MS = 50, NEVER_READY_DEATHS = 5 };

static const char busy[] = "another Bulkhead runs with this home; end it, or choose another --home";

struct run {
    struct supervisor guard;
    struct printer printer;
    struct bh_client *client; /* NULL: not connected yet; reconnects by itself afterwards */
    int signals;
    uint64_t start_at_ns; /* when guard does not run: time of its next start */
    bool stopping;
    int exit_code;
};

static void stop(struct run *run, int exit_code)
{
    run->stopping = true;
    run->exit_code = exit_code;
}

/* ── guard's life ── */

static void start_guard(struct run *run)
{
    struct status s = supervisor_start(&run->guard);
    if (!status_ok(s)) {
        log_status("cannot start bulkhead-guard", s);
        stop(run, CTL_INTERNAL);
    }
}

/* Ends that a new start would only repeat, in words; NULL for all others. A guard that was ready
 * once has what it needs, and is started again; but who answered may have been another's guard, so
 * what a guard says of itself at its start counts all the same. */
static const char *final_words(const struct run *run, struct supervisor_end end)
{
    switch (end.code) {
    case CTL_BUSY:
        return busy;
    case CTL_DENIED:
        return "the system does not permit what guard needs, see above";
    case CTL_CONTENT:
        return "guard cannot use its configuration or content, see above";
    case CTL_KERNEL:
        return run->client ? NULL
                           : "the kernel refuses what guard needs, see above and `bulkhead doctor`";
    default:
        return !run->client && run->guard.quick_deaths >= NEVER_READY_DEATHS
                   ? "guard ends before it is ready, again and again; see above and `bulkhead "
                     "doctor`"
                   : NULL;
    }
}

static void on_guard_end(struct run *run)
{
    struct supervisor_end end;
    struct status s = supervisor_reap(&run->guard, &end);
    if (!status_ok(s)) {
        log_status("cannot collect bulkhead-guard", s);
        stop(run, CTL_INTERNAL);
        return;
    }
    uint64_t now_ns = clock_boot_ns();
    unsigned delay_ms = supervisor_delay_ms(&run->guard, now_ns);
    const char *words = final_words(run, end);
    if (words) {
        ctl_error("%s", words);
        stop(run, end.code > CTL_INTERNAL && end.code <= CTL_CONTENT ? end.code : CTL_INTERNAL);
        return;
    }
    run->start_at_ns = now_ns + (uint64_t)delay_ms * CLOCK_NS_PER_MS;
    if (end.signal != 0) {
        log_warning("guard was ended by signal %d (%s); starting it again", end.signal,
                    strsignal(end.signal));
    } else {
        log_warning("guard ended with code %d; starting it again", end.code);
    }
}

/* ── what it says ── */

static void announce(const json_t *answer)
{
    struct text tier = ctl_member_text(answer, "tier");
    struct text pack = ctl_member_text(json_object_get(answer, "content"), "path");
    log_info("watching this machine (tier %.*s, content %.*s); Ctrl-C ends it", TEXT_ARGS(tier),
             TEXT_ARGS(pack.len > 0 ? pack : TEXT("none")));
}

/* Who answers may be another instance's guard, whose news is not ours to print. */
static void meet_guard(struct run *run, struct bh_client **client)
{
    OWN(ctl_json_drop) json_t *answer = NULL;
    if (ctl_ask(*client, "status", 0, &answer) != CTL_OK) {
        return; /* it went away again */
    }
    if (ctl_member_number(answer, "pid") != run->guard.pid) {
        ctl_error("%s", busy);
        stop(run, CTL_BUSY);
        return;
    }
    run->client = TAKE(*client);
    announce(answer);
}

/* From the oldest event that is there: guard may have had news before we could listen. */
static void connect_to_guard(struct run *run)
{
    OWN(ctl_client_drop) struct bh_client *client = NULL;
    char words[256] = "";
    struct bh_options options = BH_OPTIONS("bulkhead-run");
    options.home = run->guard.home;
    options.from = BH_FROM_ALL;
    options.error = words;
    options.error_size = sizeof words;
    int result = bh_client_open(&options, &client);
    if (result == BH_MISSING || result == BH_CLOSED || result == BH_TIMEOUT) {
        return; /* not ready yet; if it died we hear of it */
    }
    if (result == BH_OK) {
        result = bh_client_subscribe(client, BH_TYPE(BH_EVENT_ALERT) | BH_TYPE(BH_EVENT_HEALTH));
    }
    if (result != BH_OK) {
        ctl_error("cannot talk to guard: %s", words[0] ? words : bh_error_text(result));
        stop(run, CTL_INTERNAL);
        return;
    }
    meet_guard(run, &client);
}

static void print_news(struct run *run)
{
    int result = printer_drain(&run->printer, run->client);
    if (result != BH_AGAIN && result != BH_CLOSED) {
        ctl_error("cannot go on printing alerts: %s", bh_error_text(result));
        stop(run, CTL_FAULT);
    }
}

/* ── the loop ── */

static int wait_ms(const struct run *run)
{
    if (run->guard.pid == 0) {
        uint64_t now_ns = clock_boot_ns();
        uint64_t left_ns = run->start_at_ns > now_ns ? run->start_at_ns - now_ns : 0;
        return (int)((left_ns + CLOCK_NS_PER_MS - 1) / CLOCK_NS_PER_MS);
    }
    return run->client ? -1 : CONNECT_MS;
}

/* Negative descriptors are left out by poll(): a part that is not there yet has nothing to say. */
static void turn(struct run *run)
{
    struct pollfd polled[] = {
        {.fd = run->signals, .events = POLLIN},
        {.fd = run->guard.pidfd, .events = POLLIN},
        {.fd = run->client ? bh_client_fd(run->client) : -1, .events = POLLIN},
    };
    if (poll(polled, 3, wait_ms(run)) < 0 && errno != EINTR) {
        log_status("cannot wait", (struct status){.fault = FAULT_SYSTEM, .sys = errno});
        stop(run, CTL_INTERNAL);
        return;
    }
    if (polled[0].revents) {
        stop(run, CTL_OK);
        return;
    }
    if (polled[1].revents) {
        on_guard_end(run);
    } else if (run->guard.pid == 0 && clock_boot_ns() >= run->start_at_ns) {
        start_guard(run);
    } else if (run->guard.pid != 0 && !run->client) {
        connect_to_guard(run);
    }
    if (run->client && polled[2].revents) {
        print_news(run);
    }
}

static void end_guard(struct run *run)
{
    struct status s = supervisor_stop(&run->guard, STOP_MS);
    if (s.fault == FAULT_TIMEOUT) {
        ctl_error(
            "guard did not end within %d s and was killed; it may have left its mount under %s/run",
            STOP_MS / 1000, run->guard.home);
        run->exit_code = run->exit_code == CTL_OK ? CTL_FAULT : run->exit_code;
    } else if (!status_ok(s)) {
        log_status("cannot end bulkhead-guard", s);
    }
    if (run->client) {
        /* What it said last. That it is gone is what we wanted. */
        int result = printer_drain(&run->printer, run->client);
        (void)result;
    }
}

static int watch(const char *home, const char *content, bool json)
{
    struct run run = {.guard = {.home = home, .content = content, .pidfd = -1},
                      .printer = printer_for(json ? PRINT_JSON : PRINT_TEXT)};
    struct status found = supervisor_find(&run.guard);
    if (!status_ok(found)) {
        ctl_error("bulkhead-guard is not beside this program nor in libexec; is Bulkhead installed "
                  "whole?");
        return CTL_INTERNAL;
    }
    OWN(fd_drop) int signals = -1;
    struct status taken = ctl_take_signals(SIGQUIT, &signals);
    if (!status_ok(taken)) {
        log_status("cannot watch signals", taken);
        return CTL_INTERNAL;
    }
    run.signals = signals;
    while (!run.stopping) {
        turn(&run);
    }
    end_guard(&run);
    bh_client_close(run.client);
    return run.exit_code;
}

/* ── the command ── */

/* Guard runs with its own idea of the current folder: what we hand over is absolute. It is proven
 * before anything starts: the engine would refuse it too, but then guard would run without one. */
static int check_content(const char *content, char *absolute)
{
    int exit_code = CTL_OK;
    if (!realpath(content, absolute)) {
        ctl_error("cannot use the content %s: %s", content, strerror(errno));
        return CTL_CONTENT;
    }
    return content_accepted(absolute, CTL_CONTENT, &exit_code) ? CTL_OK : exit_code;
}

int run_main(int argc, char **argv)
{
    static const struct option options[] = {{"home", required_argument, NULL, 'H'},
                                            {"content", required_argument, NULL, 'c'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    char absolute[PATH_MAX];
    const char *home = NULL;
    const char *content = NULL;
    bool json = false;
    int option;
    while ((option = getopt_long(argc, argv, "+:h", options, NULL)) != -1) {
        switch (option) {
        case 'H':
            home = optarg;
            break;
        case 'c':
            content = optarg;
            break;
        case 'j':
            json = true;
            break;
        case 'h':
            return ctl_help(help);
        default:
            return ctl_bad_option(argc, argv, option);
        }
    }
    if (optind < argc) {
        return ctl_usage("run", "run takes no argument %s", argv[optind]);
    }
    if (geteuid() != 0) {
        ctl_error("Bulkhead needs root to load its eBPF programs; try `sudo bulkhead run`");
        return CTL_DENIED;
    }
    int exit_code = content ? check_content(content, absolute) : CTL_OK;
    return exit_code == CTL_OK ? watch(ctl_home(home), content ? absolute : NULL, json) : exit_code;
}
