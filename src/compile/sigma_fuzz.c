/*
 * Any bytes as a rule file. What compiles has to be taken by the builder or refused with words, and
 * what the builder writes the verifier has to accept.
 */
#include "compile/links.h"
#include "content/pack/builder.h"
#include "content/pack/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool add(struct builder *builder, const struct sigma_outcome *outcome)
{
    char why[160] = "";
    ENSURE(outcome->ok || outcome->refusal.words[0]);
    ENSURE(outcome->ok || outcome->refusal.line > 0);
    if (outcome->ok && !status_ok(builder_add(builder, &outcome->rule, why))) {
        ENSURE(why[0]);
        return false;
    }
    return outcome->ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct builder *builder;
    struct sigma_file file;
    struct sigma_links links;
    struct sigma_outcome outcome;
    struct pack pack;
    struct pack_fault fault;
    struct text bytes;
    arena_init(&arena, SIGMA_RULE_MEMORY);
    ENSURE(status_ok(builder_new(&arena, &builder)));
    sigma_open(&file, (struct sigma_options){.any_product = size % 2}, TEXT("fuzz.yml"),
               (struct text){(const char *)data, size});
    sigma_links_init(&links, file.options, &arena);
    while (sigma_next(&file, &outcome)) {
        bool taken = !outcome.waits && add(builder, &outcome);
        if (!status_ok(sigma_links_add(&links, &outcome, taken))) {
            break;
        }
    }
    while (sigma_links_next(&links, &outcome)) {
        ENSURE(!outcome.waits);
        sigma_links_settle(&links, add(builder, &outcome));
    }
    sigma_links_done(&links);
    if (status_ok(builder_finish(builder, &bytes))) {
        ENSURE(status_ok(pack_open(bytes, &pack, &fault)));
    }
    sigma_close(&file);
    arena_done(&arena);
    return 0;
}
