#include "base/clock.h"
#include "bpf/calls.h"
#include "guard/guard.h"

#include <arpa/inet.h>
#include <stdio.h>

/* One record on its way to events: who it is about, and what it has to bear. */
struct story {
    const struct seen *seen;
    struct process *process; /* NULL: not in the table */
    uint64_t origin;
};

static const char *call_name(unsigned call)
{
    static const char *const names[] = {
        [CALL_NONE] = "",
#define CALL_NAME(NAME, name, x86_64, i386) [CALL_##NAME] = #name,
        CALLS(CALL_NAME)
#undef CALL_NAME
    };
    return call < CALL_COUNT ? names[call] : "";
}

static void tell(struct guard *g, struct event_builder *b, enum event_type type,
                 const struct story *story)
{
    put_who(g, b, story->seen, story->process);
    publish_event(g, b, type, story->seen->record.time_ns, story->origin);
}

static void begin(struct guard *g, struct event_builder *b)
{
    event_begin(b, g->record, sizeof g->record);
}

/* ── processes ── */

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* Every container runtime names the cgroup after the container's id: 64 hex digits, with or without
 * "docker-", "cri-containerd-", ".scope" about them. */
static void find_container(const struct seen_part *cgroup, char *out)
{
    size_t run = 0;
    for (size_t i = 0; i < cgroup->bytes.len; i++) {
        run = is_hex(cgroup->bytes.ptr[i]) ? run + 1 : 0;
        if (run == 64) {
            text_copy(text_part(cgroup->bytes, i - 63, PROCESS_CONTAINER), out, PROCESS_CONTAINER + 1);
            return;
        }
    }
}

static void set_subject(struct process *p, const struct record *r)
{
    p->uid = r->uid;
    p->gid = r->gid;
    p->euid = r->euid;
    p->egid = r->egid;
    p->login_uid = r->login_uid;
    memcpy(p->comm, r->comm, sizeof p->comm);
}

/* Sets what exec and the scan report alike. Texts are composed in g's rooms. */
static void set_program(struct guard *g, struct process *p, const struct seen *seen,
                        struct process_texts *t)
{
    const struct record *r = &seen->record;
    const struct seen_part *exe = seen_part(seen, PART_EXE, 0);
    const struct seen_part *cwd = seen_part(seen, PART_CWD, 0);
    const struct seen_part *arguments = seen_part(seen, PART_ARGUMENTS, 0);
    const struct seen_part *cgroup = seen_part(seen, PART_CGROUP, 0);
    *t = (struct process_texts){0};
    if (exe) {
        t->path = seen_path(exe, g->room[0], &t->path_cut);
    }
    if (cwd) {
        t->cwd = seen_path(cwd, g->room[1], &t->cwd_cut);
    }
    if (arguments) {
        t->arguments = seen_arguments(arguments, g->arguments);
        t->arguments_cut = (arguments->flags & PART_CUT) != 0;
    }
    if (!p) {
        return;
    }
    if (p->parent_pid == 0) { /* after a fork that we saw the parent is known, even if it is gone by now */
        p->parent_pid = (uint32_t)r->numbers[3];
        p->parent_guid = process_guid(p->parent_pid, r->numbers[4]);
    }
    p->session = (uint32_t)r->numbers[5];
    p->container[0] = 0;
    if (cgroup) {
        find_container(cgroup, p->container);
    }
    set_subject(p, r);
    process_set_texts(p, *t);
}

