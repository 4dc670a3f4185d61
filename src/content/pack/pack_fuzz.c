/*
 * Differential: whatever the verifier accepts, the interpreter runs over every sample event, within
 * the cost that was proven, without a fault, and with the outcome that its programs have by
 * themselves. Mutations keep size and checksum right, or nothing
 * would come past the header.
 */
#include "base/bytes.h"
#include "base/own.h"
#include "content/correlate/detect.h"
#include "content/pack/explain.h"
#include "content/pack/interest.h"
#include "content/pack/mutate.h"
#include "content/pack/sample.h"
#include "content/prove/prove.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

struct fuzzed {
    const struct pack *pack;
    const struct event *event;
};

static void on_alert(void *context, size_t rule, const struct correlation_hit *hit)
{
    static char room[EXPLAIN_HIT_MAX];
    struct writer out = writer_over(room, sizeof room);
    const struct fuzzed *f = context;
    (void)rule;
    if (hit) {
        explain_hit(f->pack, hit, f->event, &out);
        ENSURE(status_ok(writer_end(&out)));
    }
}

static void on_lossy(void *context, size_t rule, uint64_t events)
{
    (void)context;
    (void)rule;
    (void)events;
}

static void on_fault(void *context, size_t rule, const char *what)
{
    (void)context;
    (void)rule;
    (void)what;
    bug("the verifier accepted a rule that the interpreter could not run", STATUS_HERE);
}

static void on_path(void *context, const struct predicate *p)
{
    (void)context;
    ENSURE(p->text.len <= EVENT_TEXT_MAX);
}

/* Often enough that windows slide, and twice in the wrong order. */
static void run_all(const struct pack *pack)
{
    static uint8_t room[EVENT_MAX];
    struct event event;
    struct fuzzed f = {.pack = pack, .event = &event};
    const struct detector_sink sink = {
        .context = &f, .on_alert = on_alert, .on_fault = on_fault, .on_lossy = on_lossy};
    const struct correlate_settings settings = {.memory = (size_t)windows_need(pack)};
    OWN(detector_drop) struct detector *d = NULL;
    if (!status_ok(detector_new(pack, settings, &d))) {
        return;
    }
    for (unsigned i = 0; i < 4 * SAMPLE_EVENTS; i++) {
        ENSURE(status_ok(sample_event(i % SAMPLE_EVENTS, room, sizeof room, &event)));
        event.header.time_ns = (i % 7) * 40ULL * CORRELATION_NS;
        detector_run(d, &event, &sink);
        enum event_type type = (enum event_type)event.header.type;
        ENSURE(sample_agrees(pack, detector_matcher(d), &event));
        ENSURE(detector_steps(d) <= pack->cost[type] + pack->windows_cost[type]);
    }
    ENSURE(correlator_bytes(detector_correlator(d)) <= settings.memory);
}

static void explain_all(const struct pack *pack)
{
    static char room[65536];
    struct writer out = writer_over(room, sizeof room);
    for (size_t i = 0; i < pack_count(pack, PACK_RULES); i++) {
        ENSURE(pack_find(pack, pack_rule(pack, i).id) == i);
        explain_program(pack, i, &out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pack pack;
    struct pack_fault fault;
    if (status_ok(pack_open((struct text){(const char *)data, size}, &pack, &fault))) {
        run_all(&pack);
        explain_all(&pack);
        interest_open_paths(&pack, on_path, NULL);
        /* Most mutations are no proof any more: that it ends, and how, is what counts here. */
        status_ignore(pack_prove(&pack, &fault));
    }
    return 0;
}

/* Without a corpus libFuzzer makes inputs of up to 4 KiB: no pack is so small, and nothing would be
 * tried at all. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static char max_len[] = "-max_len=65536";
    static char *arguments[64];
    ENSURE(*argc >= 1 && *argc < 62);
    arguments[0] = (*argv)[0];
    arguments[1] = max_len; /* first: a flag of the caller's counts more */
    for (int i = 1; i < *argc; i++) {
        arguments[i + 1] = (*argv)[i];
    }
    *argv = arguments;
    ++*argc;
    return 0;
}

/* A pack to begin with, where the corpus has none. */
static size_t start(uint8_t *data, size_t max_size)
{
    OWN(arena_done) struct arena arena;
    struct text bytes;
    arena_init(&arena, 16 << 20);
    ENSURE(status_ok(sample_correlations(&arena, &bytes)) && bytes.len <= max_size);
    struct writer w = writer_over(data, max_size);
    writer_bytes(&w, bytes);
    return w.used;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    size = size < PACK_HEADER ? start(data, max_size) : size;
    if (size < PACK_HEADER) {
        return size;
    }
    uint64_t state = seed | 1ULL << 32;
    if (seed % 16 == 0) {
        size = LLVMFuzzerMutate(data, size, max_size);
    } else {
        /* In place: what changes the size seldom leaves anything that opens. */
        struct mutation ignored;
        mutate(data, size, &state, &ignored);
    }
    if (size >= PACK_HEADER) {
        mutate_repair(data, size);
    }
    return size;
}
