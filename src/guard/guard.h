/*
 * guard: the whole state of the one process that stays privileged, and what its modules offer each
 * other.
 *
 * Everything is allocated before the first event. One thread; nothing blocks but the wait for the
 * next thing to do.
 */
#pragma once

#include "guard/kernel.h"
#include "guard/memory.h"
#include "guard/processes.h"
#include "guard/raised.h"
#include "guard/rule_costs.h"
#include "guard/seen.h"
#include "guard/users.h"
#include "guard/watch.h"
#include "wire/client.h"
#include "wire/home.h"
#include "wire/stream.h"

#include <sys/types.h>

enum {
    STREAM_BYTES = 16 << 20, /* 30,000 events of the usual size: 10 s of a busy machine */
    CLIENTS_MAX = 20, /* engine, the one that shall follow it, courier, scanner, and 16 more */
    BATCH_MAX = 1024, /* records between two looks at clients and children: some 5 ms */
    OTHERS_MAX = 16,  /* clients that are not our own: engine and courier find a place always */
    PLACES = 1 << 16, /* events whose place in the stream is remembered, for alerts */
    GREETING_S = 5,   /* for a client to say hello */
    HANG_S = 20, /* a component that has said nothing for so long hangs: it speaks once a second */
    GRACE_MS = 2000,    /* after a start: who was subscribed before is given time to come back */
    POLL_MS = 5,        /* between two looks while records come */
    LOOK_AGAIN_MS = 20, /* a record that was being written while guard fell asleep waits so long */
};

struct options {
    const char *home;    /* NULL: as home.h finds it */
    const char *content; /* NULL: what the home holds */
    uint32_t processes;
};

/* Where a pack lies; packs.c has the paths. The numbers stand in content.choice. */
enum pack_place {
    PACK_AT_NONE, /* nowhere, or nowhere any more: guard has it open */
    PACK_AT_GIVEN,
    PACK_AT_HOME,
    PACK_AT_PREVIOUS,
    PACK_AT_NEXT,
    PACK_AT_TRIAL,
    PACK_AT_SPARE,
    PACK_AT_REFUSED,
};

enum { PACK_DIGEST = 65 };

/* What is known of a pack: guard does not read it, an engine said so. */
struct pack_note {
    uint32_t place;
    uint32_t rules;
    uint64_t since_ns; /* when it became active, real time; 0: not known */
    char digest[PACK_DIGEST];
};

/* Memory that outlives guard, before the slots of processes. */
struct kept {
    uint64_t magic;
    uint64_t subscribed;    /* event types that some client wants */
    uint64_t clients;       /* numbers given to clients so far */
    uint64_t clean;         /* 1: the last guard left in good order */
    uint64_t starts;        /* guards that worked with this memory */
    uint64_t scanned;       /* 1: the processes that were there before are known */
    uint64_t content_given; /* hash of --content; 0: none */
    struct pack_note active;
    struct pack_note previous;
    struct watch watch;
};

/* Where the slots begin: whole pages. */
enum { KEPT_BYTES = (sizeof(struct kept) + 4095) / 4096 * 4096 };

/* From PROVING to READY: an engine that has not begun yet. What it wants to see counts already. */
enum client_phase { CLIENT_FREE, CLIENT_GREETING, CLIENT_PROVING, CLIENT_READY, CLIENT_OPEN };

/* STANDBY: the engine that shall follow, or the one that was followed and has not ended yet. */
enum component_id {
    COMPONENT_ENGINE,
    COMPONENT_COURIER,
    COMPONENT_SCAN,
    COMPONENT_STANDBY,
    COMPONENT_COUNT,
};

static inline bool is_engine(enum component_id id)
{
    return id == COMPONENT_ENGINE || id == COMPONENT_STANDBY;
}

struct client {
    enum client_phase phase;
    int socket;
    int wake;        /* our end of a pipe: a byte in it says that events wait */
    int wake_theirs; /* its end, until it is handed over */
    uint32_t id;
    uint64_t types;    /* what it subscribed to */
    uint64_t position; /* as it last said */
    uint64_t events;
    uint64_t lost;
    uint64_t heard_ns;           /* its last word */
    bool ours;                   /* a component: its name is from us */
    enum component_id component; /* where it is ours */
    char name[STREAM_NAME];
    struct stream_cursor *cursor; /* NULL: its position dies with it */
};

enum component_state {
    COMPONENT_OFF,
    COMPONENT_RUNNING,
    COMPONENT_WAITING,
    COMPONENT_GIVEN_UP,
    COMPONENT_LEAVING,
};