static void on_exec(struct guard *g, struct story *story)
{
    const struct record *r = &story->seen->record;
    const struct seen_part *invoked = seen_part(story->seen, PART_NAME, 0);
    struct process_texts t;
    struct event_builder b;
    story->process = processes_claim(&g->processes, r->pid, r->start_ns);
    set_program(g, story->process, story->seen, &t);
    if (story->process) {
        process_seal(story->process);
    }
    if (!wanted(g, EVENT_PROCESS_EXEC)) {
        return;
    }
    begin(g, &b);
    event_put_cut(&b, FIELD_PATH, t.path, t.path_cut);
    event_put_cut(&b, FIELD_COMMAND_LINE, t.arguments, t.arguments_cut);
    event_put_cut(&b, FIELD_CWD, t.cwd, t.cwd_cut);
    if (invoked) {
        event_put_cut(&b, FIELD_INVOKED_PATH, invoked->bytes, (invoked->flags & PART_CUT) != 0);
    }
    const struct seen_part *exe = seen_part(story->seen, PART_EXE, 0);
    event_put_bool(&b, FIELD_EXE_MEMFD, exe && (exe->flags & PART_DETACHED) != 0);
    event_put_bool(&b, FIELD_EXE_DELETED, (r->flags & RECORD_EXE_DELETED) != 0);
    event_put_number(&b, FIELD_EXE_INODE, (int64_t)r->numbers[0]);
    event_put_number(&b, FIELD_EXE_DEVICE, (int64_t)r->numbers[1]);
    event_put_number(&b, FIELD_ARGUMENT_COUNT, (int64_t)r->numbers[2]);
    tell(g, &b, EVENT_PROCESS_EXEC, story);
}

static const struct {
    uint64_t flag;
    const char *name;
} namespaces[] = {
    {0x20000, "mnt"},     {0x4000000, "uts"},  {0x8000000, "ipc"},    {0x10000000, "user"},
    {0x20000000, "pid"},  {0x40000000, "net"}, {0x2000000, "cgroup"}, {0x80, "time"},
};

static uint64_t namespace_flags(void)
{
    uint64_t all = 0;
    for (size_t i = 0; i < sizeof namespaces / sizeof *namespaces; i++) {
        all |= namespaces[i].flag;
    }
    return all;
}

static void tell_namespaces(struct guard *g, const struct story *story, const char *operation,
                            uint64_t flags)
{
    char names[64];
    struct writer w = writer_over(names, sizeof names);
    struct event_builder b;
    if (!wanted(g, EVENT_NAMESPACE_CHANGE)) {
        return;
    }
    for (size_t i = 0; i < sizeof namespaces / sizeof *namespaces; i++) {
        if (flags & namespaces[i].flag) {
            writer_print(&w, "%s%s", w.used ? "," : "", namespaces[i].name);
        }
    }
    begin(g, &b);
    event_put_text(&b, FIELD_OPERATION, text_of(operation));
    event_put_text(&b, FIELD_NAMESPACES, writer_text(&w));
    event_put_number(&b, FIELD_FLAGS, (int64_t)flags);
    tell(g, &b, EVENT_NAMESPACE_CHANGE, story);
}

/* A child is its parent's copy until it runs a program of its own. */
static void inherit(struct guard *g, const struct story *story)
{
    const struct record *r = &story->seen->record;
    struct process *child = processes_claim(&g->processes, (uint32_t)r->numbers[0], r->numbers[1]);
    const struct process *parent = story->process;
    if (!child) {
        return;
    }
    set_subject(child, r);
    child->parent_pid = (uint32_t)r->numbers[3];
    child->parent_guid = process_guid(child->parent_pid, r->numbers[4]);
    if (parent && parent != child) {
        child->session = parent->session;
        memcpy(child->container, parent->container, sizeof child->container);
        process_set_texts(child, process_texts(parent));
    }
    process_seal(child);
}

static void on_fork(struct guard *g, struct story *story)
{
    const struct record *r = &story->seen->record;
    struct event_builder b;
    inherit(g, story);
    /* Two events of one record: only the last bears its origin, so that a guard killed between them
     * takes the record up again. */
    uint64_t origin = story->origin;
    story->origin -= r->numbers[2] != 0;
    if (wanted(g, EVENT_PROCESS_FORK)) {
        begin(g, &b);
        event_put_number(&b, FIELD_CHILD_PID, (int64_t)r->numbers[0]);
        event_put_number(&b, FIELD_CHILD_GUID,
                         (int64_t)process_guid((uint32_t)r->numbers[0], r->numbers[1]));
        tell(g, &b, EVENT_PROCESS_FORK, story);
    }
    story->origin = origin;
    if (r->numbers[2] != 0) {
        tell_namespaces(g, story, "clone", r->numbers[2]);
    }
}

