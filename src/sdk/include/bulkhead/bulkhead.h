/*
 * bulkhead.h: the client API of Bulkhead, the same for every vendor and for Bulkhead's own engine.
 *
 * A client connects to bulkhead-guard and reads the machine's security events from a ring that it
 * shares read-only with every other client. Events that wait are read without a system call; a slow
 * client loses its own events, counted, and nobody else's. It may raise alerts and say things about
 * itself; guard publishes both as events.
 *
 *     struct bh_options options = BH_OPTIONS("example");
 *     struct bh_client *client;
 *     const struct bh_event *event;
 *     if (bh_client_open(&options, &client) != BH_OK) …
 *     bh_client_subscribe(client, BH_TYPE(BH_EVENT_PROCESS_EXEC));
 *     while (bh_client_wait(client, -1) == BH_OK) {
 *         while (bh_client_next(client, &event) == BH_OK) …
 *     }
 *     bh_client_close(client);
 *
 * Results: functions that can fail return BH_OK (0) or a negative BH_ code. Output parameters come
 * last and are untouched on failure. A NULL client or event is a bug of the caller and ends the
 * process.
 *
 * Threads: a client belongs to one thread at a time; two clients never touch each other. Events are
 * read-only and may be shared. Nothing here installs a signal handler, starts a thread or writes to
 * standard error. SIGPIPE is never raised.
 *
 * Strings are UTF-8 where the system's are; they may hold any byte, as file names may.
 */
#pragma once

#include <bulkhead/fields.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Marks what libbulkhead.so exports. */
#define BH_API __attribute__((visibility("default")))

/* ── results ── */

enum bh_result {
    BH_OK = 0,
    BH_AGAIN = -1,    /* nothing to do yet: wait and call again */
    BH_TIMEOUT = -2,  /* the time given ran out */
    BH_CLOSED = -3,   /* guard ended an inherited connection; a client that connected reconnects */
    BH_MISSING = -4,  /* no guard answers there */
    BH_REFUSED = -5,  /* guard said no; bh_client_error() has its reason */
    BH_DENIED = -6,   /* the system does not let this user talk to guard */
    BH_VERSION = -7,  /* guard and this library have no version of the protocol in common */
    BH_ARGUMENT = -8, /* an argument is outside what its function documents */
    BH_LIMIT = -9,    /* a documented limit, or a buffer that is too small */
    BH_MEMORY = -10,  /* out of memory */
    BH_SYSTEM = -11,  /* the system refused a call; bh_client_error() says which */
    BH_DAMAGED = -12, /* what guard sent or shares breaks the rules of the protocol */
};

/* A short sentence for a result; never NULL, lives for ever. */
BH_API const char *bh_error_text(int result);

/* Version of this library ("0.1.0"), lives for ever. */
BH_API const char *bh_version(void);

/* ── text ── */

/* `len` bytes that somebody else owns; not terminated. */
struct bh_text {
    const char *ptr;
    size_t len;
};

/* ── a client's life ── */

enum bh_from {
    /* Only what happens from here on. */
    BH_FROM_NOW = 0,
    /* After the last event that a client of this name dealt with; from now where none is known:
     * guard remembers 16 names, and forgets who has been away longest. */
    BH_FROM_RESUME = 1,
    /* With the oldest event that the ring still holds. */
    BH_FROM_ALL = 2,
};

enum bh_flags {
    /* An event counts as dealt with only when bh_client_acknowledge() says so. Without it: as soon
     * as the next one is asked for. */
    BH_MANUAL_ACKNOWLEDGE = 1,
    /* Nothing is read before bh_client_begin(): another engine may still be at work. */
    BH_STANDBY = 2,
};

/* Grows at its end only: `size` says what the caller knows of it. Members that are zero have their
 * default. Nothing it points to is kept. */
struct bh_options {
    size_t size;       /* sizeof(struct bh_options) */
    const char *name;  /* shown to people; 1 to 23 bytes of a-z A-Z 0-9 . _ - */
    const char *home;  /* the instance's folder; NULL: $BULKHEAD_HOME, else /var/lib/bulkhead */
    const char *token; /* what the owner handed this client, at most 64 bytes; NULL: none */
    int socket;        /* > 0: a connected socket that guard left in this process (caged clients),
                        * taken over even on failure. 0: connect to the instance in `home` */
    int from;          /* enum bh_from */
    unsigned flags;    /* enum bh_flags */
    char *error;       /* room for a sentence that says why opening failed; NULL: no interest */
    size_t error_size; /* bytes of that room */
};

