/*
 * Random rules over random events: what the tables say is what the programs say by themselves.
 * Everything is made of few letters and short pieces, so that atoms overlap, share grams and stand
 * at the ends of values.
 */
#include "base/own.h"
#include "base/test.h"
#include "content/pack/builder.h"
#include "content/pack/sample.h"

#include <stdio.h>

enum { ROUNDS = 300, RULES = 40, EVENTS = 40, PREDICATES = 6, PIECES = 12 };

static uint32_t seed = 20260719;

static uint32_t dice(uint32_t sides)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % sides;
}

/* Texts live as long as the round. */
static struct text random_text(struct arena *arena, bool pattern)
{
    static const char *const pieces[PIECES] = {"a",        "ab",       "ba",     "\\\\",
                                               "cmd.exe",  "-e",       "abab",   "C:\\\\a",
                                               "\xc3\xa9", "baabaabb", "32.exe", "/bin/bash -c "};
    static const char *const wild[] = {"*", "?", "\\-", "**", "?a"};
    char room[256];
    size_t used = 0;
    for (uint32_t i = dice(5) + dice(2); i > 0; i--) {
        bool star = pattern && dice(3) == 0;
        const char *piece = star ? wild[dice(5)] : pieces[dice(PIECES)];
        /* In a pattern a backslash is doubled, which values then have too: never mind. */
        used += (size_t)snprintf(room + used, sizeof room - used, "%s", piece);
    }
    struct text out;
    assert_ok(arena_text(arena, (struct text){room, used}, &out));
    return out;
}

static struct predicate random_predicate(struct arena *arena)
{
    static const enum field fields[] = {FIELD_PATH, FIELD_COMMAND_LINE, FIELD_PID, FIELD_CWD,
                                        FIELD_COUNT};

    static const enum predicate_kind kinds[] = {
        PREDICATE_EQUAL, PREDICATE_PREFIX,   PREDICATE_SUFFIX, PREDICATE_CONTAINS, PREDICATE_GLOB,
        PREDICATE_GLOB,  PREDICATE_CONTAINS, PREDICATE_EXISTS, PREDICATE_REGEX};
    struct predicate p = {.kind = kinds[dice(9)], .field = fields[dice(5)], .cased = dice(4) == 0};
    if (p.kind == PREDICATE_EXISTS && p.field == FIELD_COUNT) {
        p.field = FIELD_CWD;
    }
    if (p.kind == PREDICATE_REGEX) {
        p.text = sample_automaton(); /* a+b */
        p.factor = dice(2) ? TEXT("ab") : TEXT("");
    } else {
        p.text = random_text(arena, p.kind == PREDICATE_GLOB);
    }
    return p;
}

/* Any program whose jumps are forward is as good as one that a compiler makes. */
static void random_nodes(struct node *nodes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t jumps[2];
        for (unsigned k = 0; k < 2; k++) {
            size_t later = count - i - 1;
            uint32_t end = dice(3);
            jumps[k] = later && end ? (uint16_t)(i + 1 + dice((uint32_t)later))
                       : dice(2)    ? NODE_MATCH
                                    : NODE_MISS;
        }
        nodes[i] = (struct node){
            .predicate = (uint16_t)dice(PREDICATES), .on_true = jumps[0], .on_false = jumps[1]};
    }
}

static void add_random_rule(struct arena *arena, struct builder *b, unsigned number)
{
    struct predicate predicates[PREDICATES];
    struct node nodes[2 * PREDICATES];
    char id[16], why[160];
    for (unsigned i = 0; i < PREDICATES; i++) {
        predicates[i] = random_predicate(arena);
    }
    struct rule rule = {.title = TEXT("Random"),
                        .types = 1ULL << EVENT_PROCESS_EXEC | (uint64_t)dice(2) << EVENT_FILE_OPEN,
                        .predicates = predicates,
                        .predicate_count = PREDICATES,
                        .nodes = nodes,
                        .node_count = 1 + dice(2 * PREDICATES)};
    snprintf(id, sizeof id, "%u", number);
    rule.id = text_of(id);
    random_nodes(nodes, rule.node_count);
    struct status s = builder_add(b, &rule, why);
    if (!status_ok(s)) {
        fail_msg("%s", why);
    }
}

static struct event random_event(struct arena *arena, void *room)
{
    struct event_builder b;
    struct text record;
    struct event event;
    event_begin(&b, room, EVENT_MAX);
    event_put_text(&b, FIELD_COMMAND_LINE, random_text(arena, dice(2)));
    if (dice(4)) {
        event_put_text(&b, FIELD_PATH, random_text(arena, false));
    }
    if (dice(2)) {
        event_put_text(&b, FIELD_CWD, random_text(arena, false));
    }
    event_put_number(&b, FIELD_PID, dice(20));
    struct event_header header = {.type = dice(3) ? EVENT_PROCESS_EXEC : EVENT_FILE_OPEN};
    assert_ok(event_end(&b, header, &record));
    assert_ok(event_open(record, &event));
    return event;
}

static void tables_and_programs_agree(void **state)
{
    (void)state;
    static uint8_t room[EVENT_MAX];
    size_t triggered = 0;
    size_t always = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        OWN(arena_done) struct arena arena;
        OWN(matcher_drop) struct matcher *m = NULL;
        struct builder *b;
        struct text bytes;
        struct pack pack;
        struct pack_fault fault;
        arena_init(&arena, 64 << 20);
        assert_ok(builder_new(&arena, &b));
        builder_proof(b, BUILDER_PROOF_NONE);
        for (unsigned i = 0; i < RULES; i++) {
            add_random_rule(&arena, b, i);
        }
        assert_ok(builder_finish(b, &bytes));
        assert_ok(pack_open(bytes, &pack, &fault));
        assert_ok(matcher_new(&pack, &m));
        for (unsigned i = 0; i < EVENTS; i++) {
            struct event event = random_event(&arena, room);
            if (!sample_agrees(&pack, m, &event)) {
                fail_msg("round %u, event %u", round, i);
            }
        }
        always += pack_count(&pack, PACK_ALWAYS);
        triggered += RULES - pack_count(&pack, PACK_ALWAYS);
    }
    /* Both ways were tried. */
    assert_true(always > ROUNDS && triggered > ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tables_and_programs_agree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
