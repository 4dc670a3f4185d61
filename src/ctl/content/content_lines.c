#include "ctl/content/content_lines.h"

#include "base/count.h"
#include "base/heap.h"
#include "base/own.h"
#include "ctl/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

struct status content_lines_open(struct content_lines *l, const char *path)
{
    OWN(fd_drop)
    int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    OWN(content_lines_close) struct content_lines lines = {.bytes = {.fd = -1}};
    if (fd < 0) {
        FAIL_SYS(errno);
    }
    TRY(unpack_open(&lines.bytes, fd_take(&fd)));
    lines.buffer = heap_alloc(CONTENT_LINE_MAX, 1);
    if (!lines.buffer) {
        FAIL(MEMORY);
    }
    *l = lines;
    lines = (struct content_lines){.bytes = {.fd = -1}};
    return OK;
}

void content_lines_close(struct content_lines *l)
{
    if (l->bytes.room) {
        unpack_close(&l->bytes);
    }
    heap_free(l->buffer);
    l->buffer = NULL;
}

/* A program or a picture would be thousands of lines that are no JSON. What was packed says itself
 * where it is damaged. */
static struct status look_first(struct content_lines *l)
{
    struct text first = {.ptr = l->buffer + l->start, .len = l->end - l->start};
    if (!l->looked && !l->bytes.zstd && text_find_byte(first, '\0') != SIZE_MAX) {
        l->bytes.wrong = "this is no text, and no recording unless a damaged one";
        FAIL(INVALID);
    }
    l->looked = true;
    return OK;
}

/* Reads on behind what is there; ended where nothing comes any more. */
static struct status fill(struct content_lines *l)
{
    size_t got = 0;
    if (l->start) { /* or bytes that come one by one would make a long line slow */
        memmove(l->buffer, l->buffer + l->start, l->end - l->start);
        l->end -= l->start;
        l->start = 0;
    }
    TRY(unpack_read(&l->bytes, l->buffer + l->end, CONTENT_LINE_MAX - l->end, &got));
    l->ended = got == 0;
    l->end += got;
    if (l->bytes.cut) {
        l->start = l->end; /* what was unpacked of the last line is none */
    }
    return look_first(l);
}

static struct status next_line(struct content_lines *l, struct text *out)
{
    bool too_long = false;
    size_t looked = 0; /* bytes of what waits, in which no line ends */
    for (;;) {
        struct text waiting = {.ptr = l->buffer + l->start, .len = l->end - l->start};
        size_t end = text_find_byte(text_part(waiting, looked, waiting.len), '\n');
        end += end == SIZE_MAX ? 0 : looked;
        looked = waiting.len;
        if (end != SIZE_MAX || (l->ended && (waiting.len || too_long))) {
            struct text line = text_part(waiting, 0, end);
            l->start += line.len + (end != SIZE_MAX);
            l->line++;
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
            looked = 0;
        }
        TRY(fill(l));
    }
}

/* Two recordings one after the other are one, as zstd sees it. */
static struct status take_note(struct content_lines *l, enum recording_note note, uint64_t number)
{
    if (note == RECORDING_HEADER && number != RECORDING_VERSION) {
        FAIL(VERSION);
    }
    if (note == RECORDING_LOST) {
        l->lost = number > UINT64_MAX - l->lost ? UINT64_MAX : l->lost + number;
    } else {
        l->is_recording = true;
        l->is_whole = note == RECORDING_END;
    }
    return OK;
}

struct status content_lines_next(struct content_lines *l, struct text *out)
{
    for (;;) {
        struct text line;
        uint64_t number = 0;
        TRY(next_line(l, &line));
        enum recording_note note = recording_note_of(line, &number);
        if (note == RECORDING_NO_NOTE) {
            *out = line;
            return OK;
        }
        TRY(take_note(l, note, number));
    }
}

const char *content_lines_fault(const struct content_lines *l, struct status s, char *out,
                                size_t out_size)
{
    if (s.fault == FAULT_VERSION) {
        return "it is a recording of a newer Bulkhead, in a format that this one does not know";
    }
    if (s.fault == FAULT_INVALID && l->bytes.wrong) {
        return l->bytes.wrong;
    }
    return status_plain(s, out, out_size);
}

const char *content_lines_caveat(const struct content_lines *l, char *out, size_t out_size)
{
    if (l->bytes.cut || (l->is_recording && !l->is_whole)) {
        return "it ends without its last line: its recorder was killed, or it was cut";
    }
    if (l->lost) {
        snprintf(out, out_size, "its recorder was too slow for %s missing",
                 COUNTED(l->lost, "event, which is", "events, which are"));
        return out;
    }
    return NULL;
}