#define BH_OPTIONS(client_name)                                                                    \
    {                                                                                              \
        .size = sizeof(struct bh_options), .name = (client_name)                                   \
    }

struct bh_client;
struct bh_event;

/* Connects, agrees on a version and maps the ring. Waits for guard's answer for at most 5 seconds.
 * A client sees nothing until it subscribes. Release it with bh_client_close(). */
BH_API int bh_client_open(const struct bh_options *options, struct bh_client **out);

/* Tells guard how far the client came, and releases everything. NULL is fine. Every event that
 * bh_client_next() gave is gone with it. */
BH_API void bh_client_close(struct bh_client *client);

/* A descriptor to poll for reading beside the caller's own; the same for the client's whole life,
 * owned by the client. When it is readable call bh_client_next() until it says BH_AGAIN. It also
 * becomes readable once a second, so that the client can report progress and reconnect. */
BH_API int bh_client_fd(const struct bh_client *client);

/* The last failure of this client as a sentence; "" where there was none. Valid until the next
 * call. */
BH_API const char *bh_client_error(const struct bh_client *client);

/* ── what to see ── */

/* The bit of one BH_EVENT_ type, and all of them. */
#define BH_TYPE(event_type) (UINT64_C(1) << (event_type))
#define BH_ALL_TYPES UINT64_MAX

/* Replaces the set of event types that the client sees. Guard keeps the kernel from reporting what
 * nobody wants, so ask for no more than you read. */
BH_API int bh_client_subscribe(struct bh_client *client, uint64_t types);

/* Opens of files for reading are seen (BH_EVENT_FILE_OPEN) only where somebody watches: a whole
 * path, a prefix that ends in '/', or one of both with a leading '*' for any directory. At most
 * 4,096 bytes, 256 of them a client (BH_LIMIT). BH_ARGUMENT: it begins with neither of both. What
 * one client watches every client may see. */
BH_API int bh_client_watch(struct bh_client *client, const char *pattern);

/* Leaves out events whose process has this identity (BH_FIELD_PROCESS_GUID). At most 4,096. */
BH_API int bh_client_mute_process(struct bh_client *client, uint64_t guid);

/* Leaves out events whose program's path (BH_FIELD_PATH), respectively whose file's path
 * (BH_FIELD_TARGET_PATH), begins with `prefix`: "/usr/bin/make" or "/var/cache/". At most 256 of
 * each, 1 to 4,096 bytes. Alerts are never left out. */
BH_API int bh_client_mute_path(struct bh_client *client, const char *prefix);
BH_API int bh_client_mute_target(struct bh_client *client, const char *prefix);

/* ── taking turns ── */

/* What the engine has to say of its pack. Grows at its end only. */
struct bh_ready {
    size_t size;        /* sizeof(struct bh_ready) */
    uint32_t rules;     /* that it will run */
    const char *digest; /* of the pack, for people; at most 64 bytes, NULL: none */
};

/* For a client opened with BH_STANDBY that said what it wants to see: it is ready, and waits until
 * guard says that its turn has come. It reads on after the last event that the client before it
 * dealt with. Guard takes this of its engine alone, and ends the conversation with whoever else
 * says it. BH_CLOSED: it will never be its turn. BH_TIMEOUT: not within `timeout_ms` (< 0: for
 * ever). */
BH_API int bh_client_begin(struct bh_client *client, const struct bh_ready *ready, int timeout_ms);

/* For a client in standby that keeps something from event to event: the next of the events that
 * came before its turn and that the ring still holds, the oldest first. They were dealt with, so
 * nothing may be said of them. BH_AGAIN: that is all so far. Read what there is before
 * bh_client_begin(), which may take its time, and after it the little that came meanwhile; then it
 * ends exactly where bh_client_next() begins, and the client knows what one would that had been
 * there all the time. */
BH_API int bh_client_rehearse(struct bh_client *client, const struct bh_event **out);

