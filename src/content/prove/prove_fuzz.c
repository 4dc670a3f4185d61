/*
 * Differential: an author's test event may hold anything. Whatever event_open() accepts goes into a
 * pack with the probes that are made for it, and that pack has to be proven.
 */
#include "base/own.h"
#include "content/pack/builder.h"
#include "content/prove/prove.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first bytes choose the predicate, the rest is the event. */
static struct rule make_rule(struct reader *r, struct predicate *p, struct node *node)
{
    p->kind = (enum predicate_kind)(reader_u8(r) % PREDICATE_REGEX);
    p->field = (enum field)(reader_u8(r) % (FIELD_COUNT + 1));
    p->other = FIELD_COUNT;
    p->text = reader_bytes(r, reader_u8(r) % 8U);
    *node = (struct node){.on_true = NODE_MATCH, .on_false = NODE_MISS};
    return (struct rule){.id = TEXT("1"),
                         .title = TEXT("Title"),
                         .types = (1ULL << EVENT_COUNT) - 1,
                         .predicates = p,
                         .predicate_count = 1,
                         .nodes = node,
                         .node_count = 1};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(arena_done) struct arena arena;
    struct reader r = reader_over(data, size);
    struct predicate p = {0};
    struct node node;
    struct rule rule = make_rule(&r, &p, &node);
    struct vector v = {.matches = reader_u8(&r) & 1};
    struct builder *b;
    struct pack_fault fault;
    struct pack pack;
    struct text bytes;
    char why[160];
    arena_init(&arena, 16 << 20);
    v.event = reader_bytes(&r, reader_left(&r));
    rule.vectors = &v;
    rule.vector_count = v.event.len > 0;
    if (r.bad || !status_ok(builder_new(&arena, &b))) {
        return 0;
    }
    builder_proof(b, BUILDER_PROOF_WANTED);
    if (status_ok(builder_add(b, &rule, why)) && status_ok(builder_finish(b, &bytes))) {
        ENSURE(status_ok(pack_open(bytes, &pack, &fault)));
        ENSURE(status_ok(pack_prove(&pack, &fault)));
    }
    return 0;
}
