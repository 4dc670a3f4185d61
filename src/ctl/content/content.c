#include "ctl/content/content.h"

#include "ctl/content/content_command.h"
#include "ctl/suggest.h"

#include <stdio.h>

static const char help[] =
    "Usage: bulkhead content build DIR|FILE... -o PACK [--report text|json] [--any-product]\n"
    "       bulkhead content verify PACK [--json]\n"
    "       bulkhead content match PACK --events FILE [--names sigma|bulkhead] [--format "
    "json|text]\n"
    "       bulkhead content replay PACK RECORDING... [--json]\n"
    "       bulkhead content test PACK|DIR... [--tests PATH] [--ordinary FILE] [--json]\n"
    "       bulkhead content diff A B [--json]\n"
    "       bulkhead content new --from SEQ | --from-file FILE:LINE | --last TYPE [-o FILE]\n"
    "       bulkhead content cost [PACK] [--all] [--json]\n"
    "       bulkhead content explain PACK [RULE]\n"
    "       bulkhead content load PACK [--json] [--home DIR]\n"
    "       bulkhead content rollback [--json] [--home DIR]\n"
    "\n"
    "  build    compiles Sigma rules and lists of indicators into a pack; all that is broken is\n"
    "           reported at once\n"
    "  verify   proves a pack as the engine does before it runs one\n"
    "  match    tries a pack on recorded events\n"
    "  replay   says what a pack would have done on recordings, and at what cost\n"
    "  test     holds what rules do against what they should do\n"
    "  diff     says what makes two packs different\n"
    "  new      writes a rule that matches one event, to go on from\n"
    "  cost     says what rules cost: at worst, or in the engine that runs\n"
    "  explain  says in words what a rule of a pack asks\n"
    "  load     makes a pack the active content of the Bulkhead that runs, without a gap\n"
    "  rollback makes the content before the present one active again\n"
    "\n"
    "`bulkhead content COMMAND --help` says more.\n"
    "\n"
    "Exit codes: 0 all went well, 1 something was refused or failed, 2 wrong usage.\n";

/* "content build", as errors call it; what people write begins at FULL_NAME. */
struct subcommand {
    char full_name[24];
    int (*run)(int argc, char **argv);
};

enum { FULL_NAME = sizeof "content" };

/* Not const: argv's texts are not. */
static struct subcommand subcommands[] = {
    {"content build", content_build},       {"content verify", content_verify},
    {"content match", content_match},       {"content replay", content_replay},
    {"content test", content_trial},        {"content diff", content_diff},
    {"content new", content_new},           {"content cost", content_cost},
    {"content explain", content_explain},   {"content load", content_load},
    {"content rollback", content_rollback},
};

enum { SUBCOMMANDS = sizeof subcommands / sizeof subcommands[0] };

int content_main(int argc, char **argv)
{
    struct text name = text_of(argc > 1 ? argv[1] : "");
    struct suggest near = suggest_for(name);
    if (text_same(name, TEXT("--help")) || text_same(name, TEXT("-h"))) {
        return ctl_help(help);
    }
    for (size_t i = 0; i < SUBCOMMANDS; i++) {
        if (text_same(name, text_of(subcommands[i].full_name + FULL_NAME))) {
            argv[1] = subcommands[i].full_name;
            return subcommands[i].run(argc - 1, argv + 1);
        }
        suggest_offer(&near, subcommands[i].full_name + FULL_NAME);
    }
    if (name.len == 0) {
        return ctl_usage("content", "content: say what to do: build, verify, match, replay, test, "
                                    "diff, new, cost, explain, load or rollback");
    }
    if (near.nearest) {
        return ctl_usage("content", "content: there is no command %s; did you mean %s?", argv[1],
                         near.nearest);
    }
    return ctl_usage("content", "content: there is no command %s", argv[1]);
}