struct component {
    const char *name;
    enum component_state state;
    pid_t pid;
    uint64_t started_ns;
    uint64_t restart_ns; /* when to start it again */
    uint32_t backoff_ms;
    uint32_t restarts;
    uint32_t crashes; /* in a row, each after a short life */
    uint32_t hangs;   /* in a row */
    uint64_t end_ns;  /* its channel is closed: when it is ended, if it has not by then; 0: not */
    bool hung;        /* we are ending it, since it said nothing */
    bool cut_off;     /* we are ending it, since it lives without a channel */
    bool anew;        /* it was off and began with what happens now, which is not told yet */
    char last_exit[64];
    char lacks[160]; /* what its cage is without, as it said when it started; "": nothing */
};

/* PROVING: the next engine looks at its pack, the old one works. FINISHING: the next one is ready,
 * and the old one was asked to end. */
enum swap_phase { SWAP_NONE, SWAP_PROVING, SWAP_FINISHING };

struct swap {
    enum swap_phase phase;
    uint32_t asker; /* the client that waits for the outcome; 0: a signal asked */
    uint64_t asked_ns;
    uint64_t finish_ns; /* when the old engine was asked to end; 0: not, or there is none */
    uint64_t deadline_ns;
    enum pack_place place; /* where the new pack lies */
    int fd;
    struct pack_note note;
    uint64_t old_events; /* as the old engine last said */
    char why[257];       /* what the next engine said when it refused */
};

struct guard {
    struct options options;
    struct home home;
    struct kernel kernel;
    struct memory stream_memory;
    struct memory kept_memory;
    struct kept *kept; /* in kept_memory */
    int stream_fd;     /* read-only: what clients get */
    struct stream_writer stream;
    struct processes processes;
    struct users users;
    struct client clients[CLIENTS_MAX];
    struct component components[COMPONENT_COUNT];
    struct swap swap;
    int active_fd;       /* the packs: opened once, so that what happens to the files does not */
    int previous_fd;     /* matter to an engine that is started again; -1: none */
    pid_t choice_pid;    /* writes which pack is active; 0: nobody does */
    bool choice_again;   /* it changed meanwhile */
    uint64_t subscribed; /* union of the clients' */
    uint64_t position;   /* in the kernel's ring */
    uint64_t real_minus_boot_ns;
    uint64_t started_ns;
    uint64_t watched_ns;     /* when components were last looked at */
    uint64_t grace_until_ns; /* see in_grace() */
    uint64_t places[PLACES]; /* by sequence number: where the event begins in the stream */
    struct raised raised;    /* alerts of our own parts that the stream holds */
    uint64_t published[EVENT_COUNT];
    struct rule_costs rule_costs;
    uint64_t filtered; /* records that led to no event */
    uint64_t malformed;
    uint64_t dropped; /* as last told to people */
    int listener;
    int poll;
    int signals;
    int timer;
    int lock;
    bool stopping;
    bool news; /* events were published since clients were last woken */
    char room[4][SEEN_PATH];
    char arguments[RECORD_ARGUMENTS_MAX];
    uint8_t record[EVENT_MAX];
};

/* sysexits(3), which the command line and service managers understand. */
enum exit_code {
    EXIT_OK = 0,
    EXIT_USAGE = 64,
    EXIT_OS = 71,
    EXIT_BUSY = 75,
    EXIT_NOT_PERMITTED = 77,
    EXIT_CONFIG = 78,
};

/* ── start.c: everything that is opened or allocated ── */

/* The lock on the home, held as long as guard lives. EXIT_OK, or said and the exit code. */
enum exit_code start_lock(struct guard *g);

/* Memory, tables, descriptors: all but the components. */
struct status start_all(struct guard *g);

/* ── loop.c ── */
void loop(struct guard *g);           /* works until it is told to stop */
unsigned loop_drain(struct guard *g); /* a batch; BATCH_MAX: there may be more */

/* ── publish.c: one record of the kernel part → events ── */
void publish_record(struct guard *g, struct text bytes, uint64_t origin);

/* A process that was there before us. */
void publish_scanned(void *guard, struct text bytes);

/* ── events.c: putting events together ── */
bool wanted(const struct guard *g, enum event_type type);
void put_who(struct guard *g, struct event_builder *b, const struct seen *seen,
             const struct process *process);
void put_process(struct guard *g, struct event_builder *b, const struct process *process);
void publish_event(struct guard *g, struct event_builder *b, enum event_type type, uint64_t time_ns,
                   uint64_t origin);

