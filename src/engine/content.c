#include "engine/content.h"

#include "base/file.h"
#include "base/heap.h"
#include "base/own.h"
#include "content/pack/load.h"
#include "content/prove/prove.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct status content_size(int file, size_t *out)
{
    struct stat info;
    if (fstat(file, &info) != 0) {
        FAIL_SYS(errno);
    }
    *out = (size_t)info.st_size;
    return OK;
}

/* That the pack can do no harm, and that it does what it says: whoever put it there, nobody but
 * this engine is sure to have looked. */
static struct status prove(struct text bytes, char *why, struct pack *out)
{
    struct pack_fault fault;
    struct status s = pack_open(bytes, out, &fault);
    s = status_ok(s) ? pack_prove(out, &fault) : s;
    if (!status_ok(s) && s.fault != FAULT_MEMORY) {
        pack_fault_text(&fault, why, CONTENT_WHY);
    }
    return s;
}

static struct status make_detector(struct content *content)
{
    struct correlate_settings settings = {.memory = PACK_WINDOW_MEMORY};
    if (getentropy(settings.key, sizeof settings.key) != 0) {
        FAIL_SYS(errno);
    }
    return detector_new(&content->pack, settings, &content->detector);
}

struct status content_open(int file, size_t size, char *why, struct content *out)
{
    OWN(heap_drop) char *bytes = NULL;
    if (size > PACK_SIZE_MAX) {
        snprintf(why, CONTENT_WHY, "it has %zu bytes, more than %d", size, PACK_SIZE_MAX);
        FAIL(LIMIT);
    }
    bytes = heap_alloc(size, 1);
    if (!bytes) {
        FAIL(MEMORY);
    }
    text_copy(TEXT("it became shorter while it was read"), why, CONTENT_WHY);
    TRY(file_read(file, bytes, size));
    TRY(prove((struct text){.ptr = bytes, .len = size}, why, &out->pack));
    text_copy(TEXT("the interpreter is of another schema"), why, CONTENT_WHY);
    TRY(make_detector(out));
    out->bytes = TAKE(bytes);
    return OK;
}

void content_close(struct content *content)
{
    detector_drop(&content->detector);
    heap_drop(&content->bytes);
}

const char *content_digest(const struct content *content, char *out)
{
    uint64_t checksum = load_u64(content->pack.bytes.ptr + PACK_CHECKSUM_AT);
    snprintf(out, CONTENT_DIGEST, "%016llx", (unsigned long long)checksum);
    return out;
}
