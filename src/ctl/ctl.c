#include "ctl/ctl.h"

#include "base/log.h"
#include "base/own.h"
#include "wire/home.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/signalfd.h>

/* Guard answers between two batches of events; this is ample even on a machine that swaps. */
enum { ANSWER_MS = 5000, WORDS = 800 };

/* ── the command line ── */

void ctl_error(const char *format, ...)
{
    char words[WORDS];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    log_error("%s", words);
}

int ctl_usage(const char *command, const char *format, ...)
{
    char words[WORDS];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    log_error("%s", words);
    log_info("`bulkhead help%s%s` says more", command[0] ? " " : "", command);
    return CTL_USAGE;
}

int ctl_bad_option(int argc, char **argv, int option)
{
    const char *given = optind > 0 && optind <= argc ? argv[optind - 1] : "";
    if (option == ':') {
        return ctl_usage(argv[0], "%s: %s needs a value", argv[0], given);
    }
    return ctl_usage(argv[0], "%s: there is no option %s", argv[0], given);
}

int ctl_options(int argc, char **argv, const char *help, struct ctl_options *out)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'},
                                            {"home", required_argument, NULL, 'H'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    int option;
    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        switch (option) {
        case 'j':
            out->json = true;
            break;
        case 'H':
            out->home = optarg;
            break;
        case 'h':
            return ctl_help(help);
        default:
            return ctl_bad_option(argc, argv, option);
        }
    }
    return CTL_GO_ON;
}

int ctl_help(const char *text)
{
    return ctl_print(text_of(text)) ? CTL_OK : CTL_FAULT;
}

bool ctl_print(struct text text)
{
    if (fwrite(text.ptr, 1, text.len, stdout) == text.len && fflush(stdout) == 0) {
        return true;
    }
    /* A reader that closed its end, as `head` does, has what it wanted. */
    if (errno != EPIPE) {
        ctl_error("cannot write to standard output: %s", strerror(errno));
    }
    return false;
}

struct status ctl_take_signals(int also, int *out)
{
    sigset_t ours;
    sigemptyset(&ours);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGHUP);
    if (also) {
        sigaddset(&ours, also);
    }
    if (sigprocmask(SIG_BLOCK, &ours, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
        FAIL_SYS(errno);
    }
    *out = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
    if (*out < 0) {
        FAIL_SYS(errno);
    }
    return OK;
}

/* ── guard ── */

/* A home that cannot be used is shown as it was given: connecting says what is wrong with it. */
const char *ctl_home(const char *option)
{
    static struct home home;
    return status_ok(home_open(option, &home)) ? home.root : option ? option : "$BULKHEAD_HOME";
}

static int explain(const char *home, int result, const char *words)
{
    if (result == BH_MISSING) {
        ctl_error("no Bulkhead answers in %s; start it with `sudo bulkhead run`, or name another "
                  "place with --home",
                  home);
        return CTL_NO_GUARD;
    }
    if (result == BH_DENIED) {
        ctl_error("you may not talk to the Bulkhead in %s; try again with sudo", home);
        return CTL_DENIED;
    }
    ctl_error("cannot talk to the Bulkhead in %s: %s", home,
              words[0] ? words : bh_error_text(result));
    return CTL_FAULT;
}

int ctl_open(const char *home, enum bh_from from, struct bh_client **out)
{
    char words[256] = "";
    struct bh_options options = BH_OPTIONS("bulkhead");
    options.home = ctl_home(home);
    options.from = (int)from;
    options.error = words;
    options.error_size = sizeof words;
    int result = bh_client_open(&options, out);
    return result == BH_OK ? CTL_OK : explain(ctl_home(home), result, words);
}

static void text_drop(char **text)
{
    bh_free(*text);
}

int ctl_ask(struct bh_client *client, const char *topic, uint64_t argument, json_t **out)
{
    OWN(text_drop) char *text = NULL;
    int result = bh_client_ask(client, topic, argument, ANSWER_MS, &text);
    if (result != BH_OK) {
        const char *words = bh_client_error(client);
        ctl_error("guard does not answer: %s", words[0] ? words : bh_error_text(result));
        return CTL_INTERNAL;
    }
    json_error_t error;
    json_t *answer = json_loads(text, 0, &error);
    if (!answer) {
        ctl_error("guard's answer about %s is not JSON: %s", topic, error.text);
        return CTL_INTERNAL;
    }
    *out = answer;
    return CTL_OK;
}

int ctl_open_and_ask(const char *home, const char *topic, uint64_t argument, json_t **out)
{
    OWN(ctl_client_drop) struct bh_client *client = NULL;
    int exit_code = ctl_open(home, BH_FROM_NOW, &client);
    return exit_code == CTL_OK ? ctl_ask(client, topic, argument, out) : exit_code;
}

int ctl_print_json(const json_t *answer)
{
    bool printed = json_dumpf(answer, stdout, JSON_COMPACT) == 0;
    return ctl_print(TEXT("\n")) && printed ? CTL_OK : CTL_FAULT;
}

struct text ctl_member_text(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return (struct text){.ptr = json_is_string(value) ? json_string_value(value) : "",
                         .len = json_string_length(value)};
}

int64_t ctl_member_number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

void ctl_client_drop(struct bh_client **client)
{
    bh_client_close(*client);
}

void ctl_json_drop(json_t **json)
{
    json_decref(*json);
}
