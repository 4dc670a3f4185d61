/* Any bytes as a ring: neither side reads outside it, loops, or gives out what is no record. */
#include "wire/stream.h"

enum { MEMORY = STREAM_PAGE + STREAM_SIZE_MIN, PAGE_BYTES = sizeof(struct stream_page) };

static _Alignas(4096) uint8_t memory[MEMORY];
static uint8_t buffer[EVENT_MAX];

/* The input is the page's start, and then the records from the position of `tail` on. */
static void lay_out(const uint8_t *data, size_t size)
{
    struct stream_page *page = (struct stream_page *)memory;
    size_t in_page = size < PAGE_BYTES ? size : PAGE_BYTES;
    memset(memory, 0, sizeof memory);
    memcpy(memory, data, in_page);
    page->magic = STREAM_MAGIC;
    page->version = STREAM_VERSION;
    page->schema_hash = schema_hash();
    atomic_store(&page->size, STREAM_SIZE_MIN);
    uint64_t at = atomic_load(&page->tail) & (STREAM_SIZE_MIN - 8);
    size_t left = size - in_page;
    size_t room = STREAM_SIZE_MIN - at;
    memcpy(memory + STREAM_PAGE + at, data + in_page, left < room ? left : room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stream_reader r;
    struct stream_writer w;
    struct text record;
    struct event event;
    lay_out(data, size);
    if (status_ok(stream_open(memory, MEMORY, 0, &r))) {
        while (status_ok(stream_next(&r, buffer, &record))) {
            ENSURE(record.len >= EVENT_HEADER && record.len <= EVENT_MAX);
            status_ignore(event_open(record, &event)); /* most are none; none may be read outside */
        }
    }
    if (status_ok(stream_resume(memory, MEMORY, &w))) {
        uint64_t seq = atomic_load(&w.page->seq);
        struct event_builder b;
        event_begin(&b, buffer, sizeof buffer);
        ENSURE(status_ok(event_end(&b, (struct event_header){.type = EVENT_HEALTH}, &record)));
        ENSURE(stream_publish(&w, record) == seq + 1);
    }
    return 0;
}
