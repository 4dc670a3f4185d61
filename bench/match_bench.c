/*
 * match_bench: what one event costs over all rules of a pack, by three ways of asking.
 *
 *   match_bench PACK EVENTS [ROUNDS [COLD_EVENTS [PLAIN_EVENTS]]]
 *
 * Events (JSON lines) are read before anything is measured. Ways take turns in each round; an
 * event's time is the median over the rounds. All ways have to find the same rules for every event.
 * Prints one JSON object; bench/match.py makes a table of several.
 */
#include "base/heap.h"
#include "base/own.h"
#include "engine.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    EVENTS_MAX = 20000,
    ROUNDS_MAX = 64,
    EVICT = 64 << 20, /* bytes that are walked before a cold event: more than any cache here */
    VERIFY_ROUNDS = 7,
};

enum way { WAY_OURS, WAY_VECTORSCAN, WAY_TRIGGERS, WAY_PLAIN, WAYS };

struct bench {
    struct text pack_bytes;
    struct pack pack;
    struct event *events;
    size_t event_count;
    size_t rounds, cold_count, plain_count;
    struct matcher *ours;
    struct vectorscan *all;
    struct vectorscan *triggers;
    struct plain *plain;
    struct found found;
    char *evict;
    uint64_t *times; /* by event, then round */
    uint64_t undecided;
};

static const char *const way_names[WAYS] = {"ours", "vectorscan", "vectorscan_triggers", "plain"};

/* What was measured of one way. */
struct result {
    uint64_t mean, median, p99, max;
};

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static struct text map_file(const char *path)
{
    OWN(fd_drop) int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat stat;
    if (fd < 0 || fstat(fd, &stat) != 0) {
        perror(path);
        exit(1);
    }
    size_t size = (size_t)stat.st_size;
    char *at = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    ENSURE(size > 0 && at != MAP_FAILED);
    return (struct text){.ptr = at, .len = size};
}

static size_t resident(void)
{
    unsigned long size = 0;
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    ENSURE(file && fscanf(file, "%lu %lu", &size, &pages) == 2);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void add_event(struct bench *b, struct text line)
{
    struct event_json_fault fault;
    bool sigma = text_find(line, TEXT("\"fields\"")) != SIZE_MAX;
    void *record = heap_alloc(EVENT_MAX, 1);
    struct event event;
    ENSURE(record && b->event_count < EVENTS_MAX);
    if (!status_ok(event_json_read(line, sigma ? EVENT_NAMES_SIGMA : EVENT_NAMES_OURS, record,
                                   EVENT_MAX, &event, &fault))) {
        fprintf(stderr, "match_bench: %s\n", fault.words);
        exit(1);
    }
    /* Its own size only: how densely events lie is a part of what is measured. */
    void *copy = heap_alloc(event.header.size, 1);
    struct text bytes = {.ptr = copy, .len = event.header.size};
    ENSURE(copy);
    memcpy(copy, record, event.header.size);
    ENSURE(status_ok(event_open(bytes, &b->events[b->event_count++])));
    heap_free(record);
}

static void read_events(struct bench *b, const char *path)
{
    struct text left = map_file(path);
    b->events = heap_alloc(EVENTS_MAX, sizeof *b->events);
    ENSURE(b->events);
    while (left.len) {
        struct text line = text_part(left, 0, text_find_byte(left, '\n'));
        left = text_part(left, line.len + 1, left.len);
        add_event(b, line);
    }
    ENSURE(b->event_count > 0);
}

/* ── the ways ── */

static void on_match(void *context, size_t rule)
{
    found_add(context, rule);
}

static void on_fault(void *context, size_t rule, const char *what)
{
    (void)context;
    fprintf(stderr, "match_bench: rule %zu: %s\n", rule, what);
    exit(1);
}

static bool has_way(const struct bench *b, enum way way)
{
    return way == WAY_OURS || (way == WAY_PLAIN && b->plain) || (way == WAY_VECTORSCAN && b->all) ||
           (way == WAY_TRIGGERS && b->triggers);
}

static void run_way(struct bench *b, enum way way, const struct event *event)
{
    struct matcher_sink sink = {.context = &b->found, .on_match = on_match, .on_fault = on_fault};
    switch (way) {
    case WAY_OURS:
        matcher_run(b->ours, event, &sink);
        break;
    case WAY_VECTORSCAN:
        vectorscan_run(b->all, event, &b->found);
        break;
    case WAY_TRIGGERS:
        vectorscan_run(b->triggers, event, &b->found);
        break;
    case WAY_PLAIN:
        plain_run(b->plain, event, &b->found);
        break;
    case WAYS:
        break;
    }
}

static size_t count_bits(const struct found *f)
{
    size_t count = 0;
    for (size_t i = 0; i < f->words; i++) {
        count += (size_t)__builtin_popcountll(f->bits[i]);
    }
    return count;
}

/* Every way has to find the same; ours may leave out what it says that it did not decide. */
static size_t compare_ways(struct bench *b, size_t index)
{
    size_t bytes = b->found.words * sizeof(uint64_t);
    uint64_t *first = heap_alloc(b->found.words, sizeof *first);
    ENSURE(first);
    found_clear(&b->found);
    run_way(b, WAY_OURS, &b->events[index]);
    bool whole = matcher_undecided(b->ours) == 0;
    size_t matches = count_bits(&b->found);
    b->undecided += !whole;
    memcpy(first, b->found.bits, bytes);
    for (enum way way = WAY_VECTORSCAN; way < WAYS; way++) {
        if (!has_way(b, way) || (way == WAY_PLAIN && index >= b->plain_count)) {
            continue;
        }
        found_clear(&b->found);
        run_way(b, way, &b->events[index]);
        for (size_t i = 0; i < b->found.words; i++) {
            bool same = whole ? first[i] == b->found.bits[i] : !(first[i] & ~b->found.bits[i]);
            if (!same) {
                fprintf(stderr, "match_bench: %s finds other rules for event %zu\n", way_names[way],
                        index + 1);
                exit(1);
            }
        }
    }
    heap_free(first);
    return matches;
}

/* ── measuring ── */

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Of `count` events with `rounds` times each; sorts them. */
static struct result sum_up(uint64_t *times, size_t count, size_t rounds)
{
    struct result r = {0};
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        qsort(times + i * rounds, rounds, sizeof *times, by_size);
        times[i] = times[i * rounds + rounds / 2]; /* never behind what is still to be read */
        sum += times[i];
    }
    qsort(times, count, sizeof *times, by_size);
    r.mean = sum / count;
    r.median = times[count / 2];
    r.p99 = times[count * 99 / 100];
    r.max = times[count - 1];
    return r;
}

