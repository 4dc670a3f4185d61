/*
 * Lists that somebody changed: each fault by its name, and every bit flipped.
 */
#include "base/bytes.h"
#include "base/heap.h"
#include "base/test.h"
#include "base/xorshift.h"
#include "content/indicator/indicator_build.h"
#include "content/pack/load.h"
#include "content/pack/sample.h"

#include <stdio.h>

enum { ENTRIES = 400 };

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 64 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

/* Repeatable, and the same everywhere. */
static uint64_t state = 1;

static struct text made_of(enum indicator_kind kind, const char *const *words, size_t count)
{
    struct text list;
    assert_ok(sample_list_of(kind, words, count, &arena, &list));
    assert_null(indicator_check(list));
    return list;
}

/* What is found, in words; "" where nothing is. Steps stay within what is promised. */
static const char *found_in(struct text list, struct text value)
{
    static char room[INDICATOR_WORDS + 1];
    struct indicator_found found;
    uint64_t steps = 0;
    bool there = indicator_find(list, value, &found, &steps);
    assert_true(steps <= indicator_cost(list, value.len));
    room[there ? indicator_words(list, &found, room).len : 0] = 0;
    return room;
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ── damage ── */

/* A value that an entry stands for: an address of a network, the name below "*.". */
static struct text value_of(struct text list, const struct indicator_found *found, char *room)
{
    struct text words = indicator_words(list, found, room);
    enum indicator_kind kind = indicator_kind(list);
    return kind == INDICATOR_DOMAIN    ? text_part(words, 2, words.len)
           : kind == INDICATOR_ADDRESS ? text_part(words, 0, text_find_byte(words, '/'))
                                       : words;
}

static void ask_everything(struct text list)
{
    static const char *const values[] = {"10.1.2.3",
                                         "2001:db8::5",
                                         "x.a.example.org",
                                         "/opt/x/y/z",
                                         "/bin/sh",
                                         "MD5=d41d8cd98f00b204e9800998ecf8427e",
                                         ""};
    for (size_t i = 0; i < COUNT(values); i++) {
        found_in(list, text_of(values[i]));
    }
    for (uint32_t i = 0; i < indicator_tables(list); i++) {
        char room[INDICATOR_WORDS];
        struct indicator_found found = {.table = indicator_table(list, i)};
        for (found.key = 0; found.key < found.table.keys; found.key++) {
            /* What the verifier took is found, whatever it has become. */
            assert_string_not_equal(found_in(list, value_of(list, &found, room)), "");
        }
    }
}

static void every_flip_is_refused_or_harmless(void **ignored)
{
    (void)ignored;
    unsigned accepted = 0;
    for (unsigned kind = 0; kind < INDICATOR_KIND_COUNT; kind++) {
        struct text list;
        assert_ok(sample_list((enum indicator_kind)kind, &arena, &list));
        /* Memory of exactly this length, so that the sanitizer sees the first byte outside. */
        char *copy = heap_alloc(list.len, 1);
        struct text flipped = {.ptr = copy, .len = list.len};
        for (size_t bit = 0; bit < list.len * 8; bit++) {
            memcpy(copy, list.ptr, list.len);
            copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
            if (!indicator_check(flipped)) {
                ask_everything(flipped);
                accepted++;
            }
        }
        for (size_t len = 0; len < list.len; len++) {
            assert_non_null(indicator_check(text_part(list, 0, len)));
        }
        heap_free(copy);
    }
    assert_true(accepted > 40); /* names, and keys that stay in their bucket */
}

static void many_random_changes_are_refused_or_harmless(void **ignored)
{
    (void)ignored;

    enum { ROUNDS = 40000 };

    for (unsigned kind = 0; kind < INDICATOR_KIND_COUNT; kind++) {
        struct text list;
        assert_ok(sample_list((enum indicator_kind)kind, &arena, &list));
        char *copy = heap_alloc(list.len, 1);
        struct text changed = {.ptr = copy, .len = list.len};
        for (unsigned round = 0; round < ROUNDS; round++) {
            memcpy(copy, list.ptr, list.len);
            for (unsigned n = 0; n <= round % 4; n++) {
                uint64_t random = xorshift(&state);
                copy[4 + random % (list.len - 4)] = (char)(random >> 32 & (n % 2 ? 0xff : 7));
            }
            if (!indicator_check(changed)) {
                ask_everything(changed);
            }
        }
        heap_free(copy);
    }
}

/* ── what the verifier is for: each fault by its name ── */

static char *changeable(struct text list)
{
    return (char *)(uintptr_t)list.ptr;
}

static void put_u32(char *at, uint32_t value)
{
    struct writer w = writer_over(at, 4);
    writer_u32(&w, value);
}

static void is_refused(struct text list, const char *words)
{
    const char *wrong = indicator_check(list);
    assert_string_equal(wrong ? wrong : "accepted", words);
}

static void swap(char *a, char *b, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char kept = a[i];
        a[i] = b[i];
        b[i] = kept;
    }
}

