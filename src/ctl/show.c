#include "ctl/show.h"

#include "base/clock.h"
#include "base/count.h"

#include <inttypes.h>
#include <time.h>

/* Columns, so that lines of all types stand under each other; and how much of a text a line shows:
 * the whole is in `tail --format json`. */
enum { TYPE_WIDTH = 17, PROCESS_WIDTH = 22, LABEL_WIDTH = 9, INDENT = 14, LINE_TEXT = 512 };

/* A process may have thousands of ancestors, made to bury the alert. */
enum { TREE_LINES = 64 };

enum style show_level_style(struct text level)
{
    static const struct {
        const char *level;
        enum style style;
    } styles[] = {{"critical", STYLE_ALARM},
                  {"high", STYLE_RED},
                  {"medium", STYLE_YELLOW},
                  {"low", STYLE_CYAN}};

    for (size_t i = 0; i < sizeof styles / sizeof styles[0]; i++) {
        if (text_same(level, text_of(styles[i].level))) {
            return styles[i].style;
        }
    }
    return STYLE_PLAIN;
}

const char *show_duration(uint64_t ms, char *out)
{
    uint64_t s = ms / 1000;
    if (ms < 1000) {
        snprintf(out, SHOW_DURATION, "%" PRIu64 " ms", ms);
    } else if (s < 60) {
        snprintf(out, SHOW_DURATION, "%" PRIu64 " s", s);
    } else if (s < 3600) {
        snprintf(out, SHOW_DURATION, "%" PRIu64 " min %" PRIu64 " s", s / 60, s % 60);
    } else if (s < 86400) {
        snprintf(out, SHOW_DURATION, "%" PRIu64 " h %" PRIu64 " min", s / 3600, s / 60 % 60);
    } else {
        snprintf(out, SHOW_DURATION, "%" PRIu64 " d %" PRIu64 " h", s / 86400, s / 3600 % 24);
    }
    return out;
}

const char *show_size(uint64_t bytes, char *out)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t unit = 0;
    double value = (double)bytes;
    while (value >= 1024) {
        value /= 1024;
        unit++;
    }
    snprintf(out, SHOW_SIZE, unit > 0 && value < 100 ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return out;
}

const char *show_count(int64_t count, char *out)
{
    return count_number(count < 0 ? 0 : (uint64_t)count, out);
}

/* ── pieces of a line ── */

static bool has(const struct event *e, enum field field)
{
    enum value_kind kind = event_get(e, field).kind;
    return kind != VALUE_ABSENT && kind != VALUE_NULL;
}

static void text(struct term *t, const struct event *e, enum field field)
{
    term_quote(t, STYLE_PLAIN, event_text(e, field), LINE_TEXT);
    if (event_get(e, field).cut) {
        term_print(t, STYLE_DIM, " (cut)");
    }
}

/* The time of day is enough for people who watch; the date is in the other formats. */
static void time_of_day(struct term *t, uint64_t time_ns)
{
    char words[16];
    time_t seconds = (time_t)(time_ns / CLOCK_NS_PER_S);
    struct tm local;
    localtime_r(&seconds, &local);
    strftime(words, sizeof words, "%H:%M:%S", &local);
    term_print(t, STYLE_DIM, "%s.%03u  ", words,
               (unsigned)(time_ns % CLOCK_NS_PER_S / CLOCK_NS_PER_MS));
}

/* A thread of the kernel has a name, and a slash may be in it. */
static struct text base_name(struct text path)
{
    size_t slash = text_starts(path, TEXT("/")) ? text_find_last(path, '/') : SIZE_MAX;
    return slash == SIZE_MAX ? path : text_part(path, slash + 1, path.len);
}

/* "sh(42)". The name is the program's: the kernel's short one can be set by the process itself. */
static struct text process_name(const struct event *e, enum field path, enum field pid, char *room,
                                size_t size)
{
    struct text name = base_name(event_text(e, path));
    if (name.len == 0) {
        name = path == FIELD_PATH ? event_text(e, FIELD_COMM) : TEXT("?");
    }
    int len = snprintf(room, size, "%.*s(%" PRId64 ")", (int)(name.len < 48 ? name.len : 48),
                       name.ptr, event_number(e, pid));
    return (struct text){room, (size_t)len};
}

