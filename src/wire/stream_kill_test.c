/* Real processes, interrupted for real: a writer that is killed at random moments and after each of
 * its instructions, a reader that is overtaken after each of its own. */
#include "wire/stream_sample.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = STREAM_SIZE_MIN, MEMORY = STREAM_PAGE + SIZE };

static uint8_t *shared; /* what the killed writer wrote */
static uint8_t *copy;   /* where a new writer resumes, so that the old one can go on */
static uint8_t made[EVENT_MAX];
static uint8_t got[EVENT_MAX];

static int map_memory(void **state)
{
    (void)state;
    shared = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    copy = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct stream_writer w;
    return status_ok(stream_make(shared, SIZE, &w)) ? 0 : -1;
}

static int unmap_memory(void **state)
{
    (void)state;
    return munmap(shared, MEMORY) | munmap(copy, MEMORY);
}

static size_t size_for(uint64_t mark)
{
    return mark % 50 == 0 ? 40000 : 64 + mark * 7919 % 900 / 8 * 8;
}

static uint64_t publish_next(struct stream_writer *w)
{
    uint64_t mark = w->last_origin + 1;
    return stream_publish(w, sample_make(mark, size_for(mark), made));
}

/* Every whole record of the ring: no gap, no torn one. Returns the last one's number, 0: none. */
static uint64_t check_ring(const uint8_t *memory)
{
    struct stream_reader r;
    struct text record;
    struct status s;
    uint64_t last = 0;
    assert_ok(stream_open(memory, MEMORY, 0, &r));
    while (status_ok(s = stream_next(&r, got, &record))) {
        uint64_t mark = sample_check(record);
        assert_true(last == 0 || mark == last + 1);
        assert_int_equal(r.next_seq, mark + 1);
        last = mark;
    }
    assert_int_equal(s.fault, FAULT_AGAIN);
    assert_int_equal(r.lost, 0);
    return last;
}

/* ── at random moments ── */

static void publish_for_ever(void)
{
    struct stream_writer w;
    if (!status_ok(stream_resume(shared, MEMORY, &w))) {
        _exit(1);
    }
    while (true) {
        publish_next(&w);
    }
}

static void a_killed_writer_can_be_followed(void **state)
{
    (void)state;
    struct stream_reader r;
    uint64_t seen = 0;
    assert_ok(stream_open(shared, MEMORY, 0, &r));
    for (int round = 0; round < 200; round++) {
        pid_t pid = fork();
        if (pid == 0) {
            publish_for_ever();
        }
        usleep((useconds_t)random() % 3000);
        kill(pid, SIGKILL);
        int how;
        waitpid(pid, &how, 0);
        assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
        uint64_t last = check_ring(shared);
        assert_true(last >= seen);
        seen = last ? last : seen;
    }
    /* The reader that was there all the time lost what it lost to its slowness, and nothing else.
     */
    uint64_t read = 0;
    struct text record;
    r.next_seq = 1;
    while (status_ok(stream_next(&r, got, &record))) {
        read++;
    }
    assert_int_equal(read + r.lost, seen);
    assert_true(seen > 10000);
}

/* ── after every instruction ── */

enum { STEPPED = 30 };

/* A ring that is full and about to wrap, so that the next records do all that a writer ever does.
 */
static uint64_t fill_ring(void)
{
    struct stream_writer w;
    assert_ok(stream_resume(shared, MEMORY, &w));
    uint64_t seq = 0;
    while (atomic_load(&w.page->head) < 3 * SIZE - 6000) {
        seq = publish_next(&w);
    }
    return seq;
}

static void publish_stepped(void)
{
    struct stream_writer w;
    struct text records[STEPPED];
    static uint8_t room[STEPPED][EVENT_MAX];
    if (!status_ok(stream_resume(shared, MEMORY, &w))) {
        _exit(1);
    }
    for (unsigned i = 0; i < STEPPED; i++) {
        uint64_t mark = w.last_origin + 1 + i;
        records[i] = sample_make(mark, size_for(mark) % 600 / 8 * 8 + 64, room[i]);
    }
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    raise(SIGSTOP);
    for (unsigned i = 0; i < STEPPED; i++) {
        stream_publish(&w, records[i]);
    }
    _exit(0);
}

/* What a new guard finds if the old one stops existing right here: it must be able to publish the
 * very next record, without a gap and without a double. Returns the last number before that. */
