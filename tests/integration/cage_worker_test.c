/*
 * cage_worker_test: the real engine and courier, in their cages, under a guard in small: what they
 * do, and that killing them at any moment loses and doubles nothing. Needs root.
 *
 *     cage_worker_test ENGINE COURIER
 */
#include "cage_guard.h"

#include "base/own.h"
#include "base/test.h"
#include "content/pack/builder.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *engine_path;
static const char *courier_path;
static struct small_guard guard;
static char spool_path[64];
static int spool;
static int system_log[2]; /* ours, the worker's */

enum {
    LINES_MAX = 4096,
    SETTLE_MS = 400,
    ACKNOWLEDGE_MS = 1200,
    ROUNDS = 25,
    A_ROUND = 20,
    TOO_MANY = 1000
};

static int set_up(void **state)
{
    (void)state;
    text_copy(TEXT("/tmp/bulkhead-worker-XXXXXX"), spool_path, sizeof spool_path);
    spool = mkdtemp(spool_path) ? open(spool_path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    int failed = socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, system_log);
    return spool < 0 || failed || !status_ok(small_guard_open(&guard));
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    small_guard_close(&guard);
    fd_drop(&system_log[0]);
    fd_drop(&system_log[1]);
    fd_drop(&spool);
    snprintf(command, sizeof command, "rm -rf '%s'", spool_path);
    return system(command);
}

/* ── the courier ── */

static void start_courier(void)
{
    assert_ok(small_guard_start(&guard, courier_path, spool, system_log[1]));
}

static uint64_t publish_alert(void)
{
    return small_guard_publish(&guard, EVENT_ALERT, FIELD_RULE_TITLE, TEXT("A title"));
}

/* The numbers of the lines in the newest file, as they stand. */
static size_t read_lines(uint64_t seqs[LINES_MAX])
{
    static char room[4 << 20];
    OWN(fd_drop) int file = openat(spool, "alerts.jsonl", O_RDONLY | O_CLOEXEC);
    ssize_t len = file < 0 ? 0 : read(file, room, sizeof room);
    struct text left = {.ptr = room, .len = len < 0 ? 0 : (size_t)len};
    size_t count = 0;
    for (size_t end; (end = text_find_byte(left, '\n')) != SIZE_MAX;) {
        struct text line = text_part(left, 0, end);
        struct text from = text_part(line, text_find(line, TEXT("\"seq\":")) + 6, SIZE_MAX);
        assert_true(count < LINES_MAX);
        assert_true(text_starts(line, TEXT("{")) && text_ends(line, TEXT("}")));
        assert_true(text_to_u64(text_part(from, 0, text_find_byte(from, ',')), &seqs[count]));
        left = text_part(left, end + 1, SIZE_MAX);
        count++;
    }
    assert_int_equal(left.len, 0);
    return count;
}

static void assert_lines(uint64_t first, uint64_t last)
{
    static uint64_t seqs[LINES_MAX];
    size_t count = read_lines(seqs);
    assert_int_equal(count, last - first + 1);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(seqs[i], first + i);
    }
}

static void assert_alive(void)
{
    assert_int_equal(waitpid(guard.worker, NULL, WNOHANG), 0);
}

static void assert_ended_well(int status)
{
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* A terminal's signals would stop it for good: nobody types `fg` for it. */
static void assert_cannot_be_stopped_by_a_terminal(void)
{
    char path[64];
    char status[4096] = "";
    snprintf(path, sizeof path, "/proc/%d/status", guard.worker);
    OWN(fd_drop) int file = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(file >= 0 && read(file, status, sizeof status - 1) > 0);
    const char *line = strstr(status, "SigIgn:");
    assert_non_null(line);
    unsigned long ignored = strtoul(line + strlen("SigIgn:"), NULL, 16);
    static const int numbers[] = {SIGTSTP, SIGTTIN, SIGTTOU};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        assert_true(ignored >> (numbers[i] - 1) & 1);
    }
}

