/*
 * processes: who is who. One slot for each process that lives or lived lately, in memory that
 * outlives guard.
 *
 * A slot is sealed while it is right: a guard that is killed while it writes one leaves it
 * unsealed, and the next guard frees it, and sees the record that it was made from again. What
 * ended stays until its slot is needed, so that alerts and children can still name it. Nothing is
 * allocated after processes_open().
 */
#pragma once

#include "base/status.h"
#include "base/text.h"

enum {
    PROCESS_SLOT = 2048, /* bytes of a slot: texts share what the rest leaves */
    PROCESS_TEXT = 1872, /* path, folder and arguments: nearly all fit, the rest is marked as cut */
    PROCESS_PATH_MAX = 768, /* of these, at most, so that arguments keep at least 592 */
    PROCESS_CWD_MAX = 512,
    PROCESS_CONTAINER = 12, /* digits of a container's id, as its tools show it */
    PROCESSES_DEFAULT =
        8192, /* 16 MiB; a machine with more processes at once gets more (--processes) */
};

enum process_state { PROCESS_FREE, PROCESS_LIVE, PROCESS_ENDED };

struct process {
    uint32_t sealed; /* 1: all of the rest is right */
    uint32_t state;
    uint64_t guid;
    uint64_t parent_guid;
    uint64_t start_ns; /* since boot */
    uint64_t end_ns;
    uint32_t pid;
    uint32_t parent_pid;
    uint32_t uid, gid, euid, egid;
    uint32_t login_uid;
    uint32_t session;
    uint16_t path_length;
    uint16_t cwd_length;
    uint16_t arguments_length;
    uint8_t cut;       /* 1: path, 2: folder, 4: arguments */
    uint8_t from_scan; /* it was there before guard: its arguments may have been changed since */
    char comm[16];
    char container[PROCESS_CONTAINER + 4];
    char text[PROCESS_TEXT]; /* path, folder, arguments, one after another */
};

_Static_assert(sizeof(struct process) <= PROCESS_SLOT, "a slot");

enum { PROCESS_CUT_PATH = 1, PROCESS_CUT_CWD = 2, PROCESS_CUT_ARGUMENTS = 4 };

struct processes {
    struct process *slots; /* shared memory */
    uint32_t count;
    uint32_t *heads;     /* hash of guid → slot + 1 */
    uint32_t *chain;     /* slot → next slot + 1 of the same hash */
    uint32_t *pid_heads; /* the same by pid, of those that live */
    uint32_t *pid_chain;
    uint32_t *older; /* of those that ended, a list by age … */
    uint32_t *newer;
    uint32_t *seen;          /* 1: named since the last reconciliation */
    uint32_t oldest, newest; /* slot + 1 */
    uint32_t unused;         /* slot + 1 of a list through `chain` */
    uint32_t live;
    uint64_t refused; /* processes that found no slot */
};

/* Identity of a process on this boot. */
uint64_t process_guid(uint32_t pid, uint64_t start_ns);

/* Takes over what lies in `memory` (`count` slots), freeing what is not sealed. MEMORY at start-up.
 */
struct status processes_open(void *memory, uint32_t count, struct processes *out);
void processes_done(struct processes *p);

/* The slot `index`, free or not. */
struct process *processes_at(const struct processes *p, uint32_t index);

/* NULL: not known. By pid: the one that lives. */
struct process *processes_by_pid(struct processes *p, uint32_t pid);
struct process *processes_find(struct processes *p, uint64_t guid);

/* The slot of a process, an empty one where it is new; unsealed until process_seal(). NULL: all
 * slots hold living processes. The oldest that ended gives way. */
struct process *processes_claim(struct processes *p, uint32_t pid, uint64_t start_ns);
void process_seal(struct process *process);

/* Sets path, folder and arguments of an unsealed slot; what is too long is cut and marked. */
struct process_texts {
    struct text path, cwd, arguments;
    bool path_cut, cwd_cut, arguments_cut;
};

void process_set_texts(struct process *process, struct process_texts texts);
struct process_texts process_texts(const struct process *process);

/* After a loss of records: processes that live are named again by processes_seen() between these
 * two, and what was not named, and began before `start_ns`, has ended. Returns how many. */
void processes_seen(struct processes *p, const struct process *process);
unsigned processes_reconcile(struct processes *p, uint64_t start_ns, uint64_t now_ns);

/* It ended at `end_ns`. False: it had ended before. */
bool processes_end(struct processes *p, struct process *process, uint64_t end_ns);
