#include "ctl/content/content_file.h"

#include "base/file.h"
#include "base/heap.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

void content_bytes_drop(struct content_bytes *bytes)
{
    heap_free(bytes->data);
    *bytes = (struct content_bytes){0};
}

static struct status read_all(int fd, char *data, size_t size, size_t *out)
{
    size_t used = 0;
    while (used < size) {
        ssize_t got = read(fd, data + used, size - used);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            FAIL_SYS(errno);
        }
        if (got == 0) {
            break; /* somebody made it shorter since */
        }
        used += (size_t)got;
    }
    *out = used;
    return OK;
}

struct status content_file_read(const char *path, size_t max, struct content_bytes *out)
{
    /* Without O_NONBLOCK the open of a pipe that nobody writes to would never return. */
    OWN(fd_drop) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    OWN(content_bytes_drop) struct content_bytes bytes = {0};
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        FAIL_SYS(errno);
    }
    if (S_ISDIR(st.st_mode)) {
        FAIL_SYS(EISDIR);
    }
    if (!S_ISREG(st.st_mode)) {
        FAIL(INVALID);
    }
    if ((uint64_t)st.st_size > max) {
        FAIL(LIMIT);
    }
    bytes.data = heap_alloc((size_t)st.st_size + 1, 1);
    if (!bytes.data) {
        FAIL(MEMORY);
    }
    TRY(read_all(fd, bytes.data, (size_t)st.st_size, &bytes.size));
    *out = bytes;
    bytes = (struct content_bytes){0};
    return OK;
}

/* Writes a new file beside `path`, so that both are in one file system and a rename can swap them.
 */
static struct status write_beside(const char *path, struct text bytes)
{
    OWN(fd_drop) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) {
        FAIL_SYS(errno);
    }
    TRY(file_write(fd, bytes));
    if (fsync(fd) != 0) {
        FAIL_SYS(errno);
    }
    return OK;
}

/* The rename is not on the disk before the folder is. */
struct status content_file_sync_folder(const char *path)
{
    char folder[PATH_MAX];
    struct text name = text_of(path);
    size_t slash = text_find_last(name, '/');
    text_copy(slash == SIZE_MAX ? TEXT(".") : text_part(name, 0, slash + 1), folder, sizeof folder);
    OWN(fd_drop) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) {
        FAIL_SYS(errno);
    }
    return OK;
}

struct status content_file_replace(const char *path, struct text bytes)
{
    char beside[PATH_MAX];
    struct stat st;
    /* A rename over /dev/null would replace the device. */
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        FAIL(INVALID);
    }
    int len = snprintf(beside, sizeof beside, "%s.%ld.tmp", path, (long)getpid());
    if (len < 0 || (size_t)len >= sizeof beside) {
        FAIL_SYS(ENAMETOOLONG);
    }
    struct status s = write_beside(beside, bytes);
    if (status_ok(s) && rename(beside, path) != 0) {
        s = (struct status){.fault = FAULT_SYSTEM, .sys = errno, .where = STATUS_HERE};
    }
    if (!status_ok(s)) {
        unlink(beside);
        return s;
    }
    return content_file_sync_folder(path);
}