static void courier_writes_what_comes(void **state)
{
    (void)state;
    char packet[2048] = "";
    start_courier();
    small_guard_serve(&guard, SETTLE_MS);
    assert_int_equal(guard.types, 1ULL << EVENT_ALERT | 1ULL << EVENT_HEALTH);
    assert_cannot_be_stopped_by_a_terminal();
    for (int i = 0; i < 100; i++) {
        publish_alert();
    }
    small_guard_publish(&guard, EVENT_PROCESS_EXEC, FIELD_PATH, TEXT("/bin/true"));
    small_guard_serve(&guard, SETTLE_MS);
    assert_alive();
    assert_lines(1, 100);
    assert_true(recv(system_log[0], packet, sizeof packet - 1, 0) > 0);
    assert_non_null(strstr(packet, ": alert high: A title: "));
    assert_string_equal(guard.report, "");
    small_guard_serve(&guard, 2 * ACKNOWLEDGE_MS);
    assert_true(guard.seq >= 100);
    fd_drop(&guard.socket);
    assert_ended_well(small_guard_end(&guard, 0));
}

static void courier_killed_loses_and_doubles_nothing(void **state)
{
    (void)state;
    uint64_t last = 0;
    srand(4711);
    for (int round = 0; round < ROUNDS; round++) {
        start_courier();
        /* Now and then long enough for an acknowledgement. */
        small_guard_serve(&guard, round % 8 == 7 ? ACKNOWLEDGE_MS : rand() % 40);
        for (int i = 0; i < A_ROUND; i++) {
            last = publish_alert();
            small_guard_serve(&guard, rand() % 3);
        }
        small_guard_end(&guard, SIGKILL);
    }
    start_courier();
    small_guard_serve(&guard, SETTLE_MS);
    assert_alive();
    small_guard_end(&guard, SIGKILL);
    assert_lines(1, last);
}

/* Guard stops it by SIGTERM: what was published before is still written. */
static void courier_stopped_writes_what_waits(void **state)
{
    (void)state;
    start_courier();
    small_guard_serve(&guard, SETTLE_MS);
    for (int i = 0; i < 500; i++) {
        publish_alert();
    }
    assert_ended_well(small_guard_end(&guard, SIGTERM));
    assert_lines(1, 500);
    assert_int_equal(guard.seq, 500);
}

static void courier_starts_over_with_a_new_boot(void **state)
{
    (void)state;
    static uint64_t seqs[LINES_MAX];
    start_courier();
    small_guard_serve(&guard, SETTLE_MS);
    for (int i = 0; i < 30; i++) {
        publish_alert();
    }
    small_guard_serve(&guard, SETTLE_MS);
    small_guard_end(&guard, SIGKILL);
    assert_ok(small_guard_boot(&guard));
    start_courier();
    small_guard_serve(&guard, SETTLE_MS);
    for (int i = 0; i < 10; i++) {
        publish_alert();
    }
    small_guard_serve(&guard, SETTLE_MS);
    small_guard_end(&guard, SIGKILL);
    assert_int_equal(read_lines(seqs), 40);
    assert_int_equal(seqs[30], 1);
}