/* Many keys of one table; texts all of one length. */
static struct text many(enum indicator_kind kind)
{
    static char words[ENTRIES][64];
    const char *pointers[ENTRIES];
    for (unsigned i = 0; i < ENTRIES; i++) {
        snprintf(words[i], sizeof words[i],
                 kind == INDICATOR_ADDRESS ? "192.0.%u.%u" : "x%u.y%03u.example", i / 100 % 10,
                 100 + i % 100);
        pointers[i] = words[i];
    }
    return made_of(kind, pointers, ENTRIES);
}

/* The first key of a bucket that has at least two. */
static uint32_t first_of_two(const struct indicator_table *t)
{
    uint32_t from = 0;
    for (size_t i = 0; i < 1ULL << t->bits; i++) {
        uint32_t to = load_u32(t->buckets + i * 4);
        if (to - from >= 2) {
            return from;
        }
        from = to;
    }
    fail_msg("no bucket has two keys");
    return 0;
}

static void keys_out_of_place_are_refused(void **ignored)
{
    (void)ignored;
    struct text list = many(INDICATOR_ADDRESS);
    struct indicator_table t = indicator_table(list, 0);
    char *key = changeable(list) + (t.entries - list.ptr);
    char *pair = key + 4UL * first_of_two(&t);
    swap(key, key + 4UL * (t.keys - 1), 4); /* the first bucket's and the last's */
    is_refused(list, "a key that its own lookup does not find");
    swap(key, key + 4UL * (t.keys - 1), 4);
    swap(pair, pair + 4, 4);
    is_refused(list, "keys of a bucket that are not in order");
    swap(pair, pair + 4, 4);
    memcpy(pair + 4, pair, 4);
    is_refused(list, "a key that its own lookup does not find"); /* the first of two is found */
}

static void texts_out_of_place_are_refused(void **ignored)
{
    (void)ignored;
    struct text list = many(INDICATOR_DOMAIN);
    struct indicator_table t = indicator_table(list, 0);
    char *entries = changeable(list) + (t.entries - list.ptr);
    char *texts = changeable(list) + (t.bytes - list.ptr);
    size_t size = indicator_text(&t, 0).len;
    uint32_t pair = first_of_two(&t);
    swap(entries + 8UL * pair, entries + 8UL * (pair + 1), 4);
    is_refused(list, "a key that its own lookup does not find");
    swap(texts + size * pair, texts + size * (pair + 1), size);
    is_refused(list, "keys of a bucket that are not in order");
    put_u32(entries + 4, 0);
    is_refused(list, "a text that ends where it cannot");
    put_u32(entries + 4, (uint32_t)size);
    put_u32(entries + 8UL * t.keys - 4, (uint32_t)list.len);
    is_refused(list, "a text that ends where it cannot");
}

