/*
 * pack_mutate: random changes of a large pack, each by itself.
 *
 *   pack_mutate PACK EVENTS SECONDS COUNT SEED
 *
 * Three of four get their checksum mended. None may crash (the sanitizers watch), none whose
 * checksum is wrong may be accepted, and what is accepted has to run within its declared cost,
 * without a fault, and find for every event what the same pack finds without its tables. Ends after
 * SECONDS or COUNT changes, whichever comes first.
 */
#include "base/clock.h"
#include "base/heap.h"
#include "base/own.h"
#include "base/xorshift.h"
#include "content/pack/explain.h"
#include "content/pack/interest.h"
#include "content/pack/mutate.h"
#include "plain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    EVENTS_MAX = 64,
    EXPLAINED = 20, /* rules of an accepted pack that are worded */
    SHOW_EVERY_S = 600,
};

struct run {
    uint8_t *data; /* of its exact size, so that one byte more is noticed */
    size_t size;
    struct event events[EVENTS_MAX];
    size_t event_count;
    uint64_t random;
    struct mutation mutation;
    uint64_t changes, mended, same, accepted, compared;
    struct found tables, programs;
    bool failed;
};

static struct text read_file(const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(1);
    }
    size_t size = (size_t)ftell(file);
    char *bytes = heap_alloc(size, 1);
    rewind(file);
    ENSURE(bytes && size > PACK_HEADER && fread(bytes, 1, size, file) == size);
    fclose(file);
    return (struct text){.ptr = bytes, .len = size};
}

static void read_events(struct run *r, struct text left)
{
    while (left.len && r->event_count < EVENTS_MAX) {
        struct text line = text_part(left, 0, text_find_byte(left, '\n'));
        struct event_json_fault fault;
        uint8_t *record = heap_alloc(EVENT_MAX, 1);
        bool sigma = text_find(line, TEXT("\"fields\"")) != SIZE_MAX;
        ENSURE(record);
        ENSURE(status_ok(event_json_read(line, sigma ? EVENT_NAMES_SIGMA : EVENT_NAMES_OURS, record,
                                         EVENT_MAX, &r->events[r->event_count++], &fault)));
        left = text_part(left, line.len + 1, left.len);
    }
}

static void fail(struct run *r, const char *what)
{
    printf("# %s: change %" PRIu64 ", %zu bytes at %zu\n", what, r->changes, r->mutation.len,
           r->mutation.at);
    r->failed = true;
}

static void on_match(void *context, size_t rule)
{
    struct run *r = context;
    found_add(&r->tables, rule);
}

static void on_fault(void *context, size_t rule, const char *what)
{
    (void)rule;
    fail(context, what);
}

static void on_path(void *context, const struct predicate *p)
{
    (void)context;
    ENSURE(p->text.len <= EVENT_TEXT_MAX);
}

/* With tables and without: the same, unless the budget of an event was met. */
static void compare(struct run *r, const struct pack *pack, struct matcher *m, struct plain *plain,
                    const struct event *event)
{
    struct matcher_sink sink = {.context = r, .on_match = on_match, .on_fault = on_fault};
    found_clear(&r->tables);
    found_clear(&r->programs);
    matcher_run(m, event, &sink);
    if (matcher_steps(m) > pack->cost[event->header.type]) {
        fail(r, "an event cost more than was declared");
    }
    plain_run(plain, event, &r->programs);
    for (size_t i = 0; i < r->tables.words; i++) {
        uint64_t more = r->tables.bits[i] & ~r->programs.bits[i];
        uint64_t less = r->programs.bits[i] & ~r->tables.bits[i];
        if (more || (less && matcher_undecided(m) == 0)) {
            fail(r, "tables and programs find different rules");
            return;
        }
    }
    r->compared++;
}

