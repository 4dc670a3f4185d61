#include "ctl/print.h"

#include "ctl/types.h"

#include "base/own.h"

#include <stdio.h>

static const char help[] =
    "Usage: bulkhead tail [OPTION]...\n"
    "\n"
    "Prints events and alerts as they happen, until Ctrl-C.\n"
    "\n"
    "  --events         events only\n"
    "  --alerts         alerts only\n"
    "  --type TYPE      events of this type only, and of those that --events or --alerts leaves;\n"
    "                   may be given several times\n"
    "  --watch PATTERN  also see opens of matching files for reading: a path, or a folder\n"
    "                   ending in '/'; a leading '*' stands for any folder. May be repeated\n"
    "  --format FORMAT  text (the default), json (one object a line), ocsf (OCSF 1.3)\n"
    "  --home DIR       the instance (default: $BULKHEAD_HOME or /var/lib/bulkhead)\n"
    "\n"
    "Types and fields: docs/events.md. Events that this reader was too slow for are counted and\n"
    "shown where they are missing.\n";

/* A pattern each; guard takes 256 from a client. */
enum { WATCH_MAX = 256, ALIVE_MS = 1000 };

struct tail {
    const char *home;
    enum print_format format;
    uint64_t kinds; /* that --events and --alerts leave; 0: all */
    uint64_t types; /* that --type names; 0: all */
    const char *watches[WATCH_MAX];
    size_t watch_count;
};

static const uint64_t alert_types = BH_TYPE(BH_EVENT_ALERT);
static const uint64_t other_types = ~(BH_TYPE(BH_EVENT_ALERT) | BH_TYPE(BH_EVENT_HEALTH));

static int set_format(struct tail *tail, const char *name)
{
    static const char *const names[] = {
        [PRINT_TEXT] = "text", [PRINT_JSON] = "json", [PRINT_OCSF] = "ocsf"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (text_same(text_of(name), text_of(names[i]))) {
            tail->format = (enum print_format)i;
            return CTL_OK;
        }
    }
    return ctl_usage("tail", "there is no format %s: text, json or ocsf", name);
}

static int add_watch(struct tail *tail, const char *pattern)
{
    if (tail->watch_count == WATCH_MAX) {
        return ctl_usage("tail", "more than %d patterns to watch", WATCH_MAX);
    }
    tail->watches[tail->watch_count++] = pattern;
    return CTL_OK;
}

static int subscribe(const struct tail *tail, struct bh_client *client)
{
    uint64_t kinds = tail->kinds ? tail->kinds : BH_ALL_TYPES;
    int result = bh_client_subscribe(client, tail->types ? tail->types & kinds : kinds);
    for (size_t i = 0; i < tail->watch_count && result == BH_OK; i++) {
        result = bh_client_watch(client, tail->watches[i]);
    }
    return result;
}

/* Says it once each time guard goes away; the library reconnects by itself. */
static void notice_absence(const struct bh_client *client, bool *absent)
{
    struct bh_stats stats = {.size = sizeof stats};
    bool away = bh_client_stats(client, &stats) == BH_OK && !stats.connected;
    if (away && !*absent) {
        ctl_error("guard is gone; waiting until it is back");
    }
    *absent = away;
}

static int follow(const struct tail *tail, struct bh_client *client)
{
    struct printer printer = printer_for(tail->format);
    bool absent = false;
    int result = subscribe(tail, client);
    while (result == BH_OK || result == BH_AGAIN || result == BH_TIMEOUT) {
        result = printer_drain(&printer, client);
        if (result == BH_AGAIN) {
            notice_absence(client, &absent);
            result = bh_client_wait(client, ALIVE_MS);
        }
    }
    if (!ferror(stdout)) {
        ctl_error("tail ends: %s",
                  bh_client_error(client)[0] ? bh_client_error(client) : bh_error_text(result));
    }
    return CTL_FAULT;
}

static int on_option(struct tail *tail, int option)
{
    switch (option) {
    case 'e':
        tail->kinds |= other_types;
        return CTL_OK;
    case 'a':
        tail->kinds |= alert_types;
        return CTL_OK;
    case 't':
        return types_add("tail", text_of(optarg), &tail->types);
    case 'w':
        return add_watch(tail, optarg);
    case 'f':
        return set_format(tail, optarg);
    default:
        tail->home = optarg;
        return CTL_OK;
    }
}

/* Waiting for what cannot come would look like a quiet machine. */
static int check_types(const struct tail *tail)
{
    uint64_t out = tail->kinds ? tail->types & ~tail->kinds : 0;
    const char *option = tail->kinds & alert_types ? "--alerts" : "--events";
    for (int i = 0; i < BH_EVENT_COUNT; i++) {
        if (out >> i & 1) {
            return ctl_usage("tail", "%s leaves out what --type %s names", option, bh_type_name(i));
        }
    }
    return CTL_OK;
}

int tail_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"events", no_argument, NULL, 'e'},       {"alerts", no_argument, NULL, 'a'},
        {"type", required_argument, NULL, 't'},   {"watch", required_argument, NULL, 'w'},
        {"format", required_argument, NULL, 'f'}, {"home", required_argument, NULL, 'H'},
        {"help", no_argument, NULL, 'h'},         {0}};
    struct tail tail = {0};
    int option;
    while ((option = getopt_long(argc, argv, "+:h", options, NULL)) != -1) {
        if (option == 'h') {
            return ctl_help(help);
        }
        int exit_code = option == ':' || option == '?' ? ctl_bad_option(argc, argv, option)
                                                       : on_option(&tail, option);
        if (exit_code != CTL_OK) {
            return exit_code;
        }
    }
    if (optind < argc) {
        return ctl_usage("tail", "tail takes no argument %s", argv[optind]);
    }
    int exit_code = check_types(&tail);
    if (exit_code != CTL_OK) {
        return exit_code;
    }
    OWN(ctl_client_drop) struct bh_client *client = NULL;
    exit_code = ctl_open(tail.home, BH_FROM_NOW, &client);
    return exit_code == CTL_OK ? follow(&tail, client) : exit_code;
}
