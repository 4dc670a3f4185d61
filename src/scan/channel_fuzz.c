/* Any packet, from any side: what is accepted encodes to the very same bytes again. */
#include "scan/channel.h"

static uint8_t again[CHANNEL_MAX];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text packet = {.ptr = (const char *)data, .len = size};
    for (int side = CHANNEL_OPENER; side <= CHANNEL_WORKER; side++) {
        struct channel_message m;
        if (status_ok(channel_read(packet, (enum channel_sender)side, &m))) {
            struct writer w = writer_over(again, sizeof again);
            ENSURE(status_ok(channel_write(&m, &w)));
            ENSURE(text_same(writer_text(&w), packet));
        }
    }
    return 0;
}