static void tables_out_of_place_are_refused(void **ignored)
{
    (void)ignored;
    static const char *const words[] = {"192.0.2.0/24", "192.0.2.7"};
    struct text list = made_of(INDICATOR_ADDRESS, words, COUNT(words));
    char *row = changeable(list) + INDICATOR_HEADER;
    row[2] = 32;
    is_refused(list, "tables that are not in order");
    row[2] = 24;
    row[INDICATOR_ROW + 2] = 31;
    is_refused(list, "an address that no lookup asks for");
    row[INDICATOR_ROW + 2] = 33;
    is_refused(list, "a table of a shape that its kind has not");
    row[INDICATOR_ROW + 2] = 32;
    put_u32(row + 4, 19); /* as many buckets as so many keys have */
    put_u32(row + 8, 1000000);
    is_refused(list, "a table that is longer than the list");
    put_u32(row + 8, INDICATOR_KEYS_MAX + 1);
    is_refused(list, "a table that does not lie where it should");
    list = many(INDICATOR_ADDRESS);
    struct indicator_table t = indicator_table(list, 0);
    char *buckets = changeable(list) + (t.buckets - list.ptr);
    for (size_t i = 0; i < 1ULL << t.bits; i++) {
        char *end = buckets + i * 4;
        put_u32(end,
                load_u32(end) > INDICATOR_BUCKET_MAX ? load_u32(end) : INDICATOR_BUCKET_MAX + 1);
    }
    is_refused(list, "a bucket that ends where it cannot");
}

static void bytes_of_no_table_are_refused(void **ignored)
{
    (void)ignored;
    struct text list = many(INDICATOR_ADDRESS);
    char *longer = arena_alloc(&arena, list.len + 8, 1);
    memcpy(longer, list.ptr, list.len);
    put_u32(longer, (uint32_t)list.len + 8);
    is_refused((struct text){.ptr = longer, .len = list.len + 8}, "bytes that belong to no table");
}

static struct text raw(enum indicator_kind kind, struct indicator_key key)
{
    struct indicator_set set = {.arena = &arena, .kind = kind};
    struct text list;
    key.kind = kind;
    assert_ok(indicator_add(&set, &key));
    assert_ok(indicator_finish(&set, TEXT("raw"), &list));
    return list;
}

/* Keys that are where they should be, and of a form that no lookup asks for. */
static void keys_that_are_never_asked_for_are_refused(void **ignored)
{
    (void)ignored;
    struct text mapped = {.ptr = "\0\0\0\0\0\0\0\0\0\0\xff\xff\x01\x02\x03\x04", .len = 16};
    is_refused(
        raw(INDICATOR_ADDRESS, (struct indicator_key){.width = 16, .detail = 128, .bytes = mapped}),
        "an address that no lookup asks for");
    is_refused(
        raw(INDICATOR_DOMAIN, (struct indicator_key){.detail = 3, .bytes = TEXT("two.example")}),
        "a text that no lookup asks for in this table");
    is_refused(
        raw(INDICATOR_DOMAIN, (struct indicator_key){.detail = 2, .bytes = TEXT("Two.example")}),
        "a text that no lookup asks for in this table");
    is_refused(raw(INDICATOR_PATH, (struct indicator_key){.detail = 2, .bytes = TEXT("/a/b/")}),
               "a text that no lookup asks for in this table");
}

/* Seventeen keys of one bucket under the first seed: the builder takes another. */
static void no_bucket_is_too_large(void **ignored)
{
    (void)ignored;

    enum { SAME = INDICATOR_BUCKET_MAX + 1, BITS = 4 };
    struct indicator_set set = {.arena = &arena, .kind = INDICATOR_ADDRESS};
    struct text list;
    unsigned found = 0;
    for (uint32_t i = 0; found < SAME; i++) {
        char bytes[4];
        put_u32(bytes, i);
        if (indicator_bucket(indicator_hash_key(0, bytes, 4), BITS) == 3) {
            struct indicator_key key = {.kind = INDICATOR_ADDRESS,
                                        .width = 4,
                                        .detail = 32,
                                        .bytes = {.ptr = bytes, .len = 4}};
            assert_ok(indicator_add(&set, &key));
            found++;
        }
    }
    assert_int_equal(indicator_bits(SAME), BITS);
    assert_ok(indicator_finish(&set, TEXT("same"), &list));
    assert_int_equal(indicator_seed(list), 1);
    assert_null(indicator_check(list));
}

/* ── in a pack ── */

