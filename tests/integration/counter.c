/*
 * counter: an ordinary client that counts what it sees, for tests that know what there was.
 *
 *   counter HOME [--watch FILE] [--exec PROGRAM] [--port PORT]
 *
 * Prints "ready" when it is subscribed, and at SIGINT or SIGTERM one JSON line: events seen, those
 * that bear the given program, file and port, events lost by its own count, and gaps in the
 * numbers of each type. A gap without a loss would be a lie of the stream.
 */
#include <bulkhead/bulkhead.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

struct counted {
    uint64_t events, execs, opens, connects, alerts, restarts, gaps, doubles;
    uint64_t next[64]; /* type_seq that the next event of a type should bear */
};

struct wanted {
    const char *exec;
    const char *watch;
    long port;
};

static bool is(struct bh_text text, const char *string)
{
    return string && text.len == strlen(string) && memcmp(text.ptr, string, text.len) == 0;
}

static void count(struct counted *c, const struct wanted *w, const struct bh_event *event)
{
    int type = bh_event_type(event);
    uint64_t seq = bh_event_type_seq(event);
    c->events++;
    c->gaps += c->next[type] != 0 && seq > c->next[type];
    c->doubles += seq < c->next[type];
    c->next[type] = seq + 1;
    c->execs += type == BH_EVENT_PROCESS_EXEC && is(bh_event_text(event, BH_FIELD_PATH), w->exec);
    c->opens +=
        type == BH_EVENT_FILE_OPEN && is(bh_event_text(event, BH_FIELD_TARGET_PATH), w->watch);
    c->connects += type == BH_EVENT_NETWORK_CONNECT &&
                   bh_event_number(event, BH_FIELD_DESTINATION_PORT) == w->port;
    c->alerts += type == BH_EVENT_ALERT;
    c->restarts += type == BH_EVENT_HEALTH;
}

static int fail(const char *what, int result)
{
    fprintf(stderr, "counter: %s: %s\n", what, bh_error_text(result));
    return 1;
}

static void report(struct bh_client *client, const struct counted *c)
{
    struct bh_stats stats = {.size = sizeof stats};
    bh_client_stats(client, &stats);
    printf("{\"events\":%llu,\"execs\":%llu,\"opens\":%llu,\"connects\":%llu,\"alerts\":%llu,"
           "\"health\":%llu,\"lost\":%llu,\"gaps\":%llu,\"doubles\":%llu,\"reconnects\":%llu,"
           "\"rings\":%llu}\n",
           (unsigned long long)c->events, (unsigned long long)c->execs,
           (unsigned long long)c->opens, (unsigned long long)c->connects,
           (unsigned long long)c->alerts, (unsigned long long)c->restarts,
           (unsigned long long)stats.lost, (unsigned long long)c->gaps,
           (unsigned long long)c->doubles, (unsigned long long)stats.reconnects,
           (unsigned long long)stats.rings);
}

static int run(struct bh_client *client, const struct wanted *w)
{
    static struct counted c;
    const struct bh_event *event;
    int result = bh_client_subscribe(client, BH_ALL_TYPES);
    if (result == BH_OK && w->watch) {
        result = bh_client_watch(client, w->watch);
    }
    if (result != BH_OK) {
        return fail("subscribe", result);
    }
    puts("ready");
    fflush(stdout);
    while (!stopped && result != BH_CLOSED && result != BH_DAMAGED) {
        while ((result = bh_client_next(client, &event)) == BH_OK) {
            count(&c, w, event);
        }
        if (result == BH_AGAIN) {
            result = bh_client_wait(client, 100);
        }
    }
    while (bh_client_next(client, &event) == BH_OK) {
        count(&c, w, event);
    }
    report(client, &c);
    return 0;
}

int main(int argc, char **argv)
{
    struct bh_options options = BH_OPTIONS("counter");
    struct bh_client *client;
    struct wanted w = {.port = -1};
    if (argc < 2 || argc % 2 != 0) {
        fputs("Usage: counter HOME [--watch FILE] [--exec PROGRAM] [--port PORT]\n", stderr);
        return 64;
    }
    for (int i = 2; i < argc; i += 2) {
        w.watch = strcmp(argv[i], "--watch") == 0 ? argv[i + 1] : w.watch;
        w.exec = strcmp(argv[i], "--exec") == 0 ? argv[i + 1] : w.exec;
        w.port = strcmp(argv[i], "--port") == 0 ? strtol(argv[i + 1], NULL, 10) : w.port;
    }
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    options.home = argv[1];
    int result = bh_client_open(&options, &client);
    if (result != BH_OK) {
        return fail(argv[1], result);
    }
    result = run(client, &w);
    bh_client_close(client);
    return result;
}
