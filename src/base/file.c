#include "base/file.h"

#include <errno.h>
#include <unistd.h>

struct status file_read(int file, void *bytes, size_t size)
{
    size_t have = 0;
    while (have < size) {
        ssize_t len = pread(file, (char *)bytes + have, size - have, (off_t)have);
        if (len == 0) {
            FAIL(INVALID);
        }
        if (len < 0 && errno != EINTR) {
            FAIL_SYS(errno);
        }
        have += len > 0 ? (size_t)len : 0;
    }
    return OK;
}

struct status file_write(int file, struct text bytes)
{
    while (bytes.len) {
        ssize_t put = write(file, bytes.ptr, bytes.len);
        if (put < 0 && errno != EINTR) {
            FAIL_SYS(errno);
        }
        bytes = text_part(bytes, put > 0 ? (size_t)put : 0, bytes.len);
    }
    return OK;
}
