#include "guard/seen.h"

/* Whatever the kernel part hands over: guard reads it without going outside. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[SEEN_PATH];
    static char arguments[RECORD_ARGUMENTS_MAX];
    static uint8_t record[RECORD_MAX];
    struct seen seen;
    bool cut;
    if (size < sizeof(struct record) || size > sizeof record) {
        return 0;
    }
    /* The size is made right, so that the parts are reached. */
    uint32_t whole = (uint32_t)size;
    memcpy(record, data, size);
    memcpy(record, &whole, sizeof whole);
    if (!status_ok(seen_open((struct text){.ptr = (const char *)record, .len = size}, &seen))) {
        return 0;
    }
    for (unsigned i = 0; i < seen.part_count; i++) {
        seen_path(&seen.parts[i], path, &cut);
        seen_arguments(&seen.parts[i], arguments);
        seen_user_path(&seen, i, path, &cut);
    }
    return 0;
}
