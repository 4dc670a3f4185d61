/*
 * stream_bench: 512-byte records through the stream from a writer on one core to a reader on
 * another.
 *
 * Prints one JSON line: records a second, median and worst of the rounds, and the rate at which the
 * writer alone publishes. The reader checks every record's number; none may be lost.
 */
#include "base/clock.h"
#include "wire/stream.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    RING = 16 << 20,
    RECORD = 512,
    RECORDS = 5000000,
    ROUNDS = 7,
    BATCH = 64,
    AHEAD_MAX = RING / 2
};

struct bench {
    void *memory;
    struct stream_writer writer;
    struct text record;
    int wake;                       /* eventfd */
    _Atomic uint64_t read_position; /* so that the writer can wait */
};

static uint8_t room[EVENT_MAX];

static struct text make_record(void)
{
    static const char line[RECORD - EVENT_HEADER - EVENT_ENTRY] = "/usr/bin/make";
    struct event_builder b;
    struct text record = TEXT("");
    event_begin(&b, room, sizeof room);
    event_put_text(&b, FIELD_COMMAND_LINE, (struct text){.ptr = line, .len = sizeof line});
    ENSURE(status_ok(event_end(&b, (struct event_header){.type = EVENT_PROCESS_EXEC}, &record)));
    ENSURE(record.len == RECORD);
    return record;
}

static void stay_on(size_t core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    sched_setaffinity(0, sizeof set, &set);
}

static bool too_far_ahead(struct bench *bench, uint64_t position)
{
    return position - atomic_load_explicit(&bench->read_position, memory_order_relaxed) > AHEAD_MAX;
}

static void *write_all(void *argument)
{
    struct bench *bench = argument;
    stay_on(0);
    for (uint64_t i = 0; i < RECORDS; i++) {
        stream_publish(&bench->writer, bench->record);
        if (i % BATCH == BATCH - 1) {
            ENSURE(eventfd_write(bench->wake, 1) == 0);
        }
        while (i % BATCH == 0 && too_far_ahead(bench, (i + 1) * RECORD)) {
            sched_yield();
        }
    }
    return NULL;
}

static void *read_all(void *argument)
{
    struct bench *bench = argument;
    static uint8_t buffer[EVENT_MAX];
    struct stream_reader r;
    struct text record;
    eventfd_t times;
    stay_on(1);
    ENSURE(status_ok(stream_open(bench->memory, stream_memory(RING), 0, &r)));
    r.next_seq = 1;
    while (r.next_seq <= RECORDS) {
        struct status s = stream_next(&r, buffer, &record);
        atomic_store_explicit(&bench->read_position, r.position, memory_order_relaxed);
        if (!status_ok(s)) {
            ENSURE(s.fault == FAULT_AGAIN && eventfd_read(bench->wake, &times) == 0);
        }
    }
    ENSURE(r.lost == 0);
    return NULL;
}

static double per_second(uint64_t start_ns)
{
    return (double)RECORDS * CLOCK_NS_PER_S / (double)(clock_boot_ns() - start_ns);
}

static double both(struct bench *bench)
{
    pthread_t writer;
    pthread_t reader;
    ENSURE(status_ok(stream_make(bench->memory, RING, &bench->writer)));
    atomic_store(&bench->read_position, 0);
    uint64_t start_ns = clock_boot_ns();
    ENSURE(pthread_create(&writer, NULL, write_all, bench) == 0);
    ENSURE(pthread_create(&reader, NULL, read_all, bench) == 0);
    pthread_join(writer, NULL);
    pthread_join(reader, NULL);
    return per_second(start_ns);
}

static double writer_alone(struct bench *bench)
{
    uint64_t start_ns = clock_boot_ns();
    for (uint64_t i = 0; i < RECORDS; i++) {
        stream_publish(&bench->writer, bench->record);
    }
    return per_second(start_ns);
}

static int by_rate(const void *a, const void *b)
{
    const double *left = a;
    const double *right = b;
    return (*left > *right) - (*left < *right);
}

int main(void)
{
    struct bench bench = {.record = make_record()};
    double rates[ROUNDS];
    bench.memory = mmap(NULL, stream_memory(RING), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    bench.wake = eventfd(0, EFD_CLOEXEC);
    ENSURE(bench.memory != MAP_FAILED && bench.wake >= 0);
    for (int i = 0; i < ROUNDS; i++) {
        rates[i] = both(&bench);
    }
    qsort(rates, ROUNDS, sizeof rates[0], by_rate);
    printf("{\"bench\":\"stream\",\"record_bytes\":%d,\"records_per_second\":%.0f,"
           "\"worst_per_second\":%.0f,\"writer_alone_per_second\":%.0f}\n",
           RECORD, rates[ROUNDS / 2], rates[0], writer_alone(&bench));
    return 0;
}
