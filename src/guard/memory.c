#include "guard/memory.h"

#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MEMORY_PATH = 512 };

static const char *file_path(const char *folder, const char *name, char *room)
{
    int length = snprintf(room, MEMORY_PATH, "%s/%s", folder, name);
    ENSURE(length > 0 && length < MEMORY_PATH);
    return room;
}

/* A tmpfs below a tmpfs is fine; below a disk it keeps the ring off it. */
static struct status mount_tmpfs(const char *folder)
{
    struct stat inside;
    struct stat outside;
    char up[MEMORY_PATH];
    if (stat(folder, &inside) != 0 || stat(file_path(folder, "..", up), &outside) != 0) {
        FAIL_SYS(errno);
    }
    if (inside.st_dev != outside.st_dev) {
        return OK; /* mounted by an earlier guard */
    }
    if (mount("bulkhead", folder, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") != 0) {
        FAIL_SYS(errno);
    }
    return OK;
}

struct status memory_open(const char *folder, const char *name, size_t size, struct memory *out)
{
    char path[MEMORY_PATH];
    struct stat s;
    TRY(mount_tmpfs(folder));
    file_path(folder, name, path);
    /* Of another size: another file, since whoever still maps the old one must not lose it. */
    if (lstat(path, &s) == 0 && (size_t)s.st_size != size && unlink(path) != 0) {
        FAIL_SYS(errno);
    }
    OWN(fd_drop) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        FAIL_SYS(errno);
    }
    if (fallocate(fd, 0, 0, (off_t)size) != 0) {
        FAIL_SYS(errno);
    }
    void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED) {
        FAIL_SYS(errno);
    }
    *out = (struct memory){.bytes = bytes, .size = size};
    return OK;
}

void memory_close(struct memory *m)
{
    if (m->bytes) {
        munmap(m->bytes, m->size);
    }
    *m = (struct memory){0};
}

struct status memory_share(const char *folder, const char *name, int *out)
{
    char path[MEMORY_PATH];
    int fd = open(file_path(folder, name, path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        FAIL_SYS(errno);
    }
    *out = fd;
    return OK;
}

struct status memory_remove(const char *folder)
{
    if (umount2(folder, MNT_DETACH) != 0 && errno != EINVAL) {
        FAIL_SYS(errno);
    }
    return OK;
}
