/* Any packet, from any side: what is accepted encodes to the very same bytes again. */
#include "scan/talk.h"

static uint8_t again[TALK_MAX];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text packet = {.ptr = (const char *)data, .len = size};
    for (int side = TALK_OPENER; side <= TALK_WORKER; side++) {
        struct talk_message m;
        if (status_ok(talk_read(packet, (enum talk_sender)side, &m))) {
            struct writer w = writer_over(again, sizeof again);
            ENSURE(status_ok(talk_write(&m, &w)));
            ENSURE(text_same(writer_text(&w), packet));
        }
    }
    return 0;
}
