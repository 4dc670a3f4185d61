/* Real processes: a shell script stands in guard's place. */
#include "base/clock.h"
#include "base/own.h"
#include "base/test.h"
#include "ctl/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/supervisor_test.XXXXXX";

static struct supervisor with_script(const char *script)
{
    struct supervisor s = {.home = folder, .pidfd = -1};
    snprintf(s.program, sizeof s.program, "%s/guard", folder);
    OWN(fd_drop) int fd = open(s.program, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    assert_true(fd >= 0 && dprintf(fd, "#!/bin/sh\n%s\n", script) > 0);
    return s;
}

static void wait_for(const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (int i = 0; access(path, F_OK) != 0; i++) {
        assert_true(i < 500);
        usleep(10000);
    }
    unlink(path);
}

static void the_end_is_told(void **state)
{
    (void)state;
    struct supervisor_end end;
    struct supervisor s = with_script("exit 75");
    assert_ok(supervisor_start(&s));
    struct pollfd ended = {.fd = s.pidfd, .events = POLLIN};
    assert_int_equal(poll(&ended, 1, 5000), 1);
    assert_ok(supervisor_reap(&s, &end));
    assert_int_equal(end.code, 75);
    assert_int_equal(end.signal, 0);
    assert_int_equal(s.pid, 0);
    assert_int_equal(s.pidfd, -1);
    s = with_script("kill -9 $$");
    assert_ok(supervisor_start(&s));
    assert_ok(supervisor_reap(&s, &end));
    assert_int_equal(end.signal, SIGKILL);
}

static void guard_gets_home_and_content(void **state)
{
    (void)state;
    struct supervisor_end end;
    struct supervisor s =
        with_script("[ \"$*\" = \"--home $(dirname $0) --content a b\" ] && exit 3");
    s.content = "a b";
    assert_ok(supervisor_start(&s));
    assert_ok(supervisor_reap(&s, &end));
    assert_int_equal(end.code, 3);
}

static void stopping_asks_first(void **state)
{
    (void)state;
    struct supervisor s = with_script("trap 'touch $(dirname $0)/clean; exit 0' TERM\n"
                                      "touch $(dirname $0)/up\nwhile :; do sleep 0.05; done");
    assert_ok(supervisor_start(&s));
    wait_for("up");
    assert_ok(supervisor_stop(&s, 5000));
    wait_for("clean");
    assert_ok(supervisor_stop(&s, 5000)); /* nothing runs: nothing to do */
}

static void what_does_not_end_is_killed(void **state)
{
    (void)state;
    struct supervisor s =
        with_script("trap '' TERM\ntouch $(dirname $0)/up\nwhile :; do sleep 0.05; done");
    assert_ok(supervisor_start(&s));
    wait_for("up");
    assert_fault(supervisor_stop(&s, 100), TIMEOUT);
    assert_int_equal(s.pid, 0);
}

/* A guard that a terminal stops sees nothing, and its name is still held. */
static void a_terminal_cannot_stop_guard(void **state)
{
    (void)state;
    struct supervisor_end end;
    struct supervisor s = with_script("kill -TSTP $$; kill -TTIN $$; kill -TTOU $$; exit 3");
    assert_ok(supervisor_start(&s));
    struct pollfd ended = {.fd = s.pidfd, .events = POLLIN};
    int in_time = poll(&ended, 1, 2000);
    kill(s.pid, SIGCONT);
    assert_int_equal(in_time, 1);
    assert_ok(supervisor_reap(&s, &end));
    assert_int_equal(end.code, 3);
}

/* Ctrl-C on our terminal must not reach guard; that we died must. */
static void guard_is_in_its_own_group_and_dies_with_us(void **state)
{
    (void)state;
    struct supervisor s = with_script("trap 'touch $(dirname $0)/told; exit 0' TERM\n"
                                      "touch $(dirname $0)/up\nwhile :; do sleep 0.05; done");
    pid_t middle = fork();
    if (middle == 0) {
        bool started = status_ok(supervisor_start(&s));
        wait_for("up");
        _exit(started && getpgid(s.pid) == s.pid ? 0 : 1);
    }
    int how;
    assert_int_equal(waitpid(middle, &how, 0), middle);
    assert_int_equal(how, 0);
    wait_for("told");
}

static void delays_grow_and_are_forgotten(void **state)
{
    (void)state;
    static const unsigned delays[] = {0, 50, 100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000};
    struct supervisor s = {.started_ns = 0};
    for (size_t i = 0; i < sizeof delays / sizeof delays[0]; i++) {
        assert_int_equal(supervisor_delay_ms(&s, 100 * (uint64_t)CLOCK_NS_PER_MS), delays[i]);
    }
    assert_int_equal(supervisor_delay_ms(&s, 200 * (uint64_t)CLOCK_NS_PER_MS), 0);
    assert_int_equal(supervisor_delay_ms(&s, 0), 0);
    assert_int_equal(supervisor_delay_ms(&s, 0), 50);
}

int main(void)
{
    char script[64];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_is_told),
        cmocka_unit_test(guard_gets_home_and_content),
        cmocka_unit_test(stopping_asks_first),
        cmocka_unit_test(what_does_not_end_is_killed),
        cmocka_unit_test(a_terminal_cannot_stop_guard),
        cmocka_unit_test(guard_is_in_its_own_group_and_dies_with_us),
        cmocka_unit_test(delays_grow_and_are_forgotten),
    };
    if (!mkdtemp(folder)) {
        return 99;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(script, sizeof script, "%s/guard", folder);
    unlink(script);
    return rmdir(folder) == 0 ? failed : 1;
}
