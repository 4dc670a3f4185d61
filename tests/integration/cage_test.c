/*
 * cage_test: attacks the cages of engine, courier and scanner from inside. Each attack is first
 * shown to work without a cage, then tried in the whole cage, then in one without its list of
 * system calls, where the layers below have to hold it, alone and in pairs. Prints TAP; needs root.
 *
 *     cage_test [SYSTEM_CALL]    as on a kernel that does not have it
 */
#include "cage_scene.h"

#include "base/cage.h"
#include "base/own.h"
#include "courier/cage.h"
#include "engine/cage.h"
#include "scan/cage.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* How a worker ended, told by its exit code or signal. */
enum outcome { HELD = 0, ESCAPED = 1, NOT_CAGED = 3, KILLED, CRASHED };

/* `without` are traits of attacks that do not concern it. */
static const struct {
    const char *name;
    struct cage (*cage)(void);
    int inherited;
    unsigned without;
    bool keeps_root; /* by design */
} cages[SCENE_CAGES] = {
    [SCENE_ENGINE] = {"engine", engine_cage, ENGINE_INHERITED, ATTACK_SPOOL, false},
    [SCENE_COURIER] = {"courier", courier_cage, COURIER_INHERITED, ATTACK_PACK, false},
    [SCENE_WORKER] = {"scan worker", worker_cage, WORKER_INHERITED, ATTACK_SPOOL, false},
    [SCENE_OPENER] = {"scan opener", opener_cage, OPENER_INHERITED,
                      ATTACK_SPOOL | ATTACK_PACK | ATTACK_READS, true},
};

static unsigned tests;
static unsigned failures;

static void result(bool good, const char *cage, const char *what, const char *how)
{
    tests++;
    failures += !good;
    printf("%s %u - %s: %s: %s\n", good ? "ok" : "not ok", tests, cage, what, how);
}

static struct status enter(const struct stage *stage, enum scene_cage which, uint32_t leave_out)
{
    struct cage cage = cages[which].cage();
    uint32_t missing;
    cage.leave_out = leave_out;
    TRY(stage_position(stage, which));
    TRY(cage_close_from(cages[which].inherited));
    return cage_enter(&cage, &missing);
}

/* What an attack breaks when it works must not be this machine's. */
static struct status stand_aside(const struct stage *stage, enum scene_cage which)
{
    TRY(stage_position(stage, which));
    if (unshare(CLONE_NEWNS | CLONE_NEWUTS) != 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        FAIL_SYS(errno);
    }
    return OK;
}

static enum outcome outcome_of(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0) {
    }
    if (WIFSIGNALED(status)) {
        return WTERMSIG(status) == SIGSYS ? KILLED : CRASHED;
    }
    return WEXITSTATUS(status) <= NOT_CAGED ? (enum outcome)WEXITSTATUS(status) : CRASHED;
}

enum { NO_CAGE = UINT32_MAX };

static enum outcome try_attack(const struct stage *stage, enum scene_cage which, uint32_t leave_out,
                               const struct attack *attack)
{
    stage->words[0] = 0;
    pid_t child = fork();
    if (child == 0) {
        struct status s =
            leave_out == NO_CAGE ? stand_aside(stage, which) : enter(stage, which, leave_out);
        if (!status_ok(s)) {
            status_text(s, stage->words, 256);
            _exit(NOT_CAGED);
        }
        _exit(attack->run(&stage->scene) ? ESCAPED : HELD);
    }
    return outcome_of(child);
}

static const char *outcome_words(const struct stage *stage, enum outcome outcome)
{
    switch (outcome) {
    case HELD:
        return "refused";
    case KILLED:
        return "killed";
    case ESCAPED:
        return "ESCAPED";
    case NOT_CAGED:
        return stage->words;
    case CRASHED:
        break;
    }
    return "crashed";
}

/* The whole cage, and what is left of it without some layers. */
static const struct variant {
    const char *name;
    uint32_t leave_out;
} variants[] = {
    {"whole", 0},
    {"no system call list", CAGE_BIT(SECCOMP)},
    {"no system call list, no Landlock", CAGE_BIT(SECCOMP) | CAGE_BIT(LANDLOCK)},
    {"no system call list, no empty root", CAGE_BIT(SECCOMP) | CAGE_BIT(ROOT)},
};

