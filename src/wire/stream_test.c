#include "wire/stream_sample.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { SIZE = STREAM_SIZE_MIN };

static _Alignas(4096) uint8_t memory[STREAM_PAGE + SIZE];
static uint8_t made[EVENT_MAX];
static uint8_t got[EVENT_MAX];
static struct stream_writer writer;
static uint64_t published;

static int fresh(void **state)
{
    (void)state;
    published = 0;
    return status_ok(stream_make(memory, SIZE, &writer)) ? 0 : -1;
}

/* Publishes the next sample: its mark is its sequence number. */
static void publish(size_t size)
{
    published++;
    assert_int_equal(stream_publish(&writer, sample_make(published, size, made)), published);
}

static struct stream_reader reader_from(uint64_t position)
{
    struct stream_reader r;
    assert_ok(stream_open(memory, sizeof memory, position, &r));
    return r;
}

static uint64_t next(struct stream_reader *r)
{
    struct text record;
    struct event event;
    assert_ok(stream_next(r, got, &record));
    assert_ok(event_open(record, &event));
    assert_int_equal(event.header.seq, sample_check(record));
    return event.header.seq;
}

static void assert_empty(struct stream_reader *r)
{
    struct text record = TEXT("untouched");
    assert_fault(stream_next(r, got, &record), AGAIN);
    assert_text(record, "untouched");
}

static void records_come_back_in_order(void **state)
{
    (void)state;
    struct stream_reader r = reader_from(0);
    assert_empty(&r);
    for (uint64_t seq = 1; seq <= 100; seq++) {
        publish(64 + seq * 8);
    }
    assert_int_equal(stream_lag(&r), atomic_load(&writer.page->head));
    for (uint64_t seq = 1; seq <= 100; seq++) {
        assert_int_equal(next(&r), seq);
    }
    assert_empty(&r);
    assert_int_equal(stream_lag(&r), 0);
    assert_int_equal(r.lost, 0);
}

static void each_type_has_its_own_numbers(void **state)
{
    (void)state;
    struct stream_reader r = reader_from(0);
    uint64_t of_type[EVENT_COUNT] = {0};
    for (int i = 0; i < 20; i++) {
        publish(128);
    }
    for (int i = 0; i < 20; i++) {
        struct event event;
        next(&r);
        assert_ok(event_open((struct text){.ptr = (char *)got, .len = 128}, &event));
        assert_int_equal(event.header.type_seq, ++of_type[event.header.type]);
    }
    assert_int_equal(of_type[EVENT_PROCESS_EXIT], 6);
}

/* Sizes that do not divide the ring leave filler of every length at its end. */
static void the_ring_wraps(void **state)
{
    (void)state;
    struct stream_reader r = reader_from(0);
    for (unsigned i = 0; i < 20000; i++) {
        publish(64 + (i * 7919ULL) % 3000 / 8 * 8);
        assert_int_equal(next(&r), published);
    }
    assert_int_equal(r.lost, 0);
    assert_true(atomic_load(&writer.page->head) > 100ULL * SIZE);
}

static void the_largest_record_fits_wherever_the_head_is(void **state)
{
    (void)state;
    struct stream_reader r = reader_from(0);
    for (unsigned i = 0; i < 500; i++) {
        publish(i % 2 ? EVENT_MAX : 64 + i * 8);
        assert_int_equal(next(&r), published);
    }
    assert_int_equal(r.lost, 0);
}

static void a_slow_reader_counts_what_it_lost(void **state)
{
    (void)state;
    struct stream_reader r = reader_from(0);
    publish(512);
    assert_int_equal(next(&r), 1);
    for (int i = 0; i < 3000; i++) {
        publish(512);
    }
    uint64_t first = next(&r);
    assert_true(first > 2);
    assert_int_equal(r.lost, first - 2);
    uint64_t read = 1;
    while (r.next_seq <= published) {
        next(&r);
        read++;
    }
    assert_empty(&r);
    assert_int_equal(1 + read + r.lost, published);
    /* Almost a whole ring was still there: the writer gives up a stride and no more. */
    assert_true(read * 512 >= SIZE - SIZE / 32);
}

static void a_reader_that_knows_its_number_counts_from_there(void **state)
{
    (void)state;
    for (int i = 0; i < 3000; i++) {
        publish(512);
    }
    struct stream_reader r = reader_from(512);
    r.next_seq = 2;
    uint64_t first = next(&r);
    assert_int_equal(r.lost, first - 2);
}

