/*
 * slot: one worker of the pool, and the file that it is at. For pool.c and slot.c alone.
 */
#pragma once

#include "scan/pool.h"
#include "scan/post.h"

enum slot_state {
    SLOT_OFF,
    SLOT_STARTING,  /* the keeper was asked */
    SLOT_COMPILING, /* it was told to begin */
    SLOT_IDLE,      /* it waits for a file, or for what comes next about its file */
    SLOT_SCANNING,
    SLOT_ASKED, /* for a rule's name */
    SLOT_DYING, /* its socket is closed, or it was told to end */
};

/* What is to be done about its file next. */
enum slot_task {
    TASK_SCAN,
    TASK_BLAME, /* scan it with some of the rules, to find the one to blame */
    TASK_NAME,  /* it was found: ask what it is called */
};

/* A rule that is left out while its file is asked once more. */
struct culprit {
    char file[1025], name[257];
    bool source; /* all of its file, whatever it is called */
    bool back;   /* … and asked again when that is done */
};

struct slot {
    uint8_t index;
    enum slot_state state;
    enum slot_state was; /* before it was DYING */
    int socket;
    uint64_t deadline_ns; /* 0: none */
    bool late;            /* it is ended because its time was up */
    bool starved;         /* … because it was out of memory: libyara does not get well again */
    unsigned files;       /* that it has scanned */
    uint32_t source;      /* that it compiles, */
    bool has_source;      /* if it said so */
    char source_file[1025];
    /* the file */
    struct target target; /* fd -1: none */
    char sha256[65];
    enum slot_task task;
    bool by_source;           /* the blame is among sources: rules that are off still cost */
    bool again;               /* it was asked before: what indicators know of it was told */
    enum outcome first_fault; /* what the blame is about */
    char fault_words[64];
    uint64_t blame_until_ns;
    struct blame blame;
    struct culprit culprits[POOL_CULPRITS];
    unsigned culprit_count;
};

struct strike {
    char file[1025], name[257];
    unsigned count;
};

struct pool {
    const struct pool_options *options;
    const struct pool_source *source;
    struct slot slots[TALK_SLOTS];
    struct strike strikes[POOL_OFF_MAX];
    unsigned strike_count;
    uint32_t skipped[POOL_SKIPPED_MAX];
    unsigned skipped_count;
    uint32_t told;   /* sources before this one were compiled: their flaws are known */
    unsigned starts; /* in a row that came to nothing */
    uint32_t rules;
    uint32_t sources;
    bool ready; /* a worker compiled the rules */
    bool ended; /* the source */
    bool later; /* it has none now */
    uint64_t ticked_ns;
    struct post_packet packet;
};

struct status slot_begin(struct pool *p, struct slot *s, int socket); /* a new worker */
struct status slot_take(struct pool *p, struct slot *s);              /* its target is new */
struct status slot_serve(struct pool *p, struct slot *s);             /* its socket is readable */
struct status slot_ended(struct pool *p, struct slot *s, const struct talk_ended *how);
struct status slot_late(struct pool *p, struct slot *s);