enum bh_load {
    BH_LOAD_NEXT = 0,     /* the pack at HOME/content/content.pack.next, which guard takes away */
    BH_LOAD_PREVIOUS = 1, /* the one that was active before */
};

/* What came of it. Grows at its end only. */
struct bh_loaded {
    size_t size;         /* sizeof(struct bh_loaded), set by the caller */
    bool ok;             /* the new content is active; else the old one goes on */
    uint32_t rules;      /* of the new pack */
    uint32_t took_ms;    /* from the question to the new engine's first event */
    uint32_t gap_us;     /* at most so long of it no engine read */
    uint64_t old_events; /* that the old pack was asked about */
    uint64_t last_seq;   /* the last of them; the new pack begins with the next. 0: not known */
    char digest[65];     /* of the new pack */
    char why[257];       /* where it was refused: one line for people */
};

/* Asks guard to exchange the active content, and waits for what comes of it. Only root may; BH_OK
 * says that there is an answer, `out` which. BH_TIMEOUT, BH_CLOSED: it is not known; guard goes on
 * all the same, and `bulkhead status` tells. */
BH_API int bh_client_load(struct bh_client *client, enum bh_load what, int timeout_ms,
                          struct bh_loaded *out);

/* ── reading ── */

/* The next event, copied out of the ring and checked: it cannot change any more. It lives in the
 * client until the next call of bh_client_next() or bh_client_close(); bh_event_copy() keeps it.
 * BH_AGAIN: none waits. BH_CLOSED: guard is gone for good, and every event was read; or it asked
 * this client to end, and what was read is all it shall deal with. BH_DAMAGED: the ring cannot be
 * read on. Makes no system call for each event: only when none waits, and once a second. */
BH_API int bh_client_next(struct bh_client *client, const struct bh_event **out);

/* Waits until bh_client_next() is worth a call, which may still say BH_AGAIN. `timeout_ms` < 0: for
 * ever. Also BH_OK when a signal handler ran. BH_TIMEOUT, BH_CLOSED, BH_SYSTEM. */
BH_API int bh_client_wait(struct bh_client *client, int timeout_ms);

/* Everything that bh_client_next() gave so far is dealt with: a client of the same name that opens
 * with BH_FROM_RESUME goes on after it. Needs BH_MANUAL_ACKNOWLEDGE. Guard is told within a second.
 */
BH_API int bh_client_acknowledge(struct bh_client *client);

/* Grows at its end only. */
struct bh_stats {
    size_t size;         /* sizeof(struct bh_stats), set by the caller */
    uint64_t events;     /* given out */
    uint64_t muted;      /* of a subscribed type, and left out */
    uint64_t lost;       /* overwritten before this client read them, of whatever type */
    uint64_t unknown;    /* of a type or with a field that this library is too old for; left out */
    uint64_t position;   /* in the ring, in bytes since it was made */
    uint64_t lag;        /* bytes that wait to be read */
    uint64_t reconnects; /* since it was opened */
    uint64_t rings;      /* rings read from; above 1 guard had to begin anew, and seq with it */
    bool connected;      /* to guard at this moment */
};

BH_API int bh_client_stats(const struct bh_client *client, struct bh_stats *out);

/* ── speaking ── */

/* Grows at its end only. Texts longer than named are BH_LIMIT; empty ones are fine but for the id.
 */
struct bh_alert {
    size_t size;            /* sizeof(struct bh_alert) */
    unsigned nth;           /* counts what this rule raises about one event, from 0; below 65,536 */
    struct bh_text id;      /* of the rule; 64 bytes */
    struct bh_text title;   /* 256 */
    struct bh_text author;  /* 256 */
    struct bh_text level;   /* informational, low, medium, high or critical */
    struct bh_text tags;    /* comma separated, 512 */
    struct bh_text message; /* what happened, in one line; 1,024 */
};

/* Raises an alert about an event. Guard publishes it once for each client's name, event, `id` and
 * `nth`, whatever is repeated after a restart. Waits for room for at most a second, then BH_AGAIN:
 * call again. */
BH_API int bh_client_alert(struct bh_client *client, const struct bh_event *event,
                           const struct bh_alert *alert);

