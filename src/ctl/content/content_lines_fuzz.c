/* Whatever file is read, plain or packed: lines come within their limit, in a number that what was
 * unpacked bounds, and reading ends. */
#include "ctl/content/content_lines.h"

#include "base/own.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A bomb is unpacked for ever; we have seen enough after so many lines. */
enum { LINES_SEEN = 10000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(content_lines_close) struct content_lines lines = {0};
    OWN(fd_drop) int fd = memfd_create("input", MFD_CLOEXEC);
    char path[64];
    char words[256];
    struct text line;
    ENSURE(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct status s = content_lines_open(&lines, path);
    for (int i = 0; i < LINES_SEEN && (status_ok(s) || s.fault == FAULT_LIMIT); i++) {
        s = content_lines_next(&lines, &line);
        ENSURE(!status_ok(s) || line.len < CONTENT_LINE_MAX);
    }
    ENSURE(content_lines_fault(&lines, s, words, sizeof words) != NULL);
    (void)content_lines_caveat(&lines, words, sizeof words);
    return 0;
}
