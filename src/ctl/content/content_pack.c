#include "ctl/content/content_pack.h"

#include "base/own.h"
#include "ctl/content/content_command.h"
#include "ctl/content/content_proof.h"

#include <stdio.h>

static const char *read_fault(struct status s, char *words, size_t size)
{
    if (s.fault == FAULT_LIMIT) {
        snprintf(words, size, "a pack has at most %d MiB", PACK_SIZE_MAX >> 20);
        return words;
    }
    return s.fault == FAULT_INVALID ? "it is no regular file" : status_plain(s, words, size);
}

bool content_pack_open(const char *path, struct content_pack *out)
{
    OWN(content_pack_drop) struct content_pack pack = {0};
    struct pack_fault fault = {.section = "pack", .index = PACK_WHOLE, .what = "out of memory"};
    char words[256];
    struct status s = content_file_read(path, PACK_SIZE_MAX, &pack.bytes);
    if (!status_ok(s)) {
        ctl_error("cannot read %s: %s", path, read_fault(s, words, sizeof words));
        return false;
    }
    if (!content_proof_likely(path, content_text(&pack.bytes))) {
        return false;
    }
    /* In a cage and in bounded time first: what is opened here are the bytes that were accepted. */
    if (!content_structure_bytes(path, content_text(&pack.bytes))) {
        return false;
    }
    s = pack_open(content_text(&pack.bytes), &pack.pack, &fault);
    if (!status_ok(s)) {
        ctl_error("%s is no pack that could run: %s", path,
                  pack_fault_text(&fault, words, sizeof words));
        return false;
    }
    *out = pack;
    pack.bytes = (struct content_bytes){0};
    return true;
}

void content_pack_drop(struct content_pack *pack)
{
    content_bytes_drop(&pack->bytes);
}
