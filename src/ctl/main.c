/*
 * bulkhead: the command line. See bulkhead(1).
 *
 * SECURITY: it reaches guard through libbulkhead alone, like any vendor's client, and holds no
 * privilege of its own; `run` needs root because guard does.
 */
#include "ctl/content/content.h"
#include "ctl/ctl.h"
#include "ctl/suggest.h"

#include "base/log.h"

#include <stdio.h>

struct command {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv);
};

static int help_main(int argc, char **argv);

static const struct command commands[] = {
    {"run", "watch this machine in the foreground and print alerts", run_main},
    {"status", "how Bulkhead is doing", status_main},
    {"tail", "events and alerts as they happen", tail_main},
    {"record", "write events to a compressed file", record_main},
    {"tree", "a process, its ancestors and its descendants", tree_main},
    {"doctor", "what this machine lets Bulkhead see and do, and what not", doctor_main},
    {"scan", "ask files whether YARA rules match", scan_main},
    {"drill", "replay the content fault of July 2024 and see what stops it", drill_main},
    {"content", "build, test, compare and explain detection content", content_main},
    {"help", "explain a command", help_main},
};

enum { COMMANDS = sizeof commands / sizeof commands[0], HELP_WORDS = 2 };

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (text_same(text_of(name), text_of(commands[i].name))) {
            return &commands[i];
        }
    }
    return NULL;
}

static int unknown_command(const char *name)
{
    struct suggest s = suggest_for(text_of(name));
    for (size_t i = 0; i < COMMANDS; i++) {
        suggest_offer(&s, commands[i].name);
    }
    if (s.nearest) {
        return ctl_usage("", "there is no command %s; did you mean %s?", name, s.nearest);
    }
    return ctl_usage("", "there is no command %s", name);
}

static int print_overview(void)
{
    printf("Bulkhead: endpoint security that cannot take the machine down.\n"
           "\n"
           "Usage: bulkhead COMMAND [OPTION]...\n"
           "\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        printf("  %-9s %s\n", commands[i].name, commands[i].summary);
    }
    return ctl_help(
        "\n"
        "`bulkhead help COMMAND` says more. $BULKHEAD_HOME or --home names the instance,\n"
        "/var/lib/bulkhead if nothing does. Set NO_COLOR for plain text.\n"
        "\n"
        "Exit codes: 0 success, 1 failed or not well, 2 wrong usage, 69 no Bulkhead\n"
        "answers, 70 a part of it does not work, 71 the kernel refuses what it needs,\n"
        "75 another instance has the home, 77 not permitted, 78 bad configuration or\n"
        "content.\n");
}

/* `help content build` is `content build --help`: a command explains itself. */
static int help_main(int argc, char **argv)
{
    static char option[] = "--help";
    char *arguments[HELP_WORDS + 2] = {NULL};
    if (argc < 2 || argv[1][0] == '-' || text_same(text_of(argv[1]), TEXT("help"))) {
        return print_overview();
    }
    const struct command *command = find_command(argv[1]);
    if (!command) {
        return unknown_command(argv[1]);
    }
    int words = 0;
    for (; words < HELP_WORDS && words + 1 < argc; words++) {
        arguments[words] = argv[words + 1];
    }
    arguments[words] = option;
    return command->run(words + 1, arguments);
}

static int print_version(void)
{
    printf("bulkhead %s\n", BULKHEAD_VERSION);
    return ctl_help("");
}

int main(int argc, char **argv)
{
    log_open("bulkhead", LOG_LEVEL_INFO);
    if (argc < 2) {
        print_overview();
        return CTL_USAGE;
    }
    struct text first = text_of(argv[1]);
    if (text_same(first, TEXT("--version")) || text_same(first, TEXT("-V"))) {
        return print_version();
    }
    if (text_same(first, TEXT("--help")) || text_same(first, TEXT("-h"))) {
        return print_overview();
    }
    if (argv[1][0] == '-') {
        return ctl_usage("", "options come after the command: bulkhead COMMAND %s", argv[1]);
    }
    const struct command *command = find_command(argv[1]);
    return command ? command->run(argc - 1, argv + 1) : unknown_command(argv[1]);
}