static void process(struct term *t, const struct event *e, enum field path, enum field pid)
{
    char room[80];
    term_quote(t, STYLE_BOLD, process_name(e, path, pid, room, sizeof room), sizeof room);
}

static void endpoint(struct term *t, const struct event *e, enum field address, enum field port)
{
    struct text ip = event_text(e, address);
    bool v6 = text_find_byte(ip, ':') != SIZE_MAX;
    term_print(t, STYLE_PLAIN, "%s", v6 ? "[" : "");
    text(t, e, address);
    term_print(t, STYLE_PLAIN, "%s:%" PRId64, v6 ? "]" : "", event_number(e, port));
}

/* ── what happened, one function a type ── */

static void on_exec(struct term *t, const struct event *e)
{
    text(t, e, has(e, FIELD_COMMAND_LINE) ? FIELD_COMMAND_LINE : FIELD_PATH);
    if (event_number(e, FIELD_EXE_MEMFD)) {
        term_print(t, STYLE_YELLOW, "  from memory");
    } else if (event_number(e, FIELD_EXE_DELETED)) {
        term_print(t, STYLE_YELLOW, "  deleted file");
    }
    if (has(e, FIELD_PARENT_PID)) {
        char room[80];
        term_print(t, STYLE_DIM, "  ← ");
        term_quote(t, STYLE_DIM,
                   process_name(e, FIELD_PARENT_PATH, FIELD_PARENT_PID, room, sizeof room),
                   sizeof room);
    }
    if (has(e, FIELD_USER)) {
        term_print(t, STYLE_DIM, "  ");
        term_quote(t, STYLE_DIM, event_text(e, FIELD_USER), LINE_TEXT);
    }
}

static void on_fork(struct term *t, const struct event *e)
{
    term_print(t, STYLE_PLAIN, "→ %" PRId64, event_number(e, FIELD_CHILD_PID));
}

static void on_exit_status(struct term *t, const struct event *e)
{
    int64_t signal = event_number(e, FIELD_EXIT_SIGNAL);
    if (signal != 0) {
        term_print(t, STYLE_YELLOW, "killed by signal %" PRId64, signal);
    } else {
        int64_t code = event_number(e, FIELD_EXIT_CODE);
        term_print(t, code ? STYLE_PLAIN : STYLE_DIM, "status %" PRId64, code);
    }
}

static void on_file(struct term *t, const struct event *e)
{
    text(t, e, FIELD_TARGET_PATH);
    if (has(e, FIELD_OPERATION)) {
        term_print(t, STYLE_DIM, "  ");
        term_quote(t, STYLE_DIM, event_text(e, FIELD_OPERATION), LINE_TEXT);
    }
}

static void on_from_to(struct term *t, const struct event *e)
{
    text(t, e, FIELD_SOURCE_PATH);
    term_print(t, STYLE_DIM, " → ");
    text(t, e, FIELD_TARGET_PATH);
}

static void on_attribute(struct term *t, const struct event *e)
{
    text(t, e, FIELD_TARGET_PATH);
    term_print(t, STYLE_DIM, "  ");
    text(t, e, FIELD_ATTRIBUTE);
    if (has(e, FIELD_FILE_MODE)) {
        term_print(t, STYLE_PLAIN, " %04" PRIo64, event_number(e, FIELD_FILE_MODE) & 07777);
    }
}

static void on_connection(struct term *t, const struct event *e)
{
    text(t, e, FIELD_PROTOCOL);
    term_print(t, STYLE_PLAIN, " ");
    endpoint(t, e, FIELD_SOURCE_ADDRESS, FIELD_SOURCE_PORT);
    term_print(t, STYLE_DIM, " → ");
    endpoint(t, e, FIELD_DESTINATION_ADDRESS, FIELD_DESTINATION_PORT);
}

static void on_listen(struct term *t, const struct event *e)
{
    text(t, e, FIELD_PROTOCOL);
    term_print(t, STYLE_PLAIN, " ");
    endpoint(t, e, FIELD_DESTINATION_ADDRESS, FIELD_DESTINATION_PORT);
}

