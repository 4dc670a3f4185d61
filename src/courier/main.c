/*
 * bulkhead-courier: writes alerts and health events to the spool and to the system log.
 */
#include "base/cage.h"
#include "base/log.h"
#include "courier/cage.h"
#include "courier/deliver.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "bulkhead-courier is started by bulkhead-guard, which gives it its descriptors.\n"
    "\n"
    "  --file-mib N  size at which alerts.jsonl is put aside, 1 to 1024 (default 16)\n"
    "  --files N     files that are kept, 2 to 100 (default 5)\n"
    "  --version     print the version\n"
    "  --help        print this\n";

static bool number(const char *words, uint64_t min, uint64_t max, uint64_t *out)
{
    return text_to_u64(text_of(words), out) && *out >= min && *out <= max;
}

/* False: main() ends with *exit_code. */
static bool read_options(int argc, char **argv, struct spool_limits *limits, int *exit_code)
{
    static const struct option options[] = {
        {"file-mib", required_argument, NULL, 'm'},
        {"files", required_argument, NULL, 'f'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    uint64_t mib = SPOOL_FILE_MIB, files = SPOOL_FILES;
    int option;
    *exit_code = EX_OK;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'v') {
            puts("bulkhead-courier " BULKHEAD_VERSION);
            return false;
        }
        bool good = (option == 'm' && number(optarg, 1, SPOOL_FILE_MIB_MAX, &mib)) ||
                    (option == 'f' && number(optarg, 2, SPOOL_FILES_MAX, &files));
        if (!good) {
            *exit_code = option == 'h' ? EX_OK : EX_USAGE;
            fputs(usage, option == 'h' ? stdout : stderr);
            return false;
        }
    }
    *limits = (struct spool_limits){.file_bytes = mib << 20, .files = (unsigned)files};
    return true;
}

static struct status connect_to_guard(struct bh_client **out)
{
    char why[256] = "";
    struct bh_options options = BH_OPTIONS("courier");
    options.socket = COURIER_SOCKET;
    options.from = BH_FROM_RESUME;
    options.flags = BH_MANUAL_ACKNOWLEDGE;
    options.error = why;
    options.error_size = sizeof why;
    if (bh_client_open(&options, out) != BH_OK) {
        log_error("cannot speak to guard: %s", why);
        FAIL(CLOSED);
    }
    return OK;
}

static struct status enter_cage(const struct spool_limits *limits, struct bh_client *client)
{
    char words[160], message[256];
    struct cage cage = courier_cage();
    uint32_t user, group, missing;
    tzset(); /* its file is out of reach inside */
    TRY(cage_user(&cage, &user, &group));
    TRY(spool_adopt(COURIER_SPOOL, limits->files, user, group));
    TRY(cage_enter(&cage, &missing));
    if (missing) {
        snprintf(message, sizeof message, "The courier's cage lacks: %s.",
                 cage_missing(missing, words, sizeof words));
        log_warning("%s", message);
        bh_client_report(client, "medium", message);
    }
    return OK;
}

static struct status deliver(const struct spool_limits *limits, struct bh_client *client)
{
    struct delivery delivery;
    TRY(delivery_open(COURIER_SPOOL, *limits, client, &delivery));
    bh_client_subscribe(client, BH_TYPE(BH_EVENT_ALERT) | BH_TYPE(BH_EVENT_HEALTH));
    struct status s = delivery_run(&delivery);
    if (!status_ok(s)) {
        log_error("%s", bh_client_error(client));
    }
    delivery_close(&delivery);
    return s;
}

/* Without a system log its number is kept all the same, or the client library would get it. */
static struct status keep_log_number(void)
{
    bool open = fcntl(COURIER_SYSLOG, F_GETFD) >= 0;
    if (!open && dup3(STDIN_FILENO, COURIER_SYSLOG, O_CLOEXEC) < 0) {
        FAIL_SYS(errno);
    }
    return OK;
}

static struct status run(const struct spool_limits *limits)
{
    struct bh_client *client;
    TRY(cage_close_from(COURIER_INHERITED));
    TRY(keep_log_number());
    TRY(connect_to_guard(&client));
    struct status s = enter_cage(limits, client);
    if (status_ok(s)) {
        s = deliver(limits, client);
    }
    bh_client_close(client);
    return s;
}

int main(int argc, char **argv)
{
    struct spool_limits limits;
    int exit_code;
    log_open("bulkhead-courier", LOG_LEVEL_INFO);
    if (!read_options(argc, argv, &limits, &exit_code)) {
        return exit_code;
    }
    signal(SIGPIPE, SIG_IGN); /* standard error may be a pipe whose reader is gone */
    signal(SIGTSTP, SIG_IGN); /* nor may a terminal stop it */
    signal(SIGTTIN, SIG_IGN);
    signal(SIGTTOU, SIG_IGN);
    signal(SIGTERM, delivery_stop);
    struct status s = run(&limits);
    if (!status_ok(s)) {
        log_status("stopped", s);
        return EX_OSERR;
    }
    return EX_OK;
}
