#include "base/clock.h"
#include "guard/guard.h"

/* Kinds of record that the table of processes lives on. */
static const uint64_t always = 1ULL << RECORD_EXEC | 1ULL << RECORD_FORK | 1ULL << RECORD_EXIT |
                               1ULL << RECORD_CREDENTIAL | 1ULL << RECORD_PROCESS;

static const struct {
    enum event_type type;
    uint64_t kinds;
} sources[] = {
    {EVENT_FILE_CREATE, 1ULL << RECORD_CREATE | 1ULL << RECORD_MAKE | 1ULL << RECORD_LINK},
    {EVENT_FILE_MODIFY, 1ULL << RECORD_MODIFY | 1ULL << RECORD_TRUNCATE},
    {EVENT_FILE_RENAME, 1ULL << RECORD_RENAME},
    {EVENT_FILE_LINK, 1ULL << RECORD_LINK},
    {EVENT_FILE_UNLINK, 1ULL << RECORD_UNLINK},
    {EVENT_FILE_ATTRIBUTE, 1ULL << RECORD_ATTRIBUTE},
    {EVENT_FILE_OPEN, 1ULL << RECORD_OPEN},
    {EVENT_NETWORK_CONNECT, 1ULL << RECORD_CONNECT},
    {EVENT_NETWORK_ACCEPT, 1ULL << RECORD_ACCEPT},
    {EVENT_NETWORK_LISTEN, 1ULL << RECORD_LISTEN},
    {EVENT_PROCESS_TRACE, 1ULL << RECORD_TRACE},
    {EVENT_MODULE_LOAD, 1ULL << RECORD_MODULE},
    {EVENT_BPF_LOAD, 1ULL << RECORD_BPF},
    {EVENT_MOUNT, 1ULL << RECORD_MOUNT},
    {EVENT_UNMOUNT, 1ULL << RECORD_UNMOUNT},
    {EVENT_NAMESPACE_CHANGE, 1ULL << RECORD_NAMESPACE},
    {EVENT_MEMFD_CREATE, 1ULL << RECORD_MEMFD},
};

void grace_begin(struct guard *g)
{
    g->grace_until_ns = clock_boot_ns() + (uint64_t)GRACE_MS * CLOCK_NS_PER_MS;
}

/* A component that shall run, and is not connected. */
static bool missing(const struct guard *g, enum component_id id)
{
    enum component_state state = g->components[id].state;
    if (state != COMPONENT_RUNNING && state != COMPONENT_WAITING) {
        return false;
    }
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        const struct client *c = &g->clients[i];
        if (c->phase >= CLIENT_PROVING && c->ours && c->types != 0 && c->component == id) {
            return false;
        }
    }
    return true;
}

bool in_grace(const struct guard *g)
{
    return clock_boot_ns() < g->grace_until_ns || missing(g, COMPONENT_ENGINE) ||
           missing(g, COMPONENT_COURIER) || missing(g, COMPONENT_SCAN);
}

/* Tells the kernel part what anybody could need now: the rest is dropped before it costs anything.
 */
void interest_changed(struct guard *g)
{
    uint64_t kinds = always;
    uint64_t subscribed = 0;
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        subscribed |= g->clients[i].phase >= CLIENT_PROVING ? g->clients[i].types : 0;
    }
    if (in_grace(g)) {
        subscribed |= g->kept->subscribed;
    }
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        kinds |= subscribed >> sources[i].type & 1 ? sources[i].kinds : 0;
    }
    if (g->kept->watch.count == 0) {
        kinds &= ~(1ULL << RECORD_OPEN);
    }
    g->subscribed = subscribed;
    g->kept->subscribed = subscribed;
    watch_sieve(&g->kept->watch, g->kernel.settings->watch);
    __atomic_store_n(&g->kernel.settings->interest, kinds, __ATOMIC_RELEASE);
}