/* A disk of its own for the spool, and more alerts than it holds. */
static void fill_the_disk(void)
{
    assert_int_equal(mount("none", spool_path, "tmpfs", 0, "size=64k"), 0);
    fd_drop(&spool);
    spool = open(spool_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    start_courier();
    small_guard_serve(&guard, SETTLE_MS);
    for (int i = 0; i < TOO_MANY; i++) {
        publish_alert();
    }
    small_guard_serve(&guard, 2 * ACKNOWLEDGE_MS);
    assert_alive();
    assert_int_equal(guard.reports, 1);
    assert_non_null(strstr(guard.report, "No space left on device"));
    assert_true(guard.seq < TOO_MANY);
}

static void make_room(void)
{
    assert_int_equal(mount("none", spool_path, NULL, MS_REMOUNT, "size=8m"), 0);
}

static void courier_waits_for_room_on_a_full_disk(void **state)
{
    (void)state;
    fill_the_disk();
    make_room();
    small_guard_serve(&guard, 2 * ACKNOWLEDGE_MS);
    assert_alive();
    assert_lines(1, TOO_MANY);
    assert_int_equal(guard.reports, 2);
    small_guard_end(&guard, SIGKILL);
    umount2(spool_path, MNT_DETACH);
}

/* What waits for room was not acknowledged: the next courier is given it again. */
static void courier_ended_on_a_full_disk_loses_nothing(void **state)
{
    (void)state;
    fill_the_disk();
    assert_ended_well(small_guard_end(&guard, SIGTERM));
    start_courier();
    small_guard_serve(&guard, SETTLE_MS);
    fd_drop(&guard.socket);
    assert_ended_well(small_guard_end(&guard, 0));
    make_room();
    start_courier();
    small_guard_serve(&guard, SETTLE_MS);
    assert_alive();
    small_guard_end(&guard, SIGKILL);
    assert_lines(1, TOO_MANY);
    umount2(spool_path, MNT_DETACH);
}

static void courier_asks_for_the_system_log(void **state)
{
    (void)state;
    char packet[2048];
    int other[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, other), 0);
    start_courier();
    small_guard_serve(&guard, SETTLE_MS);
    fd_drop(&system_log[0]); /* the log daemon is gone */
    guard.syslog = other[1];
    publish_alert();
    small_guard_serve(&guard, SETTLE_MS);
    publish_alert();
    small_guard_serve(&guard, SETTLE_MS);
    assert_int_equal(guard.syslog_asked, 1);
    assert_true(recv(other[0], packet, sizeof packet, 0) > 0);
    assert_true(recv(other[0], packet, sizeof packet, 0) > 0);
    assert_lines(1, 2);
    small_guard_end(&guard, SIGKILL);
    close(other[0]);
}

/* Its number stays the log's, or what else got it would be replaced by the log later. */
static void courier_starts_without_a_system_log(void **state)
{
    (void)state;
    char packet[2048];
    int late[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, late), 0);
    assert_ok(small_guard_start(&guard, courier_path, spool, -1));
    guard.syslog = late[1];
    small_guard_serve(&guard, SETTLE_MS);
    publish_alert();
    small_guard_serve(&guard, SETTLE_MS);
    publish_alert();
    small_guard_serve(&guard, SETTLE_MS);
    assert_alive();
    assert_true(recv(late[0], packet, sizeof packet, 0) > 0);
    assert_lines(1, 2);
    small_guard_end(&guard, SIGKILL);
    close(late[0]);
}

/* ── the engine ── */

static const struct node one_node = {.on_true = NODE_MATCH, .on_false = NODE_MISS};

/* Two rules that match a program "evil", and one of them any below /tmp. */
static struct text build_pack(struct arena *arena)
{
    static const struct predicate evil = {
        .kind = PREDICATE_SUFFIX, .field = FIELD_PATH, .text = {"/evil", 5}};
    static const struct predicate below = {
        .kind = PREDICATE_PREFIX, .field = FIELD_PATH, .text = {"/tmp/", 5}};
    const struct predicate *predicates[] = {&evil, &below};
    const char *ids[] = {"rule-a", "rule-b"};
    struct builder *builder;
    struct text pack;
    char why[160];
    assert_ok(builder_new(arena, &builder));
    for (unsigned i = 0; i < 2; i++) {
        struct rule rule = {.id = text_of(ids[i]),
                            .title = TEXT("A title"),
                            .level = TEXT("high"),
                            .types = 1ULL << EVENT_PROCESS_EXEC,
                            .predicates = predicates[i],
                            .predicate_count = 1,
                            .nodes = &one_node,
                            .node_count = 1};
        assert_ok(builder_add(builder, &rule, why));
    }
    assert_ok(builder_finish(builder, &pack));
    return pack;
}