/* "engine", "restarted after SIGKILL" … Everything that people should know goes through here. */
void publish_health(struct guard *g, const char *level, const char *component, uint64_t count,
                    const char *format, ...) __attribute__((format(printf, 5, 6)));

/* An alert that a client raised; doubles are left out. INVALID: about an event that never was. */
struct status publish_alert(struct guard *g, struct client *c, const struct wire_alert *alert);

/* ── interest.c: what anybody wants to see ── */
void interest_changed(struct guard *g);

/* Somebody who was subscribed may not be back yet: guard or a component was just started again.
 * What was wanted until then is wanted still, so that nothing passes by. */
bool in_grace(const struct guard *g);
void grace_begin(struct guard *g);

/* ── clients.c, routes.c ── */
struct status clients_listen(struct guard *g);

/* COMPONENT_COUNT: a client of others. */
struct status clients_adopt(struct guard *g, int socket, enum component_id component);
void clients_accept(struct guard *g);
void clients_wake(struct guard *g);
void clients_expire(struct guard *g, uint64_t now_ns);

/* Ends it; `why` (NULL: it went by itself) is told to it and to people. */
void clients_drop(struct guard *g, struct client *c, enum fault fault, const char *why);
struct status client_send(struct client *c, const struct wire_message *m, const int *fds,
                          unsigned fd_count);
struct status client_greet(struct guard *g, struct client *c, const struct wire_hello *hello);
void routes_serve(struct guard *g, struct client *c); /* one packet of a client */

/* Where a component was is forgotten: when it is started again, it begins with what happens then.
 */
void clients_forget(struct guard *g, enum component_id component);

/* The client that a component is; NULL: it is not connected. */
struct client *clients_of(struct guard *g, enum component_id component);

/* Its turn: it goes on where its name's cursor is. */
struct status client_begin(struct guard *g, struct client *c);

/* What people may give to `bulkhead content load` where there is no content: the pack that is
 * installed with us, which is never loaded by itself, or the word for any. */
const char *packs_to_load(void);

/* ── packs.c ── */
const char *packs_path(const struct guard *g, enum pack_place place, char *room);

/* Opens the active pack and the previous one; -1 where there is none. */
void packs_open(struct guard *g);

/* The pack that shall be active: what was put there for guard, what lies where the active one lay,
 * or the one before. MISSING: there is none. */
struct status packs_take(struct guard *g, enum pack_place *out_place, int *out);
struct status packs_take_again(struct guard *g, enum pack_place *out_place, int *out);
struct status packs_take_previous(struct guard *g, enum pack_place *out_place, int *out);
void packs_give_up(struct guard *g, enum pack_place place);

/* It is active now, and the one before is kept. Takes `fd`. */
void packs_install(struct guard *g, enum pack_place place, const struct pack_note *note, int *fd);

/* The active pack turned out to be bad: the one before is active again. False: there is none. */
bool packs_fall_back(struct guard *g);

/* The process that wrote the choice ended. */
void packs_on_end(struct guard *g, int status);

/* ── swap.c: one engine follows another ── */
void swap_on_load(struct guard *g, struct client *c, bool previous);
void swap_on_hangup(struct guard *g); /* SIGHUP */
struct status swap_on_ready(struct guard *g, struct client *c, const struct wire_ready *ready);
void swap_on_report(struct guard *g, const struct client *c, const struct wire_report *report);
void swap_on_gone(struct guard *g, const struct client *gone); /* a component hung up */
void swap_on_end(struct guard *g, const char *how);            /* the standby ended */
void swap_tick(struct guard *g, uint64_t now_ns);
uint64_t swap_deadline_ns(const struct guard *g); /* of what it waits for; 0: nothing */

/* ── supervise.c ── */
void supervise_start(struct guard *g);
void supervise_reap(struct guard *g);
void supervise_tick(struct guard *g, uint64_t now_ns);
void supervise_watch(struct guard *g, uint64_t now_ns); /* once a second */
void supervise_stop(struct guard *g);
void supervise_hung_up(struct guard *g, enum component_id id); /* its channel is closed */
bool supervise_launch(struct guard *g,
                      enum component_id id); /* starts it now; false: it told why */
void supervise_renew_scan(struct guard *g);  /* the pack is another one */
int64_t supervise_next_ms(const struct guard *g, uint64_t now_ns); /* until a restart; -1: none */
int syslog_open(void); /* connected to the system log; -1: there is none */

/* ── answers.c ── */
struct status answer(struct guard *g, struct client *c, const struct wire_ask *ask);