static void positions_are_clamped(void **state)
{
    (void)state;
    publish(512);
    struct stream_reader now = reader_from(STREAM_FROM_NOW);
    assert_empty(&now);
    publish(512);
    assert_int_equal(next(&now), 2);
    struct stream_reader ahead = reader_from(5000000);
    assert_empty(&ahead);
    struct stream_reader middle = reader_from(512);
    assert_int_equal(next(&middle), 2);
}

static void resume_continues_the_numbers(void **state)
{
    (void)state;
    struct stream_reader r = reader_from(0);
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 77; i++) {
            publish(512);
            assert_int_equal(next(&r), published);
        }
        assert_ok(stream_resume(memory, sizeof memory, &writer));
        assert_int_equal(writer.last_origin, published);
    }
    assert_int_equal(r.lost, 0);
    assert_int_equal(atomic_load(&writer.page->generation), 1 + 2 * 50);
    stream_leave(&writer);
    assert_ok(stream_resume(memory, sizeof memory, &writer));
    assert_int_equal(atomic_load(&writer.page->generation), 1 + 2 * 50 + 2);
}

/* What the page says is behind by one record if the writer died right after it moved head. */
static void resume_mends_the_page(void **state)
{
    (void)state;
    publish(512);
    publish(512);
    struct stream_page before;
    memcpy(&before, memory, sizeof before);
    publish(512);
    atomic_store(&writer.page->seq, before.seq);
    atomic_store(&writer.page->origin, before.origin);
    memcpy((void *)writer.page->type_seq, (const void *)before.type_seq, sizeof before.type_seq);
    assert_ok(stream_resume(memory, sizeof memory, &writer));
    assert_int_equal(writer.last_origin, 3);
    assert_int_equal(atomic_load(&writer.page->type_seq[EVENT_PROCESS_EXIT]), 1);
    struct stream_reader r = reader_from(2 * 512);
    publish(512);
    assert_int_equal(next(&r), 3);
    assert_int_equal(next(&r), 4);
}

/* Events of guard itself have no origin; the last one that has stays known though it is
 * overwritten. */
static void the_origin_outlives_its_record(void **state)
{
    (void)state;
    publish(512);
    struct text record = sample_make(0, 512, made);
    for (int i = 0; i < 1000; i++) {
        stream_publish(&writer, record);
    }
    assert_ok(stream_resume(memory, sizeof memory, &writer));
    assert_int_equal(writer.last_origin, 1);
}

static void garbage_is_refused(void **state)
{
    (void)state;
    struct stream_writer w;
    struct stream_reader r;
    for (int i = 0; i < 300; i++) {
        publish(512);
    }
    assert_fault(stream_resume(memory, sizeof memory - 1, &w), INVALID);
    assert_fault(stream_open(memory, STREAM_PAGE, 0, &r), INVALID);
    writer.page->version++;
    assert_fault(stream_resume(memory, sizeof memory, &w), VERSION);
    assert_fault(stream_open(memory, sizeof memory, 0, &r), VERSION);
    writer.page->version--;
    writer.page->schema_hash++;
    assert_fault(stream_resume(memory, sizeof memory, &w), VERSION);
    writer.page->schema_hash--;
    atomic_fetch_add(&writer.page->size, 8);
    assert_fault(stream_resume(memory, sizeof memory, &w), INVALID);
    atomic_fetch_sub(&writer.page->size, 8);
    atomic_fetch_add(&writer.page->tail, 8);
    assert_fault(stream_resume(memory, sizeof memory, &w), INVALID);
    atomic_fetch_sub(&writer.page->tail, 8);
    assert_ok(stream_resume(memory, sizeof memory, &w));
    writer.page->magic = 0;
    assert_fault(stream_resume(memory, sizeof memory, &w), INVALID);
}

static void a_record_across_the_end_is_refused(void **state)
{
    (void)state;
    struct stream_writer w;
    struct text record;
    for (int i = 0; i < SIZE / 512; i++) {
        publish(512);
    }
    struct stream_reader r = reader_from(SIZE - 512);
    uint32_t size = 1024;
    memcpy(memory + sizeof memory - 512, &size, sizeof size);
    atomic_fetch_add(&writer.page->head, 512);
    atomic_fetch_add(&writer.page->tail, 512);
    assert_fault(stream_next(&r, got, &record), INVALID);
    assert_fault(stream_resume(memory, sizeof memory, &w), INVALID);
}

