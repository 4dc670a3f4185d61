/*
 * Any bytes as a list of indicators, in each format. What is read has to become lists that the
 * builder takes and the verifier accepts, or to be refused with words.
 */
#include "base/own.h"
#include "compile/indicators.h"
#include "content/pack/builder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_refusal(void *context, const struct refusal *refusal, bool skipped)
{
    (void)skipped;
    ENSURE(refusal->line > 0 && refusal->words[0]);
    ++*(size_t *)context;
}

/* Everything that was taken is found in one of the lists. */
static void build(struct indicators *in)
{
    struct indicators_result result;
    struct builder *b;
    struct text bytes;
    struct pack pack;
    struct pack_fault fault;
    char why[160];
    ENSURE(status_ok(builder_new(in->arena, &b)));
    ENSURE(status_ok(indicators_finish(in, &result)));
    ENSURE((result.list_count > 0) == (in->counts.taken > 0));
    for (size_t i = 0; i < result.list_count; i++) {
        ENSURE(status_ok(builder_list(b, result.lists[i], why)));
    }
    for (size_t i = 0; i < result.rule_count; i++) {
        ENSURE(status_ok(builder_add(b, &result.rules[i], why)));
    }
    ENSURE(status_ok(builder_finish(b, &bytes)));
    ENSURE(status_ok(pack_open(bytes, &pack, &fault)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(arena_done) struct arena arena;
    size_t told = 0;
    if (size == 0) {
        return 0;
    }
    arena_init(&arena, 256 << 20);
    struct indicators in = {.arena = &arena,
                            .file = TEXT("fuzz.ioc.txt"),
                            .now = TEXT("2026-01-01T00:00:00Z"),
                            .context = &told,
                            .on_refusal = on_refusal};
    struct text bytes = {.ptr = (const char *)data + 1, .len = size - 1};
    if (status_ok(indicators_read(&in, (enum indicators_format)(data[0] % 3), bytes))) {
        ENSURE(told == in.counts.refused + in.counts.skipped);
        build(&in);
    }
    return 0;
}
