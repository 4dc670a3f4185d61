#include "base/clock.h"
#include "guard/guard.h"

#include <stdarg.h>
#include <stdio.h>

bool wanted(const struct guard *g, enum event_type type)
{
    return (g->subscribed >> type & 1) != 0;
}

static void put_parent(struct guard *g, struct event_builder *b, const struct process *process)
{
    char number[USERS_NAME];
    event_put_number(b, FIELD_PARENT_GUID, (int64_t)process->parent_guid);
    event_put_number(b, FIELD_PARENT_PID, process->parent_pid);
    const struct process *parent = processes_find(&g->processes, process->parent_guid);
    if (parent) {
        struct process_texts t = process_texts(parent);
        event_put_cut(b, FIELD_PARENT_PATH, t.path, t.path_cut);
        event_put_cut(b, FIELD_PARENT_COMMAND_LINE, t.arguments, t.arguments_cut);
        event_put_text(b, FIELD_PARENT_USER, users_name(&g->users, parent->uid, number));
    }
}

/* What the table knows; fields that the caller put already stay. */
void put_process(struct guard *g, struct event_builder *b, const struct process *process)
{
    char number[USERS_NAME];
    struct process_texts t = process_texts(process);
    event_put_number(b, FIELD_PROCESS_GUID, (int64_t)process->guid);
    event_put_number(b, FIELD_PID, process->pid);
    event_put_cut(b, FIELD_PATH, t.path, t.path_cut);
    event_put_cut(b, FIELD_COMMAND_LINE, t.arguments, t.arguments_cut);
    event_put_cut(b, FIELD_CWD, t.cwd, t.cwd_cut);
    event_put_text(b, FIELD_USER, users_name(&g->users, process->uid, number));
    event_put_number(b, FIELD_UID, process->uid);
    event_put_number(b, FIELD_GID, process->gid);
    event_put_number(b, FIELD_EUID, process->euid);
    event_put_number(b, FIELD_EGID, process->egid);
    event_put_number(b, FIELD_LOGIN_UID, (int32_t)process->login_uid);
    event_put_number(b, FIELD_SESSION, process->session);
    event_put_text(b, FIELD_COMM, text_of(process->comm));
    if (process->container[0]) {
        event_put_text(b, FIELD_CONTAINER, text_of(process->container));
    }
    put_parent(g, b, process);
}

/* The record is right about now; the table adds what it does not carry. */
void put_who(struct guard *g, struct event_builder *b, const struct seen *seen,
             const struct process *process)
{
    char number[USERS_NAME];
    const struct record *r = &seen->record;
    event_put_number(b, FIELD_PROCESS_GUID, (int64_t)process_guid(r->pid, r->start_ns));
    event_put_number(b, FIELD_PID, r->pid);
    event_put_text(b, FIELD_USER, users_name(&g->users, r->uid, number));
    event_put_number(b, FIELD_UID, r->uid);
    event_put_number(b, FIELD_GID, r->gid);
    event_put_number(b, FIELD_EUID, r->euid);
    event_put_number(b, FIELD_EGID, r->egid);
    event_put_number(b, FIELD_LOGIN_UID, (int32_t)r->login_uid);
    event_put_text(b, FIELD_COMM, text_of(r->comm));
    event_put_number(b, FIELD_ERROR, r->error);
    if (process) {
        put_process(g, b, process);
    }
}

void publish_event(struct guard *g, struct event_builder *b, enum event_type type, uint64_t time_ns,
                   uint64_t origin)
{
    struct text record;
    struct event_header header = {
        .type = (uint16_t)type, .time_ns = time_ns + g->real_minus_boot_ns, .origin = origin};
    /* The builder's room is EVENT_MAX, and the limits of all texts add up to less. */
    ENSURE(status_ok(event_end(b, header, &record)));
    uint64_t seq = stream_publish(&g->stream, record);
    g->places[seq % PLACES] = g->stream.page->head - record.len;
    g->published[type]++;
    g->news = true;
}

void publish_health(struct guard *g, const char *level, const char *component, uint64_t count,
                    const char *format, ...)
{
    char words[512];
    struct event_builder b;
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    event_begin(&b, g->record, sizeof g->record);
    event_put_text(&b, FIELD_COMPONENT, text_of(component));
    event_put_text(&b, FIELD_LEVEL, text_of(level));
    event_put_text(&b, FIELD_MESSAGE, text_of(words));
    event_put_number(&b, FIELD_OCCURRENCES, (int64_t)count);
    publish_event(g, &b, EVENT_HEALTH, clock_boot_ns(), 0);
}

enum { TREE_DEPTH = 12 }; /* ancestors that people are shown; `bulkhead tree` has them all */

