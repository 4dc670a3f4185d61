#include "cage_scene.h"

#include "base/own.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { PAGE = 4096 };

static const char secret[] = "in the parent's memory";

static struct status copy_program(int to)
{
    OWN(fd_drop) int from = open("/bin/false", O_RDONLY | O_CLOEXEC);
    struct stat info;
    if (from < 0 || fstat(from, &info) != 0 ||
        sendfile(to, from, NULL, (size_t)info.st_size) != info.st_size) {
        FAIL_SYS(errno);
    }
    return OK;
}

static struct status make_file(int folder, const char *path, mode_t mode, int *out)
{
    int fd = openat(folder, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || fchmod(fd, mode) != 0 || write(fd, "secret\n", 7) != 7) {
        FAIL_SYS(errno);
    }
    *out = fd;
    return OK;
}

/* Nothing here is kept by file permissions alone: the cages have to hold without them. */
static struct status make_folders(struct stage *stage)
{
    text_copy(TEXT("/tmp/bulkhead-cage-XXXXXX"), stage->folder, sizeof stage->folder);
    if (!mkdtemp(stage->folder)) {
        FAIL_SYS(errno);
    }
    OWN(fd_drop) int top = open(stage->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    snprintf(stage->scene.outside, sizeof stage->scene.outside, "%.50s/outside", stage->folder);
    if (top < 0 || fchmod(top, 0755) != 0 || mkdirat(top, "spool", 0700) != 0 ||
        mkdirat(top, "outside", 0700) != 0 || fchmodat(top, "outside", 0777, 0) != 0) {
        FAIL_SYS(errno);
    }
    stage->spool = openat(top, "spool", O_PATH | O_DIRECTORY | O_CLOEXEC);
    OWN(fd_drop) int log = -1;
    OWN(fd_drop) int program = -1;
    TRY(make_file(top, "outside/secret", 0666, &stage->leaked));
    TRY(make_file(stage->spool, "alerts.jsonl", 0666, &log));
    program = openat(stage->spool, "program", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    TRY(copy_program(program));
    if (symlinkat("/etc/passwd", stage->spool, "link-to-passwd") != 0 ||
        symlinkat("../outside/secret", stage->spool, "link-to-outside") != 0) {
        FAIL_SYS(errno);
    }
    return OK;
}

static struct status listen_tcp(struct scene *scene)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, 128) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
        FAIL_SYS(errno);
    }
    scene->tcp_port = ntohs(address.sin_port);
    return OK;
}

static struct status listen_unix(struct stage *stage)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "%s", stage->folder);
    size_t len = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(stage->folder);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, (socklen_t)len) != 0 ||
        listen(fd, 128) != 0) {
        FAIL_SYS(errno);
    }
    stage->scene.abstract = stage->folder;
    return OK;
}

static struct status take_handle(struct scene *scene)
{
    union {
        struct file_handle handle;
        char room[SCENE_HANDLE];
    } h = {.handle.handle_bytes = SCENE_HANDLE - sizeof(struct file_handle)};

    int mount;
    if (name_to_handle_at(AT_FDCWD, "/etc/passwd", &h.handle, &mount, 0) != 0) {
        FAIL_SYS(errno);
    }
    memcpy(scene->handle, h.room, sizeof h.room);
    return OK;
}

static struct status make_pack(struct stage *stage)
{
    stage->pack = memfd_create("pack", MFD_CLOEXEC);
    if (stage->pack < 0) {
        FAIL_SYS(errno);
    }
    return copy_program(stage->pack);
}

struct status stage_open(struct stage *out)
{
    struct stage *stage = out;
    stage->scene.parent = getpid();
    stage->scene.secret = secret;
    stage->words = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    stage->scene.shared_memory = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0666);
    if (stage->words == MAP_FAILED || stage->scene.shared_memory < 0 ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, stage->guard) != 0 ||
        socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, stage->syslog) != 0 ||
        openpty(&stage->terminal[0], &stage->terminal[1], NULL, NULL, NULL) != 0) {
        FAIL_SYS(errno);
    }
    TRY(make_folders(stage));
    TRY(make_pack(stage));
    TRY(listen_tcp(&stage->scene));
    TRY(listen_unix(stage));
    return take_handle(&stage->scene);
}

void stage_close(struct stage *stage)
{
    char command[128];
    shmctl(stage->scene.shared_memory, IPC_RMID, NULL);
    snprintf(command, sizeof command, "rm -rf '%s'", stage->folder);
    if (stage->folder[0] && system(command) != 0) {
        fprintf(stderr, "cage_test: cannot remove %s\n", stage->folder);
    }
}

struct status stage_position(const struct stage *stage, enum scene_cage cage)
{
    /* Above every number below, so that no dup2() takes a source away from a later one. */
    int socket = fcntl(stage->guard[1], F_DUPFD_CLOEXEC, 64);
    int log = fcntl(stage->syslog[1], F_DUPFD_CLOEXEC, 64);
    int fourth = fcntl(cage == SCENE_COURIER ? stage->spool : stage->pack, F_DUPFD_CLOEXEC, 64);
    int leaked = fcntl(stage->leaked, F_DUPFD_CLOEXEC, 64);
    int terminal = fcntl(stage->terminal[1], F_DUPFD_CLOEXEC, 64);
    if (dup2(terminal, 0) < 0 || dup2(terminal, 1) < 0 || dup2(terminal, 2) < 0 ||
        dup2(socket, 3) < 0 || dup2(fourth, 4) < 0 || dup2(log, 5) < 0 ||
        dup2(leaked, SCENE_LEAKED) < 0) {
        FAIL_SYS(errno);
    }
    return OK;
}
