#include "base/clock.h"
#include "guard/guard.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* What lies at our position is no record: nothing in the ring can be trusted, so go on where it
 * ends. */
static void resync(struct guard *g)
{
    g->position = ring_end(&g->kernel.ring);
    g->malformed++;
    publish_health(g, "critical", "guard", 1,
                   "The kernel's ring was out of step; records in it are lost.");
}

unsigned loop_drain(struct guard *g)
{
    struct text record;
    uint64_t end;
    unsigned taken = 0;
    struct status s = OK;
    while (taken < BATCH_MAX) {
        s = ring_next(&g->kernel.ring, &g->position, &record, &end);
        if (!status_ok(s)) {
            break;
        }
        publish_record(g, record, end);
        taken++;
    }
    if (s.fault == FAULT_INVALID) {
        resync(g);
    }
    ring_release(&g->kernel.ring, g->position);
    clients_wake(g);
    return taken;
}

/* Records are missing, ends of processes perhaps among them: look at what lives. */
static void reconcile(struct guard *g)
{
    char folder[HOME_PATH];
    uint64_t start_ns = clock_boot_ns();
    struct status s = kernel_scan(home_path(&g->home, "run/bpf", folder), publish_scanned, g);
    if (status_ok(s)) { /* otherwise the next loss tries again */
        processes_reconcile(&g->processes, start_ns, clock_boot_ns());
    }
}

static void each_second(struct guard *g)
{
    uint64_t expirations;
    if (read(g->timer, &expirations, sizeof expirations) < 0) {
        return;
    }
    g->real_minus_boot_ns = clock_real_ns() - clock_boot_ns();
    users_refresh(&g->users, "/etc/passwd");
    supervise_watch(g, clock_boot_ns());
    clients_expire(g, clock_boot_ns());
    if (!in_grace(g)) {
        watch_settle(&g->kept->watch);
    }
    interest_changed(g);
    uint64_t now_dropped = kernel_dropped_all(&g->kernel);
    if (now_dropped > g->dropped) {
        publish_health(g, "critical", "guard", now_dropped - g->dropped,
                       "%llu records found the kernel's ring full and are lost.",
                       (unsigned long long)(now_dropped - g->dropped));
        g->dropped = now_dropped;
        reconcile(g);
    }
}

static void on_signal(struct guard *g)
{
    struct signalfd_siginfo info;
    while (read(g->signals, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGCHLD) {
            supervise_reap(g);
        } else if (info.ssi_signo == SIGHUP) {
            swap_on_hangup(g);
        } else {
            g->stopping = true;
        }
    }
}

static void dispatch(struct guard *g, void *context)
{
    if (context == &g->signals) {
        on_signal(g);
    } else if (context == &g->timer) {
        each_second(g);
    } else if (context == &g->listener) {
        clients_accept(g);
    } else if (context != &g->kernel.ring_fd) {
        struct client *c = context;
        if (c->phase !=
            CLIENT_FREE) { /* it may have been dropped for another reason in this round */
            routes_serve(g, c);
        }
    }
}

/*
 * How long to wait, and whether records shall wake us. Waking costs the process that made the
 * record more than all the rest that we do to it (an interrupt), so it is asked for only when
 * nothing happens: while records come, guard looks by itself every POLL_MS. A record that was being
 * written while it asked is found by one more look, LOOK_AGAIN_MS later.
 */
enum pace { PACE_BUSY, PACE_ASKED, PACE_ASLEEP };

static int wait_ms(struct guard *g, unsigned taken, enum pace *pace)
{
    static const int waits[] = {
        [PACE_BUSY] = POLL_MS, [PACE_ASKED] = LOOK_AGAIN_MS, [PACE_ASLEEP] = -1};
    if (taken == BATCH_MAX) {
        return 0;
    }
    *pace = taken > 0 ? PACE_BUSY : *pace == PACE_BUSY ? PACE_ASKED : PACE_ASLEEP;
    __atomic_store_n(&g->kernel.settings->asleep, *pace != PACE_BUSY, __ATOMIC_SEQ_CST);
    int wait = waits[*pace];
    int64_t restart = supervise_next_ms(g, clock_boot_ns());
    return restart >= 0 && (wait < 0 || restart < wait) ? (int)restart : wait;
}

void loop(struct guard *g)
{
    struct epoll_event events[32];
    enum pace pace = PACE_BUSY;
    unsigned taken = BATCH_MAX;
    while (!g->stopping) {
        int ready = epoll_wait(g->poll, events, 32, wait_ms(g, taken, &pace));
        taken = loop_drain(g);
        for (int i = 0; i < ready; i++) {
            dispatch(g, events[i].data.ptr);
        }
        supervise_tick(g, clock_boot_ns());
        swap_tick(g, clock_boot_ns());
        clients_wake(g);
    }
}
