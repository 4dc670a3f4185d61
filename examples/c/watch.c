/*
 * watch: prints every program that begins to run, as one line: process id, user, command line.
 *
 *     cc watch.c -o watch $(pkg-config --cflags --libs bulkhead)
 *     sudo ./watch [HOME]
 *
 * All that a client of Bulkhead needs: open, subscribe, wait, next. Ctrl-C ends it.
 */
#include <bulkhead/bulkhead.h>

#include <signal.h>
#include <stdio.h>

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

static void print_event(const struct bh_event *event)
{
    struct bh_text user = bh_event_text(event, BH_FIELD_USER);
    struct bh_text line = bh_event_text(event, BH_FIELD_COMMAND_LINE);
    printf("%lld %.*s %.*s%s\n", (long long)bh_event_number(event, BH_FIELD_PID), (int)user.len,
           user.ptr, (int)line.len, line.ptr,
           bh_event_cut(event, BH_FIELD_COMMAND_LINE) ? " …" : "");
    fflush(stdout);
}

/* Losing events is no error, but people have to know. */
static void print_losses(const struct bh_client *client, uint64_t *known)
{
    struct bh_stats stats = {.size = sizeof stats};
    if (bh_client_stats(client, &stats) == BH_OK && stats.lost > *known) {
        fprintf(stderr, "watch: %llu events were lost: this program was too slow\n",
                (unsigned long long)(stats.lost - *known));
        *known = stats.lost;
    }
}

/* Returns why it ended. */
static int watch(struct bh_client *client)
{
    const struct bh_event *event;
    uint64_t lost = 0;
    int result = bh_client_subscribe(client, BH_TYPE(BH_EVENT_PROCESS_EXEC));
    while (result == BH_OK && !stopped) {
        while ((result = bh_client_next(client, &event)) == BH_OK) {
            print_event(event);
        }
        print_losses(client, &lost);
        if (result == BH_AGAIN) {
            result = bh_client_wait(client, -1);
        }
    }
    return stopped ? BH_OK : result;
}

int main(int argc, char **argv)
{
    char words[256];
    struct bh_options options = BH_OPTIONS("watch-c");
    struct bh_client *client;
    options.home = argc > 1 ? argv[1] : NULL;
    options.error = words;
    options.error_size = sizeof words;
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    if (bh_client_open(&options, &client) != BH_OK) {
        fprintf(stderr, "watch: %s\n", words);
        return 1;
    }
    int result = watch(client);
    if (result != BH_OK) {
        fprintf(stderr, "watch: %s\n", bh_client_error(client));
    }
    bh_client_close(client);
    return result == BH_OK ? 0 : 1;
}
