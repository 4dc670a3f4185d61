#include "ctl/checks.h"

#include "base/own.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { LANDLOCK_VERSION_FLAG = 1, DETAIL = 160, SMALL_FILE = 512 };

/* The kernel's ABI: the machine's first pid namespace has this number on every boot. */
static const ino_t initial_pid_namespace = 0xEFFFFFFC;

struct check {
    const char *name;
    bool (*holds)(char *detail); /* says what it found, at most DETAIL bytes */
    const char *advice;          /* what is missing without it, and what to do */
};

static bool say(bool holds, char *detail, const char *words)
{
    snprintf(detail, DETAIL, "%s", words);
    return holds;
}

/* The beginning of a small file; the empty slice where it cannot be read. */
static struct text file_text(const char *path, char *room)
{
    OWN(fd_drop) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? 0 : read(fd, room, SMALL_FILE);
    return (struct text){room, len > 0 ? (size_t)len : 0};
}

static bool is_root(char *detail)
{
    bool root = geteuid() == 0;
    return say(root, detail,
               root ? "this command runs as root" : "not known: needs root for some checks");
}

static bool initial_namespace(char *detail)
{
    struct stat status;
    bool initial =
        stat("/proc/self/ns/pid", &status) == 0 && status.st_ino == initial_pid_namespace;
    return say(initial, detail, initial ? "the machine itself" : "inside a container");
}

static bool has_btf(char *detail)
{
    bool there = access("/sys/kernel/btf/vmlinux", R_OK) == 0;
    return say(there, detail, there ? "/sys/kernel/btf/vmlinux" : "no /sys/kernel/btf/vmlinux");
}

/* Explains a refused bpf(2) or fanotify_init(2). */
static bool say_refused(char *detail)
{
    bool permission = errno == EPERM || errno == EACCES;
    snprintf(detail, DETAIL, "%s", permission ? "not known: needs root" : strerror(errno));
    return false;
}

static bool has_ring_buffer(char *detail)
{
    union bpf_attr attributes = {
        .map_type = BPF_MAP_TYPE_RINGBUF,
        .max_entries = 4096,
    };
    OWN(fd_drop)
    int fd = (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes);
    return fd >= 0 ? say(true, detail, "a kernel ring could be made") : say_refused(detail);
}

/* The smallest program there is: return 0. */
static bool loads_programs(char *detail)
{
    static const struct bpf_insn program[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0}, {.code = BPF_JMP | BPF_EXIT}};
    static const char license[] = "GPL";
    union bpf_attr attributes = {
        .prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT,
        .insn_cnt = sizeof program / sizeof program[0],
        .insns = (uint64_t)(uintptr_t)program,
        .license = (uint64_t)(uintptr_t)license,
    };
    OWN(fd_drop)
    int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes);
    return fd >= 0 ? say(true, detail, "an eBPF program could be loaded") : say_refused(detail);
}

static bool has_bpf_lsm(char *detail)
{
    char room[SMALL_FILE];
    struct text modules = text_trim(file_text("/sys/kernel/security/lsm", room));
    bool there = false;
    snprintf(detail, DETAIL, modules.len > 0 ? "active: %.*s" : "not known: no securityfs",
             TEXT_ARGS(text_part(modules, 0, 100)));
    while (modules.len > 0) {
        size_t comma = text_find_byte(modules, ',');
        there = there || text_same(text_part(modules, 0, comma), TEXT("bpf"));
        modules = comma == SIZE_MAX ? TEXT("") : text_part(modules, comma + 1, modules.len);
    }
    return there;
}

static bool has_fanotify(char *detail)
{
    OWN(fd_drop) int fd = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY);
    return fd >= 0 ? say(true, detail, "exec and open can be held for a verdict")
                   : say_refused(detail);
}

static bool has_landlock(char *detail)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION_FLAG);
    snprintf(detail, DETAIL, version > 0 ? "version %ld" : "not in this kernel", version);
    return version > 0;
}

