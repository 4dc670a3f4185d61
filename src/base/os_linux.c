/*
 * The cage on Linux. Each layer is one function; cage_enter() gives their order and why.
 */
#include "base/cage.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/securebits.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The address sanitizer reserves terabytes that it never touches. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#if SANITIZED
/* The leak checker traces its process from a thread, which no cage allows. */
int __lsan_is_turned_off(void);

int __lsan_is_turned_off(void)
{
    return 1;
}
#endif

/* ── descriptors ── */

struct status cage_close_from(int first)
{
    if (close_range((unsigned)first, UINT_MAX, 0) != 0) {
        FAIL_SYS(errno);
    }
    /* What guard was started on may be a terminal: a process that holds it could type into it. */
    OWN(fd_drop) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) {
        FAIL_SYS(errno);
    }
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        bool keep = fd == STDERR_FILENO && fcntl(fd, F_GETFD) >= 0 && fd != null;
        if (!keep && fd != null && dup2(null, fd) < 0) {
            FAIL_SYS(errno);
        }
    }
    if (null <= STDERR_FILENO) {
        fd_take(&null);
    }
    return OK;
}

/* ── who it is ── */

struct status cage_user(const struct cage *spec, uint32_t *out_user, uint32_t *out_group)
{
    const struct passwd *user = getpwnam(spec->user);
    if (user && (user->pw_uid == 0 || user->pw_gid == 0)) {
        FAIL(DENIED);
    }
    *out_user = user ? user->pw_uid : spec->id;
    *out_group = user ? user->pw_gid : spec->id;
    return OK;
}

static struct status drop_bounding_set(void)
{
    for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0) {
            FAIL_SYS(errno);
        }
    }
    return OK;
}

/* `keep`: a bit each. Not inheritable, so that no program gets them. */
static struct status drop_capabilities(uint32_t keep)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct kept[_LINUX_CAPABILITY_U32S_3] = {
        {.effective = keep, .permitted = keep}};
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 ||
        syscall(SYS_capset, &header, kept) != 0) {
        FAIL_SYS(errno);
    }
    return OK;
}

/* Being root must mean nothing any more, should the process ever become it. */
static struct status lock_root(void)
{
    unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                         SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                         SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    if (prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) != 0) {
        FAIL_SYS(errno);
    }
    return drop_bounding_set();
}

/* The locked bits keep a change of user from touching capabilities: what goes is said here. */
static struct status drop_root(const struct cage *spec, uint32_t user, uint32_t group)
{
    TRY(lock_root());
    if (setgroups(0, NULL) != 0 || setresgid(group, group, group) != 0 ||
        setresuid(user, user, user) != 0) {
        FAIL_SYS(errno);
    }
    TRY(drop_capabilities(spec->reads ? 1U << CAP_DAC_READ_SEARCH : 0));
    if (setuid(0) == 0) {
        FAIL(DENIED);
    }
    return OK;
}

/* In a user namespace of its own it has every capability over nothing: they go all the same. */
static struct status drop_own_namespace(bool inside)
{
    if (inside) {
        TRY(lock_root());
    }
    return drop_capabilities(0);
}

/* A change of user clears the death signal and may set dumpable again, so these come after it. */
static struct status bind_to_parent(pid_t parent)
{
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
        FAIL_SYS(errno);
    }
    if (getppid() != parent) {
        FAIL(CLOSED); /* guard died before the signal was armed */
    }
    return OK;
}

/* ── what it sees of the file system ── */

/* The folder becomes a mount of its own in no tree at all: ".." leads nowhere from its top,
 * whatever root the process has. The descriptor's number stays. */
