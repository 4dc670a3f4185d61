#include "cage_attack.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GUARD = 3, SPOOL = 4, PACK = 4, SYSLOG = 5, TERMINAL = 2, MIB = 1024 * 1024 };

/* ── files ── */

static bool open_file(const struct scene *s)
{
    (void)s;
    return open("/etc/passwd", O_RDONLY) >= 0;
}

static bool open_through_proc(const struct scene *s)
{
    (void)s;
    return open("/proc/self/root/etc/passwd", O_RDONLY) >= 0;
}

static bool open_upwards(const struct scene *s)
{
    (void)s;
    return open("../../../../../../../../etc/passwd", O_RDONLY) >= 0;
}

static bool open_memory_of_parent(const struct scene *s)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", s->parent);
    return open(path, O_RDWR) >= 0;
}

static bool open_by_handle(const struct scene *s)
{
    return syscall(SYS_open_by_handle_at, AT_FDCWD, s->handle, O_RDONLY) >= 0;
}

static bool name_to_handle(const struct scene *s)
{
    (void)s;

    union {
        struct file_handle handle;
        char room[SCENE_HANDLE];
    } h = {.handle.handle_bytes = MAX_HANDLE_SZ};

    int mount;
    return name_to_handle_at(AT_FDCWD, "/etc/passwd", &h.handle, &mount, 0) == 0;
}

static bool list_root(const struct scene *s)
{
    (void)s;
    return access("/etc", F_OK) == 0 || access("/proc", F_OK) == 0;
}

static bool write_outside(const struct scene *s)
{
    char path[128];
    snprintf(path, sizeof path, "%s/planted", s->outside);
    return open(path, O_WRONLY | O_CREAT, 0600) >= 0;
}

/* ── files, from the spool ── */

static bool spool_open_upwards(const struct scene *s)
{
    (void)s;
    return openat(SPOOL, "../../../../../../etc/passwd", O_RDONLY) >= 0;
}

static bool spool_change_folder(const struct scene *s)
{
    (void)s;
    return fchdir(SPOOL) == 0 && chdir("../../../../../..") == 0 &&
           open("etc/passwd", O_RDONLY) >= 0;
}

static bool spool_write_beside(const struct scene *s)
{
    (void)s;
    return openat(SPOOL, "../outside/planted", O_WRONLY | O_CREAT, 0600) >= 0;
}

static bool spool_follow_absolute_link(const struct scene *s)
{
    (void)s;
    return openat(SPOOL, "link-to-passwd", O_RDONLY) >= 0;
}

static bool spool_follow_relative_link(const struct scene *s)
{
    (void)s;
    return openat(SPOOL, "link-to-outside", O_RDONLY) >= 0;
}

static bool spool_link_in(const struct scene *s)
{
    (void)s;
    return linkat(SPOOL, "../outside/secret", SPOOL, "linked", 0) == 0;
}

static bool spool_move_out(const struct scene *s)
{
    char path[128];
    snprintf(path, sizeof path, "%s/moved", s->outside);
    return renameat(SPOOL, "alerts.jsonl", AT_FDCWD, path) == 0 ||
           renameat(SPOOL, "alerts.jsonl", SPOOL, "../outside/moved") == 0;
}

static bool spool_make_device(const struct scene *s)
{
    (void)s;
    return mknodat(SPOOL, "memory", S_IFCHR | 0666, (dev_t)0x101) == 0;
}

static bool spool_run_program(const struct scene *s)
{
    (void)s;
    char *args[] = {"program", NULL};
    syscall(SYS_execveat, SPOOL, "program", args, NULL, 0);
    return false;
}

/* ── descriptors ── */

static bool read_leaked_descriptor(const struct scene *s)
{
    (void)s;
    char byte;
    return pread(SCENE_LEAKED, &byte, 1, 0) == 1;
}

