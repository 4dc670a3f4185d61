#include "ctl/recording.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/heap.h"
#include "base/own.h"
#include "base/test.h"
#include "ctl/content/content_lines.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

static char folder[] = "/tmp/recording_test.XXXXXX";

enum { LINES = 5000 };

static int enter_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

static struct text numbered(int i, char *room, size_t size)
{
    struct writer out = writer_over(room, size);
    writer_print(&out, "{\"type\":\"process_exec\",\"seq\":%d,\"command_line\":\"x %d\"}", i,
                 i * 7919);
    return writer_text(&out);
}

static struct status put_header(struct recording *r)
{
    char room[512];
    struct writer out = writer_over(room, sizeof room);
    recording_write_header(
        &(struct recording_header){
            .kernel = TEXT("6.1.0"), .version = TEXT("0.1.0"), .schema = 0xab, .started_ns = 0},
        &out);
    return recording_line(r, writer_text(&out), 0);
}

/* A recording of LINES events, a frame for each hundred. */
static void record(const char *path, bool whole)
{
    OWN(fd_drop) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    OWN(recording_drop) struct recording *r = NULL;
    char room[128];
    assert_true(fd >= 0);
    assert_ok(recording_new(fd, &r));
    assert_ok(put_header(r));
    for (int i = 0; i < LINES; i++) {
        uint64_t now_ns = (uint64_t)i * 10 * CLOCK_NS_PER_MS;
        assert_ok(recording_line(r, numbered(i, room, sizeof room), now_ns));
        if (i == LINES / 2) {
            struct writer lost = writer_over(room, sizeof room);
            recording_write_lost(12, &lost);
            assert_ok(recording_line(r, writer_text(&lost), now_ns));
        }
    }
    struct writer end = writer_over(room, sizeof room);
    recording_write_end(LINES, 12, &end);
    if (whole) {
        assert_ok(recording_line(r, writer_text(&end), 0));
    }
    assert_ok(recording_close_frame(r));
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, recording_size(r));
    assert_true(recording_raw_size(r) > 4 * recording_size(r));
}

/* Reads to the end, and counts the events, which must be the first ones. */
static struct status read_all(struct content_lines *lines, const char *path, int *count)
{
    char room[128];
    struct text line;
    *count = 0;
    TRY(content_lines_open(lines, path));
    for (;;) {
        struct status s = content_lines_next(lines, &line);
        if (s.fault == FAULT_CLOSED) {
            return OK;
        }
        TRY(s);
        struct text expected = numbered(*count, room, sizeof room);
        assert_true(text_same(line, expected));
        *count += 1;
    }
}

static void what_was_recorded_is_read(void **state)
{
    (void)state;
    OWN(content_lines_close) struct content_lines lines = {0};
    char words[200];
    int count;
    record("whole", true);
    assert_ok(read_all(&lines, "whole", &count));
    assert_int_equal(count, LINES);
    assert_int_equal(lines.line, LINES + 3); /* the notes are lines of the file */
    assert_int_equal(lines.lost, 12);
    assert_string_equal(content_lines_caveat(&lines, words, sizeof words),
                        "its recorder was too slow for 12 events, which are missing");
}

static void plain_lines_have_the_notes_too(void **state)
{
    (void)state;
    OWN(content_lines_close) struct content_lines lines = {0};
    int count;
    record("packed", true);
    assert_int_equal(system("zstd -qdf packed -o plain"), 0);
    assert_ok(read_all(&lines, "plain", &count));
    assert_int_equal(count, LINES);
    assert_int_equal(lines.lost, 12);
}

/* A kill: the file ends anywhere. What its whole frames hold is read, and that it is cut is known.
 */
static void a_cut_recording_gives_what_it_has(void **state)
{
    (void)state;
    record("cut", false);
    struct stat st;
    assert_int_equal(stat("cut", &st), 0);
    int last = LINES;
    for (off_t size = st.st_size; size >= 4; size -= 1 + size / 40) {
        OWN(content_lines_close) struct content_lines lines = {0};
        char words[200];
        int count;
        assert_int_equal(truncate("cut", size), 0);
        struct status s = read_all(&lines, "cut", &count);
        assert_ok(s);
        assert_true(count <= last && count + 250 > last * 39 / 40 - 250);
        assert_true(!lines.is_recording || content_lines_caveat(&lines, words, sizeof words));
        last = count;
    }
    assert_int_equal(last, 0);
}

/* A frame of many blocks that is cut: its whole lines are read, the one that was cut in two is not.
 */
