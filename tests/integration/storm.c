/*
 * storm: makes events as fast as it can, and says how many it made.
 *
 *   storm exec N PROGRAM      runs PROGRAM N times, one after the other
 *   storm open N FILE         opens and closes FILE N times
 *   storm connect N PORT      connects to 127.0.0.1:PORT N times; PORT 0: to a listener of its own
 *
 * Prints "exec 20000 in 9.871 s". Exit code 1: something failed, and the numbers would not be
 * right.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int fail(const char *what)
{
    fprintf(stderr, "storm: %s: %s\n", what, strerror(errno));
    return 1;
}

static int storm_exec(long count, char *program)
{
    char *arguments[] = {program, NULL};
    char *environment[] = {NULL};
    for (long i = 0; i < count; i++) {
        pid_t pid;
        int status;
        errno = posix_spawn(&pid, program, NULL, NULL, arguments, environment);
        if (errno != 0 || waitpid(pid, &status, 0) != pid || status != 0) {
            return fail(program);
        }
    }
    return 0;
}

static int storm_open(long count, char *file)
{
    for (long i = 0; i < count; i++) {
        int fd = open(file, O_RDONLY);
        if (fd < 0) {
            return fail(file);
        }
        close(fd);
    }
    return 0;
}

/* A reset at the close leaves no port in TIME_WAIT: a storm has more connections than there are
 * ports. */
static int connect_once(int listener, const struct sockaddr_in *address)
{
    struct linger reset = {.l_onoff = 1};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof *address) != 0) {
        return fail("connect");
    }
    int peer = listener >= 0 ? accept(listener, NULL, NULL) : -1;
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    close(peer);
    return 0;
}

static int storm_connect(long count, const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atol(port))};
    socklen_t size = sizeof address;
    int listener = -1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (address.sin_port == 0) {
        listener = socket(AF_INET, SOCK_STREAM, 0);
        if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 1024) != 0 ||
            getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
            return fail("listen");
        }
    }
    for (long i = 0; i < count; i++) {
        if (connect_once(listener, &address) != 0) {
            return 1;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("Usage: storm exec|open|connect N TARGET\n", stderr);
        return 64;
    }
    long count = atol(argv[2]);
    double start = seconds();
    int failed = strcmp(argv[1], "exec") == 0   ? storm_exec(count, argv[3])
                 : strcmp(argv[1], "open") == 0 ? storm_open(count, argv[3])
                                                : storm_connect(count, argv[3]);
    if (!failed) {
        printf("%s %ld in %.3f s\n", argv[1], count, seconds() - start);
    }
    return failed;
}