static void on_trace(struct term *t, const struct event *e)
{
    text(t, e, FIELD_OPERATION);
    term_print(t, STYLE_DIM, " → ");
    process(t, e, FIELD_TARGET_PROCESS, FIELD_TARGET_PID);
}

static void on_credential(struct term *t, const struct event *e)
{
    text(t, e, FIELD_OPERATION);
    term_print(t, STYLE_PLAIN, "  uid %" PRId64 " → %" PRId64, event_number(e, FIELD_OLD_UID),
               event_number(e, FIELD_EUID));
    term_print(t, STYLE_DIM, "  capabilities %" PRIx64,
               (uint64_t)event_number(e, FIELD_CAPABILITIES));
}

static void on_module(struct term *t, const struct event *e)
{
    text(t, e, FIELD_MODULE_NAME);
    term_print(t, STYLE_DIM, "  ");
    text(t, e, FIELD_OPERATION);
}

static void on_bpf(struct term *t, const struct event *e)
{
    text(t, e, FIELD_PROGRAM_NAME);
    term_print(t, STYLE_DIM, "  type %" PRId64 "  id %" PRId64, event_number(e, FIELD_PROGRAM_TYPE),
               event_number(e, FIELD_PROGRAM_ID));
}

static void on_mount(struct term *t, const struct event *e)
{
    text(t, e, FIELD_SOURCE_PATH);
    term_print(t, STYLE_DIM, " on ");
    text(t, e, FIELD_TARGET_PATH);
    term_print(t, STYLE_DIM, "  ");
    text(t, e, FIELD_FS_TYPE);
}

static void on_namespaces(struct term *t, const struct event *e)
{
    text(t, e, FIELD_OPERATION);
    term_print(t, STYLE_DIM, "  ");
    text(t, e, FIELD_NAMESPACES);
}

static void on_health(struct term *t, const struct event *e)
{
    enum style style = show_level_style(event_text(e, FIELD_LEVEL));
    term_quote(t, style, event_text(e, FIELD_MESSAGE), LINE_TEXT);
    if (event_number(e, FIELD_OCCURRENCES) > 1) {
        term_print(t, style, " (%" PRId64 " times)", event_number(e, FIELD_OCCURRENCES));
    }
}

static void on_recorded(struct term *t, const struct event *e)
{
    text(t, e, FIELD_LOG_CATEGORY);
}

static void (*const what_happened[EVENT_COUNT])(struct term *, const struct event *) = {
    [EVENT_PROCESS_EXEC] = on_exec,
    [EVENT_PROCESS_FORK] = on_fork,
    [EVENT_PROCESS_EXIT] = on_exit_status,
    [EVENT_FILE_CREATE] = on_file,
    [EVENT_FILE_MODIFY] = on_file,
    [EVENT_FILE_RENAME] = on_from_to,
    [EVENT_FILE_LINK] = on_from_to,
    [EVENT_FILE_UNLINK] = on_file,
    [EVENT_FILE_ATTRIBUTE] = on_attribute,
    [EVENT_FILE_OPEN] = on_file,
    [EVENT_NETWORK_CONNECT] = on_connection,
    [EVENT_NETWORK_ACCEPT] = on_connection,
    [EVENT_NETWORK_LISTEN] = on_listen,
    [EVENT_PROCESS_TRACE] = on_trace,
    [EVENT_CREDENTIAL_CHANGE] = on_credential,
    [EVENT_MODULE_LOAD] = on_module,
    [EVENT_BPF_LOAD] = on_bpf,
    [EVENT_MOUNT] = on_mount,
    [EVENT_UNMOUNT] = on_file,
    [EVENT_NAMESPACE_CHANGE] = on_namespaces,
    [EVENT_MEMFD_CREATE] = on_file,
    [EVENT_HEALTH] = on_health,
    [EVENT_RECORDED] = on_recorded,
};

/* ── whole events ── */

/* Health is about a part of Bulkhead and not about a process. */
static void subject(struct term *t, const struct event *e)
{
    char room[80];
    struct text who = process_name(e, FIELD_PATH, FIELD_PID, room, sizeof room);
    if (e->header.type == EVENT_HEALTH) {
        who = event_text(e, FIELD_COMPONENT);
    }
    term_column(t, STYLE_BOLD, who, PROCESS_WIDTH);
    term_print(t, STYLE_PLAIN, " ");
}

