#include "courier/spool.h"

#include "base/own.h"
#include "base/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE = 64, ROOM = 4096 };

/* Room for ten lines a file, three files. */
static const struct spool_limits limits = {.file_bytes = 10 * LINE, .files = 3};

static char folder_path[64];
static int folder;

static int set_up(void **state)
{
    (void)state;
    text_copy(TEXT("/tmp/bulkhead-spool-XXXXXX"), folder_path, sizeof folder_path);
    folder = mkdtemp(folder_path) ? open(folder_path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    return folder < 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    fd_drop(&folder);
    snprintf(command, sizeof command, "rm -rf '%s'", folder_path);
    return system(command);
}

/* A line of LINE bytes as an event's begins. */
static struct text line(uint64_t seq, char *out)
{
    int len = snprintf(out, LINE, "{\"type\":\"alert\",\"seq\":%llu,\"time\":\"%lluZ\"",
                       (unsigned long long)seq, (unsigned long long)seq * 1000);
    memset(out + len, ' ', (size_t)(LINE - len));
    out[LINE - 2] = '}';
    out[LINE - 1] = '\n';
    return (struct text){.ptr = out, .len = LINE};
}

static struct text content(const char *name, char *room)
{
    OWN(fd_drop) int file = openat(folder, name, O_RDONLY | O_CLOEXEC);
    ssize_t len = file < 0 ? 0 : read(file, room, ROOM);
    return (struct text){.ptr = room, .len = (size_t)len};
}

static void append_lines(struct spool *spool, uint64_t from, uint64_t to)
{
    char room[LINE];
    for (uint64_t seq = from; seq <= to; seq++) {
        assert_ok(spool_append(spool, line(seq, room)));
    }
}

static void put(const char *name, struct text bytes)
{
    OWN(fd_drop) int file = openat(folder, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_int_equal(write(file, bytes.ptr, bytes.len), bytes.len);
}

static void goes_on_after_the_last_line(void **state)
{
    (void)state;
    struct spool spool;
    char room[ROOM];
    assert_ok(spool_open(folder, limits, &spool));
    assert_int_equal(spool.last_seq, 0);
    append_lines(&spool, 7, 8);
    assert_ok(spool_sync(&spool));
    spool_close(&spool);
    assert_ok(spool_open(folder, limits, &spool));
    assert_int_equal(spool.last_seq, 8);
    append_lines(&spool, 9, 9);
    spool_close(&spool);
    assert_int_equal(content("alerts.jsonl", room).len, 3 * LINE);
}

static void half_a_line_is_cut_off(void **state)
{
    (void)state;
    struct spool spool;
    char room[ROOM], one[LINE];
    put("alerts.jsonl", line(1, one));
    put("alerts.jsonl", text_part(line(2, one), 0, 30));
    assert_ok(spool_open(folder, limits, &spool));
    assert_int_equal(spool.last_seq, 1);
    append_lines(&spool, 3, 3);
    spool_close(&spool);
    struct text all = content("alerts.jsonl", room);
    assert_int_equal(all.len, 2 * LINE);
    assert_true(text_same(text_part(all, LINE, LINE), line(3, one)));
}

/* logrotate, or somebody with rm: what comes next is not written where nobody finds it. */
static void a_file_that_others_moved_is_opened_anew(void **state)
{
    (void)state;
    struct spool spool;
    char room[ROOM], one[LINE];
    bool moved = true;
    assert_ok(spool_open(folder, limits, &spool));
    append_lines(&spool, 1, 2);
    assert_ok(spool_sync(&spool));
    assert_ok(spool_look(&spool, &moved));
    assert_false(moved);
    assert_int_equal(renameat(folder, "alerts.jsonl", folder, "moved"), 0);
    assert_ok(spool_look(&spool, &moved));
    assert_true(moved);
    append_lines(&spool, 3, 3);
    assert_ok(spool_sync(&spool));
    assert_int_equal(content("moved", room).len, 2 * LINE);
    assert_true(text_same(content("alerts.jsonl", room), line(3, one)));
    assert_int_equal(unlinkat(folder, "alerts.jsonl", 0), 0);
    put("alerts.jsonl", line(9, one)); /* another file of that name */
    assert_ok(spool_look(&spool, &moved));
    assert_true(moved);
    append_lines(&spool, 4, 4);
    assert_true(text_same(content("alerts.jsonl", room), line(4, one)));
    spool_close(&spool);
    unlinkat(folder, "moved", 0);
}

static void old_files_move_on_and_the_eldest_goes(void **state)
{
    (void)state;
    struct spool spool;
    char room[ROOM], one[LINE];
    assert_ok(spool_open(folder, limits, &spool));
    append_lines(&spool, 1, 35);
    spool_close(&spool);
    assert_int_equal(content("alerts.jsonl", room).len, 5 * LINE);
    struct text older = content("alerts.jsonl.1", room);
    assert_int_equal(older.len, 10 * LINE);
    assert_true(text_same(text_part(older, 0, LINE), line(21, one)));
    assert_true(text_same(text_part(content("alerts.jsonl.2", room), 0, LINE), line(11, one)));
    assert_int_equal(content("alerts.jsonl.3", room).len, 0);
}

/* A crash after the files moved on and before there was a new one: nothing moves twice. */
static void missing_newest_moves_nothing(void **state)
{
    (void)state;
    struct spool spool;
    char room[ROOM], one[LINE];
    put("alerts.jsonl.1", line(5, one));
    put("alerts.jsonl.2", line(4, one));
    assert_ok(spool_open(folder, limits, &spool));
    assert_int_equal(spool.last_seq, 5);
    append_lines(&spool, 6, 6);
    spool_close(&spool);
    assert_true(text_same(content("alerts.jsonl.1", room), line(5, one)));
    assert_true(text_same(content("alerts.jsonl.2", room), line(4, one)));
}

/* A crash between two moves leaves a gap: what is behind it stays. */
static void a_gap_is_filled_first(void **state)
{
    (void)state;
    struct spool spool;
    char room[ROOM], one[LINE];
    struct spool_limits small = {.file_bytes = 1, .files = 3};
    put("alerts.jsonl", line(5, one));
    put("alerts.jsonl.2", line(4, one));
    assert_ok(spool_open(folder, small, &spool));
    append_lines(&spool, 6, 6);
    spool_close(&spool);
    assert_true(text_same(content("alerts.jsonl.1", room), line(5, one)));
    assert_true(text_same(content("alerts.jsonl.2", room), line(4, one)));
}

static void what_is_no_file_is_put_aside(void **state)
{
    (void)state;
    struct spool spool;
    struct stat info;
    char room[ROOM];
    assert_int_equal(symlinkat("/etc/passwd", folder, "alerts.jsonl"), 0);
    assert_ok(spool_open(folder, limits, &spool));
    append_lines(&spool, 1, 1);
    spool_close(&spool);
    assert_int_equal(content("alerts.jsonl", room).len, LINE);
    assert_int_equal(fstatat(folder, "alerts.jsonl.1", &info, AT_SYMLINK_NOFOLLOW), 0);
    assert_true(S_ISLNK(info.st_mode));
}

static void limit_files_to(rlim_t bytes)
{
    struct rlimit now;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &now), 0);
    now.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
}