/* What must hold the attack in this variant: nothing where the machine lacks it, or by design. */
static bool variant_must_hold(const struct variant *variant, uint32_t missing,
                              const struct attack *attack)
{
    uint32_t off = variant->leave_out | missing;
    if ((attack->traits & ATTACK_MEMORY) && (off & CAGE_BIT(LIMITS))) {
        return false;
    }
    if (!(off & CAGE_BIT(SECCOMP))) {
        return true;
    }
    bool files = (off & CAGE_BIT(ROOT)) == 0 ||
                 ((off & CAGE_BIT(LANDLOCK)) == 0 && (attack->traits & ATTACK_NAMES) == 0);
    return files && (off & CAGE_BIT(NAMESPACES)) == 0 && (attack->traits & ATTACK_SECCOMP) == 0;
}

static void attack_cage(const struct stage *stage, enum scene_cage which, uint32_t missing,
                        const struct attack *attack)
{
    char name[160];
    enum outcome control = try_attack(stage, which, NO_CAGE, attack);
    if (control == NOT_CAGED) {
        result(false, cages[which].name, attack->name, stage->words);
    } else if (control != ESCAPED) {
        printf("ok %u - %s: %s # SKIP does not work on this machine, caged or not\n", ++tests,
               cages[which].name, attack->name);
    }
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        if (variant_must_hold(&variants[i], missing, attack)) {
            enum outcome o = try_attack(stage, which, variants[i].leave_out, attack);
            snprintf(name, sizeof name, "%s (%s)", attack->name, variants[i].name);
            result(o == HELD || o == KILLED, cages[which].name, name, outcome_words(stage, o));
        }
    }
}

/* ── what must still work ── */

static bool speaks_to_guard(void)
{
    char byte;
    return send(3, "x", 1, MSG_NOSIGNAL) == 1 && recv(3, &byte, 1, MSG_DONTWAIT) < 0 &&
           errno == EAGAIN;
}

/* Over the socket that a worker has in the place of guard's. */
static bool answers_opener(void)
{
    struct iovec part = {.iov_base = (char[]){"in"}, .iov_len = 2};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
    return sendmsg(WORKER_OPENER, &m, MSG_NOSIGNAL) == 2;
}

static bool opens_files(void)
{
    struct stat info;
    OWN(fd_drop) int file = openat(AT_FDCWD, "/etc/shadow", O_RDONLY | O_CLOEXEC);
    return file >= 0 && fstat(file, &info) == 0 && S_ISREG(info.st_mode);
}

static bool reads_a_file(void)
{
    char byte;
    int file = openat(AT_FDCWD, "/etc/shadow", O_RDONLY | O_CLOEXEC);
    return file >= 0 && read(file, &byte, 1) == 1;
}

static bool maps_memory(void)
{
    return mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
           MAP_FAILED;
}

static bool keeps_files(void)
{
    OWN(fd_drop) int opened = openat(4, "alerts.new", O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    OWN(fd_drop) int file = dup3(opened, COURIER_FILE, O_CLOEXEC);
    struct stat info;
    char byte;
    return file >= 0 && write(file, "line\n", 5) == 5 && ftruncate(file, 3) == 0 &&
           fstat(file, &info) == 0 && info.st_size == 3 && pread(file, &byte, 1, 2) == 1 &&
           fdatasync(file) == 0 && renameat(4, "alerts.new", 4, "alerts.old") == 0 &&
           unlinkat(4, "alerts.old", 0) == 0;
}

static bool writes_to_syslog(void)
{
    return send(5, "<13>x", 5, MSG_NOSIGNAL | MSG_DONTWAIT) == 5;
}

static bool assertion_aborts(void)
{
    bug("a test", "cage_test.c");
}

static const struct job {
    const char *name;
    bool (*run)(void);
    unsigned whose; /* a bit for each cage */
    int signal;
} jobs[] = {
    {"speaks to guard", speaks_to_guard, 1 << SCENE_ENGINE | 1 << SCENE_COURIER | 1 << SCENE_OPENER,
     0},
    {"answers the opener", answers_opener, 1 << SCENE_WORKER, 0},
    {"opens files, and reads none", opens_files, 1 << SCENE_OPENER, 0},
    {"maps memory", maps_memory, (1 << SCENE_CAGES) - 1, 0},
    {"keeps files in its spool", keeps_files, 1 << SCENE_COURIER, 0},
    {"writes to the system log", writes_to_syslog, 1 << SCENE_COURIER, 0},
    {"a failed assertion is no violation", assertion_aborts, (1 << SCENE_CAGES) - 1, SIGABRT},
    {"reading a file is a violation", reads_a_file, 1 << SCENE_OPENER, SIGSYS},
};

static void do_job(const struct stage *stage, enum scene_cage which, const struct job *job)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        _exit(status_ok(enter(stage, which, 0)) && job->run() ? 0 : 1);
    }
    while (waitpid(child, &status, 0) < 0) {
    }
    int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    char how[64];
    snprintf(how, sizeof how, "signal %d, exit code %d", signal, WEXITSTATUS(status));
    result(signal == job->signal && (signal || WEXITSTATUS(status) == 0), cages[which].name,
           job->name, how);
}

