#include "content/pack/pool.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "base/test.h"

enum { TEXTS = 2000, SIZE = 8, SAME_BITS = 13 };

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 16 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

static struct text text_number(uint64_t number)
{
    char *room = arena_alloc(&arena, SIZE, 1);
    assert_non_null(room);
    struct writer w = writer_over(room, SIZE);
    writer_u64(&w, number);
    return writer_text(&w);
}

static void each_text_has_one_number(void **state)
{
    (void)state;
    struct pool pool = {.arena = &arena};
    for (unsigned round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < TEXTS; i++) {
            uint32_t number;
            assert_int_equal(pool_has(&pool, text_number(i)), round);
            assert_ok(pool_add(&pool, text_number(i), &number));
            assert_int_equal(number, i);
            assert_int_equal(pool_find(&pool, text_number(i)), i);
        }
    }
    assert_int_equal(pool.count, TEXTS);
    assert_int_equal(pool.bytes, TEXTS * SIZE);
    assert_int_equal(pool_find(&pool, text_number(TEXTS)), SIZE_MAX);
}

/* Of FNV, which was the pool's, the low bits follow from the low bits of what came before: texts of
 * which they are equal are made as fast as they are written. */
static void texts_that_were_chosen_do_not_pile_up(void **state)
{
    (void)state;
    struct pool pool = {.arena = &arena};
    uint64_t next = 0;
    for (uint32_t i = 0; i < TEXTS; i++) {
        uint32_t number;
        while (hash_bytes(HASH_START, &next, SIZE) % (1 << SAME_BITS) != 0) {
            next++;
        }
        assert_ok(pool_add(&pool, text_number(next++), &number));
    }
    size_t run = 0;
    size_t longest = 0;
    for (size_t i = 0; i < pool.slot_count; i++) {
        run = pool.slots[i] ? run + 1 : 0;
        longest = longest > run ? longest : run;
    }
    assert_true(pool.slot_count <= 1 << SAME_BITS);
    assert_true(longest < 64); /* some 20 by chance */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_text_has_one_number),
        cmocka_unit_test(texts_that_were_chosen_do_not_pile_up),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