/* A socket is spoken to by the calls for sockets, whose arguments the filter sees. */
static bool read_socket_as_file(const struct scene *s)
{
    (void)s;
    char byte;
    return read(GUARD, &byte, 0) == 0;
}

static bool write_socket_as_file(const struct scene *s)
{
    (void)s;
    return write(GUARD, "x", 1) == 1;
}

/* Refused only because nobody listens there. */
static bool send_to_somebody_else(const struct scene *s)
{
    (void)s;
    struct sockaddr_un nobody = {.sun_family = AF_UNIX, .sun_path = "\0nobody"};
    return sendto(SYSLOG, "x", 1, 0, (struct sockaddr *)&nobody, sizeof nobody) < 0 &&
           errno == ECONNREFUSED;
}

static bool shorten_another_file(const struct scene *s)
{
    (void)s;
    return ftruncate(openat(SPOOL, "planted", O_RDWR | O_CREAT, 0600), 0) == 0;
}

static bool type_into_terminal(const struct scene *s)
{
    (void)s;
    return ioctl(TERMINAL, TIOCSTI, "\n") == 0;
}

static bool take_descriptor_of_parent(const struct scene *s)
{
    int process = (int)syscall(SYS_pidfd_open, s->parent, 0);
    return process >= 0 && syscall(SYS_pidfd_getfd, process, SCENE_LEAKED, 0) >= 0;
}

/* ── sockets ── */

static bool connect_tcp(const struct scene *s)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(s->tcp_port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
}

static bool connect_unix(const struct scene *s)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "%s", s->abstract);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(s->abstract));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return fd >= 0 && connect(fd, (struct sockaddr *)&address, len) == 0;
}

static bool make_netlink_socket(const struct scene *s)
{
    (void)s;
    return socket(AF_NETLINK, SOCK_RAW, 0) >= 0;
}

static bool make_raw_socket(const struct scene *s)
{
    (void)s;
    return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0;
}

static bool make_unix_pair(const struct scene *s)
{
    (void)s;
    int pair[2];
    return socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0;
}

/* ── other processes ── */

static bool trace_parent(const struct scene *s)
{
    return ptrace(PTRACE_SEIZE, s->parent, NULL, NULL) == 0;
}

static bool signal_parent(const struct scene *s)
{
    return kill(s->parent, SIGURG) == 0; /* ignored by default */
}

static bool signal_thread_of_parent(const struct scene *s)
{
    return syscall(SYS_tgkill, s->parent, s->parent, SIGURG) == 0;
}

static bool read_memory_of_parent(const struct scene *s)
{
    char byte;
    struct iovec here = {.iov_base = &byte, .iov_len = 1};
    struct iovec there = {.iov_base = (void *)(uintptr_t)s->secret, .iov_len = 1};
    return process_vm_readv(s->parent, &here, 1, &there, 1, 0) == 1;
}

static bool enter_namespace_of_parent(const struct scene *s)
{
    int process = (int)syscall(SYS_pidfd_open, s->parent, 0);
    return process >= 0 && setns(process, CLONE_NEWUTS) == 0;
}

static bool attach_shared_memory(const struct scene *s)
{
    return shmat(s->shared_memory, NULL, SHM_RDONLY) != (void *)-1;
}

static bool make_process(const struct scene *s)
{
    (void)s;
    pid_t child = fork();
    if (child == 0) {
        _exit(0);
    }
    return child > 0 && waitpid(child, NULL, 0) == child;
}

/* /bin/false ends with 1, which is what cage_test takes for success. */
static bool run_program(const struct scene *s)
{
    (void)s;
    execl("/bin/false", "false", NULL);
    return false;
}

static bool run_pack(const struct scene *s)
{
    (void)s;
    char *args[] = {"pack", NULL};
    syscall(SYS_execveat, PACK, "", args, NULL, AT_EMPTY_PATH);
    return false;
}

/* ── memory ── */