/* ── a worker seen from outside ── */

/* A worker may wait for its opener, and for nothing else. */
static void wait_for_ever(enum scene_cage which)
{
    char byte;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
    if (which == SCENE_WORKER) {
        recvmsg(WORKER_OPENER, &m, 0);
    } else {
        poll(NULL, 0, -1);
    }
}

/* A child in the cage that waits; `ready` (a pipe's end) gets a byte when it is in. */
static pid_t start_waiting(const struct stage *stage, enum scene_cage which)
{
    pid_t child = fork();
    if (child == 0) {
        struct status s = enter(stage, which, 0);
        bool said = which == SCENE_WORKER ? status_ok(s) && answers_opener()
                                          : status_ok(s) && send(3, "in", 2, MSG_NOSIGNAL) == 2;
        if (!said) {
            _exit(NOT_CAGED);
        }
        wait_for_ever(which);
        _exit(HELD);
    }
    return child;
}

static bool wait_until_in(const struct stage *stage)
{
    struct pollfd guard = {.fd = stage->guard[0], .events = POLLIN};
    char bytes[8];
    return poll(&guard, 1, 5000) == 1 && recv(stage->guard[0], bytes, sizeof bytes, 0) == 2;
}

static void drain(const struct stage *stage)
{
    char bytes[8];
    while (recv(stage->guard[0], bytes, sizeof bytes, MSG_DONTWAIT) > 0) {
    }
}

static const struct look {
    const char *file; /* under /proc/PID */
    const char *line;
} looks[] = {
    {"status", "CapInh:\t0000000000000000\n"},
    {"status", "CapBnd:\t0000000000000000\n"},
    {"status", "CapAmb:\t0000000000000000\n"},
    {"status", "NoNewPrivs:\t1\n"},
    {"status", "Seccomp:\t2\n"},
    {"status", "Groups:\t \n"},
    {"limits", "Max core file size        0                    0 "},
    {"limits", "Max processes             0                    0 "},
};

/* CAP_DAC_READ_SEARCH, which is what an opener needs; and nothing. */
static const struct look keeps[] = {{"status", "CapPrm:\t0000000000000004\n"},
                                    {"status", "CapEff:\t0000000000000004\n"}};
static const struct look keeps_nothing[] = {{"status", "CapPrm:\t0000000000000000\n"},
                                            {"status", "CapEff:\t0000000000000000\n"}};

static bool file_has(pid_t process, const struct look *look)
{
    char path[64];
    char text[8192] = "";
    snprintf(path, sizeof path, "/proc/%d/%s", process, look->file);
    OWN(fd_drop) int file = open(path, O_RDONLY | O_CLOEXEC);
    return file >= 0 && read(file, text, sizeof text - 1) > 0 && strstr(text, look->line);
}

static bool input_is_null(pid_t process)
{
    char path[64];
    struct stat null, info;
    snprintf(path, sizeof path, "/proc/%d/fd/0", process);
    return stat("/dev/null", &null) == 0 && stat(path, &info) == 0 && info.st_rdev == null.st_rdev;
}

/* The kernel gives the files in /proc/PID to root where the process may not be dumped. */
static bool cannot_be_dumped(pid_t process)
{
    char path[64];
    struct stat info;
    snprintf(path, sizeof path, "/proc/%d/maps", process);
    return stat(path, &info) == 0 && info.st_uid == 0;
}

static bool runs_as_root(pid_t process)
{
    return file_has(process, &(struct look){"status", "\nUid:\t0"}) ||
           file_has(process, &(struct look){"status", "\nGid:\t0"});
}