/* A line that a path cannot break: a name may hold anything but a slash and a zero. */
static void write_line(struct writer *out, struct text path)
{
    for (size_t i = 0; i < path.len; i++) {
        writer_u8(out, (unsigned char)path.ptr[i] < ' ' ? '?' : (uint8_t)path.ptr[i]);
    }
}

/* A process a line, eldest first, the last as it was when it happened:
 * "/usr/lib/systemd/systemd(1)", "/usr/sbin/sshd(812)" … */
static void write_tree(struct guard *g, struct writer *out, const struct process *process,
                       struct text own_path)
{
    const struct process *line[TREE_DEPTH];
    unsigned depth = 0;
    while (process && depth < TREE_DEPTH) {
        line[depth++] = process;
        process = processes_find(&g->processes, process->parent_guid);
    }
    while (depth-- > 0) {
        struct text path = depth == 0 && own_path.len ? own_path : process_texts(line[depth]).path;
        write_line(out, path.len ? path : text_of(line[depth]->comm));
        writer_print(out, "(%u)%s", line[depth]->pid, depth ? "\n" : "");
    }
}

/* The event that an alert is about, while the ring holds it. `room` is EVENT_MAX bytes. */
static struct status find_event(const struct guard *g, uint64_t seq, uint8_t *room,
                                struct event *out)
{
    struct stream_reader r;
    struct text record;
    struct event event;
    uint64_t place = g->places[seq % PLACES];
    if (place < g->stream.page->tail || place >= g->stream.page->head) {
        FAIL(MISSING);
    }
    TRY(stream_open(g->stream_memory.bytes, g->stream_memory.size, place, &r));
    TRY(stream_next(&r, room, &record));
    TRY(event_open(record, &event));
    if (event.header.seq != seq) {
        FAIL(MISSING);
    }
    *out = event;
    return OK;
}

/* Who it was when it happened: a process that has run another program since is not what the rule
 * saw. */
static void put_who_of(struct event_builder *b, const struct event *event)
{
    static const enum field who[] = {

#define WHO(ID, guarantee) FIELD_##ID,
#include "schema/events.def"
    };
    for (size_t i = 0; i < sizeof who / sizeof *who; i++) {
        struct value v = event_get(event, who[i]);
        if (v.kind == VALUE_TEXT) {
            event_put_cut(b, who[i], v.text, v.cut);
        } else if (v.kind == VALUE_NUMBER) {
            event_put_number(b, who[i], v.number);
        }
    }
}

static void put_rule(struct event_builder *b, const struct wire_alert *a)
{
    event_put_text(b, FIELD_RULE_ID, a->rule_id);
    event_put_text(b, FIELD_RULE_TITLE, a->rule_title);
    event_put_text(b, FIELD_RULE_AUTHOR, a->rule_author);
    event_put_text(b, FIELD_LEVEL, a->level);
    event_put_text(b, FIELD_TAGS, a->tags);
    event_put_text(b, FIELD_EVENT_TYPE, text_of(event_info((enum event_type)a->event_type)->name));
    event_put_number(b, FIELD_EVENT_SEQ, (int64_t)a->event_seq);
    event_put_number(b, FIELD_EVENT_TIME, (int64_t)a->event_time);
    event_put_text(b, FIELD_MESSAGE, a->message);
}

struct status publish_alert(struct guard *g, struct client *c, const struct wire_alert *a)
{
    static uint8_t room[EVENT_MAX];
    char tree[TREE_DEPTH * (PROCESS_PATH_MAX + 20)];
    struct writer tree_out = writer_over(tree, sizeof tree);
    struct event_builder b;
    struct event event;
    if (a->event_seq > g->stream.page->seq) {
        FAIL(INVALID);
    }
    struct raised_about about = {
        .client = text_of(c->name), .rule = a->rule_id, .event = a->event_seq, .nth = a->nth};
    if (raised_before(&g->raised, &about)) {
        return OK;
    }
    bool there = status_ok(find_event(g, a->event_seq, room, &event));
    uint64_t guid = there ? (uint64_t)event_number(&event, FIELD_PROCESS_GUID) : a->process_guid;
    const struct process *process = processes_find(&g->processes, guid);
    event_begin(&b, g->record, sizeof g->record);
    put_rule(&b, a);
    event_put_text(&b, FIELD_CLIENT, text_of(c->name));
    if (there) {
        put_who_of(&b, &event);
    }
    if (process) {
        write_tree(g, &tree_out, process, there ? event_text(&event, FIELD_PATH) : TEXT(""));
        event_put_text(&b, FIELD_PROCESS_TREE, writer_text(&tree_out));
        put_process(g, &b, process);
    }
    publish_event(g, &b, EVENT_ALERT, clock_boot_ns(), 0);
    raised_add(&g->raised, &about, g->stream.page->head);
    return OK;
}
