#include "base/clock.h"
#include "guard/guard.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

bool loop_drain(struct guard *g)
{
    struct text record;
    uint64_t end;
    unsigned taken = 0;
    while (taken < BATCH_MAX &&
           status_ok(ring_next(&g->kernel.ring, &g->position, &record, &end))) {
        publish_record(g, record, end);
        taken++;
    }
    ring_release(&g->kernel.ring, g->position);
    clients_wake(g);
    return taken == BATCH_MAX;
}

static void each_second(struct guard *g)
{
    uint64_t expirations;
    if (read(g->timer, &expirations, sizeof expirations) < 0) {
        return;
    }
    g->real_minus_boot_ns = clock_real_ns() - clock_boot_ns();
    users_refresh(&g->users, "/etc/passwd");
    interest_changed(g);
    uint64_t now_dropped = kernel_dropped_all(&g->kernel);
    if (now_dropped > g->dropped) {
        publish_health(g, "critical", "guard", now_dropped - g->dropped,
                       "%llu records found the kernel's ring full and are lost.",
                       (unsigned long long)(now_dropped - g->dropped));
        g->dropped = now_dropped;
    }
}

static void on_signal(struct guard *g)
{
    struct signalfd_siginfo info;
    while (read(g->signals, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGCHLD) {
            supervise_reap(g);
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
            clients_serve(g, c);
        }
    }
}

/*
 * How long to wait. Records do not wake a guard that is at work: it looks by itself. Only when it
 * is about to sleep does it ask to be woken; a record that was written while it asked is found by
 * the second look, LOOK_AGAIN_MS later.
 */
static int wait_ms(struct guard *g, bool more, bool *asked)
{
    uint32_t *asleep = &g->kernel.settings->asleep;
    uint64_t now = clock_boot_ns();
    if (more) {
        *asked = false;
        return 0;
    }
    int wait = *asked ? -1 : LOOK_AGAIN_MS;
    __atomic_store_n(asleep, 1, __ATOMIC_SEQ_CST);
    *asked = true;
    if (!ring_empty(&g->kernel.ring, g->position)) {
        return 1; /* being written right now */
    }
    for (unsigned i = 0; i < COMPONENT_COUNT; i++) {
        const struct component *c = &g->components[i];
        if (c->state == COMPONENT_WAITING) {
            int64_t left = (int64_t)(c->restart_ns - now) / CLOCK_NS_PER_MS + 1;
            left = left > 0 ? left : 0;
            wait = wait < 0 || left < wait ? (int)left : wait;
        }
    }
    return wait;
}

void loop(struct guard *g)
{
    struct epoll_event events[32];
    bool asked = false;
    bool more = true;
    while (!g->stopping) {
        int ready = epoll_wait(g->poll, events, 32, wait_ms(g, more, &asked));
        bool woken = ready > 0;
        __atomic_store_n(&g->kernel.settings->asleep, 0, __ATOMIC_RELAXED);
        asked = asked && !woken;
        more = loop_drain(g);
        for (int i = 0; i < ready; i++) {
            dispatch(g, events[i].data.ptr);
        }
        supervise_tick(g, clock_boot_ns());
        clients_wake(g);
    }
}
