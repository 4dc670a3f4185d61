/* Whatever record is shown: it fits, and nothing in it reaches the terminal as a control character.
 */
#include "ctl/show.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char printed[SHOW_MAX];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct event event;
    struct writer out = writer_over(printed, sizeof printed);
    struct term t = {.out = &out};
    if (!status_ok(event_open((struct text){(const char *)data, size}, &event))) {
        return 0;
    }
    show_event(&t, &event);
    ENSURE(status_ok(writer_end(&out)));
    ENSURE(text_is_utf8(writer_text(&out)));
    for (size_t i = 0; i < out.used; i++) {
        ENSURE((uint8_t)printed[i] >= ' ' || printed[i] == '\n');
        ENSURE(printed[i] != 0x7f);
    }
    return 0;
}
