/*
 * ctl: what the subcommands of `bulkhead` share: exit codes, words for mistakes, the way to guard.
 *
 * A subcommand is one file and one function that takes its own argv (argv[0] is its name) and
 * returns the exit code. Answers go to standard output, complaints to standard error.
 */
#pragma once

#include "base/text.h"

#include <bulkhead/bulkhead.h>
#include <getopt.h>
#include <jansson.h>

/* Documented in bulkhead(1). 0 is success; those above 63 are sysexits.h's. */
enum ctl_exit {
    CTL_OK = 0,
    CTL_FAULT = 1,     /* it did not work, or what was asked about is not well */
    CTL_USAGE = 2,     /* the command line is wrong */
    CTL_NO_GUARD = 69, /* nobody answers at this home */
    CTL_INTERNAL = 70, /* a part of Bulkhead does not work */
    CTL_KERNEL = 71,   /* the kernel refuses what guard needs */
    CTL_BUSY = 75,     /* another instance has this home */
    CTL_DENIED = 77,   /* not permitted */
    CTL_CONTENT = 78,  /* configuration or content is bad */
};

int run_main(int argc, char **argv);
int status_main(int argc, char **argv);
int tail_main(int argc, char **argv);
int record_main(int argc, char **argv);
int tree_main(int argc, char **argv);
int doctor_main(int argc, char **argv);
int scan_main(int argc, char **argv);
int drill_main(int argc, char **argv);

/* ── the command line ── */

/* "bulkhead: error: …" on standard error. */
void ctl_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, and where to read on; gives CTL_USAGE. */
int ctl_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* For getopt_long()'s ':' and '?' (its option string has to begin with "+:"). */
int ctl_bad_option(int argc, char **argv, int option);

/* What the commands that ask one question take. */
struct ctl_options {
    const char *home;
    bool json;
};

/* Reads --home, --json and --help in any order; optind is at the first argument. CTL_GO_ON: they
 * are in `out`. Otherwise the exit code. */
enum { CTL_GO_ON = -1 };

int ctl_options(int argc, char **argv, const char *help, struct ctl_options *out);

/* Prints a help text; gives CTL_OK. */
int ctl_help(const char *text);

/* Writes to standard output; false, with a complaint: it is full or gone. */
bool ctl_print(struct text text);

/* From now on SIGINT, SIGTERM, SIGHUP and `also` (0: no other) come to a descriptor instead of
 * ending us, and a pipe that was closed is an error of write(). */
struct status ctl_take_signals(int also, int *out);

/* ── guard ── */

/* The instance's folder as wire/home.h finds it, absolute. Valid until the next call. */
const char *ctl_home(const char *option);

/* Connects to the guard of `home`; complains and gives an exit code where that fails. */
int ctl_open(const char *home, enum bh_from from, struct bh_client **out);

/* Asks guard; its answer is for json_decref(). CTL_OK, or an exit code after a complaint. */
int ctl_ask(struct bh_client *client, const char *topic, uint64_t argument, json_t **out);

/* Both. */
int ctl_open_and_ask(const char *home, const char *topic, uint64_t argument, json_t **out);

/* Prints an answer as one line; CTL_OK or CTL_FAULT. */
int ctl_print_json(const json_t *answer);

/* Members of an answer; "" and 0 where they are not there or of another kind. */
struct text ctl_member_text(const json_t *object, const char *name);
int64_t ctl_member_number(const json_t *object, const char *name);

/* For OWN(). */
void ctl_client_drop(struct bh_client **client);
void ctl_json_drop(json_t **json);