static bool has_seccomp(char *detail)
{
    char room[SMALL_FILE];
    struct text actions = file_text("/proc/sys/kernel/seccomp/actions_avail", room);
    bool there = text_find(actions, TEXT("kill_process")) != SIZE_MAX;
    return say(there, detail, there ? "system calls can be confined" : "no seccomp filters");
}

static bool has_cgroup2(char *detail)
{
    if (access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0) {
        return say(true, detail, "/sys/fs/cgroup");
    }
    /* What systemd calls hybrid. The kernel part asks the kernel, wherever it is mounted. */
    bool hybrid = access("/sys/fs/cgroup/unified/cgroup.controllers", F_OK) == 0;
    return say(hybrid, detail,
               hybrid ? "/sys/fs/cgroup/unified, beside version 1: containers that are in it are "
                        "named"
                      : "not at /sys/fs/cgroup, nor in unified below it");
}

static bool has_bpffs(char *detail)
{
    char room[SMALL_FILE];
    bool there = text_find(file_text("/proc/filesystems", room), TEXT("\tbpf\n")) != SIZE_MAX;
    return say(there, detail, there ? "the kernel has bpffs" : "no bpf in /proc/filesystems");
}

static bool not_locked_down(char *detail)
{
    char room[SMALL_FILE];
    struct text mode = file_text("/sys/kernel/security/lockdown", room);
    bool locked = text_find(mode, TEXT("[confidentiality]")) != SIZE_MAX;
    return say(!locked, detail, locked ? "lockdown=confidentiality" : "the kernel lets eBPF read");
}

static const struct check checks[] = {
    {"root", is_root, "Bulkhead's guard needs root; some checks here do too. Use sudo."},
    {"host", initial_namespace,
     "In a container, processes outside it have no names here. Run Bulkhead on the machine "
     "itself."},
    {"kernel types", has_btf,
     "Nothing can be seen: the kernel needs CONFIG_DEBUG_INFO_BTF. Debian's and most kernels have "
     "it."},
    {"eBPF programs", loads_programs,
     "Nothing can be seen: the kernel needs CONFIG_BPF_SYSCALL, and guard root."},
    {"ring buffer", has_ring_buffer, "Nothing can be seen: the kernel needs a BPF ring buffer."},
    {"lockdown", not_locked_down,
     "Nothing can be seen: in this mode eBPF may not read kernel memory. Use lockdown=integrity."},
    {"bpffs", has_bpffs,
     "A restarted guard cannot go on where it was, and events between are lost: the kernel needs "
     "bpffs."},
    {"BPF LSM", has_bpf_lsm,
     "Nothing is denied in the kernel, and root can stop Bulkhead. Everything is still seen. Add "
     "bpf to "
     "the lsm= list on the kernel's command line."},
    {"fanotify", has_fanotify,
     "Exec and open cannot be held for a verdict: the kernel needs "
     "CONFIG_FANOTIFY_ACCESS_PERMISSIONS, and guard root."},
    {"seccomp", has_seccomp,
     "Bulkhead's parts run less confined than they should: the kernel needs "
     "CONFIG_SECCOMP_FILTER."},
    {"Landlock", has_landlock,
     "Bulkhead's parts are confined without Landlock: the kernel needs it in its lsm= list."},
    {"cgroup 2", has_cgroup2, "Containers are not named in events: mount cgroup version 2."},
};

static json_t *run_check(const struct check *check)
{
    char detail[DETAIL];
    bool holds = check->holds(detail);
    return json_pack("{s:s, s:b, s:s, s:s}", "name", check->name, "ok", holds, "detail", detail,
                     "advice", holds ? "" : check->advice);
}

json_t *checks_run(void)
{
    struct utsname name;
    json_t *results = json_array();
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        json_array_append_new(results, run_check(&checks[i]));
    }
    return json_pack("{s:s, s:s, s:o}", "kernel", uname(&name) == 0 ? name.release : "?", "tier",
                     "none, as no guard answers", "checks", results);
}