static struct status detach_folder(int folder)
{
    OWN(fd_drop)
    int tree = open_tree(folder, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    struct mount_attr flags = {.attr_set =
                                   MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC};
    if (tree < 0) {
        FAIL_SYS(errno);
    }
    /* Kernels before 5.12 cannot say that, and no other layer counts on it. */
    if (mount_setattr(tree, "", AT_EMPTY_PATH, &flags, sizeof flags) != 0 && errno != ENOSYS) {
        FAIL_SYS(errno);
    }
    if (dup3(tree, folder, O_CLOEXEC) < 0) {
        FAIL_SYS(errno);
    }
    return OK;
}

static struct status make_empty_mount(int *out)
{
    OWN(fd_drop) int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
    if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0555", 0) != 0 ||
        fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", "1", 0) != 0 ||
        fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0) {
        FAIL_SYS(errno);
    }
    int empty =
        fsmount(fs, FSMOUNT_CLOEXEC,
                MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    if (empty < 0) {
        FAIL_SYS(errno);
    }
    *out = empty;
    return OK;
}

/* In a mount namespace of its own, always: the machine's root must never be what changes. The
 * folder is detached before, since a tree can only be taken from the namespace one is in. Private,
 * so that taking the old root off here takes it off nowhere else. */
static struct status empty_root(const struct cage *spec)
{
    OWN(fd_drop) int empty = -1;
    if (spec->folder >= 0) {
        TRY(detach_folder(spec->folder));
    }
    TRY(make_empty_mount(&empty));
    if (unshare(CLONE_NEWNS) != 0) {
        FAIL_SYS(errno);
    }
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        move_mount(empty, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) != 0 || fchdir(empty) != 0 ||
        syscall(SYS_pivot_root, ".", ".") != 0 || umount2(".", MNT_DETACH) != 0 ||
        chdir("/") != 0) {
        FAIL_SYS(errno);
    }
    return OK;
}

/* For a caller without privilege: the namespaces below have to belong to a user namespace. */
static struct status own_users(const struct cage *spec)
{
    (void)spec;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
        FAIL_SYS(errno);
    }
    return OK;
}

static struct status own_namespaces(const struct cage *spec)
{
    (void)spec;
    if (unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP) != 0) {
        FAIL_SYS(errno);
    }
    return OK;
}

static struct status give_folder(int folder, uint32_t user, uint32_t group)
{
    if (folder >= 0 && fchownat(folder, "", user, group, AT_EMPTY_PATH) != 0) {
        FAIL_SYS(errno);
    }
    return OK;
}

/* ── Landlock ── */

/* The kernel's interface (linux/landlock.h) beyond what Debian 12's header names, which ends at ABI
 * 2. A kernel takes a larger struct than it knows as long as the rest is zero. */
struct landlock_rights {
    uint64_t files;
    uint64_t net;    /* ABI 4: TCP bind and connect */
    uint64_t scopes; /* ABI 6: abstract UNIX sockets and signals */
};

enum {
    RIGHT_TRUNCATE = 1 << 14,  /* ABI 3 */
    RIGHT_IOCTL_DEV = 1 << 15, /* ABI 5 */
    RIGHTS_NET = 3,
    RIGHTS_SCOPE = 3,
    RIGHTS_ABI_1 = LANDLOCK_ACCESS_FS_REFER - 1,
    RIGHTS_FOLDER = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                    LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                    LANDLOCK_ACCESS_FS_REMOVE_FILE | RIGHT_TRUNCATE,
};

static struct landlock_rights landlock_rights(long abi)
{
    struct landlock_rights rights = {.files = RIGHTS_ABI_1};
    rights.files |= abi >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0;
    rights.files |= abi >= 3 ? RIGHT_TRUNCATE : 0;
    rights.files |= abi >= 5 ? RIGHT_IOCTL_DEV : 0;
    rights.net = abi >= 4 ? RIGHTS_NET : 0;
    rights.scopes = abi >= 6 ? RIGHTS_SCOPE : 0;
    return rights;
}

static struct status allow_beneath(int rules, int folder, uint64_t rights)
{
    struct landlock_path_beneath_attr beneath = {.allowed_access = rights, .parent_fd = folder};
    if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) != 0) {
        FAIL_SYS(errno);
    }
    return OK;
}