static int pack_file(size_t size)
{
    struct arena arena;
    arena_init(&arena, 64 << 20);
    struct text pack = text_part(build_pack(&arena), 0, size);
    int file = memfd_create("pack", MFD_CLOEXEC);
    assert_int_equal(write(file, pack.ptr, pack.len), pack.len);
    arena_done(&arena);
    return file;
}

static uint64_t publish_exec(const char *path)
{
    return small_guard_publish(&guard, EVENT_PROCESS_EXEC, FIELD_PATH, text_of(path));
}

static void engine_raises_alerts(void **state)
{
    (void)state;
    OWN(fd_drop) int pack = pack_file(SIZE_MAX);
    assert_ok(small_guard_start(&guard, engine_path, pack, -1));
    small_guard_serve(&guard, SETTLE_MS);
    assert_int_equal(guard.types, 1ULL << EVENT_PROCESS_EXEC);
    assert_cannot_be_stopped_by_a_terminal();
    publish_exec("/bin/true");
    uint64_t both = publish_exec("/tmp/evil");
    uint64_t one = publish_exec("/usr/evil");
    small_guard_serve(&guard, SETTLE_MS);
    assert_alive();
    assert_string_equal(guard.report, "");
    assert_int_equal(guard.alert_count, 3);
    assert_int_equal(guard.alerts[0].event_seq, both);
    assert_int_equal(guard.alerts[0].nth, 0);
    assert_string_equal(guard.alerts[0].rule, "rule-a");
    assert_int_equal(guard.alerts[1].nth, 0);
    assert_string_equal(guard.alerts[1].rule, "rule-b");
    assert_int_equal(guard.alerts[2].event_seq, one);
    assert_int_equal(guard.alerts[2].nth, 0);
    fd_drop(&guard.socket);
    assert_ended_well(small_guard_end(&guard, 0));
}

static void engine_refuses_a_bad_pack(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 63, 64, 200};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        OWN(fd_drop) int pack = pack_file(sizes[i]);
        guard.report[0] = 0;
        assert_ok(small_guard_start(&guard, engine_path, pack, -1));
        small_guard_serve(&guard, SETTLE_MS);
        int status = small_guard_end(&guard, 0);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 78);
        assert_non_null(strstr(guard.report, "The content was refused: "));
    }
}

/* Ready, it reads nothing until it is told where to begin: after what another one dealt with. */
static void engine_waits_for_its_turn(void **state)
{
    (void)state;
    OWN(fd_drop) int pack = pack_file(SIZE_MAX);
    guard.hold = true;
    publish_exec("/tmp/evil");
    assert_ok(small_guard_start(&guard, engine_path, pack, -1));
    small_guard_serve(&guard, SETTLE_MS);
    assert_true(guard.ready);
    assert_int_equal(guard.rules, 2);
    assert_int_equal(guard.types, 1ULL << EVENT_PROCESS_EXEC);
    publish_exec("/tmp/evil");
    guard.position = guard.writer.page->head;
    guard.seq = guard.writer.page->seq;
    uint64_t mine = publish_exec("/tmp/evil");
    small_guard_serve(&guard, 2 * ACKNOWLEDGE_MS);
    assert_alive();
    assert_int_equal(guard.alert_count, 0);
    small_guard_begin(&guard);
    small_guard_serve(&guard, SETTLE_MS);
    assert_int_equal(guard.alert_count, 2);
    assert_int_equal(guard.alerts[0].event_seq, mine);
    small_guard_end(&guard, SIGKILL);
}

