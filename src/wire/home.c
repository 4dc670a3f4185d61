#include "wire/home.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char default_root[] = "/var/lib/bulkhead";
static const char socket_name[] = "run/guard.sock";

struct status home_open(const char *argument, struct home *out)
{
    struct home home;
    char here[HOME_PATH] = "";
    const char *root = argument && *argument ? argument : getenv("BULKHEAD_HOME");
    root = root && *root ? root : default_root;
    if (root[0] != '/' && !getcwd(here, sizeof here)) {
        FAIL_SYS(errno);
    }
    int length = snprintf(home.root, sizeof home.root, "%s%s%s", here, *here ? "/" : "", root);
    size_t longest = sizeof((struct sockaddr_un *)0)->sun_path - sizeof socket_name - 1;
    if (length < 0 || (size_t)length > longest) {
        FAIL(LIMIT);
    }
    while (length > 1 && home.root[length - 1] == '/') {
        home.root[--length] = 0;
    }
    *out = home;
    return OK;
}

const char *home_path(const struct home *home, const char *name, char *room)
{
    /* Names are ours and short, and the root leaves room for them. */
    ENSURE(snprintf(room, HOME_PATH, "%s/%s", home->root, name) < HOME_PATH);
    return room;
}

static struct status refuse(const char *path, const char *reason, char *why)
{
    snprintf(why, HOME_PATH, "%.300s %s", path, reason);
    FAIL(DENIED);
}

/* A folder that others can write to, or that is another's, could be swapped under our feet. */
static struct status check_folder(const char *path, char *why)
{
    struct stat s;
    if (lstat(path, &s) != 0) {
        int refused = errno;
        snprintf(why, HOME_PATH, "%.300s cannot be looked at", path);
        FAIL_SYS(refused);
    }
    if (!S_ISDIR(s.st_mode)) {
        return refuse(path, "is no folder: move it away, or choose another home", why);
    }
    if (s.st_uid != geteuid()) {
        return refuse(path, "belongs to another user: choose another home, or chown it", why);
    }
    if (s.st_mode & (S_IWGRP | S_IWOTH)) {
        return refuse(path, "can be written to by others: chmod go-w it, or choose another home",
                      why);
    }
    return OK;
}

/* The home and the folders above it that are missing, as mkdir -p. */
static struct status make_root(const struct home *home, char *why)
{
    char path[HOME_PATH];
    snprintf(path, sizeof path, "%s", home->root);
    for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash) {
            *slash = 0;
        }
        if (mkdir(path, 0755) != 0 && errno != EEXIST) {
            int refused = errno;
            snprintf(why, HOME_PATH, "%.300s cannot be made", path);
            FAIL_SYS(refused);
        }
        if (!slash) {
            return check_folder(path, why);
        }
        *slash = '/';
    }
}

struct status home_make(const struct home *home, char *why)
{
    static const struct {
        const char *name;
        mode_t mode;
    } folders[] = {
        {"run", 0755}, {"content", 0700}, {"spool", 0700}, {"run/bpf", 0700}, {"run/mem", 0700}};

    TRY(make_root(home, why));
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char path[HOME_PATH];
        home_path(home, folders[i].name, path);
        if (mkdir(path, folders[i].mode) != 0 && errno != EEXIST) {
            int refused = errno;
            snprintf(why, HOME_PATH, "%.300s cannot be made", path);
            FAIL_SYS(refused);
        }
        /* The spool is handed to the courier's user; what is mounted has its own owner. */
        if (i < 2) {
            TRY(check_folder(path, why));
        }
    }
    return OK;
}

struct status home_socket(const struct home *home, struct sockaddr_un *out)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length =
        snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", home->root, socket_name);
    if (length < 0 || (size_t)length >= sizeof address.sun_path) {
        FAIL(LIMIT);
    }
    *out = address;
    return OK;
}
