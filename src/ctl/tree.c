#include "ctl/ctl.h"
#include "ctl/show.h"

#include "base/log.h"
#include "base/own.h"

#include <inttypes.h>
#include <stdio.h>

static const char help[] =
    "Usage: bulkhead tree PID [--json] [--home DIR]\n"
    "\n"
    "Draws a process with its ancestors and descendants, those that ended included as long as\n"
    "guard remembers them.\n"
    "\n"
    "  --json      guard's answer as one JSON object\n"
    "  --home DIR  the instance (default: $BULKHEAD_HOME or /var/lib/bulkhead)\n";

/* Deeper families are cut off, and say so: the screen ends long before. */
enum { DEPTH_MAX = 64, LINE_MAX_BYTES = 16 * 1024, COMMAND_MAX = 200 };

struct tree {
    json_t *children; /* guid of the parent → array of processes */
    json_t *known;    /* guid → process */
    int64_t pid;      /* the one that was asked for */
    bool colour;
    bool last[DEPTH_MAX]; /* is the ancestor at this depth the last of its siblings? */
};

static void print_branch(struct term *t, const struct tree *tree, unsigned depth)
{
    for (unsigned i = 1; i < depth; i++) {
        term_print(t, STYLE_DIM, "%s", tree->last[i] ? "   " : "│  ");
    }
    if (depth > 0) {
        term_print(t, STYLE_DIM, "%s", tree->last[depth] ? "└─ " : "├─ ");
    }
}

static void print_process(const struct tree *tree, const json_t *process, unsigned depth)
{
    char room[LINE_MAX_BYTES];
    struct writer out = writer_over(room, sizeof room);
    struct term t = {.out = &out, .colour = tree->colour};
    struct text path = ctl_member_text(process, "path");
    /* A thread of the kernel has a name, and a slash may be in it. */
    size_t slash = text_starts(path, TEXT("/")) ? text_find_last(path, '/') : SIZE_MAX;
    int64_t pid = ctl_member_number(process, "pid");
    bool exited = json_is_true(json_object_get(process, "exited"));
    enum style style = pid == tree->pid ? STYLE_BOLD : exited ? STYLE_DIM : STYLE_PLAIN;
    print_branch(&t, tree, depth);
    term_quote(&t, style, slash == SIZE_MAX ? path : text_part(path, slash + 1, path.len),
               COMMAND_MAX);
    term_print(&t, style, "(%" PRId64 ")", pid);
    term_print(&t, STYLE_PLAIN, "  ");
    term_quote(&t, STYLE_CYAN, ctl_member_text(process, "user"), COMMAND_MAX);
    term_print(&t, STYLE_PLAIN, "  ");
    term_quote(&t, style == STYLE_BOLD ? STYLE_PLAIN : STYLE_DIM,
               ctl_member_text(process, "command_line"), COMMAND_MAX);
    term_print(&t, STYLE_DIM, "%s\n", exited ? "  (ended)" : "");
    fwrite(room, 1, out.used, stdout);
}

/* Calls itself, DEPTH_MAX deep at most. */
static void print_family(struct tree *tree, const json_t *process, unsigned depth)
{
    size_t i;
    json_t *child;
    print_process(tree, process, depth);
    const json_t *children =
        json_object_get(tree->children, json_string_value(json_object_get(process, "guid")));
    if (depth + 1 == DEPTH_MAX) {
        printf(json_array_size(children) > 0 ? "… and deeper\n" : "");
        return;
    }
    json_array_foreach(children, i, child)
    {
        tree->last[depth + 1] = i + 1 == json_array_size(children);
        print_family(tree, child, depth + 1);
    }
}

static void add_child(struct tree *tree, json_t *process)
{
    const char *parent = json_string_value(json_object_get(process, "parent_guid"));
    json_t *siblings = json_object_get(tree->children, parent ? parent : "");
    if (!siblings) {
        siblings = json_array();
        json_object_set_new(tree->children, parent ? parent : "", siblings);
    }
    json_array_append(siblings, process);
}

static int show(json_t *processes, int64_t pid)
{
    OWN(ctl_json_drop) json_t *children = json_object();
    OWN(ctl_json_drop) json_t *known = json_object();
    struct tree tree = {
        .children = children, .known = known, .pid = pid, .colour = term_wants_colour(stdout)};
    size_t i;
    json_t *process;
    json_array_foreach(processes, i, process)
    {
        const char *guid = json_string_value(json_object_get(process, "guid"));
        json_object_set(known, guid ? guid : "", process);
        add_child(&tree, process);
    }
    json_array_foreach(processes, i, process)
    {
        const char *parent = json_string_value(json_object_get(process, "parent_guid"));
        if (!json_object_get(known, parent ? parent : "")) {
            print_family(&tree, process, 0);
        }
    }
    return ctl_print(TEXT("")) ? CTL_OK : CTL_FAULT;
}

static int ask_and_show(const char *home, uint64_t pid, bool json)
{
    OWN(ctl_json_drop) json_t *answer = NULL;
    int exit_code = ctl_open_and_ask(home, "tree", pid, &answer);
    if (exit_code != CTL_OK) {
        return exit_code;
    }
    json_t *processes = json_object_get(answer, "processes");
    if (json_array_size(processes) == 0) {
        ctl_error("guard knows no process %" PRIu64, pid);
        return CTL_FAULT;
    }
    if (json) {
        return ctl_print_json(answer);
    }
    exit_code = show(processes, (int64_t)pid);
    int64_t left_out = ctl_member_number(answer, "left_out");
    if (left_out > 0) {
        log_warning("%" PRId64 " more processes did not fit into the answer", left_out);
    }
    return exit_code;
}

int tree_main(int argc, char **argv)
{
    uint64_t pid;
    struct ctl_options options = {0};
    int exit_code = ctl_options(argc, argv, help, &options);
    if (exit_code != CTL_GO_ON) {
        return exit_code;
    }
    if (argc - optind != 1) {
        return ctl_usage("tree", "tree needs one process id");
    }
    if (!text_to_u64(text_of(argv[optind]), &pid) || pid == 0 || pid > INT32_MAX) {
        return ctl_usage("tree", "%s is no process id", argv[optind]);
    }
    return ask_and_show(options.home, pid, options.json);
}
