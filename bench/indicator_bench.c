/*
 * What lists of indicators cost: a million hashes, addresses and domains. Prints one JSON line a
 * measure.
 */
#include "base/own.h"
#include "base/xorshift.h"
#include "content/indicator/indicator_build.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum {
    KEYS = 1000000,
    LOOKUPS = 1000000,
    COLD_LOOKUPS = 64,
    COLD_ROUNDS = 20,
    VALUES = 4096, /* asked in turn: their texts stay in the nearest cache */
    MEMORY = 1 << 30,
    CACHE_BYTES = 64 << 20, /* more than any cache of these machines */
};

static uint64_t state = 88172645463325252ULL;

static void print(const char *what, const char *measure, double value, const char *unit)
{
    printf("{\"bench\":\"indicator\",\"list\":\"%s\",\"measure\":\"%s\",\"value\":%.1f,\"unit\":"
           "\"%s\"}\n",
           what, measure, value, unit);
    fflush(stdout);
}

/* Of this process alone: others may run beside it. */
static uint64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static double ms_since(uint64_t start)
{
    return (double)(cpu_ns() - start) / 1e6;
}

/* "1a2b3c4d5e.host77.example" */
static struct status fill_names(struct indicator_set *set)
{
    for (unsigned i = 0; i < KEYS; i++) {
        char name[80];
        char room[INDICATOR_ROOM];
        struct indicator_key key;
        snprintf(name, sizeof name, "%" PRIx64 ".host%u.example", xorshift(&state) >> 24, i % 5000);
        ENSURE(indicator_key_domain(text_of(name), room, &key));
        TRY(indicator_add(set, &key));
    }
    return OK;
}

static struct status fill(struct indicator_set *set, uint16_t width)
{
    for (unsigned i = 0; i < KEYS; i++) {
        uint64_t words[4];
        for (unsigned k = 0; k < 4; k++) {
            words[k] = xorshift(&state);
        }
        struct indicator_key key = {.kind = set->kind,
                                    .width = width,
                                    .detail = set->kind == INDICATOR_ADDRESS ? 32 : 0,
                                    .bytes = {.ptr = (const char *)words, .len = width}};
        TRY(indicator_add(set, &key));
    }
    return OK;
}

/* Values of events: every second one is in the list. */
static void make_values(struct text list, char (*values)[80])
{
    struct indicator_found found = {.table = indicator_table(list, 0)};
    char words[INDICATOR_WORDS];
    for (unsigned i = 0; i < VALUES; i++) {
        found.key = (uint32_t)(xorshift(&state) % found.table.keys);
        struct text t = indicator_words(list, &found, words);
        if (indicator_kind(list) == INDICATOR_DOMAIN) {
            memcpy(words, i % 2 ? "w-" : "w.", 2); /* a name below the entry, or beside it */
        } else if (i % 2) {
            /* Another one of the same length. */
            words[t.len - 1] = words[t.len - 1] == '1' ? '2' : '1';
            words[t.len - 3] = words[t.len - 3] == '.' ? '.' : '1';
        }
        text_copy(t, values[i], sizeof values[i]);
    }
}

static double ns_a_lookup(struct text list, char (*values)[80], unsigned first, unsigned count,
                          unsigned *hits)
{
    uint64_t start = cpu_ns();
    for (unsigned i = 0; i < count; i++) {
        struct indicator_found found;
        uint64_t steps = 0;
        *hits += indicator_find(list, text_of(values[(first + 2 * i) % VALUES]), &found, &steps);
    }
    return (double)(cpu_ns() - start) / count;
}

/* A few lookups at a time after the table was driven out of the caches: each asks other lines. */
static double ns_cold(struct text list, char (*values)[80], unsigned first, char *cache)
{
    double ns = 0;
    unsigned hits = 0;
    for (unsigned i = 0; i < COLD_ROUNDS; i++) {
        for (size_t k = 0; k < CACHE_BYTES; k += 64) {
            cache[k]++;
        }
        ns += ns_a_lookup(list, values, first + 2 * COLD_LOOKUPS * i, COLD_LOOKUPS, &hits);
    }
    return ns / COLD_ROUNDS;
}

static struct status measure(const char *name, enum indicator_kind kind, uint16_t width)
{
    static char values[VALUES][80];
    OWN(arena_done) struct arena arena;
    struct text list;
    unsigned hits = 0;
    arena_init(&arena, MEMORY);
    struct indicator_set set = {.arena = &arena, .kind = kind};
    TRY(width ? fill(&set, width) : fill_names(&set));
    uint64_t start = cpu_ns();
    TRY(indicator_finish(&set, TEXT("bench"), &list));
    print(name, "build", ms_since(start), "ms");
    print(name, "size", (double)list.len, "bytes");
    start = cpu_ns();
    if (indicator_check(list)) {
        FAIL(INVALID);
    }
    print(name, "verify", ms_since(start), "ms");
    make_values(list, values);
    print(name, "hit", ns_a_lookup(list, values, 0, LOOKUPS, &hits), "ns");
    print(name, "miss", ns_a_lookup(list, values, 1, LOOKUPS, &hits), "ns");
    char *cache = arena_alloc(&arena, CACHE_BYTES, 1);
    if (!cache) {
        FAIL(MEMORY);
    }
    print(name, "cold hit", ns_cold(list, values, 0, cache), "ns");
    print(name, "cold miss", ns_cold(list, values, 1, cache), "ns");
    print(name, "found", hits, "of 1000000");
    return OK;
}

int main(void)
{
    struct status s = measure("sha256", INDICATOR_HASH, 32);
    if (status_ok(s)) {
        s = measure("ipv4", INDICATOR_ADDRESS, 4);
    }
    if (status_ok(s)) {
        s = measure("domain", INDICATOR_DOMAIN, 0);
    }
    return status_ok(s) ? 0 : 1;
}
