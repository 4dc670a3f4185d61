#include "base/log.h"
#include "base/own.h"
#include "guard/guard.h"

#include <getopt.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char usage[] =
    "Usage: bulkhead-guard [--home DIR] [--content PACK] [--processes N]\n"
    "\n"
    "Watches this machine and runs the rest of Bulkhead. Usually started by bulkhead run;\n"
    "runs in the foreground.\n"
    "\n"
    "  --home DIR       where state and sockets live (default $BULKHEAD_HOME, else "
    "/var/lib/bulkhead)\n"
    "  --content PACK   the detection content to begin with, instead of what the home holds\n"
    "  --processes N    processes it can tell apart at once, 1024 to 1048576 (default 8192; 2 KiB "
    "each)\n"
    "  --version, --help\n";

static bool parse_number(const char *text, uint32_t *out)
{
    uint64_t value;
    if (!text_to_u64(text_of(text), &value) || value < 1024 || value > 1 << 20) {
        return false;
    }
    *out = (uint32_t)value;
    return true;
}

/* -1: go on; else the exit code. */
static int parse(int argc, char **argv, struct options *out)
{
    static const struct option longs[] = {
        {"home", required_argument, NULL, 'H'},
        {"content", required_argument, NULL, 'c'},
        {"processes", required_argument, NULL, 'p'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct options o = {.processes = PROCESSES_DEFAULT};
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (c == 'H') {
            o.home = optarg;
        } else if (c == 'c') {
            o.content = optarg;
        } else if (c == 'p' && parse_number(optarg, &o.processes)) {
            continue;
        } else if (c == 'v') {
            puts("bulkhead-guard " BULKHEAD_VERSION);
            return EXIT_OK;
        } else {
            fputs(usage, c == 'h' ? stdout : stderr);
            return c == 'h' ? EXIT_OK : EXIT_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "bulkhead-guard: \"%s\" is no option.\n%s", argv[optind], usage);
        return EXIT_USAGE;
    }
    *out = o;
    return -1;
}

/* ── ending ── */

/* What waits is published before those who read it are sent home; what comes meanwhile may be
 * endless. */
static void drain_all(struct guard *g)
{
    enum { BATCHES = 256 }; /* more than the ring can hold */

    for (unsigned i = 0; i < BATCHES && loop_drain(g) == BATCH_MAX; i++) {
        continue;
    }
}

static void leave(struct guard *g, const char *folder)
{
    char memory[HOME_PATH];
    char words[256];
    struct sockaddr_un address;
    drain_all(g);
    supervise_stop(g);
    drain_all(g);
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        if (g->clients[i].phase != CLIENT_FREE) {
            clients_drop(g, &g->clients[i], FAULT_OK, NULL);
        }
    }
    g->kept->clean = 1;
    stream_leave(&g->stream);
    processes_done(&g->processes);
    if (status_ok(home_socket(&g->home, &address))) {
        unlink(address.sun_path);
    }
    struct status s = kernel_remove(&g->kernel, folder);
    if (!status_ok(s)) {
        log_warning("%s could not be unmounted: %s", folder, status_text(s, words, sizeof words));
    }
    memory_close(&g->stream_memory);
    memory_close(&g->kept_memory);
    fd_drop(&g->stream_fd);
    s = memory_remove(home_path(&g->home, "run/mem", memory));
    if (!status_ok(s)) {
        log_warning("%s could not be unmounted: %s", memory, status_text(s, words, sizeof words));
    }
}

static int explain_kernel(const struct guard *g, struct status s)
{
    char words[256];
    log_error("The kernel part could not be loaded: %s.%s%s", status_text(s, words, sizeof words),
              g->kernel.why[0] ? " The kernel said: " : "", g->kernel.why);
    log_error("It needs Linux 6.1 or newer with BTF (/sys/kernel/btf/vmlinux) and root's CAP_BPF, "
              "CAP_PERFMON and CAP_SYS_ADMIN. `bulkhead doctor` looks at each of these.");
    return EXIT_OS;
}

static enum exit_code open_home(struct guard *g)
{
    char words[256];
    char why[HOME_PATH] = "";
    struct status s = home_open(g->options.home, &g->home);
    if (!status_ok(s)) {
        log_error(
            "The home's path is too long: a socket's may have 107 bytes. Give a shorter --home.");
        return EXIT_CONFIG;
    }
    s = home_make(&g->home, why);
    if (!status_ok(s)) {
        log_error("The home cannot be used: %s (%s)", why, status_text(s, words, sizeof words));
        return EXIT_CONFIG;
    }
    return EXIT_OK;
}

static int run(struct guard *g)
{
    char folder[HOME_PATH];
    enum exit_code refused = open_home(g);
    if (refused != EXIT_OK) {
        return refused;
    }
    refused = start_lock(g);
    if (refused != EXIT_OK) {
        return refused;
    }
    home_path(&g->home, "run/bpf", folder);
    struct status s =
        kernel_open((struct kernel_options){.folder = folder,
                                            .interest = 1ULL << RECORD_EXEC | 1ULL << RECORD_FORK |
                                                        1ULL << RECORD_EXIT},
                    &g->kernel);
    if (!status_ok(s)) {
        return explain_kernel(g, s);
    }
    s = start_all(g);
    if (!status_ok(s)) {
        log_status("The guard could not start", s);
        return EXIT_OS;
    }
    supervise_start(g);
    loop(g);
    leave(g, folder);
    return EXIT_OK;
}

int main(int argc, char **argv)
{
    static struct guard guard = {.listener = -1,
                                 .poll = -1,
                                 .signals = -1,
                                 .timer = -1,
                                 .lock = -1,
                                 .stream_fd = -1,
                                 .active_fd = -1,
                                 .previous_fd = -1,
                                 .swap.fd = -1};
    log_open("bulkhead-guard", LOG_LEVEL_INFO);
    int done = parse(argc, argv, &guard.options);
    if (done >= 0) {
        return done;
    }
    if (geteuid() != 0) {
        log_error("It needs root: it loads programs into the kernel and starts the other parts. "
                  "Try sudo.");
        return EXIT_NOT_PERMITTED;
    }
    umask(0077);
    return run(&guard);
}
