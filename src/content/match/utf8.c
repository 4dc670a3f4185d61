#include "content/match/utf8.h"

/* Smallest code point that needs a sequence of this length: shorter forms are not well-formed. */
static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};

static size_t sequence_length(unsigned char lead)
{
    if (lead < 0xc2 || lead > 0xf4) {
        return 1;
    }
    return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

size_t utf8_next(struct text t, uint32_t *out)
{
    unsigned char lead = (unsigned char)t.ptr[0];
    size_t length = sequence_length(lead);
    *out = lead < 0x80 ? lead : UTF8_INVALID;
    if (length == 1 || length > t.len) {
        return 1;
    }
    uint32_t code = lead & (0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        unsigned char c = (unsigned char)t.ptr[i];
        if ((c & 0xc0) != 0x80) {
            return 1;
        }
        code = code << 6 | (c & 0x3f);
    }
    if (code < smallest[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
        return 1;
    }
    *out = code;
    return length;
}
