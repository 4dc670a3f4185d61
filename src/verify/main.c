/*
 * bulkhead-verify: proves one pack, in a cage, and says one line about it. See bulkhead-verify(8).
 *
 * SECURITY: the pack may come from anybody. Nothing of it is looked at before the cage is closed;
 * a timer set before ends the process whatever the proof does.
 */
#include "base/heap.h"
#include "base/log.h"
#include "base/own.h"
#include "verify/cage.h"
#include "verify/judge.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { EXIT_ACCEPTED = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2 };

enum {
    MEMORY_MIB = 192,  /* of pack and interpreter by default: the engine has 256 */
    SECONDS = 10,      /* by default; the public Windows rules take a tenth of one */
    SECONDS_MAX = 600, /* nobody waits longer */
    MIB_MAX = 1 << 20,
    LINE_MAX = 1024, /* bytes of the answer */
};

static const char help[] =
    "Usage: bulkhead-verify [OPTION]... < PACK\n"
    "\n"
    "Proves a pack in a cage and says one line: accepted, or refused and why.\n"
    "\n"
    "      --max-event-cost STEPS  for one event, about a nanosecond each (default: 1000000)\n"
    "      --max-memory MIB        of pack and interpreter (default: 192)\n"
    "      --max-size MIB          of the pack (default and most: 64)\n"
    "      --max-time SECONDS      for the proof (default: 10)\n"
    "      --structure             prove what it is made of; run no test events\n"
    "      --json                  the line as JSON\n"
    "\n"
    "Exit codes: 0 accepted, 1 refused, 2 wrong usage, or it could not work.\n";

struct options {
    struct judge_limits limits;
    uint64_t seconds;
    bool json;
};

/* ── the command line ── */

static bool take_number(const char *given, uint64_t most, uint64_t unit, uint64_t *out)
{
    uint64_t number;
    if (!text_to_u64(text_of(given), &number) || number == 0 || number > most) {
        log_error("%s is no number from 1 to %llu", given, (unsigned long long)most);
        return false;
    }
    *out = number * unit;
    return true;
}

enum {
    OPTION_COST = 256,
    OPTION_MEMORY,
    OPTION_SIZE,
    OPTION_TIME,
    OPTION_STRUCTURE,
    OPTION_JSON,
    OPTION_VERSION
};

static bool take_option(int option, struct options *o)
{
    switch (option) {
    case OPTION_COST:
        return take_number(optarg, INT64_MAX, 1, &o->limits.event_cost);
    case OPTION_MEMORY:
        return take_number(optarg, MIB_MAX, 1 << 20, &o->limits.memory);
    case OPTION_SIZE:
        return take_number(optarg, PACK_SIZE_MAX >> 20, 1 << 20, &o->limits.size);
    case OPTION_TIME:
        return take_number(optarg, SECONDS_MAX, 1, &o->seconds);
    case OPTION_STRUCTURE:
        o->limits.structure = true;
        return true;
    case OPTION_JSON:
        o->json = true;
        return true;
    default:
        return false;
    }
}

enum { GO_ON = -1 };

