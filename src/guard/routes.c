/*
 * The messages that guard accepts, from whom, and when. What is not in the table cuts the sender
 * off.
 */
#include "base/clock.h"
#include "guard/guard.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct status on_hello(struct guard *g, struct client *c, const struct wire_message *m)
{
    return client_greet(g, c, &m->hello);
}

static struct status on_subscribe(struct guard *g, struct client *c, const struct wire_message *m)
{
    c->types = m->subscribe.types;
    interest_changed(g);
    return OK;
}

/* A pattern that is none is the client's mistake, and no reason to part: it is told, loudly. */
static struct status on_watch(struct guard *g, struct client *c, const struct wire_message *m)
{
    struct status s = watch_add(&g->kept->watch, c->id, m->watch.pattern);
    if (!status_ok(s)) {
        publish_health(g, "medium", c->name, 1, "The watch on \"%.*s\" was refused: %s.",
                       TEXT_ARGS(text_part(m->watch.pattern, 0, 200)), fault_words(s.fault));
    }
    interest_changed(g);
    return OK;
}

static struct status on_progress(struct guard *g, struct client *c, const struct wire_message *m)
{
    uint64_t lost = m->progress.lost;
    const struct stream_page *page = g->stream.page;
    if (m->progress.position > page->head || m->progress.seq > page->seq) {
        FAIL(INVALID); /* nobody has read what was not written */
    }
    if (lost > c->lost) {
        publish_health(g, "high", c->name, lost - c->lost, "%s was too slow and lost %llu events.",
                       c->name, (unsigned long long)(lost - c->lost));
    }
    c->position = m->progress.position;
    c->events = m->progress.events;
    c->lost = lost;
    if (c->cursor) {
        c->cursor->position = c->position;
        c->cursor->seq = m->progress.seq;
    }
    return OK;
}

static struct status on_alert(struct guard *g, struct client *c, const struct wire_message *m)
{
    return publish_alert(g, c, &m->alert);
}

/* What the cage of a part lacks is kept for doctor: parts say it once, when they start. */
static void keep_lacks(struct guard *g, const struct client *c, struct text message)
{
    size_t at = text_find(message, TEXT(" lacks: "));
    at = at == SIZE_MAX ? text_find(message, TEXT(" lack: ")) : at;
    if (c->ours && at != SIZE_MAX && text_find(message, TEXT(" cage")) < at) {
        struct component *p =
            &g->components[is_engine(c->component) ? COMPONENT_ENGINE : c->component];
        struct text words = text_part(message, at + 1, message.len);
        text_copy(words, p->lacks, sizeof p->lacks);
    }
}

static struct status on_report(struct guard *g, struct client *c, const struct wire_message *m)
{
    char level[17];
    text_copy(m->report.level, level, sizeof level);
    swap_on_report(g, c, &m->report);
    keep_lacks(g, c, m->report.message);
    publish_health(g, level, c->name, 1, "%.*s", TEXT_ARGS(text_part(m->report.message, 0, 480)));
    return OK;
}

static struct status on_ask(struct guard *g, struct client *c, const struct wire_message *m)
{
    return answer(g, c, &m->ask);
}

static struct status on_rule_cost(struct guard *g, struct client *c, const struct wire_message *m)
{
    (void)c;
    return rule_costs_take(&g->rule_costs, &m->rule_cost);
}

static struct status on_ready(struct guard *g, struct client *c, const struct wire_message *m)
{
    return swap_on_ready(g, c, &m->ready);
}

/* Components have a socket of guard's, which is root's: content is not theirs to change. */
static bool is_root(const struct client *c)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    return !c->ours && getsockopt(c->socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           peer.uid == 0;
}

static struct status on_load(struct guard *g, struct client *c, const struct wire_message *m)
{
    if (!is_root(c)) {
        FAIL(DENIED);
    }
    swap_on_load(g, c, m->load.what == 1);
    return OK;
}

/* The courier cannot open a socket: it is handed one. */
static struct status on_want_syslog(struct guard *g, struct client *c, const struct wire_message *m)
{
    (void)g;
    (void)m;
    int fd = syslog_open();
    struct wire_message reply = {.number = WIRE_SYSLOG, .syslog = {.there = fd >= 0}};
    struct status s = client_send(c, &reply, &fd, fd >= 0);
    if (fd >= 0) {
        close(fd);
    }
    return s;
}

typedef struct status route(struct guard *g, struct client *c, const struct wire_message *m);

static const struct {
    enum wire_number number;
    enum client_phase phase;
    const char *only; /* the one client that may send it; NULL: all */
    route *handle;
} routes[] = {
    {WIRE_HELLO, CLIENT_GREETING, NULL, on_hello},
    {WIRE_SUBSCRIBE, CLIENT_OPEN, NULL, on_subscribe},
    {WIRE_WATCH, CLIENT_OPEN, NULL, on_watch},
    {WIRE_PROGRESS, CLIENT_OPEN, NULL, on_progress},
    {WIRE_ALERT, CLIENT_OPEN, NULL, on_alert},
    {WIRE_REPORT, CLIENT_OPEN, NULL, on_report},
    {WIRE_ASK, CLIENT_OPEN, NULL, on_ask},
    {WIRE_WANT_SYSLOG, CLIENT_OPEN, "courier", on_want_syslog},
    {WIRE_RULE_COST, CLIENT_OPEN, "engine", on_rule_cost},
    /* An engine whose turn has not come: it may say what it needs, and nothing of events. */
    {WIRE_SUBSCRIBE, CLIENT_PROVING, "engine", on_subscribe},
    {WIRE_WATCH, CLIENT_PROVING, "engine", on_watch},
    {WIRE_REPORT, CLIENT_PROVING, "engine", on_report},
    {WIRE_READY, CLIENT_PROVING, "engine", on_ready},
    {WIRE_LOAD, CLIENT_OPEN, NULL, on_load},
};

static struct status route_message(struct guard *g, struct client *c, const struct wire_message *m)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        bool permitted = routes[i].number == m->number && routes[i].phase == c->phase &&
                         (!routes[i].only || text_same(text_of(routes[i].only), text_of(c->name)));
        if (permitted) {
            return routes[i].handle(g, c, m);
        }
    }
    FAIL(DENIED);
}

/* One packet a call: the loop comes back while there are more, and others have their turn. */
void routes_serve(struct guard *g, struct client *c)
{
    static uint8_t packet[WIRE_MAX];
    char words[256];
    struct wire_message m;
    ssize_t got = recv(c->socket, packet, sizeof packet, MSG_DONTWAIT | MSG_TRUNC);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (got <= 0) {
        clients_drop(g, c, FAULT_OK, NULL);
        return;
    }
    c->heard_ns = clock_boot_ns();
    struct text bytes = {.ptr = (const char *)packet, .len = (size_t)got};
    if (bytes.len > sizeof packet) {
        clients_drop(g, c, FAULT_LIMIT, "a packet exceeds the channel's limit");
        return;
    }
    struct status s = wire_read(bytes, WIRE_SENDER_CLIENT, &m);
    if (status_ok(s)) {
        s = route_message(g, c, &m);
    }
    if (!status_ok(s)) {
        clients_drop(g, c, s.fault, status_text(s, words, sizeof words));
    }
}