/* Everything that this kernel's Landlock can deny is denied, but the work in the folder, and for
 * who reads all files, reading. */
static struct status restrict_files(const struct cage *spec)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 0) {
        FAIL_SYS(errno);
    }
    struct landlock_rights rights = landlock_rights(abi);
    OWN(fd_drop) int rules = (int)syscall(SYS_landlock_create_ruleset, &rights, sizeof rights, 0);
    if (rules < 0) {
        FAIL_SYS(errno);
    }
    if (spec->folder >= 0) {
        TRY(allow_beneath(rules, spec->folder, RIGHTS_FOLDER & rights.files));
    }
    if (spec->reads) {
        OWN(fd_drop) int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0) {
            FAIL_SYS(errno);
        }
        TRY(allow_beneath(rules, root, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR));
    }
    if (syscall(SYS_landlock_restrict_self, rules, 0) != 0) {
        FAIL_SYS(errno);
    }
    return OK;
}

/* ── limits ── */

/* Never above what the process was given: raising a limit takes a capability guard need not have.
 */
static struct status limit(int resource, uint64_t value)
{
    struct rlimit both;
    if (getrlimit((__rlimit_resource_t)resource, &both) != 0) {
        FAIL_SYS(errno);
    }
    both.rlim_max = value < both.rlim_max ? value : both.rlim_max;
    both.rlim_cur = both.rlim_max;
    if (setrlimit((__rlimit_resource_t)resource, &both) != 0) {
        FAIL_SYS(errno);
    }
    return OK;
}

/* By DATA and not by AS: the event ring is mapped as well, and is as large as the owner wants it.
 * Shared memory, which DATA does not count, no process in a cage can make. */
static struct status limit_memory(const struct cage *spec)
{
    if (SANITIZED) {
        FAIL(UNSUPPORTED);
    }
    return limit(RLIMIT_DATA, spec->memory_bytes);
}

static struct status limit_the_rest(const struct cage *spec)
{
    TRY(limit(RLIMIT_CORE, 0));
    TRY(limit(RLIMIT_NPROC, 0));
    TRY(limit(RLIMIT_MEMLOCK, 0));
    TRY(limit(RLIMIT_MSGQUEUE, 0));
    TRY(limit(RLIMIT_NOFILE, spec->descriptors));
    signal(SIGXFSZ, SIG_IGN); /* a write beyond the limit fails, and does not kill */
    return limit(RLIMIT_FSIZE, spec->file_bytes ? spec->file_bytes : RLIM_INFINITY);
}

/* ── system calls ── */

#define NO_EXECUTE                                                                                 \
    {                                                                                              \
        .argument = 2, .mask = PROT_EXEC, .value = 0                                               \
    }
#define NOT_SHARED                                                                                 \
    {                                                                                              \
        .argument = 3, .mask = MAP_SHARED, .value = 0                                              \
    }

/* What glibc needs to allocate, to tell the time, to write to standard error and to end. */
static const struct cage_call common_calls[] = {
    {"brk"},
    {"clock_gettime"},
    {"close"},
    {"exit"},
    {"exit_group"},
    {"getpid"},
    {"getrandom"},
    {"gettid"},
    {"mmap", {NO_EXECUTE, NOT_SHARED}},
    {"mremap"},
    {"munmap"},
    {"restart_syscall"},
    {"rt_sigprocmask"},
    {"rt_sigreturn"},
    {"write", CAGE_FD(STDERR_FILENO)},
    {"writev", CAGE_FD(STDERR_FILENO)},
#if SANITIZED
    {"madvise"},
    {"sigaltstack"},
    {"futex"},
    {"sched_yield"},
    {"readlink"},
    {"rt_sigaction"},
#endif
};

static void filter_drop(scmp_filter_ctx *filter)
{
    seccomp_release(*filter); /* NULL is fine */
}

