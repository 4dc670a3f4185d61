/*
 * The two largest numbers of a pack, on packs that are nothing else: no builder would make them in
 * the time that a test has.
 */
#include "base/bytes.h"
#include "base/heap.h"
#include "base/own.h"
#include "base/test.h"
#include "content/pack/pack.h"

enum { RULE_SIZE = 64, HEAD = PACK_HEADER + PACK_SECTION_COUNT * PACK_SECTION };

static const uint32_t item_sizes[PACK_SECTION_COUNT] = {
#define ITEM_SIZE(ID, name, size) [PACK_##ID] = (size),
    PACK_SECTIONS(ITEM_SIZE)
#undef ITEM_SIZE
};

static const char *open_says(struct text bytes, struct pack_fault *fault)
{
    struct pack pack;
    assert_false(status_ok(pack_open(bytes, &pack, fault)));
    return fault->what;
}

static void a_pack_has_a_largest_size(void **state)
{
    (void)state;
    struct pack_fault fault;
    OWN(heap_drop) char *zeros = heap_alloc(PACK_SIZE_MAX + 8, 1);
    assert_non_null(zeros);
    assert_string_equal(open_says((struct text){zeros, PACK_SIZE_MAX}, &fault),
                        "this is not a pack");
    assert_string_equal(open_says((struct text){zeros, PACK_SIZE_MAX + 8}, &fault),
                        "the size is no pack's");
}

/* So many rules, all zero, and nothing else. */
static struct text pack_of_rules(size_t count, char *room)
{
    size_t size = HEAD + count * RULE_SIZE;
    size_t offset = HEAD;
    struct writer w = writer_over(room, HEAD);
    writer_bytes(&w, TEXT(PACK_MAGIC));
    writer_u32(&w, PACK_VERSION);
    writer_u16(&w, FIELD_COUNT);
    writer_u16(&w, EVENT_COUNT);
    writer_u64(&w, size);
    writer_u64(&w, schema_hash());
    writer_u64(&w, 0);
    writer_u64(&w, PACK_SECTION_COUNT);
    writer_u64(&w, 0);
    writer_u64(&w, 0);
    for (uint32_t i = 0; i < PACK_SECTION_COUNT; i++) {
        size_t items = i == PACK_RULES ? count : 0;
        writer_u32(&w, i + 1);
        writer_u32(&w, item_sizes[i]);
        writer_u64(&w, offset);
        writer_u64(&w, items);
        offset += items * RULE_SIZE;
    }
    assert_ok(writer_end(&w));
    struct text bytes = {room, size};
    struct writer sum = writer_over(room + PACK_CHECKSUM_AT, 8);
    writer_u64(&sum, pack_checksum(bytes));
    return bytes;
}

static void rules_have_a_largest_number(void **state)
{
    (void)state;
    struct pack_fault fault;
    OWN(heap_drop) char *room = heap_alloc(HEAD + (PACK_RULES_MAX + 1) * (size_t)RULE_SIZE, 1);
    assert_non_null(room);
    assert_string_equal(open_says(pack_of_rules(PACK_RULES_MAX, room), &fault),
                        "a text is not there");
    assert_int_equal(fault.index, 0);
    assert_string_equal(open_says(pack_of_rules(PACK_RULES_MAX + 1, room), &fault),
                        "there are too many");
    assert_string_equal(fault.section, "rules");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pack_has_a_largest_size),
        cmocka_unit_test(rules_have_a_largest_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
