/*
 * Many correlations that fire at one event.
 */
#include "base/own.h"
#include "base/test.h"
#include "content/correlate/detect.h"
#include "content/pack/builder.h"

#include <inttypes.h>
#include <stdio.h>

#define SECOND 1000000000ULL

enum { CHAIN = 200 };

struct chain {
    const struct pack *pack;
    size_t count;
    size_t last;
};

static void on_chained(void *context, size_t rule, const struct correlation_hit *hit)
{
    struct chain *chain = context;
    assert_true(chain->count == 0 || rule > chain->last);
    assert_true(hit ? hit->rule == rule : rule == 0);
    chain->last = rule;
    chain->count++;
}

static void on_fault(void *context, size_t rule, const char *what)
{
    (void)context;
    (void)rule;
    fail_msg("%s", what);
}

static void on_lossy(void *context, size_t rule, uint64_t events)
{
    (void)context;
    fail_msg("%zu: %" PRIu64, rule, events);
}

/* Each refers to the one before, whose id is after its own. */
static void build_chain(struct arena *arena, struct pack *out)
{
    static char ids[CHAIN][8];
    static enum field user = FIELD_USER;
    struct builder *b;
    struct text bytes;
    struct pack_fault fault;
    char why[160];
    struct predicate p = {
        .kind = PREDICATE_CONTAINS, .field = FIELD_COMMAND_LINE, .text = TEXT("a")};
    struct node node = {.on_true = NODE_MATCH, .on_false = NODE_MISS};
    struct rule rule = {.id = p.text,
                        .title = TEXT("Rule"),
                        .types = 1ULL << EVENT_PROCESS_EXEC,
                        .predicates = &p,
                        .predicate_count = 1,
                        .nodes = &node,
                        .node_count = 1};
    assert_ok(builder_new(arena, &b));
    assert_ok(builder_add(b, &rule, why));
    struct correlation_condition once = {.operator= CORRELATION_GTE, .whole = 1};
    struct correlation_reference before = {.id = rule.id, .fields = &user};
    for (unsigned i = 0; i < CHAIN; i++) {
        struct correlation plain = {.type = CORRELATION_EVENT_COUNT,
                                    .span_s = 10,
                                    .group_fields = 1,
                                    .references = &before,
                                    .reference_count = 1,
                                    .conditions = &once,
                                    .condition_count = 1,
                                    .generate = true};
        snprintf(ids[i], sizeof ids[i], "c%03u", CHAIN - i);
        struct rule link = {
            .id = text_of(ids[i]), .title = TEXT("Correlation"), .correlation = &plain};
        assert_ok(builder_add(b, &link, why));
        before.id = link.id;
    }
    assert_ok(builder_finish(b, &bytes));
    assert_ok(pack_open(bytes, out, &fault));
}

static void many_that_fire_at_once_are_told_in_order(void **state)
{
    (void)state;
    OWN(arena_done) struct arena arena;
    struct pack pack;
    static char room[EVENT_MAX];
    struct event_builder b;
    struct text record;
    struct event event;
    arena_init(&arena, 16 << 20);
    build_chain(&arena, &pack);
    struct chain chain = {.pack = &pack};
    struct detector_sink sink = {
        .context = &chain, .on_alert = on_chained, .on_fault = on_fault, .on_lossy = on_lossy};
    const struct correlate_settings settings = {.memory = PACK_WINDOW_MEMORY};
    OWN(detector_drop) struct detector *d = NULL;
    assert_ok(detector_new(&pack, settings, &d));
    event_begin(&b, room, sizeof room);
    event_put_text(&b, FIELD_COMMAND_LINE, TEXT("a"));
    event_put_text(&b, FIELD_USER, TEXT("p"));
    struct event_header header = {.type = EVENT_PROCESS_EXEC, .time_ns = SECOND};
    assert_ok(event_end(&b, header, &record));
    assert_ok(event_open(record, &event));
    for (unsigned i = 0; i < 3; i++) {
        chain.count = 0;
        detector_run(d, &event, &sink);
        assert_int_equal(chain.count, CHAIN + 1);
        assert_int_equal(detector_undecided(d), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_that_fire_at_once_are_told_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