static struct status allow(scmp_filter_ctx filter, const struct cage_call *call)
{
    struct scmp_arg_cmp tests[CAGE_TESTS];
    unsigned count = 0;
    for (size_t i = 0; i < CAGE_TESTS; i++) {
        const struct cage_test *test = &call->tests[i];
        if (test->mask) {
            tests[count++] =
                SCMP_CMP64(test->argument, SCMP_CMP_MASKED_EQ, test->mask, test->value);
        }
    }
    int number = seccomp_syscall_resolve_name(call->name);
    if (number == __NR_SCMP_ERROR) {
        FAIL(INVALID);
    }
    if (number < 0) {
        return OK; /* a call of other processors only: nobody here can make it */
    }
    int error = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, count, tests);
    if (error != 0) {
        FAIL_SYS(-error);
    }
    return OK;
}

static struct status allow_all(scmp_filter_ctx filter, const struct cage *spec)
{
    for (size_t i = 0; i < sizeof common_calls / sizeof *common_calls; i++) {
        TRY(allow(filter, &common_calls[i]));
    }
    for (size_t i = 0; i < CAGE_CALLS && spec->calls[i].name; i++) {
        TRY(allow(filter, &spec->calls[i]));
    }
    /* abort() sends itself a signal; without this a failed assertion would look like a violation.
     */
    struct cage_call self = {"tgkill", CAGE_FD(getpid())};
    return allow(filter, &self);
}

static struct status filter_calls(const struct cage *spec)
{
    OWN(filter_drop) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!filter) {
        FAIL(MEMORY);
    }
    TRY(allow_all(filter, spec));
    int error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    error = error ? error : seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    error = error ? error : seccomp_load(filter);
    if (error != 0) {
        FAIL_SYS(-error);
    }
    return OK;
}

/* ── all of it ── */

/* A layer that the machine may lack: left out where the spec says so, noted where it was refused.
 */
static void put_on(enum cage_layer layer, struct status (*layer_of)(const struct cage *),
                   const struct cage *spec, uint32_t *missing)
{
    uint32_t bit = 1U << layer;
    if ((spec->leave_out & bit) || !status_ok(layer_of(spec))) {
        *missing |= bit;
    }
}

struct status cage_enter(const struct cage *spec, uint32_t *out)
{
    pid_t parent = getppid();
    uint32_t missing = 0;
    uint32_t user, group;
    bool caller = spec->anyone && geteuid() != 0;
    bool inside = caller && status_ok(own_users(spec)); /* what needs it says so */
    /* While it is root and sees the machine: what needs either. */
    TRY(cage_user(spec, &user, &group));
    if (!caller) {
        TRY(give_folder(spec->folder, user, group));
    }
    put_on(CAGE_NAMESPACES, own_namespaces, spec, &missing);
    if (!spec->reads) {
        put_on(CAGE_ROOT, empty_root, spec, &missing);
    }
    put_on(CAGE_LIMITS, limit_memory, spec, &missing);
    TRY(limit_the_rest(spec));
    TRY(caller ? drop_own_namespace(inside) : drop_root(spec, user, group));
    TRY(bind_to_parent(parent));
    /* Need no_new_privs, and the last one would forbid all the others. */
    put_on(CAGE_LANDLOCK, restrict_files, spec, &missing);
    if (spec->leave_out & CAGE_BIT(SECCOMP)) {
        missing |= CAGE_BIT(SECCOMP);
    } else {
        TRY(filter_calls(spec));
    }
    *out = missing;
    return OK;
}

const char *cage_missing(uint32_t layers, char *out, size_t out_size)
{
    static const char *const words[] = {
#define CAGE_LAYER_WORDS(name, text) [CAGE_##name] = text,
        CAGE_LAYERS(CAGE_LAYER_WORDS)
#undef CAGE_LAYER_WORDS
    };
    size_t used = 0;
    out[0] = 0;
    for (unsigned i = 0; i < CAGE_LAYER_COUNT && used < out_size; i++) {
        if (layers & (1U << i)) {
            used +=
                (size_t)snprintf(out + used, out_size - used, "%s%s", used ? ", " : "", words[i]);
        }
    }
    return out;
}
