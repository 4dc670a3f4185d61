#include "ctl/content.h"

#include "ctl/content_command.h"
#include "ctl/suggest.h"

#include <stdio.h>

static const char help[] =
    "Usage: bulkhead content build DIR|FILE... -o PACK [--report text|json] [--any-product]\n"
    "       bulkhead content verify PACK [--json]\n"
    "       bulkhead content match PACK --events FILE [--names sigma|bulkhead] [--format "
    "json|text]\n"
    "       bulkhead content explain PACK [RULE]\n"
    "       bulkhead content load PACK [--json] [--home DIR]\n"
    "       bulkhead content rollback [--json] [--home DIR]\n"
    "\n"
    "  build     compiles Sigma rules into a pack; every broken rule is reported at once\n"
    "  verify    proves a pack as the engine does before it runs one\n"
    "  match     tries a pack on recorded events\n"
    "  explain   says in words what a rule of a pack asks\n"
    "  load      makes a pack the active content of the Bulkhead that runs, without a gap\n"
    "  rollback  makes the content before the present one active again\n"
    "\n"
    "`bulkhead content COMMAND --help` says more.\n"
    "\n"
    "Exit codes: 0 all went well, 1 something was refused or failed, 2 wrong usage.\n";

struct subcommand {
    const char *name;
    char *full_name; /* as errors call it */
    int (*run)(int argc, char **argv);
};

static char build_name[] = "content build";
static char verify_name[] = "content verify";
static char match_name[] = "content match";
static char explain_name[] = "content explain";
static char load_name[] = "content load";
static char rollback_name[] = "content rollback";

static const struct subcommand subcommands[] = {
    {"build", build_name, content_build}, {"verify", verify_name, content_verify},
    {"match", match_name, content_match}, {"explain", explain_name, content_explain},
    {"load", load_name, content_load},    {"rollback", rollback_name, content_rollback},
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
        if (text_same(name, text_of(subcommands[i].name))) {
            argv[1] = subcommands[i].full_name;
            return subcommands[i].run(argc - 1, argv + 1);
        }
        suggest_offer(&near, subcommands[i].name);
    }
    if (name.len == 0) {
        return ctl_usage("content",
                         "content: say what to do: build, verify, match, explain, load or "
                         "rollback");
    }
    return ctl_usage("content", "content: there is no command %s%s%s", argv[1],
                     near.nearest ? "; did you mean " : "", near.nearest ? near.nearest : "");
}
