#include "base/own.h"
#include "bpf/calls.h"
#include "guard/story.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

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
            text_copy(text_part(cgroup->bytes, i - 63, PROCESS_CONTAINER), out,
                      PROCESS_CONTAINER + 1);
            return;
        }
    }
}

void story_subject(struct process *p, const struct record *r)
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
    if (p->parent_pid ==
        0) { /* after a fork that we saw the parent is known, even if it is gone by now */
        p->parent_pid = (uint32_t)r->numbers[3];
        p->parent_guid = process_guid(p->parent_pid, r->numbers[4]);
    }
    p->session = (uint32_t)r->numbers[5];
    p->container[0] = 0;
    if (cgroup) {
        find_container(cgroup, p->container);
    }
    story_subject(p, r);
    process_set_texts(p, *t);
}

void on_exec(struct guard *g, struct story *story)
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
    tell_begin(g, &b);
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
    {0x20000, "mnt"},    {0x4000000, "uts"},  {0x8000000, "ipc"},    {0x10000000, "user"},
    {0x20000000, "pid"}, {0x40000000, "net"}, {0x2000000, "cgroup"}, {0x80, "time"},
};

static uint64_t namespace_flags(void)
{
    uint64_t all = 0;
    for (size_t i = 0; i < sizeof namespaces / sizeof *namespaces; i++) {
        all |= namespaces[i].flag;
    }
    return all;
}

static void tell_namespaces(struct guard *g, const struct story *story, struct text operation,
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
    tell_begin(g, &b);
    event_put_text(&b, FIELD_OPERATION, operation);
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
    story_subject(child, r);
    child->parent_pid = (uint32_t)r->numbers[3];
    child->parent_guid = process_guid(child->parent_pid, r->numbers[4]);
    if (parent && parent != child) {
        child->session = parent->session;
        memcpy(child->container, parent->container, sizeof child->container);
        process_set_texts(child, process_texts(parent));
    }
    process_seal(child);
}

void on_fork(struct guard *g, struct story *story)
{
    const struct record *r = &story->seen->record;
    struct event_builder b;
    inherit(g, story);
    /* Two events of one record: only the last bears its origin, so that a guard killed between them
     * takes the record up again, and the first is told twice rather than the second never. */
    uint64_t origin = story->origin;
    story->origin = r->numbers[2] != 0 ? 0 : origin;
    if (wanted(g, EVENT_PROCESS_FORK)) {
        tell_begin(g, &b);
        event_put_number(&b, FIELD_CHILD_PID, (int64_t)r->numbers[0]);
        event_put_number(&b, FIELD_CHILD_GUID,
                         (int64_t)process_guid((uint32_t)r->numbers[0], r->numbers[1]));
        tell(g, &b, EVENT_PROCESS_FORK, story);
    }
    story->origin = origin;
    if (r->numbers[2] != 0) {
        tell_namespaces(g, story, TEXT("clone"), r->numbers[2]);
    }
}

void on_ended(struct guard *g, struct story *story)
{
    const struct record *r = &story->seen->record;
    struct process *p = story->process;
    struct event_builder b;
    /* The last two threads may both have reported; and a guard may have been killed in this very
     * place. */
    if (p && p->state == PROCESS_ENDED && p->end_ns != r->time_ns) {
        return;
    }
    if (wanted(g, EVENT_PROCESS_EXIT)) {
        tell_begin(g, &b);
        event_put_number(&b, FIELD_EXIT_CODE, (int64_t)(r->numbers[0] >> 8 & 0xff));
        event_put_number(&b, FIELD_EXIT_SIGNAL, (int64_t)(r->numbers[0] & 0x7f));
        tell(g, &b, EVENT_PROCESS_EXIT, story);
    }
    if (p) {
        processes_end(&g->processes, p, r->time_ns);
    }
}

/* unshare(2) also splits what is no namespace; setns(2) may leave the kind to its descriptor. */
void on_namespace(struct guard *g, struct story *story)
{
    const struct record *r = &story->seen->record;
    if (r->call == CALL_SETNS || (r->numbers[0] & namespace_flags()) != 0) {
        tell_namespaces(g, story, tell_call(story), r->numbers[0]);
    }
}

/* From /proc, which takes them only from memory that is there: no page of another's can make us
 * wait. */
static struct text read_arguments(struct guard *g, uint32_t pid)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/%u/cmdline", pid);
    OWN(fd_drop) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, g->record, PROCESS_TEXT);
    struct seen_part part = {
        .bytes = {.ptr = (const char *)g->record, .len = got > 0 ? (size_t)got : 0}};
    return seen_arguments(&part, g->arguments);
}

void on_scanned(struct guard *g, struct story *story)
{
    const struct record *r = &story->seen->record;
    struct process_texts t;
    if (story->process &&
        story->process->state == PROCESS_LIVE) { /* what we saw happen is better */
        processes_seen(&g->processes, story->process);
        return;
    }
    struct process *p = processes_claim(&g->processes, r->pid, r->start_ns);
    set_program(g, p, story->seen, &t);
    if (p) {
        t.arguments = read_arguments(g, r->pid);
        t.arguments_cut = t.arguments.len == PROCESS_TEXT;
        process_set_texts(p, t);
        p->from_scan = 1;
        process_seal(p);
        processes_seen(&g->processes, p);
    }
}
