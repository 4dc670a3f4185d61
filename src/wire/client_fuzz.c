/* Any packet, from either side: what is accepted encodes to the very same bytes again. */
#include "wire/client.h"

static uint8_t again[WIRE_MAX];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text packet = {.ptr = (const char *)data, .len = size};
    for (int side = WIRE_SENDER_CLIENT; side <= WIRE_SENDER_GUARD; side++) {
        struct wire_message m;
        if (status_ok(wire_read(packet, (enum wire_sender)side, &m))) {
            struct writer w = writer_over(again, sizeof again);
            ENSURE(status_ok(wire_write(&m, &w)));
            ENSURE(text_same(writer_text(&w), packet));
        }
    }
    return 0;
}