static bool map_executable(const struct scene *s)
{
    (void)s;
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
           MAP_FAILED;
}

static bool make_executable(const struct scene *s)
{
    (void)s;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page != MAP_FAILED && mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0;
}

static bool map_pack_executable(const struct scene *s)
{
    (void)s;
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, PACK, 0) != MAP_FAILED;
}

static bool map_shared(const struct scene *s)
{
    (void)s;
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) !=
           MAP_FAILED;
}

static bool take_a_gigabyte(const struct scene *s)
{
    (void)s;
    return mmap(NULL, 1024UL * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
           MAP_FAILED;
}

static bool make_memory_file(const struct scene *s)
{
    (void)s;
    return memfd_create("x", 0) >= 0;
}

static bool handle_page_faults(const struct scene *s)
{
    (void)s;
    return syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY) >= 0;
}

/* ── the kernel's wide doors ── */

static bool make_bpf_map(const struct scene *s)
{
    (void)s;
    union bpf_attr map = {
        .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
    return syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof map) >= 0;
}

static bool make_io_uring(const struct scene *s)
{
    (void)s;
    struct io_uring_params params = {0};
    return syscall(SYS_io_uring_setup, 1, &params) >= 0;
}

static bool open_perf_event(const struct scene *s)
{
    (void)s;
    struct perf_event_attr event = {.type = PERF_TYPE_SOFTWARE,
                                    .size = sizeof event,
                                    .config = PERF_COUNT_SW_TASK_CLOCK,
                                    .exclude_kernel = 1};
    return syscall(SYS_perf_event_open, &event, 0, -1, -1, 0) >= 0;
}

static bool join_keyring(const struct scene *s)
{
    (void)s;
    return syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0;
}

static bool own_user_namespace(const struct scene *s)
{
    (void)s;
    return unshare(CLONE_NEWUSER) == 0;
}

static bool own_mount_namespace(const struct scene *s)
{
    (void)s;
    return unshare(CLONE_NEWNS) == 0;
}

static bool mount_something(const struct scene *s)
{
    (void)s;
    return mount("none", "/", "tmpfs", 0, NULL) == 0;
}

static bool change_root(const struct scene *s)
{
    (void)s;
    return chroot("/") == 0;
}

static bool change_host_name(const struct scene *s)
{
    (void)s;
    return sethostname("taken", 5) == 0;
}