static void lists_stand_in_their_order(void **ignored)
{
    (void)ignored;
    static const char *const words[] = {"a.test"};
    struct text lists[2];
    struct builder *b;
    struct text bytes;
    struct pack pack;
    struct pack_fault fault;
    char why[160];
    assert_ok(builder_new(&arena, &b));
    for (unsigned i = 0; i < 2; i++) {
        lists[i] = made_of(INDICATOR_DOMAIN, words, 1);
        size_t at = text_find(lists[i], TEXT("sample"));
        changeable(lists[i])[at] = (char)('y' - i); /* "yample" comes after "xample" */
        assert_ok(builder_list(b, lists[i], why));
    }
    assert_ok(builder_finish(b, &bytes));
    assert_ok(pack_open(bytes, &pack, &fault));
    assert_text(indicator_name(pack_list(&pack, 0)), "xample");
    changeable(bytes)[text_find(bytes, TEXT("yample"))] = 'x';
    struct writer w = writer_over(changeable(bytes) + PACK_CHECKSUM_AT, 8);
    writer_u64(&w, pack_checksum(bytes));
    assert_fault(pack_open(bytes, &pack, &fault), INVALID);
    assert_string_equal(fault.what,
                        "two lists have the same name and kind, or they are not in order");
}

static void a_hash_leads_to_its_rule(void **ignored)
{
    (void)ignored;
    struct text bytes;
    struct pack pack;
    struct pack_fault fault;
    uint8_t hash[32] = {[31] = 0xff};
    size_t rule = 0;
    assert_ok(sample_pack(&arena, &bytes));
    assert_ok(pack_open(bytes, &pack, &fault));
    assert_int_equal(pack_count(&pack, PACK_INDICATOR_ENDS), INDICATOR_KIND_COUNT);
    assert_true(indicator_has_hash(&pack, hash, &rule));
    assert_text(pack_rule(&pack, rule).id, "r1");
    hash[0] = 1;
    assert_false(indicator_has_hash(&pack, hash, &rule));
}

static void the_builder_takes_what_it_can_prove(void **ignored)
{
    (void)ignored;
    struct text list;
    struct builder *b;
    char why[160];
    struct predicate p = {.kind = PREDICATE_LISTED, .field = FIELD_PATH};
    struct node node = {.on_true = NODE_MATCH, .on_false = NODE_MISS};
    struct rule rule = {.id = TEXT("1"),
                        .title = TEXT("Title"),
                        .types = 1ULL << EVENT_PROCESS_EXEC,
                        .predicates = &p,
                        .predicate_count = 1,
                        .nodes = &node,
                        .node_count = 1};
    assert_ok(sample_list(INDICATOR_PATH, &arena, &list));
    assert_ok(builder_new(&arena, &b));
    p.text = list;
    assert_fault(builder_add(b, &rule, why), INVALID);
    assert_string_equal(why, "it asks for a list that is not in the pack");
    assert_ok(builder_list(b, list, why));
    assert_fault(builder_list(b, list, why), INVALID);
    assert_string_equal(why, "another list has the same name and kind");
    assert_fault(builder_list(b, text_part(list, 0, 100), why), INVALID);
    assert_ok(builder_add(b, &rule, why));
}

static void large_lists_have_tables_too(void **ignored)
{
    (void)ignored;

    enum { KEYS = 100000 };
    struct indicator_set set = {.arena = &arena, .kind = INDICATOR_ADDRESS};
    struct text list;
    for (uint32_t i = 0; i < KEYS; i++) {
        uint32_t address = i * 2654435761U;
        struct indicator_key key = {.kind = INDICATOR_ADDRESS,
                                    .width = 4,
                                    .detail = 32,
                                    .bytes = {.ptr = (const char *)&address, .len = 4}};
        assert_ok(indicator_add(&set, &key));
    }
    assert_ok(indicator_finish(&set, TEXT("many"), &list));
    assert_null(indicator_check(list));
    assert_int_equal(indicator_count(list), KEYS);
    assert_in_range(list.len, KEYS * 5, KEYS * 9);
}

#define with_arena(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_arena(every_flip_is_refused_or_harmless),
        with_arena(many_random_changes_are_refused_or_harmless),
        with_arena(keys_out_of_place_are_refused),
        with_arena(texts_out_of_place_are_refused),
        with_arena(tables_out_of_place_are_refused),
        with_arena(bytes_of_no_table_are_refused),
        with_arena(keys_that_are_never_asked_for_are_refused),
        with_arena(no_bucket_is_too_large),
        with_arena(lists_stand_in_their_order),
        with_arena(a_hash_leads_to_its_rule),
        with_arena(the_builder_takes_what_it_can_prove),
        with_arena(large_lists_have_tables_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