static void show_line(struct term *t, const struct event *e)
{
    enum event_type type = (enum event_type)e->header.type;
    time_of_day(t, e->header.time_ns);
    term_column(t, STYLE_CYAN, text_of(event_info(type)->name), TYPE_WIDTH);
    term_print(t, STYLE_PLAIN, "  ");
    subject(t, e);
    what_happened[type](t, e);
    if (event_number(e, FIELD_ERROR) != 0) {
        term_print(t, STYLE_YELLOW, "  refused: %s", strerror((int)event_number(e, FIELD_ERROR)));
    }
    if (event_text(e, FIELD_CONTAINER).len > 0) {
        term_print(t, STYLE_DIM, "  in container ");
        term_quote(t, STYLE_DIM, event_text(e, FIELD_CONTAINER), LINE_TEXT);
    }
    term_print(t, STYLE_PLAIN, "\n");
}

static void label(struct term *t, const char *words)
{
    term_print(t, STYLE_DIM, "%*s%-*s ", INDENT, "", LABEL_WIDTH, words);
}

static void labelled(struct term *t, const struct event *e, const char *words, enum field field)
{
    if (event_text(e, field).len > 0) {
        label(t, words);
        text(t, e, field);
        term_print(t, STYLE_PLAIN, "\n");
    }
}

/* A line of the text for each process, eldest first, each under its parent. */
static void process_tree(struct term *t, struct text tree)
{
    for (int depth = 0; tree.len > 0; depth++) {
        if (depth == TREE_LINES) {
            tree = TEXT("…");
        }
        size_t end = text_find_byte(tree, '\n');
        struct text line = text_part(tree, 0, end);
        tree = end == SIZE_MAX ? TEXT("") : text_part(tree, end + 1, tree.len);
        label(t, depth == 0 ? "tree" : "");
        /* Deeper than sixteen it would leave the screen: the rest stands below each other. */
        int indent = (depth < 16 ? depth : 16) * 3 - 3;
        term_print(t, STYLE_DIM, "%*s%s", depth > 0 ? indent : 0, "", depth > 0 ? "└─ " : "");
        term_quote(t, tree.len == 0 ? STYLE_BOLD : STYLE_PLAIN, line, LINE_TEXT);
        term_print(t, STYLE_PLAIN, "\n");
    }
}

static void show_alert(struct term *t, const struct event *e)
{
    struct text level = event_text(e, FIELD_LEVEL);
    enum style style = show_level_style(level);
    time_of_day(t, e->header.time_ns);
    term_print(t, style, "ALERT ");
    term_quote(t, style, level, LINE_TEXT);
    term_print(t, STYLE_PLAIN, "  ");
    term_quote(t, STYLE_BOLD, event_text(e, FIELD_RULE_TITLE), LINE_TEXT);
    term_print(t, STYLE_PLAIN, "\n");
    labelled(t, e, "what", FIELD_MESSAGE);
    label(t, "process");
    process(t, e, FIELD_PATH, FIELD_PID);
    term_print(t, STYLE_PLAIN, "  ");
    text(t, e, FIELD_USER);
    term_print(t, STYLE_PLAIN, "\n");
    labelled(t, e, "container", FIELD_CONTAINER);
    process_tree(t, event_text(e, FIELD_PROCESS_TREE));
    labelled(t, e, "tags", FIELD_TAGS);
    label(t, "rule");
    text(t, e, FIELD_RULE_ID);
    if (event_text(e, FIELD_RULE_AUTHOR).len > 0) {
        term_print(t, STYLE_DIM, "  by ");
        text(t, e, FIELD_RULE_AUTHOR);
    }
    term_print(t, STYLE_PLAIN, "\n");
}

void show_event(struct term *t, const struct event *event)
{
    if (event->header.type == EVENT_ALERT) {
        show_alert(t, event);
    } else {
        show_line(t, event);
    }
}

void show_lost(struct term *t, uint64_t lost)
{
    term_print(t, STYLE_ALARM, "━━━ %" PRIu64 " event%s lost here: this reader was too slow ━━━",
               lost, lost == 1 ? "" : "s");
    term_print(t, STYLE_PLAIN, "\n");
}