static void sizes_are_bounded(void **state)
{
    (void)state;
    struct stream_writer w;
    assert_fault(stream_make(memory, SIZE / 2, &w), LIMIT);
    assert_fault(stream_make(memory, SIZE + 8, &w), LIMIT);
    assert_fault(stream_make(memory, (size_t)STREAM_SIZE_MAX * 2, &w), LIMIT);
}

/* A damaged ring ends in a status: never in a read outside it, never in a loop. */
static void a_reader_survives_any_word(void **state)
{
    (void)state;
    for (int i = 0; i < 300; i++) {
        publish(512);
    }
    static _Alignas(4096) uint8_t copy[sizeof memory];
    srandom(7);
    for (int round = 0; round < 3000; round++) {
        memcpy(copy, memory, sizeof memory);
        size_t from = round % 2 ? STREAM_PAGE : 0;
        size_t at = from + (size_t)random() % (from ? SIZE : 256);
        copy[at] = (uint8_t)random();
        struct stream_reader r;
        struct text record;
        if (!status_ok(stream_open(copy, sizeof copy, 0, &r))) {
            continue;
        }
        int reads = 0;
        while (status_ok(stream_next(&r, got, &record))) {
            assert_true(record.len <= EVENT_MAX && ++reads <= 300);
        }
    }
}

enum { RACE_RECORDS = 1000000, RACE_READERS = 2, RACE_SAMPLES = 64 };

/* Made before, so that the writer is much faster than readers that look at every byte. */
static void *race_writer(void *argument)
{
    (void)argument;
    static uint8_t room[RACE_SAMPLES][2048];
    struct text samples[RACE_SAMPLES];
    for (unsigned i = 0; i < RACE_SAMPLES; i++) {
        samples[i] = sample_make(i, 64 + i * 24, made);
        memcpy(room[i], made, samples[i].len);
        samples[i].ptr = (char *)room[i];
    }
    for (unsigned i = 0; i < RACE_RECORDS; i++) {
        stream_publish(&writer, samples[i % RACE_SAMPLES]);
    }
    return NULL;
}

/* Reads all there is while it is overwritten; what was read and what was lost add up. */
static void *race_reader(void *argument)
{
    uint64_t *read = argument;
    struct stream_reader r = reader_from(0);
    uint8_t room[EVENT_MAX];
    struct text record;
    r.next_seq = 1;
    while (r.next_seq <= RACE_RECORDS) {
        struct status s = stream_next(&r, room, &record);
        if (status_ok(s)) {
            sample_check(record);
            (*read)++;
        } else {
            assert_int_equal(s.fault, FAULT_AGAIN);
        }
    }
    assert_int_equal(*read + r.lost, RACE_RECORDS);
    return NULL;
}

static void racing_readers_see_whole_records_only(void **state)
{
    (void)state;
    pthread_t threads[1 + RACE_READERS];
    uint64_t read[RACE_READERS] = {0};
    pthread_create(&threads[0], NULL, race_writer, NULL);
    for (int i = 0; i < RACE_READERS; i++) {
        pthread_create(&threads[1 + i], NULL, race_reader, &read[i]);
    }
    for (int i = 0; i < 1 + RACE_READERS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_true(read[0] > 0 && read[1] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(records_come_back_in_order, fresh),
        cmocka_unit_test_setup(each_type_has_its_own_numbers, fresh),
        cmocka_unit_test_setup(the_ring_wraps, fresh),
        cmocka_unit_test_setup(the_largest_record_fits_wherever_the_head_is, fresh),
        cmocka_unit_test_setup(a_slow_reader_counts_what_it_lost, fresh),
        cmocka_unit_test_setup(a_reader_that_knows_its_number_counts_from_there, fresh),
        cmocka_unit_test_setup(positions_are_clamped, fresh),
        cmocka_unit_test_setup(resume_continues_the_numbers, fresh),
        cmocka_unit_test_setup(resume_mends_the_page, fresh),
        cmocka_unit_test_setup(the_origin_outlives_its_record, fresh),
        cmocka_unit_test_setup(garbage_is_refused, fresh),
        cmocka_unit_test_setup(a_record_across_the_end_is_refused, fresh),
        cmocka_unit_test_setup(sizes_are_bounded, fresh),
        cmocka_unit_test_setup(a_reader_survives_any_word, fresh),
        cmocka_unit_test_setup(racing_readers_see_whole_records_only, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
