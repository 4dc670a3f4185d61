/*
 * supervisor: keeps bulkhead-guard running for `bulkhead run`, as systemd does for a service.
 *
 * Guard is started with `--home DIR [--content PACK]`, in a process group of its own so that Ctrl-C
 * reaches only us, and is told to end when we die however we die. One thread, no signal handlers.
 */
#pragma once

#include "ctl/program.h"

#include <stdint.h>
#include <sys/types.h>

struct supervisor {
    char program[PROGRAM_PATH];
    const char *home;
    const char *content; /* NULL: what the home holds */
    pid_t pid;           /* 0: guard does not run */
    int pidfd;           /* readable when guard has ended; -1 */
    uint64_t started_ns;
    unsigned quick_deaths; /* in a row */
};

/* How guard ended: by a signal, or with an exit code. */
struct supervisor_end {
    int signal;
    int code;
};

/* Finds bulkhead-guard: beside this program, in its libexec folder, or where the build puts it.
 * MISSING: nowhere there. */
struct status supervisor_find(struct supervisor *s);

struct status supervisor_start(struct supervisor *s);

/* Collects a guard that has ended; waits for it. */
struct status supervisor_reap(struct supervisor *s, struct supervisor_end *out);

/* How long to wait before the next start: nothing at first, longer where guard dies again and again
 * within seconds. Call it once for each death. */
unsigned supervisor_delay_ms(struct supervisor *s, uint64_t now_ns);

/* Asks guard to end, waits for at most `wait_ms`, then kills it. TIMEOUT: it had to be killed. */
struct status supervisor_stop(struct supervisor *s, int wait_ms);
