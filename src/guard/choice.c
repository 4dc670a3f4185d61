#include "guard/choice.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum {
    CHOICE_MAGIC = 0x48434842, /* "BHCH" */
    CHOICE_VERSION = 1,
    CHOICE_BYTES = 40,
    SUM_BYTES_MAX = 64 << 20, /* the largest pack's: what is longer is told by its length */
};

struct status choice_read(const char *path, struct choice *out)
{
    uint8_t bytes[CHOICE_BYTES + 1]; /* one more: what is longer is none of ours */
    OWN(fd_drop) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT) {
        FAIL(MISSING);
    }
    ssize_t len = fd < 0 ? -1 : read(fd, bytes, sizeof bytes);
    if (len < 0) {
        FAIL_SYS(errno);
    }
    struct reader r = reader_over(bytes, (size_t)len);
    bool ours = reader_u32(&r) == CHOICE_MAGIC && reader_u32(&r) == CHOICE_VERSION;
    struct choice c = {.active = reader_u32(&r), .previous = reader_u32(&r)};
    c.path = reader_u64(&r);
    c.bytes = reader_u64(&r);
    uint64_t check = reader_u64(&r);
    if (!ours || !status_ok(reader_end(&r)) ||
        check != hash_bytes(HASH_START, bytes, CHOICE_BYTES - sizeof check)) {
        FAIL(INVALID);
    }
    *out = c;
    return OK;
}

/* The new name is on the disk only with its folder. */
static struct status sync_folder(const char *path)
{
    char folder[512];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash) {
        *slash = 0;
    }
    OWN(fd_drop) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) {
        FAIL_SYS(errno);
    }
    return OK;
}

struct status choice_write(const char *path, const char *beside, const struct choice *choice)
{
    uint8_t bytes[CHOICE_BYTES];
    struct writer w = writer_over(bytes, sizeof bytes);
    writer_u32(&w, CHOICE_MAGIC);
    writer_u32(&w, CHOICE_VERSION);
    writer_u32(&w, choice->active);
    writer_u32(&w, choice->previous);
    writer_u64(&w, choice->path);
    writer_u64(&w, choice->bytes);
    writer_u64(&w, hash_bytes(HASH_START, bytes, w.used));
    TRY(writer_end(&w));
    unlink(beside); /* of one that was ended meanwhile */
    OWN(fd_drop) int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        FAIL_SYS(errno);
    }
    errno = ENOSPC; /* what a short write means */
    if (write(fd, bytes, sizeof bytes) != sizeof bytes || fsync(fd) != 0 ||
        rename(beside, path) != 0) {
        int error = errno;
        unlink(beside);
        FAIL_SYS(error);
    }
    return sync_folder(path);
}

uint64_t choice_sum(int fd)
{
    uint8_t part[16384];
    uint64_t sum = HASH_START;
    uint64_t total = 0;
    off_t size = lseek(fd, 0, SEEK_END);
    if (size < 0) {
        return 0;
    }
    while (total < SUM_BYTES_MAX) {
        ssize_t len = pread(fd, part, sizeof part, (off_t)total);
        if (len < 0) {
            return 0;
        }
        if (len == 0) {
            break;
        }
        sum = hash_bytes(sum, part, (size_t)len);
        total += (uint64_t)len;
    }
    return hash_bytes(sum, &size, sizeof size);
}