static void use_pack(struct run *r, const struct pack *pack)
{
    static char room[65536];
    OWN(matcher_drop) struct matcher *m = NULL;
    OWN(plain_drop) struct plain *plain = NULL;
    struct writer out = writer_over(room, sizeof room);
    size_t rules = pack_count(pack, PACK_RULES);
    ENSURE(status_ok(matcher_new(pack, &m)) && status_ok(plain_new(pack, &plain)));
    if (rules > 64 * r->tables.words) {
        fail(r, "there are more rules than before");
        return;
    }
    for (size_t i = 0; i < 2 && r->event_count; i++) {
        const struct event *event = &r->events[xorshift(&r->random) % r->event_count];
        compare(r, pack, m, plain, event);
    }
    for (size_t i = 0; i < EXPLAINED && rules; i++) {
        explain_program(pack, xorshift(&r->random) % rules, &out);
    }
    interest_open_paths(pack, on_path, NULL);
}

static void change_once(struct run *r)
{
    struct text bytes = {.ptr = (const char *)r->data, .len = r->size};
    struct pack pack;
    struct pack_fault fault;
    uint8_t header[PACK_HEADER];
    memcpy(header, r->data, sizeof header);
    mutate(r->data, r->size, &r->random, &r->mutation);
    bool same = memcmp(r->data + r->mutation.at, r->mutation.before, r->mutation.len) == 0;
    bool mend = xorshift(&r->random) % 4 != 0;
    r->changes++;
    r->same += same;
    r->mended += mend;
    if (mend) {
        mutate_repair(r->data, r->size);
    }
    if (status_ok(pack_open(bytes, &pack, &fault))) {
        r->accepted++;
        if (!mend && !same) {
            fail(r, "a pack with a wrong checksum was accepted");
        }
        use_pack(r, &pack);
    }
    memcpy(r->data, header, sizeof header);
    mutate_undo(r->data, &r->mutation);
}

static void sum_up(const struct run *r, uint64_t began_ns)
{
    printf("# %" PRIu64 " changes of %zu bytes in %.0f s: %" PRIu64
           " with the checksum mended, %" PRIu64 " changed nothing, %" PRIu64 " accepted, %" PRIu64
           " events compared\n",
           r->changes, r->size, (double)(clock_boot_ns() - began_ns) / CLOCK_NS_PER_S, r->mended,
           r->same, r->accepted, r->compared);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static struct run r; /* what it holds lasts as long as the process */
    static struct text pack, events;
    uint64_t seconds, count, seed;
    if (argc != 6 || !text_to_u64(text_of(argv[3]), &seconds) ||
        !text_to_u64(text_of(argv[4]), &count) || !text_to_u64(text_of(argv[5]), &seed)) {
        fprintf(stderr, "Usage: pack_mutate PACK EVENTS SECONDS COUNT SEED\n");
        return 2;
    }
    pack = read_file(argv[1]);
    events = read_file(argv[2]);
    r.data = (uint8_t *)(uintptr_t)pack.ptr;
    r.size = pack.len;
    r.random = seed * 0x9e3779b97f4a7c15U | 1;
    read_events(&r, events);
    r.tables.words = r.programs.words = PACK_RULES_MAX / 64;
    r.tables.bits = heap_alloc(r.tables.words, sizeof(uint64_t));
    r.programs.bits = heap_alloc(r.programs.words, sizeof(uint64_t));
    ENSURE(r.tables.bits && r.programs.bits);
    uint64_t began_ns = clock_boot_ns();
    uint64_t shown_ns = began_ns;
    while (r.changes < count && !r.failed &&
           clock_boot_ns() - began_ns < seconds * CLOCK_NS_PER_S) {
        change_once(&r);
        if (clock_boot_ns() - shown_ns > (uint64_t)SHOW_EVERY_S * CLOCK_NS_PER_S) {
            shown_ns = clock_boot_ns();
            sum_up(&r, began_ns);
        }
    }
    sum_up(&r, began_ns);
    printf("1..1\n%s 1 - changed packs are refused, or run as they declare\n",
           r.failed ? "not ok" : "ok");
    return r.failed;
}