/* The limit on a file's size stands for a full disk: a write stops in the middle of a line. */
static void full_disk_leaves_whole_lines(void **state)
{
    (void)state;
    struct spool spool;
    char room[ROOM], one[LINE];
    signal(SIGXFSZ, SIG_IGN);
    assert_ok(spool_open(folder, limits, &spool));
    append_lines(&spool, 1, 2);
    limit_files_to(2 * LINE + 20);
    assert_fault(spool_append(&spool, line(3, one)), SYSTEM);
    assert_fault(spool_append(&spool, line(3, one)), SYSTEM);
    limit_files_to(RLIM_INFINITY);
    append_lines(&spool, 3, 3);
    spool_close(&spool);
    struct text all = content("alerts.jsonl", room);
    assert_int_equal(all.len, 3 * LINE);
    assert_true(text_same(text_part(all, 2 * LINE, LINE), line(3, one)));
}

static void finds_lines_in_all_files(void **state)
{
    (void)state;
    struct spool spool;
    bool has;
    assert_ok(spool_open(folder, limits, &spool));
    append_lines(&spool, 1, 25);
    assert_ok(spool_has(&spool, TEXT("{\"type\":\"alert\",\"seq\":3,\"time\":\"3000Z\""), &has));
    assert_true(has);
    assert_ok(spool_has(&spool, TEXT("{\"type\":\"alert\",\"seq\":25,\"time\":\"25000Z\""), &has));
    assert_true(has);
    assert_ok(spool_has(&spool, TEXT("{\"type\":\"alert\",\"seq\":3,\"time\":\"3001Z\""), &has));
    assert_false(has);
    spool_close(&spool);
}

#define SPOOL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPOOL_TEST(goes_on_after_the_last_line),
        SPOOL_TEST(half_a_line_is_cut_off),
        SPOOL_TEST(a_file_that_others_moved_is_opened_anew),
        SPOOL_TEST(old_files_move_on_and_the_eldest_goes),
        SPOOL_TEST(missing_newest_moves_nothing),
        SPOOL_TEST(a_gap_is_filled_first),
        SPOOL_TEST(what_is_no_file_is_put_aside),
        SPOOL_TEST(full_disk_leaves_whole_lines),
        SPOOL_TEST(finds_lines_in_all_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
