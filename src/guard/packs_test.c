/* Which pack is active, and what lies under which name, after each way that leads there. */
#include "base/own.h"
#include "base/test.h"
#include "guard/guard.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RING = STREAM_SIZE_MIN };

static struct guard guard;
static struct kept kept;
static _Alignas(4096) uint8_t ring[STREAM_PAGE + RING];
static char given[HOME_PATH + 16];

static void write_file(const char *path, const char *words)
{
    OWN(fd_drop) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, words, strlen(words)), strlen(words));
}

static void put(const char *name, const char *words)
{
    char room[HOME_PATH];
    write_file(home_path(&guard.home, name, room), words);
}

static const char *read_open(int fd)
{
    static char words[64];
    ssize_t len = fd < 0 ? 0 : pread(fd, words, sizeof words - 1, 0);
    words[len] = 0;
    return words;
}

/* "" where there is none. */
static const char *there(const char *name)
{
    char room[HOME_PATH];
    OWN(fd_drop) int fd = open(home_path(&guard.home, name, room), O_RDONLY | O_CLOEXEC);
    return read_open(fd);
}

/* It is written while guard goes on. */
static void wait_for_choice(void)
{
    int status = 0;
    while (guard.choice_pid > 0) {
        assert_int_equal(waitpid(guard.choice_pid, &status, 0), guard.choice_pid);
        packs_on_end(&guard, status);
        assert_int_equal(status, 0);
    }
}

static void close_packs(void)
{
    fd_drop(&guard.active_fd);
    fd_drop(&guard.previous_fd);
}

static int start(void **state)
{
    (void)state;
    char why[HOME_PATH];
    char folder[] = "/tmp/packs_test_XXXXXX";
    memset(&kept, 0, sizeof kept);
    memset(ring, 0, sizeof ring);
    guard.options = (struct options){0};
    guard.kept = &kept;
    guard.active_fd = guard.previous_fd = -1;
    assert_non_null(mkdtemp(folder));
    assert_ok(home_open(folder, &guard.home));
    assert_ok(home_make(&guard.home, why));
    assert_ok(stream_make(ring, RING, &guard.stream));
    snprintf(given, sizeof given, "%s/given.pack", guard.home.root);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    char command[HOME_PATH + 16];
    close_packs();
    wait_for_choice();
    snprintf(command, sizeof command, "rm -rf %s", guard.home.root);
    return system(command);
}

/* Guard is killed, and started again. */
static void start_again(void)
{
    close_packs();
    wait_for_choice();
    packs_open(&guard);
}

/* After a clean end, or with the machine: nothing but files is left. */
static void start_anew(void)
{
    wait_for_choice();
    memset(&kept, 0, sizeof kept);
    start_again();
}

/* An engine accepted it and calls it by its first word. */
static void install(enum pack_place place, int *fd)
{
    struct pack_note note = {.rules = 1};
    snprintf(note.digest, sizeof note.digest, "%s", read_open(*fd));
    packs_install(&guard, place, &note, fd);
}

static void load(const char *words)
{
    enum pack_place place;
    OWN(fd_drop) int fd = -1;
    put("content/content.pack.next", words);
    assert_ok(packs_take(&guard, &place, &fd));
    assert_string_equal(there("content/content.pack.next"), "");
    install(place, &fd);
    assert_string_equal(there("content/content.pack.trial"), "");
}

static void roll_back(void)
{
    enum pack_place place;
    OWN(fd_drop) int fd = -1;
    assert_ok(packs_take_previous(&guard, &place, &fd));
    install(place, &fd);
}

static void assert_active(const char *active, const char *previous)
{
    assert_string_equal(read_open(guard.active_fd), active);
    assert_string_equal(read_open(guard.previous_fd), previous);
}

/* … and the same after guard was killed, when the names alone are left. */
static void assert_lasting(const char *active, const char *previous)
{
    assert_active(active, previous);
    start_again();
    assert_active(active, previous);
}

static void nothing_is_there_at_first(void **state)
{
    (void)state;
    packs_open(&guard);
    assert_active("", "");
    enum pack_place place;
    int fd;
    assert_fault(packs_take(&guard, &place, &fd), MISSING);
    assert_fault(packs_take_again(&guard, &place, &fd), MISSING);
    assert_fault(packs_take_previous(&guard, &place, &fd), MISSING);
    assert_false(packs_fall_back(&guard));
    load("a");
    assert_lasting("a", "");
}