static void a_cut_frame_gives_its_whole_lines(void **state)
{
    (void)state;
    OWN(fd_drop) int fd = open("blocks", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    OWN(recording_drop) struct recording *r = NULL;
    OWN(content_lines_close) struct content_lines lines = {0};
    char room[128];
    char words[200];
    int count;
    assert_ok(recording_new(fd, &r));
    assert_ok(recording_line(r, TEXT("{\"bulkhead_lost\":0}"), 0)); /* a block ends within a line */
    for (int i = 0; i < LINES * 2; i++) {
        assert_ok(recording_line(r, numbered(i, room, sizeof room), 0));
    }
    assert_ok(recording_close_frame(r));
    assert_ok(read_all(&lines, "blocks", &count));
    assert_int_equal(count, LINES * 2);
    assert_null(content_lines_caveat(&lines, words, sizeof words));
    content_lines_close(&lines);
    lines = (struct content_lines){0};
    assert_int_equal(truncate("blocks", (off_t)recording_size(r) - 5), 0);
    assert_ok(read_all(&lines, "blocks", &count));
    assert_true(count > LINES / 2 && count < LINES * 2);
    assert_non_null(content_lines_caveat(&lines, words, sizeof words));
}

/* Every byte that is flipped is found by a frame's checksum or form, or harmless. */
static void damage_is_found(void **state)
{
    (void)state;
    record("damaged", true);
    struct stat st;
    assert_int_equal(stat("damaged", &st), 0);
    OWN(fd_drop) int fd = open("damaged", O_RDWR);
    int refused = 0;
    int tried = 0;
    for (off_t at = 0; at < st.st_size; at += 97) {
        OWN(content_lines_close) struct content_lines lines = {0};
        char byte;
        char flipped;
        char words[200];
        int count;
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        flipped = (char)(byte ^ 0x10);
        assert_int_equal(pwrite(fd, &flipped, 1, at), 1);
        struct text line;
        struct status s = content_lines_open(&lines, "damaged");
        for (count = 0; status_ok(s); count++) {
            s = content_lines_next(&lines, &line);
        }
        tried++;
        if (s.fault == FAULT_INVALID) {
            refused++;
            assert_non_null(strstr(content_lines_fault(&lines, s, words, sizeof words), "damaged"));
        }
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    assert_true(refused * 10 > tried * 9);
}

static void put(const char *path, const void *data, size_t size)
{
    OWN(fd_drop) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, data, size), size);
}

static void garbage_is_refused_in_words(void **state)
{
    (void)state;

    static const struct {
        const char *bytes;
        size_t size;
        const char *words;
    } cases[] = {
        {"\x28\xb5\x2f\xfd\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 19,
         "damaged"},
        {"\x28\xb5\x2f\xfd\x00\xb8\x01\x00\x00", 9, "window above 8 MiB"}, /* 2 GiB or more */
        {"\x50\x2a\x4d\x18\x00\x00\x00\x00garbage", 15, "no frame begins"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        OWN(content_lines_close) struct content_lines lines = {0};
        char words[200];
        struct text line;
        put("garbage", cases[i].bytes, cases[i].size);
        assert_ok(content_lines_open(&lines, "garbage"));
        struct status s = content_lines_next(&lines, &line);
        assert_fault(s, INVALID);
        assert_non_null(
            strstr(content_lines_fault(&lines, s, words, sizeof words), cases[i].words));
    }
}

/* 1 GiB of nothing in 33 KiB: read in the memory of one line. */
static void a_bomb_takes_no_memory(void **state)
{
    (void)state;
    assert_int_equal(system("head -c 1073741824 /dev/zero | zstd -q -f -o bomb"), 0);
    OWN(content_lines_close) struct content_lines lines = {0};
    struct rlimit old;
    struct text line;
    struct rusage before;
    struct rusage after;
    (void)old;
    assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
    assert_ok(content_lines_open(&lines, "bomb"));
    assert_fault(content_lines_next(&lines, &line), LIMIT);
    assert_fault(content_lines_next(&lines, &line), CLOSED);
    assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
    assert_true(after.ru_maxrss - before.ru_maxrss < 32 * 1024);
}

static void a_newer_format_is_refused(void **state)
{
    (void)state;
    OWN(content_lines_close) struct content_lines lines = {0};
    static const char newer[] = "{\"bulkhead_recording\":2}\n";
    struct text line;
    put("newer", newer, sizeof newer - 1);
    assert_ok(content_lines_open(&lines, "newer"));
    assert_fault(content_lines_next(&lines, &line), VERSION);
}

/* As on a full disk: the frame that does not fit is taken back, and those before it are whole. */
static void a_full_disk_leaves_a_whole_file(void **state)
{
    (void)state;
    OWN(fd_drop) int fd = open("full", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    OWN(recording_drop) struct recording *r = NULL;
    OWN(content_lines_close) struct content_lines lines = {0};
    char room[128];
    struct rlimit old;
    int count;
    assert_ok(recording_new(fd, &r));
    assert_ok(recording_line(r, numbered(0, room, sizeof room), 0));
    assert_ok(recording_close_frame(r));
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){recording_size(r) + 20, old.rlim_max}), 0);
    assert_ok(recording_line(r, numbered(1, room, sizeof room), 0));
    struct status s = recording_close_frame(r);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_fault(s, SYSTEM);
    assert_ok(read_all(&lines, "full", &count));
    assert_int_equal(count, 1);
    assert_false(lines.bytes.cut);
    /* There is room again: what was gathered is not lost. */
    content_lines_close(&lines);
    assert_ok(recording_close_frame(r));
    assert_ok(read_all(&lines, "full", &count));
    assert_int_equal(count, 2);
}

