/*
 * What the command line asks: status, tree, doctor. JSON, in as many packets as it takes.
 */
#include "base/clock.h"
#include "base/json.h"
#include "guard/guard.h"

#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

enum {
    ANSWER_MAX = 512 * 1024, /* a tree of some thousand processes; more is left out, and said */
    ANSWER_PART = 32 * 1024, /* bound of the message's field */
    TREE_MAX = 2000,
};

static char room[ANSWER_MAX];

static void hex(struct json *j, const char *name, uint64_t value)
{
    char digits[20];
    snprintf(digits, sizeof digits, "%016llx", (unsigned long long)value);
    json_member_text(j, name, text_of(digits));
}

static const char *tier(const struct guard *g)
{
    (void)g; /* the LSM tier comes with enforcement */
    return "tracepoint";
}

/* ── status ── */

static void write_events(struct guard *g, struct json *j)
{
    json_key(j, "events");
    json_open(j, '{');
    for (unsigned i = 0; i < EVENT_COUNT; i++) {
        if (g->published[i]) {
            json_member_number(j, event_info((enum event_type)i)->name, (int64_t)g->published[i]);
        }
    }
    json_close(j, '}');
}

static void write_clients(struct guard *g, struct json *j)
{
    uint64_t head = g->stream.page->head;
    json_key(j, "clients");
    json_open(j, '[');
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        const struct client *c = &g->clients[i];
        if (c->phase != CLIENT_OPEN) {
            continue;
        }
        json_open(j, '{');
        json_member_text(j, "name", text_of(c->name));
        json_member_number(j, "id", c->id);
        json_member_number(j, "events", (int64_t)c->events);
        json_member_number(j, "lost", (int64_t)c->lost);
        json_member_number(j, "lag_bytes",
                           c->position && c->position <= head ? (int64_t)(head - c->position) : 0);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void write_components(struct guard *g, struct json *j)
{
    static const char *const states[] = {[COMPONENT_OFF] = "off",
                                         [COMPONENT_RUNNING] = "running",
                                         [COMPONENT_WAITING] = "restarting",
                                         [COMPONENT_GIVEN_UP] = "given up",
                                         [COMPONENT_LEAVING] = "leaving"};
    json_key(j, "components");
    json_open(j, '[');
    for (unsigned i = 0; i < COMPONENT_COUNT; i++) {
        const struct component *c = &g->components[i];
        if (i == COMPONENT_STANDBY && c->pid == 0) {
            continue;
        }
        json_open(j, '{');
        json_member_text(j, "name", i == COMPONENT_STANDBY ? TEXT("standby") : text_of(c->name));
        json_member_number(j, "pid", c->pid);
        json_member_text(j, "state", text_of(states[c->state]));
        json_member_number(j, "restarts", c->restarts);
        json_member_text(j, "last_exit", text_of(c->last_exit));
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void write_pack(const struct guard *g, struct json *j, const struct pack_note *pack)
{
    char path[HOME_PATH];
    json_member_text(j, "path", text_of(packs_path(g, (enum pack_place)pack->place, path)));
    json_member_text(j, "digest", text_of(pack->digest));
    json_member_number(j, "rules", pack->rules);
    json_member_number(j, "since_ms", (int64_t)(pack->since_ns / CLOCK_NS_PER_MS));
}

static void write_content(const struct guard *g, struct json *j)
{
    json_key(j, "content");
    json_open(j, '{');
    if (g->active_fd >= 0) {
        write_pack(g, j, &g->kept->active);
    }
    if (g->previous_fd >= 0) {
        json_key(j, "previous");
        json_open(j, '{');
        write_pack(g, j, &g->kept->previous);
        json_close(j, '}');
    }
    json_member_bool(j, "loading", g->swap.phase != SWAP_NONE);
    json_close(j, '}');
}

static void write_status(struct guard *g, struct json *j)
{
    const struct stream_page *page = g->stream.page;
    json_open(j, '{');
    json_member_text(j, "version", TEXT(BULKHEAD_VERSION));
    json_member_text(j, "tier", text_of(tier(g)));
    json_member_number(j, "uptime_ms",
                       (int64_t)((clock_boot_ns() - g->started_ns) / CLOCK_NS_PER_MS));
    json_member_number(j, "pid", getpid());
    json_member_number(j, "starts", (int64_t)g->kept->starts);
    hex(j, "schema", schema_hash());
    write_events(g, j);
    json_member_number(j, "published", (int64_t)page->seq);
    json_member_number(j, "dropped_kernel", (int64_t)kernel_dropped_all(&g->kernel));
    json_member_number(j, "filtered", (int64_t)g->filtered);
    json_member_number(j, "malformed", (int64_t)g->malformed);
    json_member_number(j, "processes", g->processes.live);
    json_member_number(j, "processes_refused", (int64_t)g->processes.refused);
    json_key(j, "ring");
    json_open(j, '{');
    json_member_number(j, "size", (int64_t)page->size);
    json_member_number(j, "head", (int64_t)page->head);
    json_member_number(j, "tail", (int64_t)page->tail);
    json_close(j, '}');
    write_clients(g, j);
    write_components(g, j);
    rule_costs_write(&g->rule_costs, j);
    write_content(g, j);
    json_member_number(j, "alerts", (int64_t)g->published[EVENT_ALERT]);
    json_close(j, '}');
}

/* ── tree ── */

static void write_process(struct guard *g, struct json *j, const struct process *p)
{
    char number[USERS_NAME];
    struct process_texts t = process_texts(p);
    json_open(j, '{');
    hex(j, "guid", p->guid);
    json_member_number(j, "pid", p->pid);
    hex(j, "parent_guid", p->parent_guid);
    json_member_text(j, "path", t.path.len ? t.path : text_of(p->comm));
    json_member_text(j, "command_line", t.arguments);
    json_member_text(j, "user", users_name(&g->users, p->uid, number));
    json_member_number(j, "start_ms", (int64_t)(p->start_ns / CLOCK_NS_PER_MS));
    json_member_bool(j, "exited", p->state == PROCESS_ENDED);
    json_close(j, '}');
}

static bool descends(struct guard *g, const struct process *p, uint64_t from)
{
    for (unsigned depth = 0; p && depth < 64; depth++) {
        if (p->guid == from) {
            return true;
        }
        p = processes_find(&g->processes, p->parent_guid);
    }
    return false;
}

/* The last process that bore this pid; one that lives before one that ended. */
static const struct process *latest(struct guard *g, uint32_t pid)
{
    const struct process *found = NULL;
    for (uint32_t i = 0; i < g->processes.count; i++) {
        const struct process *p = processes_at(&g->processes, i);
        if (p->sealed && p->state != PROCESS_FREE && p->pid == pid &&
            (!found || p->start_ns > found->start_ns)) {
            found = p;
        }
    }
    return found;
}

static void write_tree_of(struct guard *g, struct json *j, uint32_t pid)
{
    const struct process *root = latest(g, pid);
    unsigned written = 0;
    unsigned left_out = 0;
    json_open(j, '{');
    json_key(j, "processes");
    json_open(j, '[');
    const struct process *up = root ? processes_find(&g->processes, root->parent_guid) : NULL;
    for (unsigned depth = 0; up && depth < 32; depth++) { /* at most 12 KiB each */
        write_process(g, j, up);
        up = processes_find(&g->processes, up->parent_guid);
    }
    for (uint32_t i = 0; root && i < g->processes.count; i++) {
        const struct process *p = processes_at(&g->processes, i);
        bool shown = p->sealed && p->state != PROCESS_FREE && descends(g, p, root->guid);
        if (shown && written < TREE_MAX && j->out->size - j->out->used > 16384) {
            write_process(g, j, p);
            written++;
        } else {
            left_out += shown;
        }
    }
    json_close(j, ']');
    json_member_number(j, "left_out", left_out);
    json_close(j, '}');
}

/* ── doctor ── */

static void check(struct json *j, const char *name, bool ok, const char *detail, const char *advice)
{
    json_open(j, '{');
    json_member_text(j, "name", text_of(name));
    json_member_bool(j, "ok", ok);
    json_member_text(j, "detail", text_of(detail));
    json_member_text(j, "advice", text_of(advice));
    json_close(j, '}');
}

static void check_programs(struct guard *g, struct json *j)
{
    for (unsigned i = 0; i < g->kernel.program_count; i++) {
        const struct kernel_program *p = &g->kernel.programs[i];
        bool module = strcmp(p->name, "on_module") == 0;
        check(j, p->name, p->attached || module,
              p->attached ? "attached"
              : module    ? "this kernel has no loadable modules, so there is nothing to see"
                          : "not attached: this kernel lacks its tracepoint",
              p->attached || module ? "" : "what it reports is not seen; a newer kernel has it");
    }
}

static void check_content(struct guard *g, struct json *j)
{
    char detail[256];
    char time[CLOCK_TEXT];
    const struct kept *k = g->kept;
    bool works = g->components[COMPONENT_ENGINE].pid > 0;
    if (g->active_fd < 0) {
        snprintf(detail, sizeof detail, "`bulkhead content load %s` makes a pack active",
                 packs_to_load());
        check(j, "content", false, "no content is active: nothing is detected", detail);
        return;
    }
    snprintf(detail, sizeof detail, "%u rules (%s) since %s; %s%s", k->active.rules,
             k->active.digest, clock_text(k->active.since_ns, time),
             g->previous_fd < 0 ? "no previous content to fall back on" : "to fall back on: ",
             g->previous_fd < 0      ? ""
             : k->previous.digest[0] ? k->previous.digest
                                     : "the pack before");
    check(j, "content", works, works ? detail : "the engine does not run: nothing is detected",
          works ? "" : "`bulkhead status` says why; `bulkhead content load PACK` starts it again");
}

static void check_limits(struct guard *g, struct json *j)
{
    check(j, "kernel ring", kernel_dropped_all(&g->kernel) == 0,
          kernel_dropped_all(&g->kernel) ? "records were dropped, see `bulkhead status`"
                                         : "nothing was dropped",
          kernel_dropped_all(&g->kernel) ? "a burst was longer than guard could follow" : "");
    check(j, "process table", g->processes.refused == 0,
          g->processes.refused ? "processes found no slot and are shown without path and parent"
                               : "every process has a slot",
          g->processes.refused ? "start guard with a larger --processes" : "");
}

static void check_cages(struct guard *g, struct json *j)
{
    for (unsigned i = 0; i < COMPONENT_STANDBY; i++) {
        const struct component *c = &g->components[i];
        char name[32];
        if (c->state != COMPONENT_RUNNING) {
            continue;
        }
        snprintf(name, sizeof name, "cage of the %s", c->name);
        check(j, name, !c->lacks[0], c->lacks[0] ? c->lacks : "complete",
              c->lacks[0]
                  ? "it works, less confined than it should be: run Bulkhead on the machine "
                    "itself, as root, with a kernel that has what is named"
                  : "");
    }
}

static void check_sight(struct json *j)
{
    check(j, "enforcement", false, "this tier sees and reports; nothing is blocked",
          "blocking needs the BPF LSM tier, which this version does not have yet");
    check(j, "io_uring", false, "files opened through io_uring are not seen in this tier",
          "kernel.io_uring_disabled=2 closes the gap where io_uring is not needed");
    check(j, "paths of rename, link, unlink, mount", false,
          "they are taken from the caller's memory: another thread could change them in between",
          "rules that must not be fooled should match creation and execution, whose paths are the "
          "kernel's");
    check(j, "descriptors of another thread", false,
          "an opened file is looked up when open(2) returns: a thread that closes it in that "
          "moment hides it",
          "the tier of kernels that permit fentry or BPF LSM will not have this gap");
    check(j, "calls answered by seccomp", false,
          "a filter that makes a call return 0 without running it looks like success", "");
    check(j, "x32 and 16-bit calls", false, "their numbers are not looked at",
          "kernels of Debian have x32 off unless syscall.x32=y is given");
    check(j, "udp without connect", false, "datagrams sent with sendto(2) alone are not seen", "");
}

static void write_doctor(struct guard *g, struct json *j)
{
    struct utsname name;
    uname(&name);
    json_open(j, '{');
    json_member_text(j, "kernel", text_of(name.release));
    json_member_text(j, "tier", text_of(tier(g)));
    json_key(j, "checks");
    json_open(j, '[');
    check_programs(g, j);
    check_content(g, j);
    check_limits(g, j);
    check_cages(g, j);
    check_sight(j);
    json_close(j, ']');
    json_close(j, '}');
}

static struct status send_all(struct client *c, struct text json)
{
    do {
        struct text part = text_part(json, 0, ANSWER_PART);
        json = text_part(json, part.len, json.len);
        struct wire_message m = {.number = WIRE_ANSWER,
                                 .answer = {.more = json.len > 0, .json = part}};
        TRY(client_send(c, &m, NULL, 0));
    } while (json.len > 0);
    return OK;
}

struct status answer(struct guard *g, struct client *c, const struct wire_ask *ask)
{
    struct writer w = writer_over(room, sizeof room);
    struct json j = json_over(&w);
    if (text_same(ask->topic, TEXT("status"))) {
        write_status(g, &j);
    } else if (text_same(ask->topic, TEXT("tree")) && ask->argument <= UINT32_MAX) {
        write_tree_of(g, &j, (uint32_t)ask->argument);
    } else if (text_same(ask->topic, TEXT("doctor"))) {
        write_doctor(g, &j);
    } else {
        FAIL(INVALID);
    }
    TRY(writer_end(&w));
    return send_all(c, writer_text(&w));
}