static void packs_follow_each_other(void **state)
{
    (void)state;
    packs_open(&guard);
    load("a");
    load("b");
    assert_lasting("b", "a");
    load("c");
    assert_lasting("c", "b");
    assert_string_equal(there("content/content.pack"), "c");
    assert_string_equal(there("content/content.pack.previous"), "b");
    roll_back();
    assert_lasting("b", "c");
    roll_back();
    assert_lasting("c", "b");
    /* Also after the machine was started again, when nothing but files is left. */
    start_anew();
    assert_active("c", "b");
}

static void the_same_again_keeps_what_was_before(void **state)
{
    (void)state;
    packs_open(&guard);
    load("a");
    load("b");
    load("b");
    assert_lasting("b", "a");
}

static void a_given_pack_stays_where_it_is(void **state)
{
    (void)state;
    write_file(given, "g");
    guard.options.content = given;
    packs_open(&guard);
    assert_lasting("g", "");
    load("a");
    assert_lasting("a", "g");
    roll_back();
    assert_lasting("g", "a");
    load("b");
    assert_lasting("b", "g");
    assert_string_equal(there("given.pack"), "g");
    assert_string_equal(there("content/content.pack.previous"), "a"); /* nor is that one lost */
}

/* Another --content than the last guard's is what the owner wants now. */
static void what_is_given_anew_comes_first(void **state)
{
    (void)state;
    packs_open(&guard);
    load("a");
    write_file(given, "g");
    guard.options.content = given;
    uint64_t told = guard.published[EVENT_HEALTH];
    start_again();
    assert_active("g", "a");
    assert_int_equal(guard.published[EVENT_HEALTH], told + 1); /* what was loaded is not active */
    start_again();
    assert_int_equal(guard.published[EVENT_HEALTH], told + 1); /* nothing changed */
}

/* What was made active stays so, until --content is another or has other bytes. */
static void what_was_loaded_stays_beside_the_given(void **state)
{
    (void)state;
    write_file(given, "g");
    guard.options.content = given;
    packs_open(&guard);
    load("a");
    start_anew();
    assert_active("a", "g");
    start_anew();
    assert_active("a", "g");
    roll_back();
    start_anew();
    assert_active("g", "a");
    load("b");
    load("c");
    start_anew();
    assert_active("c", "b");
    uint64_t told = guard.published[EVENT_HEALTH];
    write_file(given, "h"); /* a new version */
    start_anew();
    assert_active("h", "c");
    assert_int_equal(guard.published[EVENT_HEALTH], told + 1);
    start_anew();
    assert_active("h", "c");
    assert_int_equal(guard.published[EVENT_HEALTH], told + 1);
    roll_back();
    start_anew();
    assert_active("c", "h");
    char other[sizeof given + 1];
    snprintf(other, sizeof other, "%s2", given);
    write_file(other, "h"); /* the same bytes at another path */
    guard.options.content = other;
    start_anew();
    assert_active("h", "c");
}

/* Exchanged between the start and a load, that load still counts more. */
static void what_was_loaded_after_a_change_stays(void **state)
{
    (void)state;
    write_file(given, "g");
    guard.options.content = given;
    packs_open(&guard);
    write_file(given, "h");
    load("a");
    start_anew();
    assert_active("a", "h");
}