static void frames_are_closed_in_time(void **state)
{
    (void)state;
    OWN(fd_drop) int fd = open("time", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    OWN(recording_drop) struct recording *r = NULL;
    assert_ok(recording_new(fd, &r));
    assert_ok(recording_line(r, TEXT("{}"), 5));
    assert_ok(recording_tick(r, 5 + CLOCK_NS_PER_S - 1));
    assert_int_equal(recording_size(r), 0);
    assert_ok(recording_tick(r, 5 + CLOCK_NS_PER_S));
    uint64_t size = recording_size(r);
    assert_true(size > 0);
    assert_ok(recording_tick(r, UINT64_MAX));
    assert_int_equal(recording_size(r), size); /* there are no empty frames */
}

static void lines_have_a_limit(void **state)
{
    (void)state;
    OWN(fd_drop) int fd = open("long", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    OWN(recording_drop) struct recording *r = NULL;
    OWN(heap_drop) char *text = heap_alloc(RECORDING_LINE_MAX + 1, 1);
    assert_ok(recording_new(fd, &r));
    assert_fault(recording_line(r, (struct text){text, RECORDING_LINE_MAX + 1}, 0), LIMIT);
    assert_ok(recording_line(r, (struct text){text, RECORDING_FRAME - 2}, 0));
    assert_int_equal(recording_size(r), 0);
    assert_ok(recording_line(r, (struct text){text, RECORDING_LINE_MAX}, 0));
    assert_true(recording_size(r) > 0);
}

/* Whichever allocation is refused, it is a status, and nothing is left open. */
static void refused_memory_is_a_status(void **state)
{
    (void)state;
    record("memory", true);
    bool all = false;
    for (unsigned long nth = 1; !all; nth++) {
        OWN(fd_drop) int fd = open("refused", O_WRONLY | O_CREAT | O_TRUNC, 0600);
        OWN(recording_drop) struct recording *r = NULL;
        OWN(content_lines_close) struct content_lines lines = {0};
        heap_fail_at(nth);
        struct status made = recording_new(fd, &r);
        struct status opened = content_lines_open(&lines, "memory");
        heap_fail_at(0);
        all = status_ok(made) && status_ok(opened);
        assert_true(all || made.fault == FAULT_MEMORY || opened.fault == FAULT_MEMORY);
        assert_true(nth < 20);
        int next = open("/dev/null", O_RDONLY);
        assert_true(next == (status_ok(opened) ? fd + 2 : fd + 1)); /* no descriptor is lost */
        close(next);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_recorded_is_read),
        cmocka_unit_test(plain_lines_have_the_notes_too),
        cmocka_unit_test(a_cut_recording_gives_what_it_has),
        cmocka_unit_test(a_cut_frame_gives_its_whole_lines),
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(garbage_is_refused_in_words),
        cmocka_unit_test(a_bomb_takes_no_memory),
        cmocka_unit_test(a_newer_format_is_refused),
        cmocka_unit_test(a_full_disk_leaves_a_whole_file),
        cmocka_unit_test(frames_are_closed_in_time),
        cmocka_unit_test(lines_have_a_limit),
        cmocka_unit_test(refused_memory_is_a_status),
    };
    return cmocka_run_group_tests(tests, enter_folder, remove_folder);
}