/* Returns a number that depends on all bytes, so that no walk is left out. */
static uint64_t evict_caches(const struct bench *b)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < EVICT; i += 64) {
        b->evict[i]++;
        sum += (uint64_t)b->evict[i];
    }
    return sum;
}

static void measure(struct bench *b, size_t count, size_t rounds, bool cold,
                    struct result out[static WAYS])
{
    uint64_t ignored = 0;
    size_t stride = EVENTS_MAX * (size_t)ROUNDS_MAX;
    for (size_t round = 0; round < rounds; round++) {
        for (enum way way = 0; way < WAYS; way++) {
            size_t events = way == WAY_PLAIN && b->plain_count < count ? b->plain_count : count;
            bool skipped = way == WAY_PLAIN && round > 2; /* it takes its time */
            for (size_t i = 0; has_way(b, way) && !skipped && i < events; i++) {
                ignored += cold ? evict_caches(b) : 0;
                uint64_t began = now();
                run_way(b, way, &b->events[i]);
                b->times[way * stride + i * rounds + round] = now() - began;
            }
            for (size_t i = 0; skipped && i < events; i++) {
                b->times[way * stride + i * rounds + round] =
                    b->times[way * stride + i * rounds + round % 3];
            }
        }
    }
    for (enum way way = 0; way < WAYS; way++) {
        size_t events = way == WAY_PLAIN && b->plain_count < count ? b->plain_count : count;
        out[way] = has_way(b, way) && events ? sum_up(b->times + way * stride, events, rounds)
                                             : (struct result){0};
    }
    if (ignored == 1) {
        puts("");
    }
}

static void print_results(const struct bench *b, const char *name, const struct result *results)
{
    printf(", \"%s\": {", name);
    const char *comma = "";
    for (enum way way = 0; way < WAYS; way++) {
        if (has_way(b, way)) {
            printf("%s\"%s\": {\"mean\": %" PRIu64 ", \"median\": %" PRIu64 ", \"p99\": %" PRIu64
                   ", \"max\": %" PRIu64 "}",
                   comma, way_names[way], results[way].mean, results[way].median, results[way].p99,
                   results[way].max);
            comma = ", ";
        }
    }
    printf("}");
}