static void look_from_outside(const struct stage *stage, enum scene_cage which)
{
    drain(stage);
    pid_t child = start_waiting(stage, which);
    const char *name = cages[which].name;
    const struct look *capabilities = which == SCENE_OPENER ? keeps : keeps_nothing;
    result(wait_until_in(stage), name, "seen from outside", "it is in");
    result(file_has(child, &capabilities[0]) && file_has(child, &capabilities[1]), name,
           "seen from outside", "it has the capabilities that it needs");
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
        char line[64];
        snprintf(line, sizeof line, "%.*s", (int)strcspn(looks[i].line, "\n"), looks[i].line);
        result(file_has(child, &looks[i]), name, "seen from outside", line);
    }
    result(!runs_as_root(child), name, "seen from outside", "neither user nor group is root");
    result(cannot_be_dumped(child), name, "seen from outside", "it cannot be dumped");
    result(input_is_null(child), name, "seen from outside", "standard input is /dev/null");
    kill(child, SIGKILL);
    outcome_of(child);
}

/* Orphans come to this process, so that it sees how they end. */
static bool orphan_was_killed(void)
{
    for (int i = 0; i < 500; i++) {
        int status;
        if (waitpid(-1, &status, WNOHANG) > 0) {
            return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        }
        poll(NULL, 0, 10);
    }
    return false;
}

static void dies_with_parent(const struct stage *stage, enum scene_cage which)
{
    drain(stage);
    pid_t guard = fork();
    if (guard == 0) {
        start_waiting(stage, which);
        poll(NULL, 0, -1);
    }
    bool in = wait_until_in(stage);
    kill(guard, SIGKILL);
    outcome_of(guard);
    bool killed = orphan_was_killed();
    result(in && killed, cages[which].name, "dies with its parent", in ? "" : "was never in");
}

/* ── all of it ── */

/* What this machine lacks, or everything where a cage cannot be entered at all. */
static uint32_t missing_layers(const struct stage *stage, enum scene_cage which)
{
    uint32_t *missing = (uint32_t *)(void *)stage->words;
    *missing = NO_CAGE;
    pid_t child = fork();
    if (child == 0) {
        struct cage cage = cages[which].cage();
        uint32_t out = NO_CAGE;
        bool in = status_ok(stage_position(stage, which)) && status_ok(cage_enter(&cage, &out));
        *missing = in ? out : NO_CAGE;
        _exit(0);
    }
    outcome_of(child);
    return *missing;
}

static void test_cage(const struct stage *stage, enum scene_cage which, bool poor)
{
    uint32_t missing = missing_layers(stage, which);
    char words[256];
    result(missing != NO_CAGE && (missing & ~CAGE_BIT(LIMITS) || !poor), cages[which].name,
           "enters, and says what it lacks", cage_missing(missing, words, sizeof words));
    for (const struct attack *a = attacks; a->name; a++) {
        if (!(a->traits & cages[which].without)) {
            attack_cage(stage, which, missing | (cages[which].keeps_root ? CAGE_BIT(ROOT) : 0), a);
        }
    }
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
        if (jobs[i].whose >> which & 1) {
            do_job(stage, which, &jobs[i]);
        }
    }
    look_from_outside(stage, which);
    dies_with_parent(stage, which);
}

/* Stands for a kernel that is too old for one system call. */
static struct status forbid(const char *call)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int number = seccomp_syscall_resolve_name(call);
    int error = filter ? seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), number, 0) : -ENOMEM;
    error = error ? error : seccomp_load(filter);
    seccomp_release(filter);
    if (error != 0) {
        FAIL_SYS(-error);
    }
    return OK;
}

static struct status prepare(int argc, char **argv, struct stage *out)
{
    /* A group to lose, and orphans to see. */
    if (setgroups(1, &(gid_t){0}) != 0 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) {
        FAIL_SYS(errno);
    }
    TRY(stage_open(out));
    return argc > 1 ? forbid(argv[1]) : OK;
}

int main(int argc, char **argv)
{
    static struct stage stage;
    char words[256];
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (geteuid() != 0) {
        printf("Bail out! the cages can only be tested by root: sudo meson test cage\n");
        return 1;
    }
    struct status s = prepare(argc, argv, &stage);
    if (status_ok(s)) {
        for (unsigned i = 0; i < SCENE_CAGES; i++) {
            /* Who keeps the root folder does not miss what makes an empty one. */
            bool poor = argc > 1 && !(cages[i].keeps_root && strcmp(argv[1], "fsopen") == 0);
            test_cage(&stage, (enum scene_cage)i, poor);
        }
        printf("1..%u\n", tests);
    } else {
        printf("Bail out! %s\n", status_text(s, words, sizeof words));
    }
    stage_close(&stage);
    return !status_ok(s) || failures != 0;
}