static int read_options(int argc, char **argv, struct options *o)
{
    static const struct option known[] = {
        {"max-event-cost", required_argument, NULL, OPTION_COST},
        {"max-memory", required_argument, NULL, OPTION_MEMORY},
        {"max-size", required_argument, NULL, OPTION_SIZE},
        {"max-time", required_argument, NULL, OPTION_TIME},
        {"structure", no_argument, NULL, OPTION_STRUCTURE},
        {"json", no_argument, NULL, OPTION_JSON},
        {"version", no_argument, NULL, OPTION_VERSION},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    for (int c; (c = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        if (c == 'h' || c == OPTION_VERSION) {
            fputs(c == 'h' ? help : "bulkhead-verify " BULKHEAD_VERSION "\n", stdout);
            return EXIT_ACCEPTED;
        }
        if (!take_option(c, o)) {
            return EXIT_USAGE;
        }
    }
    if (optind != argc) {
        log_error("the pack comes on standard input: bulkhead-verify < %s", argv[optind]);
        return EXIT_USAGE;
    }
    return GO_ON;
}

/* ── the answer ── */

static int answer(struct text line, int exit_code)
{
    while (line.len) {
        ssize_t put = write(VERIFY_ANSWER, line.ptr, line.len);
        if (put < 0 && errno != EINTR) {
            return EXIT_USAGE;
        }
        line = text_part(line, put > 0 ? (size_t)put : 0, line.len);
    }
    return exit_code;
}

static bool answer_json; /* for the handler, which has no other way to know */

static void on_alarm(int signal)
{
    (void)signal;
    _exit(answer(answer_json
                     ? TEXT("{\"accepted\":false,\"section\":\"pack\",\"reason\":\"the proof "
                            "took too long (--max-time)\"}\n")
                     : TEXT("refused: pack: the proof took too long (--max-time)\n"),
                 EXIT_REFUSED));
}

/* ── the work ── */

/* The two descriptors get numbers of their own: the cage's calls are tied to them. */
static struct status take_descriptors(void)
{
    OWN(fd_drop) int pack = fcntl(STDIN_FILENO, F_DUPFD, VERIFY_INHERITED);
    OWN(fd_drop) int line = fcntl(STDOUT_FILENO, F_DUPFD, VERIFY_INHERITED);
    if (pack < 0 || line < 0 || dup2(pack, VERIFY_PACK) < 0 || dup2(line, VERIFY_ANSWER) < 0) {
        FAIL_SYS(errno);
    }
    return cage_close_from(VERIFY_INHERITED);
}

/* LIMIT: it is longer than `max`. */
static struct status read_pack(size_t max, char **out, size_t *out_size)
{
    OWN(heap_drop) char *bytes = NULL;
    size_t room = 0;
    size_t used = 0;
    for (;;) {
        if (used == room) {
            room = room ? room * 2 : 1 << 20;
            char *more = heap_grow(bytes, room, 1);
            if (!more) {
                FAIL(MEMORY);
            }
            bytes = more;
        }
        ssize_t got = read(VERIFY_PACK, bytes + used, room - used);
        if (got < 0 && errno != EINTR) {
            FAIL_SYS(errno);
        }
        if (got == 0) {
            break;
        }
        used += got > 0 ? (size_t)got : 0;
        if (used > max) {
            break; /* judge() says so */
        }
    }
    *out = TAKE(bytes);
    *out_size = used;
    return OK;
}

static int work(const struct options *o)
{
    OWN(heap_drop) char *bytes = NULL;
    size_t size = 0;
    struct judgement j;
    char room[LINE_MAX];
    struct writer line = writer_over(room, sizeof room);
    struct status s = read_pack(o->limits.size, &bytes, &size);
    s = status_ok(s) ? judge((struct text){bytes, size}, &o->limits, &j) : s;
    if (s.fault == FAULT_MEMORY) {
        j = (struct judgement){.fault = {.section = "pack",
                                         .index = PACK_WHOLE,
                                         .what = "the proof needs more memory than there is"}};
    } else if (!status_ok(s)) {
        log_status("cannot read the pack", s);
        return EXIT_USAGE;
    }
    judgement_write(&j, size, o->json, &line);
    return answer(writer_text(&line), j.accepted ? EXIT_ACCEPTED : EXIT_REFUSED);
}

int main(int argc, char **argv)
{
    struct options o = {.limits = {.event_cost = PACK_EVENT_COST,
                                   .memory = (uint64_t)MEMORY_MIB << 20,
                                   .size = PACK_SIZE_MAX},
                        .seconds = SECONDS};
    struct cage cage = verify_cage();
    uint32_t missing;
    char words[160];
    log_open("bulkhead-verify", LOG_LEVEL_INFO);
    int code = read_options(argc, argv, &o);
    if (code != GO_ON) {
        return code;
    }
    answer_json = o.json;
    bool root = geteuid() == 0;
    bool told = getenv(CAGE_TOLD) != NULL;
    struct status s = take_descriptors();
    if (status_ok(s)) {
        signal(SIGALRM, on_alarm);
        alarm((unsigned)o.seconds);
        s = cage_enter(&cage, &missing);
    }
    if (!status_ok(s)) {
        log_status("cannot enter the cage", s);
        return EXIT_USAGE;
    }
    /* Others than root cannot have all of it, and cannot do anything about it. */
    if (root && missing && !told) {
        log_warning(
            "the pack is proven, in a cage that lacks: %s. A changed root folder or a container "
            "withholds that: run it on the machine itself",
            cage_missing(missing, words, sizeof words));
    }
    return work(&o);
}