static uint64_t follow(void)
{
    struct stream_writer w;
    memcpy(copy, shared, MEMORY);
    assert_ok(stream_resume(copy, MEMORY, &w));
    uint64_t last = w.last_origin;
    assert_int_equal(atomic_load(&w.page->seq), last);
    assert_int_equal(publish_next(&w), last + 1);
    assert_int_equal(check_ring(copy), last + 1);
    return last;
}

static void every_instruction_may_be_the_last(void **state)
{
    (void)state;
    uint64_t last = fill_ring();
    uint64_t end = last + STEPPED;
    pid_t pid = fork();
    if (pid == 0) {
        publish_stepped();
    }
    int how;
    unsigned followed = 0;
    waitpid(pid, &how, 0);
    assert_true(WIFSTOPPED(how));
    while (WIFSTOPPED(how)) {
        uint64_t now = follow();
        assert_true(now == last || now == last + 1);
        last = now;
        followed++;
        assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
        waitpid(pid, &how, 0);
    }
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    assert_int_equal(last, end);
    print_message("# %u moments followed\n", followed);
}

/* ── a reader overtaken after every instruction ── */

/* Under a sanitizer a read takes twenty times the instructions: look at some of them. */
#ifndef STRIDE
#define STRIDE 1
#endif

enum { LAP = 20, READ_WHOLE = 0, READ_TORN = 1, READ_MISCOUNTED = 2 };

/* Reads the oldest record of the ring, and says by its exit what came of it. */
static void read_stepped(uint64_t oldest)
{
    struct stream_reader r;
    struct text record = TEXT("");
    struct event event;
    if (!status_ok(stream_open(shared, MEMORY, 0, &r))) {
        _exit(READ_TORN);
    }
    r.next_seq = oldest;
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    raise(SIGSTOP);
    struct status s = stream_next(&r, got, &record);
    raise(SIGSTOP);
    if (!status_ok(s) || !status_ok(event_open(record, &event))) {
        _exit(READ_TORN);
    }
    struct text line = event_text(&event, FIELD_COMMAND_LINE);
    for (size_t i = 0; i < line.len; i++) {
        if (line.ptr[i] != sample_byte(event.header.origin)) {
            _exit(READ_TORN);
        }
    }
    _exit(event.header.seq == oldest + r.lost ? READ_WHOLE : READ_MISCOUNTED);
}

/* Lets a reader take `steps` instructions, laps it, and lets it end. False: it had read before. */
static bool overtake_after(unsigned steps, uint64_t oldest, struct stream_writer *w)
{
    pid_t pid = fork();
    if (pid == 0) {
        read_stepped(oldest);
    }
    int how;
    waitpid(pid, &how, 0);
    bool reading = true;
    for (unsigned i = 0; i < steps && reading; i++) {
        assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
        waitpid(pid, &how, 0);
        reading = WSTOPSIG(how) == SIGTRAP;
    }
    for (int i = 0; i < LAP; i++) {
        stream_publish(w, sample_make(w->last_origin + 1, 512, made));
    }
    while (WIFSTOPPED(how)) {
        ptrace(PTRACE_CONT, pid, NULL, NULL);
        waitpid(pid, &how, 0);
    }
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), READ_WHOLE);
    return reading;
}

static void a_reader_may_be_overtaken_at_any_instruction(void **state)
{
    (void)state;
    struct stream_writer w;
    unsigned steps = 0;
    assert_ok(stream_resume(shared, MEMORY, &w));
    for (int i = 0; i < 2 * SIZE / 512; i++) {
        stream_publish(&w, sample_make(w.last_origin + 1, 512, made));
    }
    bool reading = true;
    while (reading) {
        struct stream_reader r;
        struct text record;
        assert_ok(stream_open(shared, MEMORY, 0, &r));
        assert_ok(stream_next(&r, got, &record));
        reading = overtake_after(steps, sample_check(record), &w);
        steps += STRIDE;
    }
    assert_true(steps > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_killed_writer_can_be_followed, map_memory, unmap_memory),
        cmocka_unit_test_setup_teardown(every_instruction_may_be_the_last, map_memory,
                                        unmap_memory),
        cmocka_unit_test_setup_teardown(a_reader_may_be_overtaken_at_any_instruction, map_memory,
                                        unmap_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