/* Something about the client itself that people should see, as a BH_EVENT_HEALTH event. `level` as
 * for an alert, `message` at most 1,024 bytes. Waits like bh_client_alert(). */
BH_API int bh_client_report(struct bh_client *client, const char *level, const char *message);

/* What one of the costliest rules of an engine costs, for people to see. Grows at its end only. */
#define BH_RULE_COSTS 32

struct bh_rule_cost {
    size_t size;          /* sizeof(struct bh_rule_cost) */
    unsigned nth;         /* which of them this is, from 0, the costliest first … */
    unsigned count;       /* … of how many, at most BH_RULE_COSTS */
    struct bh_text id;    /* of the rule; 64 bytes */
    struct bh_text title; /* 256 */
    uint64_t runs;        /* of its program; counts are since the engine began */
    uint64_t matches;
    uint64_t steps;      /* about a nanosecond each */
    uint64_t all_events; /* that the engine looked at */
    uint64_t all_steps;  /* that these took, with all rules */
};

/* Tells guard. Does not wait: BH_AGAIN where there is no room. Guard takes it of its engine alone,
 * and ends the conversation with whoever else says it. */
BH_API int bh_client_rule_cost(struct bh_client *client, const struct bh_rule_cost *cost);

/* Asks guard: "status", "tree" (argument: a process id) or "doctor". `out` is a terminated JSON
 * text for bh_free(). Waits for at most `timeout_ms`; answers above 16 MiB are BH_LIMIT. */
BH_API int bh_client_ask(struct bh_client *client, const char *topic, uint64_t argument,
                         int timeout_ms, char **out);

/* A connected datagram socket of the system log, for a client in a cage that can open none. The
 * caller closes it. Guard hands it to its courier alone, and ends the conversation with whoever
 * else asks. BH_MISSING: the machine has no system log. Waits for at most `timeout_ms`. */
BH_API int bh_client_syslog(struct bh_client *client, int timeout_ms, int *out);

BH_API void bh_free(char *text);

/* ── events ── */

BH_API int bh_event_type(const struct bh_event *event);     /* BH_EVENT_… */
BH_API uint64_t bh_event_seq(const struct bh_event *event); /* of all events of this boot, from 1 */
BH_API uint64_t bh_event_type_seq(const struct bh_event *event); /* of its type, from 1 */
BH_API uint64_t bh_event_time(const struct bh_event *event);     /* ns since 1970, UTC */

/* A field (BH_FIELD_…) by its kind, see docs/events.md. Absent fields, and fields of another kind,
 * are empty, 0 and false; texts live as long as the event. bh_event_number() also gives guids. */
BH_API bool bh_event_has(const struct bh_event *event, int field);
BH_API struct bh_text bh_event_text(const struct bh_event *event, int field);
BH_API int64_t bh_event_number(const struct bh_event *event, int field);
BH_API bool bh_event_bool(const struct bh_event *event, int field);

/* The text was longer than a record can hold, and was cut. */
BH_API bool bh_event_cut(const struct bh_event *event, int field);

/* The whole record as docs/formats/event.md describes it; lives as long as the event. */
BH_API struct bh_text bh_event_record(const struct bh_event *event);

/* The event as one JSON object without a newline, terminated: with the schema's names, or in the
 * shape of OCSF. BH_LIMIT: it does not fit; BH_JSON_MAX bytes are room for what guard writes. `out`
 * (may be NULL) is its length. */
#define BH_JSON_MAX ((size_t)512 * 1024)
BH_API int bh_event_json(const struct bh_event *event, char *buffer, size_t size, size_t *out);
BH_API int bh_event_ocsf(const struct bh_event *event, char *buffer, size_t size, size_t *out);

/* A copy of its own, for bh_event_free(); NULL is fine there. */
BH_API int bh_event_copy(const struct bh_event *event, struct bh_event **out);
BH_API void bh_event_free(struct bh_event *event);

/* ── names ── */

/* "process_exec", "command_line"; NULL where there is no such type or field. They live for ever. */
BH_API const char *bh_type_name(int type);
BH_API const char *bh_field_name(int field);

/* The type or field of that name, -1 where there is none. */
BH_API int bh_type_by_name(const char *name);
BH_API int bh_field_by_name(const char *name);

#ifdef __cplusplus
}
#endif
