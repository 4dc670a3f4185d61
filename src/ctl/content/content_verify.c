#include "ctl/content/content_command.h"
#include "ctl/content/content_proof.h"

#include <stdio.h>

static const char help[] =
    "Usage: bulkhead content verify PACK [OPTION]...\n"
    "\n"
    "Proves a pack in the cage of bulkhead-verify: every offset, length, type and jump, what it "
    "may\n"
    "cost at worst; and runs its test events, which have to show that every field decides that a\n"
    "rule reads.\n"
    "\n"
    "      --max-event-cost STEPS  for one event, about a nanosecond each (default: 1000000)\n"
    "      --max-memory MIB        of pack and interpreter (default: 192)\n"
    "      --max-size MIB          of the pack (default: 64)\n"
    "      --max-time SECONDS      for the proof (default: 10)\n"
    "      --json                  the answer as JSON\n"
    "\n"
    "Exit codes: 0 accepted, 1 refused, 2 wrong usage, 70 the proof itself failed.\n";

enum { OPTION_COST = 256, OPTION_MEMORY, OPTION_SIZE, OPTION_TIME };

/* What bulkhead-verify is called with. */
struct budget {
    const char *options[CONTENT_PROOF_OPTIONS + 1];
    size_t count;
};

/* Given twice, the last one holds there. */
static void hand_on(struct budget *b, const char *name, const char *value)
{
    if (b->count + 3 <= CONTENT_PROOF_OPTIONS) { /* one place stays for --json */
        b->options[b->count++] = name;
        b->options[b->count++] = value;
    }
}

static bool take_number(struct budget *b, int option)
{
    static const char *const names[] = {"--max-event-cost", "--max-memory", "--max-size",
                                        "--max-time"};
    uint64_t number;
    if (!text_to_u64(text_of(optarg), &number) || number == 0) {
        return false;
    }
    hand_on(b, names[option - OPTION_COST], optarg);
    return true;
}

static int verify(const char *path, const struct budget *b, bool json)
{
    struct content_proof proof;
    int exit_code;
    if (!content_proof(path, b->options, &proof, &exit_code)) {
        return exit_code;
    }
    printf("%s%s%s\n", json ? "" : path, json ? "" : ": ", proof.line);
    return ctl_print(TEXT("")) && proof.accepted ? CTL_OK : CTL_FAULT;
}

int content_verify(int argc, char **argv)
{
    static const struct option options[] = {
        {"max-event-cost", required_argument, NULL, OPTION_COST},
        {"max-memory", required_argument, NULL, OPTION_MEMORY},
        {"max-size", required_argument, NULL, OPTION_SIZE},
        {"max-time", required_argument, NULL, OPTION_TIME},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct budget budget = {.options = {NULL}};
    bool json = false;
    for (int c; (c = getopt_long(argc, argv, ":h", options, NULL)) != -1;) {
        if (c == 'j') {
            json = true;
        } else if (c == 'h') {
            return ctl_help(help);
        } else if (c < OPTION_COST) {
            return ctl_bad_option(argc, argv, c);
        } else if (!take_number(&budget, c)) {
            return ctl_usage(argv[0], "%s: a limit is a number from 1, not %s", argv[0], optarg);
        }
    }
    if (optind != argc - 1) {
        return ctl_usage(argv[0], "%s: name one pack", argv[0]);
    }
    if (json) {
        budget.options[budget.count++] = "--json";
    }
    return verify(argv[optind], &budget, json);
}
