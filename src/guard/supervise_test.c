/* Ends of the parts: why, what follows, and that nobody is signalled who is none of ours any more.
 */
#include "base/clock.h"
#include "base/own.h"
#include "base/test.h"
#include "guard/guard.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RING = STREAM_SIZE_MIN };

static struct guard guard;
static struct kept kept;
static struct settings settings;
static _Alignas(4096) uint8_t ring[STREAM_PAGE + RING];
static unsigned strangers; /* signals to processes that are reaped: another may have the number */

/* In libc's place. */
int kill(pid_t pid, int number)
{
    siginfo_t info;
    strangers += waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0;
    return (int)syscall(SYS_kill, pid, number);
}

static int start(void **state)
{
    (void)state;
    char why[HOME_PATH];
    char folder[] = "/tmp/supervise_test_XXXXXX";
    memset(&kept, 0, sizeof kept);
    memset(ring, 0, sizeof ring);
    memset(&guard, 0, sizeof guard);
    strangers = 0;
    guard.kept = &kept;
    guard.kernel.settings = &settings;
    guard.poll = -1; /* so that no part can be started */
    guard.active_fd = guard.previous_fd = guard.swap.fd = -1;
    guard.components[COMPONENT_ENGINE].name = guard.components[COMPONENT_STANDBY].name = "engine";
    guard.components[COMPONENT_COURIER].name = "courier";
    guard.components[COMPONENT_SCAN].name = "scan";
    assert_non_null(mkdtemp(folder));
    assert_ok(home_open(folder, &guard.home));
    assert_ok(home_make(&guard.home, why));
    assert_ok(stream_make(ring, RING, &guard.stream));
    guard.stream_memory = (struct memory){.bytes = ring, .size = sizeof ring};
    return 0;
}

static int stop(void **state)
{
    (void)state;
    char command[HOME_PATH + 16];
    fd_drop(&guard.active_fd);
    fd_drop(&guard.previous_fd);
    snprintf(command, sizeof command, "rm -rf %s", guard.home.root);
    return system(command);
}

