/*
 * client: what the files of the library share. Nothing of it is exported.
 *
 *   client.c   opening, closing, reading, waiting        event.c   events and names
 *   channel.c  the socket: greeting, packets, coming back    mute.c    what a client leaves out
 *   speak.c    what a client says and asks                   turn.c    whose turn it is to read
 */
#pragma once

#include "schema/event.h"
#include "wire/client.h"
#include "wire/home.h"
#include "wire/stream.h"

#include <bulkhead/bulkhead.h>

enum {
    CLIENT_NAME = 23,
    CLIENT_TOKEN = 64,
    CLIENT_PATHS = 256, /* watched, muted programs, muted targets: each */
    CLIENT_PATH = 4096,
    CLIENT_GUIDS = 4096,
    CLIENT_ANSWER = 16 << 20,
    CLIENT_ERROR = 384,
};

struct bh_event {
    struct event event;
    bool rehearsed; /* another client dealt with it */
};

/* Paths and patterns, each terminated and on the heap. */
struct path_list {
    char *paths[CLIENT_PATHS];
    unsigned count;
};

struct mutes {
    uint64_t guids[CLIENT_GUIDS]; /* ascending */
    unsigned guid_count;
    struct path_list programs;
    struct path_list targets;
};

enum channel_phase {
    CHANNEL_DOWN,     /* no socket; a client that connects tries again at the next tick */
    CHANNEL_GREETING, /* hello is sent */
    CHANNEL_OPEN,
    CHANNEL_ENDED, /* an inherited socket is gone: there is no way back */
};

/* An answer on its way. Answers bear no number: those that nobody waits for any more are let pass.
 */
struct answer {
    unsigned owed; /* asked, and the last part has not come */
    bool there;
    char *json;
    size_t len;
};

/* A client in standby reads nothing before TURN_MINE; others begin there. */
enum turn { TURN_STANDBY, TURN_ASKED, TURN_MINE, TURN_OVER };

struct channel {
    enum channel_phase phase;
    int poll;   /* epoll over the three below: the descriptor that callers poll */
    int timer;  /* once a second; faster while guard is away */
    int socket; /* keeps its number in a cage, whose filter names it */
    int wake;   /* readable when events wait */
    bool inherited;
    int ended;               /* why the last conversation ended */
    unsigned greeting_ticks; /* since hello: guard may hang */
    struct answer answer;
    bool syslog_answered;
    int syslog; /* received, -1: none */
    bool loaded_answered;
    struct bh_loaded loaded;
    uint8_t packet[WIRE_MAX];
};

struct bh_client {
    struct home home;
    char name[CLIENT_NAME + 1];
    char token[CLIENT_TOKEN + 1];
    int from;
    bool manual;
    struct channel channel;

    void *memory; /* the ring, read-only; NULL before the first welcome */
    size_t memory_size;
    uint64_t made_real_ns; /* which ring it is */
    struct stream_reader reader;
    uint64_t tended_ns;  /* when the channel was last looked at while events kept coming */
    unsigned since_look; /* events since the clock was last looked at */
    bool outstanding;    /* an event was given out and is not dealt with */
    enum turn turn;
    uint64_t turn_position;    /* where its turn begins, as far as it is known */
    struct stream_reader past; /* of what came before; its page is NULL before it is used */
    bool past_read;
    uint64_t done_position;
    uint64_t done_seq;

    uint64_t types;
    bool types_said;
    struct path_list watches;
    unsigned watches_said;
    struct mutes mutes;
    struct bh_stats stats;     /* events, muted, unknown, reconnects, rings */
    uint64_t lost_before;      /* lost when this connection began: guard counts by connection */
    struct wire_progress said; /* what guard was last told */

    char error[CLIENT_ERROR];
    struct bh_event event;
    uint8_t record[EVENT_MAX];
};

/* Keeps the words for bh_client_error() and returns `result`. */
int client_fail(struct bh_client *c, int result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int client_fail_status(struct bh_client *c, const char *what, struct status s);
int client_fail_sys(struct bh_client *c, const char *what);

/* Reads on at a position that guard names; `seq` is the event before it, as in welcome. */
struct status client_read_from(const void *memory, size_t size, uint64_t position, uint64_t seq,
                               struct stream_reader *out);

/* Takes a ring that guard handed over, and goes on where the client was if it is the same one. */
int client_map(struct bh_client *c, int fd, const struct wire_welcome *welcome);

/* ── channel.c ── */

/* Makes the poll descriptor and takes the inherited socket, or -1. */
int channel_init(struct bh_client *c, int socket);
void channel_done(struct bh_client *c);

/* Connects (unless inherited) and says hello; the answer comes through channel_pump(). */
int channel_begin(struct bh_client *c);

/* Waits for at most `timeout_ms` (< 0: for ever) for anything to happen and deals with it: packets,
 * the wake-up, the tick. BH_OK, also where the conversation ended: `phase` and `ended` tell.
 * BH_AGAIN: a signal came first, and nothing happened. BH_TIMEOUT, BH_SYSTEM. */
int channel_pump(struct bh_client *c, int timeout_ms);

/* Sends one message. BH_AGAIN: no room, or not connected at the moment. BH_CLOSED. */
int channel_send(struct bh_client *c, const struct wire_message *message);

/* The same, waiting for room or for guard to be back, until `deadline_ns` of clock_boot_ns(). */
int channel_send_until(struct bh_client *c, const struct wire_message *message,
                       uint64_t deadline_ns);

/* Tells guard how far the client is; also where that has not changed: guard takes a part of its own
 * that says nothing for one that hangs. */
void channel_progress(struct bh_client *c);

/* ── speak.c ── */

/* Says what guard does not know yet of types and watches, as far as there is room. */
void speak_interest(struct bh_client *c);

/* Guard's answers, as they come in. */
struct status speak_on_answer(struct bh_client *c, const struct wire_answer *answer);
void speak_on_syslog(struct bh_client *c, int fd);

/* Is this record for the caller? If so it is opened, in `event`. */
bool client_accepts(struct bh_client *c, struct text record);

/* ── turn.c ── */

int turn_on_begin(struct bh_client *c, const struct wire_begin *begin);
void turn_on_finish(struct bh_client *c);
void turn_on_loaded(struct bh_client *c, const struct wire_loaded *loaded);

/* ── mute.c ── */

bool mute_covers(const struct mutes *m, const struct event *event);
int path_list_add(struct path_list *list, const char *path);
void path_list_done(struct path_list *list);

/* `deadline_ns` as a poll timeout, rounded up; 0 once it has passed. */
int wait_left_ms(uint64_t deadline_ns);
uint64_t wait_deadline(int timeout_ms);