/* Damaged in any byte, cut anywhere or too long, the choice says nothing. */
static void a_damaged_choice_is_none(void **state)
{
    (void)state;
    char room[HOME_PATH];
    uint8_t good[64];
    write_file(given, "g");
    guard.options.content = given;
    packs_open(&guard);
    load("a");
    wait_for_choice();
    home_path(&guard.home, "content/content.choice", room);
    OWN(fd_drop) int fd = open(room, O_RDWR | O_CLOEXEC);
    size_t size = (size_t)read(fd, good, sizeof good);
    assert_int_equal(size, 40);
    fd_drop(&fd);
    for (size_t i = 0; i < 2 * size + 1; i++) {
        uint8_t bad[sizeof good + 1] = {0};
        memcpy(bad, good, size);
        bad[i % size] ^= i < size;
        size_t len = i < size ? size : i == 2 * size ? size + 1 : i - size;
        assert_int_equal(unlink(room), 0);
        fd = open(room, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_int_equal(write(fd, bad, len), len);
        fd_drop(&fd);
        start_anew();
        assert_string_equal(read_open(guard.active_fd), "g");
        wait_for_choice();
    }
}

static void a_file_that_was_exchanged_is_taken_again(void **state)
{
    (void)state;
    enum pack_place place;
    OWN(fd_drop) int fd = -1;
    write_file(given, "g");
    guard.options.content = given;
    packs_open(&guard);
    assert_int_equal(unlink(given), 0);
    write_file(given, "h");
    assert_string_equal(read_open(guard.active_fd), "g");
    assert_ok(packs_take_again(&guard, &place, &fd));
    install(place, &fd);
    assert_active("h", "g"); /* which has no name any more */
    roll_back();
    assert_active("g", "h");
}

static void what_is_refused_later_gives_way(void **state)
{
    (void)state;
    packs_open(&guard);
    load("a");
    load("b");
    assert_true(packs_fall_back(&guard));
    assert_lasting("a", "");
    assert_string_equal(there("content/content.pack.refused"), "b");
    assert_false(packs_fall_back(&guard));
    load("c");
    assert_lasting("c", "a");
}

static void a_given_pack_gives_way_to_the_homes(void **state)
{
    (void)state;
    packs_open(&guard);
    load("a");
    write_file(given, "bad");
    guard.options.content = given;
    start_again();
    assert_true(packs_fall_back(&guard));
    assert_lasting("a", "");
    assert_string_equal(there("given.pack"), "bad");
    start_anew();
    assert_active("a", "");
    /* One that is not there gives way at once. */
    assert_int_equal(unlink(given), 0);
    start_anew();
    assert_active("a", "");
}

static void what_is_no_file_is_left_where_it_is(void **state)
{
    (void)state;
    char room[HOME_PATH];
    enum pack_place place;
    int fd;
    packs_open(&guard);
    load("a");
    home_path(&guard.home, "content/content.pack.next", room);
    assert_int_equal(mkdir(room, 0700), 0);
    assert_fault(packs_take(&guard, &place, &fd), INVALID);
    assert_int_equal(rmdir(room), 0);
    assert_int_equal(mkfifo(room, 0600), 0);
    assert_fault(packs_take(&guard, &place, &fd), INVALID); /* and at once */
    assert_int_equal(unlink(room), 0);
    write_file(given, "g");
    assert_int_equal(symlink(given, room), 0);
    assert_fault(packs_take(&guard, &place, &fd), INVALID);
    assert_int_equal(unlink(room), 0);
    assert_lasting("a", "");
}

/* Killed between two steps, what was not accepted is gone, and every name has its pack. */
static void a_trial_is_forgotten(void **state)
{
    (void)state;
    enum pack_place place;
    OWN(fd_drop) int fd = -1;
    packs_open(&guard);
    load("a");
    load("b");
    put("content/content.pack.next", "c");
    assert_ok(packs_take(&guard, &place, &fd));
    start_again();
    assert_active("b", "a");
    assert_string_equal(there("content/content.pack.trial"), "");
    put("content/content.pack.next", "d");
    fd_drop(&fd);
    assert_ok(packs_take(&guard, &place, &fd));
    packs_give_up(&guard, place);
    assert_string_equal(there("content/content.pack.trial"), "");
    assert_lasting("b", "a");
}

/* What people are told to load is there, or plainly a word for what they have. */
static void what_to_load_is_there(void **state)
{
    (void)state;
    const char *pack = packs_to_load();
    assert_true(strcmp(pack, "PACK") == 0 || access(pack, R_OK) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_there_at_first, start, stop),
        cmocka_unit_test_setup_teardown(packs_follow_each_other, start, stop),
        cmocka_unit_test_setup_teardown(the_same_again_keeps_what_was_before, start, stop),
        cmocka_unit_test_setup_teardown(a_given_pack_stays_where_it_is, start, stop),
        cmocka_unit_test_setup_teardown(what_is_given_anew_comes_first, start, stop),
        cmocka_unit_test_setup_teardown(what_was_loaded_stays_beside_the_given, start, stop),
        cmocka_unit_test_setup_teardown(what_was_loaded_after_a_change_stays, start, stop),
        cmocka_unit_test_setup_teardown(a_damaged_choice_is_none, start, stop),
        cmocka_unit_test_setup_teardown(a_file_that_was_exchanged_is_taken_again, start, stop),
        cmocka_unit_test_setup_teardown(what_is_refused_later_gives_way, start, stop),
        cmocka_unit_test_setup_teardown(a_given_pack_gives_way_to_the_homes, start, stop),
        cmocka_unit_test_setup_teardown(what_is_no_file_is_left_where_it_is, start, stop),
        cmocka_unit_test_setup_teardown(a_trial_is_forgotten, start, stop),
        cmocka_unit_test(what_to_load_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