static void open_pack(struct bench *b)
{
    struct pack_fault fault;
    uint64_t open_ns[VERIFY_ROUNDS];
    char words[256];
    size_t before = resident();
    for (int i = 0; i < VERIFY_ROUNDS; i++) {
        OWN(matcher_drop) struct matcher *m = NULL;
        uint64_t began = now();
        if (!status_ok(pack_open(b->pack_bytes, &b->pack, &fault)) ||
            !status_ok(matcher_new(&b->pack, &m))) {
            fprintf(stderr, "match_bench: %s\n", pack_fault_text(&fault, words, sizeof words));
            exit(1);
        }
        open_ns[i] = now() - began;
    }
    ENSURE(status_ok(matcher_new(&b->pack, &b->ours)));
    b->found.words = (pack_count(&b->pack, PACK_RULES) + 63) / 64;
    b->found.bits = heap_alloc(b->found.words, sizeof *b->found.bits);
    ENSURE(b->found.bits);
    for (size_t i = 0; i < b->event_count; i++) {
        run_way(b, WAY_OURS, &b->events[i]);
    }
    qsort(open_ns, VERIFY_ROUNDS, sizeof *open_ns, by_size);
    printf("{\"rules\": %zu, \"events\": %zu, \"pack_bytes\": %zu, \"open_ns\": %" PRIu64
           ", \"resident_bytes\": %zu, \"matcher_bytes\": %zu, \"cost_ns\": %" PRIu64,
           pack_count(&b->pack, PACK_RULES), b->event_count, b->pack_bytes.len,
           open_ns[VERIFY_ROUNDS / 2], resident() - before, matcher_memory(&b->pack),
           b->pack.cost[EVENT_PROCESS_EXEC]);
}

static void make_rivals(struct bench *b)
{
    uint64_t began = now();
    ENSURE(status_ok(plain_new(&b->pack, &b->plain)));
    if (status_ok(vectorscan_new(&b->pack, false, &b->all))) {
        printf(", \"vectorscan_build_ns\": %" PRIu64 ", \"vectorscan_bytes\": %zu", now() - began,
               vectorscan_bytes(b->all));
        ENSURE(status_ok(vectorscan_new(&b->pack, true, &b->triggers)));
        printf(", \"vectorscan_triggers_bytes\": %zu", vectorscan_bytes(b->triggers));
    }
}

static size_t number(int argc, char **argv, int index, size_t otherwise, size_t most)
{
    uint64_t value = otherwise;
    if (index < argc && !text_to_u64(text_of(argv[index]), &value)) {
        fprintf(stderr, "match_bench: %s is no number\n", argv[index]);
        exit(2);
    }
    return value < most ? value : most;
}

int main(int argc, char **argv)
{
    struct bench b = {0};
    struct result results[WAYS];
    if (argc < 3) {
        fprintf(stderr, "Usage: match_bench PACK EVENTS [ROUNDS [COLD_EVENTS [PLAIN_EVENTS]]]\n");
        return 2;
    }
    b.pack_bytes = map_file(argv[1]);
    read_events(&b, argv[2]);
    b.rounds = number(argc, argv, 3, 7, ROUNDS_MAX);
    b.cold_count = number(argc, argv, 4, 50, b.event_count);
    b.plain_count = number(argc, argv, 5, 20, b.event_count);
    open_pack(&b);
    make_rivals(&b);
    b.times = heap_alloc(WAYS * (size_t)EVENTS_MAX * ROUNDS_MAX, sizeof *b.times);
    b.evict = heap_alloc(EVICT, 1);
    ENSURE(b.times && b.evict && b.rounds > 0);
    size_t matches = 0;
    for (size_t i = 0; i < b.event_count; i++) {
        matches += compare_ways(&b, i);
    }
    printf(", \"matches\": %zu, \"undecided_events\": %" PRIu64, matches, b.undecided);
    measure(&b, b.event_count, b.rounds, false, results);
    print_results(&b, "warm", results);
    measure(&b, b.cold_count, b.rounds < 3 ? b.rounds : 3, true, results);
    print_results(&b, "cold", results);
    if (b.plain_count) {
        measure(&b, b.plain_count, 3, false, results); /* the same events for all: for the ratio */
        print_results(&b, "sample", results);
    }
    printf("}\n");
    return 0;
}