/* A part that lives until it is ended; returns its end of the channel. */
static int play(enum component_id id, uint64_t lived_s)
{
    int pair[2];
    int wake[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(pipe(wake), 0);
    pid_t pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    assert_true(pid > 0);
    struct component *c = &guard.components[id];
    uint64_t now = clock_boot_ns();
    c->state = COMPONENT_RUNNING;
    c->pid = pid;
    c->started_ns = now - lived_s * CLOCK_NS_PER_S;
    c->end_ns = 0;
    c->hung = false;
    c->cut_off = false;
    struct client *client = &guard.clients[id];
    *client = (struct client){.phase = CLIENT_OPEN,
                              .socket = pair[0],
                              .wake = wake[1],
                              .wake_theirs = wake[0],
                              .id = id + 1,
                              .heard_ns = now,
                              .ours = true,
                              .component = id};
    snprintf(client->name, sizeof client->name, "%s", c->name);
    return pair[1];
}

static void reap(pid_t pid)
{
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    supervise_reap(&guard);
}

/* A scanner that ends like this, and was at the stream's beginning. */
static void end_scan(int code)
{
    struct stream_cursor *cursor = &guard.stream.page->cursors[0];
    pid_t pid = fork();
    if (pid == 0) {
        _exit(code);
    }
    assert_true(pid > 0);
    *cursor = (struct stream_cursor){.name = "scan", .position = guard.stream.page->head};
    guard.clients[0] = (struct client){.phase = CLIENT_OPEN,
                                       .socket = -1,
                                       .ours = true,
                                       .component = COMPONENT_SCAN,
                                       .cursor = cursor};
    guard.components[COMPONENT_SCAN].state = COMPONENT_RUNNING;
    guard.components[COMPONENT_SCAN].pid = pid;
    guard.components[COMPONENT_SCAN].started_ns = clock_boot_ns();
    reap(pid);
}

/* It says nothing for too long, while guard looked every second. */
static void hang(uint64_t lived_s)
{
    OWN(fd_drop) int theirs = play(COMPONENT_ENGINE, lived_s);
    pid_t pid = guard.components[COMPONENT_ENGINE].pid;
    uint64_t later = clock_boot_ns() + (HANG_S + 1) * (uint64_t)CLOCK_NS_PER_S;
    guard.watched_ns = later - CLOCK_NS_PER_S;
    supervise_watch(&guard, later);
    fd_drop(&theirs);
    reap(pid);
}

static void have_two_packs(void)
{
    guard.active_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    guard.previous_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    kept.active = (struct pack_note){.place = PACK_AT_GIVEN, .rules = 2};
    kept.previous = (struct pack_note){.place = PACK_AT_NONE, .rules = 1};
}

static void two_hangs_bring_the_previous_pack_back(void **state)
{
    (void)state;
    have_two_packs();
    hang(HANG_S + 1);
    assert_string_equal(guard.components[COMPONENT_ENGINE].last_exit, "it hung");
    assert_int_equal(kept.active.rules, 2);
    hang(HANG_S + 1);
    assert_int_equal(kept.active.rules, 1);
    assert_true(guard.previous_fd < 0);
    hang(HANG_S + 1); /* there is none before that one */
    hang(HANG_S + 1);
    assert_int_equal(kept.active.rules, 1);
    assert_int_equal(guard.components[COMPONENT_ENGINE].state, COMPONENT_WAITING);
}

static void a_hang_after_long_work_is_the_first(void **state)
{
    (void)state;
    have_two_packs();
    hang(HANG_S + 1);
    hang(2 * 3600);
    assert_int_equal(kept.active.rules, 2);
    hang(HANG_S + 1);
    assert_int_equal(kept.active.rules, 1);
}

/* That somebody else kills it says nothing of the pack, however often. */
static void kills_are_no_hangs(void **state)
{
    (void)state;
    have_two_packs();
    for (unsigned i = 0; i < 5; i++) {
        OWN(fd_drop) int theirs = play(COMPONENT_ENGINE, 1);
        pid_t pid = guard.components[COMPONENT_ENGINE].pid;
        assert_int_equal(kill(pid, SIGKILL), 0);
        fd_drop(&theirs);
        reap(pid);
    }
    assert_int_equal(kept.active.rules, 2);
}

/* Its last words lead to a signal: an engine that is cut off is of no use. */
static void nobody_is_signalled_who_is_gone(void **state)
{
    (void)state;
    OWN(fd_drop) int theirs = play(COMPONENT_STANDBY, 1);
    pid_t pid = guard.components[COMPONENT_STANDBY].pid;
    guard.swap.phase = SWAP_PROVING;
    assert_int_equal(syscall(SYS_kill, pid, SIGTRAP), 0);
    fd_drop(&theirs);
    reap(pid);
    assert_int_equal(strangers, 0);
    assert_int_equal(guard.clients[COMPONENT_STANDBY].phase, CLIENT_FREE);
    assert_int_equal(guard.components[COMPONENT_STANDBY].pid, 0);
    assert_int_equal(guard.swap.phase, SWAP_NONE);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
}

/* It says what is not its to say, is cut off, and lives on: running, and of no use. */
static void a_part_without_a_channel_is_ended(void **state)
{
    (void)state;
    for (enum component_id id = COMPONENT_ENGINE; id <= COMPONENT_COURIER; id++) {
        OWN(fd_drop) int theirs = play(id, 1);
        pid_t pid = guard.components[id].pid;
        assert_int_equal(write(theirs, "nonsense", 8), 8);
        uint64_t now = clock_boot_ns();
        routes_serve(&guard, &guard.clients[id]);
        assert_int_equal(guard.clients[id].phase, CLIENT_FREE);
        supervise_tick(&guard, now);
        assert_int_equal(waitpid(pid, NULL, WNOHANG), 0); /* it may have something to say yet */
        int64_t next_ms = supervise_next_ms(&guard, now);
        assert_true(next_ms > 0 && next_ms < 2000);
        supervise_tick(&guard, now + 2ULL * CLOCK_NS_PER_S);
        reap(pid);
        assert_int_equal(guard.components[id].state, COMPONENT_WAITING);
        assert_string_equal(guard.components[id].last_exit, "it lived without its channel");
        guard.components[id].state = COMPONENT_OFF;
    }
    assert_int_equal(guard.components[COMPONENT_ENGINE].crashes, 1);
}

/* Its exit code comes after the end of its channel: it refused its pack. */
static void an_exit_code_is_waited_for(void **state)
{
    (void)state;

    enum { REFUSED = 78 };

    have_two_packs();
    OWN(fd_drop) int theirs = play(COMPONENT_ENGINE, 1);
    assert_int_equal(syscall(SYS_kill, guard.components[COMPONENT_ENGINE].pid, SIGKILL), 0);
    assert_int_equal(waitpid(guard.components[COMPONENT_ENGINE].pid, NULL, 0),
                     guard.components[COMPONENT_ENGINE].pid);
    pid_t pid = fork();
    if (pid == 0) {
        usleep(100000);
        _exit(REFUSED);
    }
    guard.components[COMPONENT_ENGINE].pid = pid;
    fd_drop(&theirs);
    routes_serve(&guard, &guard.clients[COMPONENT_ENGINE]);
    supervise_tick(&guard, clock_boot_ns());
    reap(pid);
    assert_int_equal(kept.active.rules, 1);
}

static void a_scanner_without_rules_forgets_where_it_was(void **state)
{
    (void)state;
    struct component *c = &guard.components[COMPONENT_SCAN];
    end_scan(69);
    assert_int_equal(c->state, COMPONENT_OFF);
    assert_string_equal(c->last_exit, "the content has no rules for files");
    assert_string_equal(guard.stream.page->cursors[0].name, "");
    assert_null(guard.clients[0].cursor); /* whose slot may be another's by now */

    end_scan(1); /* a crash: it goes on where it was */
    assert_int_equal(c->state, COMPONENT_WAITING);
    assert_string_equal(guard.stream.page->cursors[0].name, "scan");
    assert_ptr_equal(guard.clients[0].cursor, &guard.stream.page->cursors[0]);
}

static void a_scanner_that_was_off_says_where_it_begins(void **state)
{
    (void)state;
    struct component *c = &guard.components[COMPONENT_SCAN];
    uint64_t now = clock_boot_ns();
    supervise_renew_scan(&guard);
    assert_true(c->anew);
    c->state = COMPONENT_RUNNING;
    c->started_ns = now;
    supervise_watch(&guard, now + CLOCK_NS_PER_S); /* it may still find nothing to do */
    assert_true(c->anew);
    uint64_t seq = guard.stream.page->seq;
    supervise_watch(&guard, now + 3 * (uint64_t)CLOCK_NS_PER_S);
    assert_false(c->anew);
    assert_int_equal(guard.stream.page->seq, seq + 1);

    c->state = COMPONENT_GIVEN_UP;
    supervise_renew_scan(&guard);
    assert_false(c->anew);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(two_hangs_bring_the_previous_pack_back, start, stop),
        cmocka_unit_test_setup_teardown(a_hang_after_long_work_is_the_first, start, stop),
        cmocka_unit_test_setup_teardown(kills_are_no_hangs, start, stop),
        cmocka_unit_test_setup_teardown(a_part_without_a_channel_is_ended, start, stop),
        cmocka_unit_test_setup_teardown(an_exit_code_is_waited_for, start, stop),
        cmocka_unit_test_setup_teardown(nobody_is_signalled_who_is_gone, start, stop),
        cmocka_unit_test_setup_teardown(a_scanner_without_rules_forgets_where_it_was, start, stop),
        cmocka_unit_test_setup_teardown(a_scanner_that_was_off_says_where_it_begins, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
