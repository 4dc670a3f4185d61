/*
 * story: one record of the kernel part on its way to events, and who tells which kind.
 *
 * Each handler first keeps guard's own tables right and then, where a client wants it, puts an
 * event together: what it knows itself, then tell() for the subject.
 */
#pragma once

#include "guard/guard.h"

struct story {
    const struct seen *seen;
    struct process *process; /* NULL: not in the table */
    uint64_t origin;
};

/* Begins an event in guard's own room; tell() ends and publishes it. */
void tell_begin(struct guard *g, struct event_builder *b);
void tell(struct guard *g, struct event_builder *b, enum event_type type,
          const struct story *story);

/* "openat": the system call that reported; "" for none. */
struct text tell_call(const struct story *story);

/* ── tell_process.c ── */

/* Who the process is now: user, group, login, name. */
void story_subject(struct process *p, const struct record *r);

void on_exec(struct guard *g, struct story *story);
void on_fork(struct guard *g, struct story *story);
void on_ended(struct guard *g, struct story *story);
void on_namespace(struct guard *g, struct story *story);
void on_scanned(struct guard *g, struct story *story);

/* ── tell_file.c ── */
void on_create(struct guard *g, struct story *story);
void on_modify(struct guard *g, struct story *story);
void on_open(struct guard *g, struct story *story);
void on_unlink(struct guard *g, struct story *story);
void on_make(struct guard *g, struct story *story);
void on_truncate(struct guard *g, struct story *story);
void on_rename(struct guard *g, struct story *story);
void on_link(struct guard *g, struct story *story);
void on_attribute(struct guard *g, struct story *story);
void on_memfd(struct guard *g, struct story *story);

/* ── tell_network.c ── */
void on_connect(struct guard *g, struct story *story);
void on_accept(struct guard *g, struct story *story);
void on_listen(struct guard *g, struct story *story);

/* ── tell_system.c ── */
void on_trace(struct guard *g, struct story *story);
void on_credential(struct guard *g, struct story *story);
void on_module(struct guard *g, struct story *story);
void on_bpf(struct guard *g, struct story *story);
void on_mount(struct guard *g, struct story *story);
void on_unmount(struct guard *g, struct story *story);
