/*
 * unpack: the bytes of a file, or what zstd packed into it, which its first bytes tell.
 *
 * Memory is bounded whatever the file says: a window of at most 8 MiB, and as much output as the
 * caller has room for. Frames follow one another, as recordings have them.
 */
#pragma once

#include "base/status.h"

enum {
    UNPACK_WINDOW_LOG = 23, /* 8 MiB: what `zstd -19` uses; recordings use 2 */
    UNPACK_ROOM = 128 * 1024,
};

struct ZSTD_DCtx_s;

struct unpack {
    int fd;
    struct ZSTD_DCtx_s *zstd; /* NULL: the file is not packed */
    char *room;               /* UNPACK_ROOM bytes read from the file, of which … */
    size_t start;             /* … those from here … */
    size_t end;               /* … to here are not used yet */
    size_t hint;              /* what zstd wants next; 0: a frame is complete */
    bool ended;               /* the file, not what is packed in it */
    bool cut;                 /* it ended within a frame */
    const char *wrong;        /* what is, after INVALID: a literal */
};

/* Takes `fd` over, also on failure. Reads the first bytes. */
struct status unpack_open(struct unpack *u, int fd);
void unpack_close(struct unpack *u);

/* At most `size` bytes, at least one; 0: the end, and `cut` says of which kind. INVALID: the packed
 * bytes are damaged, `wrong` says how. */
struct status unpack_read(struct unpack *u, char *buffer, size_t size, size_t *out);