static void on_exit(struct guard *g, struct story *story)
{
    const struct record *r = &story->seen->record;
    struct event_builder b;
    /* The last two threads may both have reported. */
    if (story->process && !processes_end(&g->processes, story->process, r->time_ns)) {
        return;
    }
    if (wanted(g, EVENT_PROCESS_EXIT)) {
        begin(g, &b);
        event_put_number(&b, FIELD_EXIT_CODE, (int64_t)(r->numbers[0] >> 8 & 0xff));
        event_put_number(&b, FIELD_EXIT_SIGNAL, (int64_t)(r->numbers[0] & 0x7f));
        tell(g, &b, EVENT_PROCESS_EXIT, story);
    }
}

/* ── files ── */

static void put_operation(struct event_builder *b, const struct story *story)
{
    event_put_text(b, FIELD_OPERATION, text_of(call_name(story->seen->record.call)));
}

/* The file's path, from the kernel where there is one, else as the caller named it. */
static struct text target_path(struct guard *g, const struct seen *seen, bool *cut)
{
    const struct seen_part *path = seen_part(seen, PART_PATH, 0);
    return path ? seen_path(path, g->room[0], cut) : seen_user_path(seen, 0, g->room[0], cut);
}

static void tell_opened(struct guard *g, const struct story *story, enum event_type type)
{
    const struct record *r = &story->seen->record;
    struct event_builder b;
    bool cut;
    struct text path = target_path(g, story->seen, &cut);
    if (!wanted(g, type) || (type == EVENT_FILE_OPEN && !watch_matches(&g->watch, path))) {
        g->filtered++;
        return;
    }
    begin(g, &b);
    event_put_cut(&b, FIELD_TARGET_PATH, path, cut);
    if (seen_part(story->seen, PART_PATH, 0)) {
        event_put_number(&b, FIELD_FILE_INODE, (int64_t)r->numbers[0]);
        event_put_number(&b, FIELD_FILE_DEVICE, (int64_t)r->numbers[1]);
        event_put_number(&b, FIELD_FILE_MODE, (int64_t)r->numbers[2]);
        event_put_number(&b, FIELD_FILE_FLAGS, (int64_t)r->numbers[3]);
    }
    put_operation(&b, story);
    tell(g, &b, type, story);
}

static void on_create(struct guard *g, struct story *story)
{
    tell_opened(g, story, EVENT_FILE_CREATE);
}

static void on_modify(struct guard *g, struct story *story)
{
    tell_opened(g, story, EVENT_FILE_MODIFY);
}

static void on_open(struct guard *g, struct story *story)
{
    tell_opened(g, story, EVENT_FILE_OPEN);
}

/* One name, of which only the path and the operation are known. */
static void tell_name(struct guard *g, const struct story *story, enum event_type type)
{
    struct event_builder b;
    bool cut;
    if (!wanted(g, type)) {
        return;
    }
    struct text path = target_path(g, story->seen, &cut);
    begin(g, &b);
    event_put_cut(&b, FIELD_TARGET_PATH, path, cut);
    put_operation(&b, story);
    tell(g, &b, type, story);
}

static void on_unlink(struct guard *g, struct story *story)
{
    tell_name(g, story, EVENT_FILE_UNLINK);
}

static void on_make(struct guard *g, struct story *story)
{
    tell_name(g, story, EVENT_FILE_CREATE);
}

static void on_truncate(struct guard *g, struct story *story)
{
    tell_name(g, story, EVENT_FILE_MODIFY);
}

static void tell_names(struct guard *g, const struct story *story, enum event_type type)
{
    struct event_builder b;
    bool old_cut;
    bool new_cut;
    if (!wanted(g, type)) {
        return;
    }
    struct text old = seen_user_path(story->seen, 0, g->room[0], &old_cut);
    struct text new = seen_user_path(story->seen, 1, g->room[1], &new_cut);
    begin(g, &b);
    event_put_cut(&b, FIELD_SOURCE_PATH, old, old_cut);
    event_put_cut(&b, FIELD_TARGET_PATH, new, new_cut);
    if (type == EVENT_FILE_RENAME) {
        event_put_number(&b, FIELD_FLAGS, (int64_t)story->seen->record.numbers[0]);
    }
    put_operation(&b, story);
    tell(g, &b, type, story);
}