/* Calls numbered for another machine mode, which a filter by number alone would let through. */
static bool call_in_32_bit_mode(const struct scene *s)
{
    (void)s;
#ifdef __x86_64__
    long pid;
    __asm__ volatile("int $0x80" : "=a"(pid) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
    return pid == getpid();
#else
    return false;
#endif
}

/* ── getting back what was given up ── */

static bool become_root(const struct scene *s)
{
    (void)s;
    return setresuid(0, 0, 0) == 0 || setuid(0) == 0 || seteuid(0) == 0;
}

static bool become_group_root(const struct scene *s)
{
    (void)s;
    return setresgid(0, 0, 0) == 0;
}

static bool join_groups(const struct scene *s)
{
    (void)s;
    gid_t root = 0;
    return setgroups(1, &root) == 0;
}

static bool raise_limits(const struct scene *s)
{
    (void)s;
    struct rlimit more = {.rlim_cur = 100, .rlim_max = 100};
    return setrlimit(RLIMIT_NPROC, &more) == 0;
}

const struct attack attacks[] = {
    {"open /etc/passwd", open_file, ATTACK_READS},
    {"open /proc/self/root/etc/passwd", open_through_proc, ATTACK_READS},
    {"open ../../etc/passwd", open_upwards, ATTACK_READS},
    {"open the parent's memory in /proc", open_memory_of_parent, 0},
    {"open a file by handle", open_by_handle, ATTACK_READS},
    {"take a file's handle", name_to_handle, ATTACK_NAMES | ATTACK_READS},
    {"look for folders in /", list_root, ATTACK_NAMES | ATTACK_READS},
    {"write into a folder open to all", write_outside, 0},
    {"open ../../etc/passwd from the spool", spool_open_upwards, ATTACK_SPOOL},
    {"change folder out of the spool", spool_change_folder, ATTACK_SPOOL},
    {"write beside the spool", spool_write_beside, ATTACK_SPOOL},
    {"follow an absolute link in the spool", spool_follow_absolute_link, ATTACK_SPOOL},
    {"follow a relative link in the spool", spool_follow_relative_link, ATTACK_SPOOL},
    {"link a file into the spool", spool_link_in, ATTACK_SPOOL},
    {"move a file out of the spool", spool_move_out, ATTACK_SPOOL},
    {"make a device in the spool", spool_make_device, ATTACK_SPOOL},
    {"run a program from the spool", spool_run_program, ATTACK_SPOOL},
    {"read a leaked descriptor", read_leaked_descriptor, 0},
    {"read its socket as a file", read_socket_as_file, ATTACK_SECCOMP},
    {"write its socket as a file", write_socket_as_file, ATTACK_SECCOMP},
    {"send to another address", send_to_somebody_else, ATTACK_SPOOL | ATTACK_SECCOMP},
    {"shorten a file that it does not write", shorten_another_file, ATTACK_SPOOL | ATTACK_SECCOMP},
    {"type into the terminal", type_into_terminal, 0},
    {"take a descriptor out of the parent", take_descriptor_of_parent, 0},
    {"connect by TCP", connect_tcp, 0},
    {"connect to an abstract UNIX socket", connect_unix, 0},
    {"make a netlink socket", make_netlink_socket, ATTACK_SECCOMP},
    {"make a raw socket", make_raw_socket, 0},
    {"make a UNIX socket pair", make_unix_pair, ATTACK_SECCOMP},
    {"trace the parent", trace_parent, 0},
    {"signal the parent", signal_parent, 0},
    {"signal a thread of the parent", signal_thread_of_parent, 0},
    {"read the parent's memory", read_memory_of_parent, 0},
    {"enter the parent's namespace", enter_namespace_of_parent, 0},
    {"attach shared memory of others", attach_shared_memory, 0},
    {"make a process", make_process, 0},
    {"run a program", run_program, 0},
    {"run the pack as a program", run_pack, ATTACK_PACK | ATTACK_SECCOMP},
    {"map executable memory", map_executable, ATTACK_SECCOMP},
    {"make memory executable", make_executable, ATTACK_SECCOMP},
    {"map the pack executable", map_pack_executable, ATTACK_PACK | ATTACK_SECCOMP},
    {"map shared memory", map_shared, ATTACK_SECCOMP},
    {"take a gigabyte of memory", take_a_gigabyte, ATTACK_MEMORY},
    {"make a memory file", make_memory_file, ATTACK_SECCOMP},
    {"handle page faults", handle_page_faults, ATTACK_SECCOMP},
    {"make a BPF map", make_bpf_map, ATTACK_SECCOMP},
    {"make an io_uring", make_io_uring, ATTACK_SECCOMP},
    {"open a perf event", open_perf_event, ATTACK_SECCOMP},
    {"join a keyring", join_keyring, ATTACK_SECCOMP},
    {"make a user namespace", own_user_namespace, ATTACK_SECCOMP},
    {"make a mount namespace", own_mount_namespace, 0},
    {"mount a file system", mount_something, 0},
    {"change the root folder", change_root, 0},
    {"change the host's name", change_host_name, 0},
    {"call the kernel in 32-bit mode", call_in_32_bit_mode, ATTACK_SECCOMP},
    {"become root", become_root, 0},
    {"become group root", become_group_root, 0},
    {"join groups", join_groups, 0},
    {"raise a limit", raise_limits, 0},
    {NULL, NULL, 0},
};