/* Asked to end it says exactly how far it is, and nothing is left half done. */
static void engine_ends_where_it_says(void **state)
{
    (void)state;
    OWN(fd_drop) int pack = pack_file(SIZE_MAX);
    for (int round = 0; round < ROUNDS; round++) {
        guard.alert_count = 0;
        uint64_t first = guard.seq + 1;
        assert_ok(small_guard_start(&guard, engine_path, pack, -1));
        small_guard_serve(&guard, 40);
        for (int i = 0; i < A_ROUND; i++) {
            publish_exec("/tmp/evil");
        }
        small_guard_serve(&guard, round % 3);
        small_guard_finish(&guard);
        publish_exec("/tmp/evil");
        assert_ended_well(small_guard_end(&guard, 0));
        assert_int_equal(guard.alert_count, 2 * (guard.seq + 1 - first));
    }
    assert_ok(small_guard_start(&guard, engine_path, pack, -1));
    small_guard_serve(&guard, SETTLE_MS);
    small_guard_finish(&guard);
    assert_ended_well(small_guard_end(&guard, 0));
    assert_int_equal(guard.seq, ROUNDS * (A_ROUND + 1));
}

static void engine_that_waits_ends_with_guard(void **state)
{
    (void)state;
    OWN(fd_drop) int pack = pack_file(SIZE_MAX);
    guard.hold = true;
    assert_ok(small_guard_start(&guard, engine_path, pack, -1));
    small_guard_serve(&guard, SETTLE_MS);
    assert_true(guard.ready);
    fd_drop(&guard.socket);
    assert_ended_well(small_guard_end(&guard, 0));
}

/* Every alert there, and one that comes again the same as before: guard drops it, known by event
 * and rule. */
static void engine_killed_loses_nothing(void **state)
{
    (void)state;
    static char seen[LINES_MAX][2];
    OWN(fd_drop) int pack = pack_file(SIZE_MAX);
    uint64_t last = 0;
    srand(4711);
    memset(seen, 0, sizeof seen);
    for (int round = 0; round < ROUNDS; round++) {
        assert_ok(small_guard_start(&guard, engine_path, pack, -1));
        small_guard_serve(&guard, round % 8 == 7 ? ACKNOWLEDGE_MS : rand() % 40);
        for (int i = 0; i < A_ROUND; i++) {
            last = publish_exec("/tmp/evil");
            small_guard_serve(&guard, rand() % 3);
        }
        small_guard_end(&guard, SIGKILL);
    }
    assert_ok(small_guard_start(&guard, engine_path, pack, -1));
    small_guard_serve(&guard, SETTLE_MS);
    assert_alive();
    small_guard_end(&guard, SIGKILL);
    for (unsigned i = 0; i < guard.alert_count; i++) {
        bool b = strcmp(guard.alerts[i].rule, "rule-b") == 0;
        assert_true(guard.alerts[i].nth == 0 && guard.alerts[i].event_seq < LINES_MAX);
        assert_string_equal(guard.alerts[i].rule, b ? "rule-b" : "rule-a");
        seen[guard.alerts[i].event_seq][b] = 1;
    }
    for (uint64_t seq = 1; seq <= last; seq++) {
        assert_true(seen[seq][0] && seen[seq][1]);
    }
}

#define WORKER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        WORKER_TEST(courier_writes_what_comes),
        WORKER_TEST(courier_killed_loses_and_doubles_nothing),
        WORKER_TEST(courier_stopped_writes_what_waits),
        WORKER_TEST(courier_starts_over_with_a_new_boot),
        WORKER_TEST(courier_waits_for_room_on_a_full_disk),
        WORKER_TEST(courier_ended_on_a_full_disk_loses_nothing),
        WORKER_TEST(courier_asks_for_the_system_log),
        WORKER_TEST(courier_starts_without_a_system_log),
        WORKER_TEST(engine_raises_alerts),
        WORKER_TEST(engine_refuses_a_bad_pack),
        WORKER_TEST(engine_waits_for_its_turn),
        WORKER_TEST(engine_ends_where_it_says),
        WORKER_TEST(engine_that_waits_ends_with_guard),
        WORKER_TEST(engine_killed_loses_nothing),
    };
    if (argc != 3 || geteuid() != 0 || unshare(CLONE_NEWNS) != 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        printf("Bail out! run by root: cage_worker_test ENGINE COURIER\n");
        return 1;
    }
    engine_path = argv[1];
    courier_path = argv[2];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
