#include "ctl/content_lines.h"

#include "base/heap.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct status content_lines_open(struct content_lines *l, const char *path)
{
    OWN(fd_drop)
    int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        FAIL_SYS(errno);
    }
    char *buffer = heap_alloc(CONTENT_LINE_MAX, 1);
    if (!buffer) {
        FAIL(MEMORY);
    }
    *l = (struct content_lines){.fd = fd_take(&fd), .buffer = buffer};
    return OK;
}

void content_lines_close(struct content_lines *l)
{
    if (l->buffer) {
        fd_drop(&l->fd);
        heap_free(l->buffer);
        l->buffer = NULL;
    }
}

/* Reads on behind what is there; ended where nothing comes any more. */
static struct status fill(struct content_lines *l)
{
    memmove(l->buffer, l->buffer + l->start, l->end - l->start);
    l->end -= l->start;
    l->start = 0;
    ssize_t got;
    do {
        got = read(l->fd, l->buffer + l->end, CONTENT_LINE_MAX - l->end);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        FAIL_SYS(errno);
    }
    l->ended = got == 0;
    l->end += (size_t)got;
    return OK;
}

struct status content_lines_next(struct content_lines *l, struct text *out)
{
    bool too_long = false;
    for (;;) {
        struct text waiting = {.ptr = l->buffer + l->start, .len = l->end - l->start};
        size_t end = text_find_byte(waiting, '\n');
        if (end != SIZE_MAX || (l->ended && waiting.len)) {
            struct text line = text_part(waiting, 0, end);
            l->start += line.len + (end != SIZE_MAX);
            if (too_long) {
                FAIL(LIMIT);
            }
            *out = line;
            return OK;
        }
        if (l->ended) {
            FAIL(CLOSED);
        }
        if (waiting.len == CONTENT_LINE_MAX) {
            too_long = true;
            l->start = l->end;
        }
        TRY(fill(l));
    }
}
