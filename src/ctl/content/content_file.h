/*
 * content_file: the files of `bulkhead content`: read whole, within a limit; replaced whole or not
 * at all.
 */
#pragma once

#include "base/status.h"
#include "base/text.h"

struct content_bytes {
    char *data;
    size_t size;
};

/* LIMIT: the file is longer than `max`; nothing of it was read. INVALID: no regular file. */
struct status content_file_read(const char *path, size_t max, struct content_bytes *out);

/* For OWN(). */
void content_bytes_drop(struct content_bytes *bytes);

static inline struct text content_text(const struct content_bytes *bytes)
{
    return (struct text){.ptr = bytes->data, .len = bytes->size};
}

/* Replaces `path` by a file that holds `bytes`. On failure, a full disk among them, what was there
 * is as it was. INVALID: `path` is there and no regular file. */
struct status content_file_replace(const char *path, struct text bytes);

/* Brings to the disk what was renamed in the folder of `path`. */
struct status content_file_sync_folder(const char *path);
