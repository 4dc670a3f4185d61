#include "guard/users.h"

#include "base/clock.h"
#include "base/own.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int by_uid(const void *a, const void *b)
{
    const uint32_t *left = a;
    const uint32_t *right = b;
    return (*left > *right) - (*left < *right);
}

/* "name:password:uid:…" */
static void take_line(struct users *u, struct text line)
{
    size_t name_end = text_find_byte(line, ':');
    if (name_end == SIZE_MAX || name_end == 0 || name_end >= USERS_NAME || u->count == USERS_MAX) {
        return;
    }
    struct text rest = text_part(line, name_end + 1, line.len);
    size_t password_end = text_find_byte(rest, ':');
    rest = text_part(rest, password_end == SIZE_MAX ? rest.len : password_end + 1, rest.len);
    size_t uid_end = text_find_byte(rest, ':');
    uint64_t uid;
    if (!text_to_u64(text_part(rest, 0, uid_end), &uid) || uid > UINT32_MAX) {
        return;
    }
    u->all[u->count].uid = (uint32_t)uid;
    text_copy(text_part(line, 0, name_end), u->all[u->count].name, USERS_NAME);
    u->count++;
}

static int64_t changed_ns(const struct stat *s)
{
    return s->st_mtim.tv_sec * CLOCK_NS_PER_S + s->st_mtim.tv_nsec;
}

void users_refresh(struct users *u, const char *path)
{
    static char file[USERS_FILE];
    struct stat s;
    if (stat(path, &s) != 0 || changed_ns(&s) == u->changed_ns) {
        return;
    }
    OWN(fd_drop) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &s) != 0 || !S_ISREG(s.st_mode)) {
        return;
    }
    ssize_t got = read(fd, file, sizeof file);
    if (got < 0) {
        return;
    }
    u->count = 0;
    u->changed_ns = changed_ns(&s);
    for (struct text rest = {.ptr = file, .len = (size_t)got}; rest.len > 0;) {
        size_t end = text_find_byte(rest, '\n');
        take_line(u, text_part(rest, 0, end));
        rest = text_part(rest, end == SIZE_MAX ? rest.len : end + 1, rest.len);
    }
    qsort(u->all, u->count, sizeof u->all[0], by_uid);
}

struct text users_name(const struct users *u, uint32_t uid, char *room)
{
    const void *found = bsearch(&uid, u->all, u->count, sizeof u->all[0], by_uid);
    if (found) {
        return text_of((const char *)found + sizeof uid);
    }
    snprintf(room, USERS_NAME, "%u", uid);
    return text_of(room);
}
