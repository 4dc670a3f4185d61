#include "ctl/drill/drill_packs.h"

#include "base/bytes.h"
#include "content/pack/builder.h"
#include "content/prove/vector.h"

/* Where things lie in a pack: docs/formats/pack.md. */
enum {
    FIELD_COUNT_AT = 12,
    HASH_AT = 24,
    PREDICATE_SIZE = 8,
    PREDICATE_FIELD = 2,
    PROBE_SIZE = 8,
    BEYOND = FIELD_COUNT + 1, /* FIELD_COUNT itself never stands in a pack */
};

static const struct node chain[] = {{.predicate = 0, .on_true = 1, .on_false = NODE_MISS},
                                    {.predicate = 1, .on_true = NODE_MATCH, .on_false = NODE_MISS}};

static struct rule rule_about(const char *id, const struct predicate *predicates)
{
    return (struct rule){.id = text_of(id),
                         .title = TEXT("The drill's rule"),
                         .author = TEXT("Bulkhead"),
                         .level = TEXT("low"),
                         .types = 1ULL << EVENT_PROCESS_EXEC,
                         .predicates = predicates,
                         .predicate_count = 2,
                         .nodes = chain,
                         .node_count = 2};
}

struct status drill_good(struct arena *arena, struct text *out)
{
    /* The number is asked for last and by no literal, so that an event has to come to it. */
    const struct predicate program[] = {
        {.kind = PREDICATE_SUFFIX, .field = FIELD_PATH, .text = TEXT("/" DRILL_PROGRAM)},
        {.kind = PREDICATE_GREATER_EQUAL, .field = FIELD_ARGUMENT_COUNT, .number = 1000000}};
    const struct predicate words[] = {
        {.kind = PREDICATE_CONTAINS, .field = FIELD_COMMAND_LINE, .text = TEXT("channel-291")},
        {.kind = PREDICATE_PREFIX, .field = FIELD_CWD, .text = TEXT("/drill/")}};
    struct rule first = rule_about("drill-1", program);
    struct rule second = rule_about("drill-2", words);
    struct builder *b;
    char why[160];
    TRY(builder_new(arena, &b));
    TRY(builder_add(b, &first, why));
    TRY(builder_add(b, &second, why));
    return builder_finish(b, out);
}

bool drill_build_extra_field(struct arena *arena, char *why)
{
    const struct predicate p[] = {
        {.kind = PREDICATE_SUFFIX, .field = FIELD_PATH, .text = TEXT("/x")},
        {.kind = PREDICATE_EQUAL, .field = (enum field)BEYOND, .text = TEXT("x")}};
    struct rule rule = rule_about("drill-3", p);
    struct builder *b;
    *why = 0;
    return status_ok(builder_new(arena, &b)) && !status_ok(builder_add(b, &rule, why));
}

static struct status copy(struct arena *arena, struct text good, char **out)
{
    struct text same;
    TRY(arena_text(arena, good, &same));
    *out = (char *)(uintptr_t)same.ptr;
    return OK;
}

static struct text repair(char *bytes, size_t size)
{
    struct text pack = {.ptr = bytes, .len = size};
    struct writer sum = writer_over(bytes + PACK_CHECKSUM_AT, 8);
    writer_u64(&sum, pack_checksum(pack));
    return pack;
}

static void put_schema(char *bytes, int more, uint64_t hash)
{
    struct writer count = writer_over(bytes + FIELD_COUNT_AT, 2);
    struct writer sum = writer_over(bytes + HASH_AT, 8);
    writer_u16(&count, (uint16_t)(FIELD_COUNT + more));
    writer_u64(&sum, hash);
}

/* Our own pack, so that its sections are where it says. */
static char *item_of(const struct pack *pack, char *bytes, enum pack_section section, size_t index,
                     size_t size)
{
    return bytes + (pack->sections[section].at - pack->bytes.ptr) + index * size;
}

/* The predicate about a field, in the copy. */
static char *predicate_about(const struct pack *pack, char *bytes, enum field field)
{
    size_t i = 0;
    while (pack_predicate(pack, i).field != field) {
        i++;
    }
    return item_of(pack, bytes, PACK_PREDICATES, i, PREDICATE_SIZE);
}

struct status drill_fault(struct arena *arena, struct text good, enum drill_fault fault,
                          struct text *out)
{
    struct pack pack;
    struct pack_fault ignored;
    char *bytes;
    TRY(pack_open(good, &pack, &ignored));
    TRY(copy(arena, good, &bytes));
    switch (fault) {
    case DRILL_COUNT:
        put_schema(bytes, 1, schema_hash() + 1);
        break;
    case DRILL_OLD_SCHEMA:
        put_schema(bytes, -1, schema_hash() - 1);
        break;
    case DRILL_HIDDEN:
        predicate_about(&pack, bytes, FIELD_ARGUMENT_COUNT)[PREDICATE_FIELD] = (char)BEYOND;
        break;
    case DRILL_NEW_CONTENT:
        /* The last entry of the directory, at the end of the first event: a field's number. */
        item_of(&pack, bytes, PACK_VECTOR_BYTES, pack_vector(&pack, 0).event.len, 1)[-8] =
            (char)BEYOND;
        break;
    case DRILL_WILDCARD:
        memset(item_of(&pack, bytes, PACK_PROBES, 0, PROBE_SIZE), 0xff, 4);
        break;
    case DRILL_WRONG_INDEX:
        predicate_about(&pack, bytes, FIELD_ARGUMENT_COUNT)[PREDICATE_FIELD] = FIELD_PID;
        break;
    }
    *out = repair(bytes, good.len);
    return OK;
}

struct status drill_flip(struct arena *arena, struct text good, unsigned nth, struct text *out)
{
    char *bytes;
    /* A stride that is odd and large comes everywhere without repeating itself soon. */
    uint64_t bit = (uint64_t)nth * 2654435761U % ((good.len - PACK_HEADER) * 8);
    TRY(copy(arena, good, &bytes));
    bytes[PACK_HEADER + bit / 8] = (char)(bytes[PACK_HEADER + bit / 8] ^ 1 << bit % 8);
    *out = repair(bytes, good.len);
    return OK;
}
