/* Whatever record an event is: where a rule is made for it, the compiler accepts the rule, and the
 * interpreter finds that it matches that very event. */
#include "ctl/content/rule_skeleton.h"

#include "base/own.h"
#include "compile/sigma.h"
#include "content/match/match.h"
#include "content/pack/builder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PACK_MEMORY = 64 << 20 };

static char room[SKELETON_ROOM];
static char tests_room[4 * SKELETON_ROOM];

static void on_match(void *context, size_t rule)
{
    (void)rule;
    *(bool *)context = true;
}

static void on_fault(void *context, size_t rule, const char *what)
{
    (void)context;
    (void)rule;
    ENSURE(what == NULL);
}

static void prove(struct text bytes, const struct event *event)
{
    struct pack pack;
    struct pack_fault fault;
    bool matched = false;
    OWN(matcher_drop) struct matcher *m = NULL;
    ENSURE(status_ok(pack_open(bytes, &pack, &fault)));
    ENSURE(status_ok(matcher_new(&pack, &m)));
    matcher_run(
        m, event,
        &(struct matcher_sink){.context = &matched, .on_match = on_match, .on_fault = on_fault});
    ENSURE(matched || matcher_undecided(m));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct event event;
    struct arena arena;
    struct builder *builder;
    struct sigma_file file;
    struct sigma_outcome outcome;
    struct text bytes;
    char why[160];
    struct writer rule = writer_over(room, sizeof room);
    struct writer tests = writer_over(tests_room, sizeof tests_room);
    struct skeleton s = {.event = &event,
                         .id = "0a0b0c0d-1111-4222-8333-444455556666",
                         .date = "2026-11-21",
                         .origin = TEXT("a file:1")};
    if (!status_ok(event_open((struct text){(const char *)data, size}, &event)) ||
        !status_ok(skeleton_rule(&s, &rule))) {
        return 0;
    }
    ENSURE(text_is_utf8(writer_text(&rule)));
    /* Its record may be full: then there is no room for a near miss. */
    status_ignore(skeleton_tests(&s, &tests));
    arena_init(&arena, PACK_MEMORY);
    ENSURE(status_ok(builder_new(&arena, &builder)));
    sigma_open(&file, (struct sigma_options){.any_product = true}, TEXT("new.yml"),
               writer_text(&rule));
    ENSURE(sigma_next(&file, &outcome));
    ENSURE(outcome.ok && status_ok(builder_add(builder, &outcome.rule, why)));
    sigma_close(&file);
    ENSURE(status_ok(builder_finish(builder, &bytes)));
    prove(bytes, &event);
    arena_done(&arena);
    return 0;
}