static void on_rename(struct guard *g, struct story *story)
{
    tell_names(g, story, EVENT_FILE_RENAME);
}

/* A symbolic link is a new file; a hard link is a new name of an old one. */
static void on_link(struct guard *g, struct story *story)
{
    tell_names(g, story, story->seen->record.numbers[0] ? EVENT_FILE_CREATE : EVENT_FILE_LINK);
}

static void on_attribute(struct guard *g, struct story *story)
{
    static const char *const names[] = {[ATTRIBUTE_MODE] = "mode",
                                        [ATTRIBUTE_OWNER] = "owner",
                                        [ATTRIBUTE_TIME] = "time",
                                        [ATTRIBUTE_XATTR] = "xattr"};
    const struct record *r = &story->seen->record;
    struct event_builder b;
    bool cut;
    if (!wanted(g, EVENT_FILE_ATTRIBUTE) || r->numbers[0] > ATTRIBUTE_XATTR) {
        return;
    }
    struct text path = target_path(g, story->seen, &cut);
    begin(g, &b);
    event_put_cut(&b, FIELD_TARGET_PATH, path, cut);
    event_put_text(&b, FIELD_ATTRIBUTE, text_of(names[r->numbers[0]]));
    if (seen_part(story->seen, PART_PATH, 0)) {
        event_put_number(&b, FIELD_FILE_MODE, (int64_t)r->numbers[1]);
    }
    put_operation(&b, story);
    tell(g, &b, EVENT_FILE_ATTRIBUTE, story);
}

static void on_memfd(struct guard *g, struct story *story)
{
    struct event_builder b;
    bool cut;
    if (!wanted(g, EVENT_MEMFD_CREATE)) {
        return;
    }
    struct text path = target_path(g, story->seen, &cut);
    begin(g, &b);
    event_put_cut(&b, FIELD_TARGET_PATH, path, cut);
    event_put_number(&b, FIELD_FLAGS, (int64_t)story->seen->record.numbers[0]);
    tell(g, &b, EVENT_MEMFD_CREATE, story);
}

/* ── network ── */

static void put_end(struct event_builder *b, const struct seen *seen, enum part_kind kind,
                    enum field address, enum field port)
{
    char text[INET6_ADDRSTRLEN];
    const struct seen_part *part = seen_part(seen, kind, 0);
    if (!part || (part->bytes.len != 4 + 2 && part->bytes.len != 16 + 2)) {
        return;
    }
    size_t length = part->bytes.len - 2;
    const unsigned char *at = (const unsigned char *)part->bytes.ptr;
    if (inet_ntop(length == 4 ? AF_INET : AF_INET6, at, text, sizeof text)) {
        event_put_text(b, address, text_of(text));
        event_put_number(b, port, at[length] << 8 | at[length + 1]);
    }
}

static void tell_connection(struct guard *g, const struct story *story, enum event_type type)
{
    const struct record *r = &story->seen->record;
    char number[24];
    struct event_builder b;
    if (!wanted(g, type)) {
        return;
    }
    snprintf(number, sizeof number, "%llu", (unsigned long long)r->numbers[0]);
    begin(g, &b);
    event_put_text(&b, FIELD_PROTOCOL,
                   text_of(r->numbers[0] == 6    ? "tcp"
                           : r->numbers[0] == 17 ? "udp"
                                                 : number));
    if (type != EVENT_NETWORK_LISTEN) {
        event_put_bool(&b, FIELD_INITIATED, (r->flags & RECORD_OUTGOING) != 0);
        put_end(&b, story->seen, PART_SOURCE, FIELD_SOURCE_ADDRESS, FIELD_SOURCE_PORT);
    }
    put_end(&b, story->seen, PART_DESTINATION, FIELD_DESTINATION_ADDRESS, FIELD_DESTINATION_PORT);
    tell(g, &b, type, story);
}

