#include "ctl/unpack.h"

#include "base/bytes.h"
#include "base/heap.h"
#include "base/own.h"

#include <errno.h>
#include <unistd.h>
#include <zstd.h>
#include <zstd_errors.h>

enum { MAGIC_BYTES = 4 };

static const uint32_t kinds_of_skippable = 0xf;

static struct status read_more(struct unpack *u)
{
    ssize_t got;
    do {
        got = read(u->fd, u->room + u->end, UNPACK_ROOM - u->end);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        FAIL_SYS(errno);
    }
    u->ended = got == 0;
    u->end += (size_t)got;
    return OK;
}

static struct status refill(struct unpack *u)
{
    memmove(u->room, u->room + u->start, u->end - u->start);
    u->end -= u->start;
    u->start = 0;
    return read_more(u);
}

/* RFC 8878: a frame, or one that readers skip, which some tools put first. */
static bool is_packed(const struct unpack *u)
{
    struct reader r = reader_over(u->room, u->end);
    uint32_t magic = reader_u32(&r);
    return !r.bad && (magic == ZSTD_MAGICNUMBER ||
                      (magic & ~kinds_of_skippable) == ZSTD_MAGIC_SKIPPABLE_START);
}

struct status unpack_open(struct unpack *u, int fd)
{
    struct unpack opened = {.fd = fd};
    *u = opened;
    u->room = heap_alloc(UNPACK_ROOM, 1);
    if (!u->room) {
        fd_drop(&u->fd);
        FAIL(MEMORY);
    }
    while (!u->ended && u->end < MAGIC_BYTES) {
        TRY(read_more(u));
    }
    if (is_packed(u)) {
        u->zstd = ZSTD_createDCtx();
        if (!u->zstd ||
            ZSTD_isError(ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, UNPACK_WINDOW_LOG))) {
            FAIL(MEMORY);
        }
    }
    return OK;
}

void unpack_close(struct unpack *u)
{
    if (u->room) {
        ZSTD_freeDCtx(u->zstd);
        heap_free(u->room);
    }
    fd_drop(&u->fd);
    *u = (struct unpack){.fd = -1};
}

static const char *words_of(size_t result)
{
    switch ((unsigned)ZSTD_getErrorCode(result)) {
    case ZSTD_error_frameParameter_windowTooLarge:
        return "it needs a window above 8 MiB; pack it again with zstd -19 or below";
    case ZSTD_error_checksum_wrong:
        return "the packed bytes are damaged: a frame's checksum does not fit";
    case ZSTD_error_prefix_unknown:
        return "the packed bytes are damaged: no frame begins where one should";
    case ZSTD_error_memory_allocation:
        return "there is no memory to unpack it";
    default:
        return "the packed bytes are damaged";
    }
}

/* One step of zstd, from what is read to what the caller has room for. */
static struct status unpack_some(struct unpack *u, char *buffer, size_t size, size_t *out)
{
    ZSTD_inBuffer in = {u->room + u->start, u->end - u->start, 0};
    ZSTD_outBuffer unpacked = {buffer, size, 0};
    size_t hint = ZSTD_decompressStream(u->zstd, &unpacked, &in);
    if (ZSTD_isError(hint)) {
        u->wrong = words_of(hint);
        FAIL(INVALID);
    }
    u->hint = hint;
    u->start += in.pos;
    *out = unpacked.pos;
    return OK;
}

/* zstd may hold output back when its input is used up, so within a frame it is asked without any.
 * Between frames it is not: it would take that for the beginning of one. */
static struct status unpack_packed(struct unpack *u, char *buffer, size_t size, size_t *out)
{
    for (;;) {
        size_t got = 0;
        size_t before = u->start;
        if (u->start < u->end || u->hint != 0) {
            TRY(unpack_some(u, buffer, size, &got));
        }
        if (got) {
            *out = got;
            return OK;
        }
        if (u->start < u->end && u->start > before) {
            continue; /* a frame of nothing, or one to skip */
        }
        if (u->ended) {
            u->cut = u->hint != 0;
            *out = 0;
            return OK;
        }
        TRY(refill(u));
    }
}

static struct status read_plain(struct unpack *u, char *buffer, size_t size, size_t *out)
{
    if (u->start == u->end && !u->ended) {
        TRY(refill(u));
    }
    struct writer copy = writer_over(buffer, size);
    size_t len = u->end - u->start < size ? u->end - u->start : size;
    writer_bytes(&copy, (struct text){u->room + u->start, len});
    u->start += len;
    *out = len;
    return OK;
}

struct status unpack_read(struct unpack *u, char *buffer, size_t size, size_t *out)
{
    return u->zstd ? unpack_packed(u, buffer, size, out) : read_plain(u, buffer, size, out);
}
