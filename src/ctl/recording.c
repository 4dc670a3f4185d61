#include "ctl/recording.h"

#include "base/clock.h"
#include "base/heap.h"
#include "base/json.h"
#include "base/own.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>
#include <zstd.h>

enum {
    GATHERED_MAX = RECORDING_FRAME + RECORDING_LINE_MAX + 1,
    LEVEL = 3, /* zstd's own default: some 300 MB/s, and events shrink to a twelfth */
};

struct recording {
    int fd;
    ZSTD_CCtx *zstd;
    char *gathered; /* GATHERED_MAX bytes */
    size_t used;
    uint64_t since_ns; /* when the first of them came */
    char *frame;       /* frame_size bytes */
    size_t frame_size;
    uint64_t size;
    uint64_t raw_size;
};

struct status recording_new(int fd, struct recording **out)
{
    OWN(recording_drop) struct recording *r = heap_alloc(1, sizeof *r);
    if (!r) {
        FAIL(MEMORY);
    }
    r->fd = fd;
    r->frame_size = ZSTD_compressBound(GATHERED_MAX);
    r->gathered = heap_alloc(GATHERED_MAX, 1);
    r->frame = heap_alloc(r->frame_size, 1);
    r->zstd = ZSTD_createCCtx();
    if (!r->gathered || !r->frame || !r->zstd) {
        FAIL(MEMORY);
    }
    /* The checksum tells a damaged frame from one of other bytes. */
    if (ZSTD_isError(ZSTD_CCtx_setParameter(r->zstd, ZSTD_c_compressionLevel, LEVEL)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(r->zstd, ZSTD_c_checksumFlag, 1))) {
        FAIL(UNSUPPORTED);
    }
    *out = TAKE(r);
    return OK;
}

void recording_drop(struct recording **r)
{
    if (*r) {
        ZSTD_freeCCtx((*r)->zstd);
        heap_free((*r)->gathered);
        heap_free((*r)->frame);
        heap_free(*r);
        *r = NULL;
    }
}

/* Takes back what part of a frame was written. A pipe cannot, and its reader sees a cut end. */
static struct status write_failed(struct recording *r, int error)
{
    off_t at = lseek(r->fd, 0, SEEK_CUR);
    if (at >= 0 && ftruncate(r->fd, (off_t)r->size) == 0) {
        (void)lseek(r->fd, (off_t)r->size, SEEK_SET);
    }
    FAIL_SYS(error);
}

static struct status write_frame(struct recording *r, struct text frame)
{
    struct text left = frame;
    while (left.len) {
        ssize_t put = write(r->fd, left.ptr, left.len);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return write_failed(r, errno);
        }
        left = text_part(left, (size_t)put, left.len);
    }
    r->size += frame.len;
    return OK;
}

struct status recording_close_frame(struct recording *r)
{
    if (r->used == 0) {
        return OK;
    }
    size_t len = ZSTD_compress2(r->zstd, r->frame, r->frame_size, r->gathered, r->used);
    if (ZSTD_isError(len)) {
        FAIL(MEMORY); /* the room is large enough for anything */
    }
    TRY(write_frame(r, (struct text){r->frame, len}));
    r->used = 0;
    return OK;
}

struct status recording_tick(struct recording *r, uint64_t now_ns)
{
    if (r->used && now_ns - r->since_ns >= (uint64_t)RECORDING_FRAME_MS * CLOCK_NS_PER_MS) {
        TRY(recording_close_frame(r));
    }
    return OK;
}

struct status recording_line(struct recording *r, struct text line, uint64_t now_ns)
{
    if (line.len > RECORDING_LINE_MAX) {
        FAIL(LIMIT);
    }
    r->since_ns = r->used ? r->since_ns : now_ns;
    struct writer out = writer_over(r->gathered + r->used, GATHERED_MAX - r->used);
    writer_bytes(&out, line);
    writer_u8(&out, '\n');
    TRY(writer_end(&out));
    r->used += out.used;
    r->raw_size += out.used;
    if (r->used >= RECORDING_FRAME) {
        TRY(recording_close_frame(r));
    }
    return recording_tick(r, now_ns);
}

uint64_t recording_size(const struct recording *r)
{
    return r->size;
}

uint64_t recording_raw_size(const struct recording *r)
{
    return r->raw_size;
}

/* ── notes ── */

void recording_write_header(const struct recording_header *header, struct writer *out)
{
    char started[CLOCK_TEXT];
    char schema[17];
    struct json j = json_over(out);
    struct writer hex = writer_over(schema, sizeof schema);
    writer_print(&hex, "%016" PRIx64, header->schema);
    json_open(&j, '{');
    json_member_number(&j, "bulkhead_recording", RECORDING_VERSION);
    json_member_text(&j, "schema", writer_text(&hex));
    json_member_text(&j, "kernel", header->kernel);
    json_member_text(&j, "version", header->version);
    json_member_text(&j, "started", text_of(clock_text(header->started_ns, started)));
    json_close(&j, '}');
}

void recording_write_lost(uint64_t lost, struct writer *out)
{
    writer_print(out, "{\"bulkhead_lost\":%" PRIu64 "}", lost);
}

void recording_write_end(uint64_t events, uint64_t lost, struct writer *out)
{
    writer_print(out, "{\"bulkhead_end\":{\"events\":%" PRIu64 ",\"lost\":%" PRIu64 "}}", events,
                 lost);
}

/* The digits at the start of `t`. */
static uint64_t leading_number(struct text t)
{
    uint64_t number = 0;
    size_t len = 0;
    while (len < t.len && t.ptr[len] >= '0' && t.ptr[len] <= '9') {
        len++;
    }
    return text_to_u64(text_part(t, 0, len), &number) ? number : 0;
}

/* An event's line begins with its type: a name that no event has tells ours apart at once. */
enum recording_note recording_note_of(struct text line, uint64_t *out)
{
    static const struct {
        enum recording_note note;
        struct text begin;
    } notes[] = {{RECORDING_HEADER, TEXT("{\"bulkhead_recording\":")},
                 {RECORDING_LOST, TEXT("{\"bulkhead_lost\":")},
                 {RECORDING_END, TEXT("{\"bulkhead_end\":")}};

    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
        if (text_starts(line, notes[i].begin)) {
            *out = leading_number(text_part(line, notes[i].begin.len, line.len));
            return notes[i].note;
        }
    }
    return RECORDING_NO_NOTE;
}