static void on_connect(struct guard *g, struct story *story)
{
    tell_connection(g, story, EVENT_NETWORK_CONNECT);
}

static void on_accept(struct guard *g, struct story *story)
{
    tell_connection(g, story, EVENT_NETWORK_ACCEPT);
}

static void on_listen(struct guard *g, struct story *story)
{
    tell_connection(g, story, EVENT_NETWORK_LISTEN);
}

/* ── the system ── */

/* Processes are named by pid alone here: the living one of that number is meant. */
static const struct process *by_pid(struct guard *g, uint32_t pid)
{
    for (uint32_t i = 0; i < g->processes.count; i++) {
        const struct process *p = processes_at(&g->processes, i);
        if (p->state == PROCESS_LIVE && p->pid == pid) {
            return p;
        }
    }
    return NULL;
}

static void on_trace(struct guard *g, struct story *story)
{
    static const char *const names[] = {[TRACE_TRACEME] = "traceme",
                                        [TRACE_ATTACH] = "attach",
                                        [TRACE_SEIZE] = "seize",
                                        [TRACE_VM_WRITE] = "process_vm_writev"};
    const struct record *r = &story->seen->record;
    struct event_builder b;
    if (!wanted(g, EVENT_PROCESS_TRACE) || r->numbers[0] > TRACE_VM_WRITE) {
        return;
    }
    begin(g, &b);
    event_put_text(&b, FIELD_OPERATION, text_of(names[r->numbers[0]]));
    event_put_number(&b, FIELD_TARGET_PID, (int64_t)r->numbers[1]);
    const struct process *target = by_pid(g, (uint32_t)r->numbers[1]);
    if (target) {
        struct process_texts t = process_texts(target);
        event_put_number(&b, FIELD_TARGET_GUID, (int64_t)target->guid);
        event_put_cut(&b, FIELD_TARGET_PROCESS, t.path, t.path_cut);
    }
    tell(g, &b, EVENT_PROCESS_TRACE, story);
}

/* Calls that changed nothing are no change: daemons set what they have all the time. */
static void on_credential(struct guard *g, struct story *story)
{
    const struct record *r = &story->seen->record;
    struct process *p = story->process;
    struct event_builder b;
    bool changed = !p || p->uid != r->uid || p->euid != r->euid || p->gid != r->gid ||
                   p->egid != r->egid || r->call == CALL_CAPSET;
    if (!changed) {
        g->filtered++;
        return;
    }
    if (wanted(g, EVENT_CREDENTIAL_CHANGE)) {
        begin(g, &b);
        put_operation(&b, story);
        if (p) {
            event_put_number(&b, FIELD_OLD_UID, p->euid);
        }
        event_put_number(&b, FIELD_CAPABILITIES, (int64_t)r->numbers[0]);
        tell(g, &b, EVENT_CREDENTIAL_CHANGE, story);
    }
    if (p) {
        set_subject(p, r);
    }
}

static void put_name(struct event_builder *b, enum field field, const struct seen *seen, unsigned nth)
{
    const struct seen_part *name = seen_part(seen, PART_NAME, nth);
    if (name) {
        event_put_cut(b, field, name->bytes, (name->flags & PART_CUT) != 0);
    }
}

static void on_module(struct guard *g, struct story *story)
{
    struct event_builder b;
    if (wanted(g, EVENT_MODULE_LOAD)) {
        begin(g, &b);
        put_name(&b, FIELD_MODULE_NAME, story->seen, 0);
        put_operation(&b, story);
        tell(g, &b, EVENT_MODULE_LOAD, story);
    }
}

static void on_bpf(struct guard *g, struct story *story)
{
    const struct record *r = &story->seen->record;
    struct event_builder b;
    if (!wanted(g, EVENT_BPF_LOAD)) {
        return;
    }
    begin(g, &b);
    put_name(&b, FIELD_PROGRAM_NAME, story->seen, 0);
    if (r->error == 0) {
        event_put_number(&b, FIELD_PROGRAM_TYPE, (int64_t)r->numbers[0]);
        event_put_number(&b, FIELD_PROGRAM_ID, (int64_t)r->numbers[1]);
    }
    tell(g, &b, EVENT_BPF_LOAD, story);
}

static void on_mount(struct guard *g, struct story *story)
{
    struct event_builder b;
    bool cut;
    if (!wanted(g, EVENT_MOUNT)) {
        return;
    }
    struct text path = seen_user_path(story->seen, 0, g->room[0], &cut);
    begin(g, &b);
    event_put_cut(&b, FIELD_TARGET_PATH, path, cut);
    put_name(&b, FIELD_SOURCE_PATH, story->seen, 0);
    put_name(&b, FIELD_FS_TYPE, story->seen, 1);
    event_put_number(&b, FIELD_FLAGS, (int64_t)story->seen->record.numbers[0]);
    put_operation(&b, story);
    tell(g, &b, EVENT_MOUNT, story);
}

static void on_unmount(struct guard *g, struct story *story)
{
    struct event_builder b;
    bool cut;
    if (!wanted(g, EVENT_UNMOUNT)) {
        return;
    }
    struct text path = seen_user_path(story->seen, 0, g->room[0], &cut);
    begin(g, &b);
    event_put_cut(&b, FIELD_TARGET_PATH, path, cut);
    event_put_number(&b, FIELD_FLAGS, (int64_t)story->seen->record.numbers[0]);
    tell(g, &b, EVENT_UNMOUNT, story);
}

/* unshare(2) also splits what is no namespace; setns(2) may leave the kind to its descriptor. */
static void on_namespace(struct guard *g, struct story *story)
{
    const struct record *r = &story->seen->record;
    if (r->call == CALL_SETNS || (r->numbers[0] & namespace_flags()) != 0) {
        tell_namespaces(g, story, call_name(r->call), r->numbers[0]);
    }
}

static void on_scanned(struct guard *g, struct story *story)
{
    const struct record *r = &story->seen->record;
    struct process_texts t;
    struct process *p = processes_claim(&g->processes, r->pid, r->start_ns);
    set_program(g, p, story->seen, &t);
    if (p) {
        p->from_scan = 1;
        process_seal(p);
    }
}

typedef void handler(struct guard *g, struct story *story);

static handler *const handlers[RECORD_KIND_COUNT] = {
    [RECORD_EXEC] = on_exec,
    [RECORD_FORK] = on_fork,
    [RECORD_EXIT] = on_exit,
    [RECORD_CREATE] = on_create,
    [RECORD_MODIFY] = on_modify,
    [RECORD_OPEN] = on_open,
    [RECORD_RENAME] = on_rename,
    [RECORD_LINK] = on_link,
    [RECORD_UNLINK] = on_unlink,
    [RECORD_MAKE] = on_make,
    [RECORD_TRUNCATE] = on_truncate,
    [RECORD_ATTRIBUTE] = on_attribute,
    [RECORD_CONNECT] = on_connect,
    [RECORD_ACCEPT] = on_accept,
    [RECORD_LISTEN] = on_listen,
    [RECORD_TRACE] = on_trace,
    [RECORD_CREDENTIAL] = on_credential,
    [RECORD_MODULE] = on_module,
    [RECORD_BPF] = on_bpf,
    [RECORD_MOUNT] = on_mount,
    [RECORD_UNMOUNT] = on_unmount,
    [RECORD_NAMESPACE] = on_namespace,
    [RECORD_MEMFD] = on_memfd,
    [RECORD_PROCESS] = on_scanned,
};

void publish_record(struct guard *g, struct text bytes, uint64_t origin)
{
    struct seen seen;
    if (!status_ok(seen_open(bytes, &seen))) {
        g->malformed++; /* shown in the status: it means a bug of ours */
        return;
    }
    struct story story = {
        .seen = &seen,
        .process = processes_find(&g->processes, process_guid(seen.record.pid, seen.record.start_ns)),
        .origin = origin,
    };
    handlers[seen.record.kind](g, &story);
}

void publish_scanned(void *guard, struct text bytes)
{
    publish_record(guard, bytes, 0);
}
