#include "scan/talk.h"

#define MESSAGE(ID, name, number, sender)                                                          \
    static struct status name##_write(const struct talk_##name *m, struct writer *out)             \
    {                                                                                              \
        TALK_##name(MESSAGE_WRITE_U, MESSAGE_WRITE_TEXT) return OK;                                \
    }                                                                                              \
    static void name##_read(struct reader *r, struct talk_##name *m)                               \
    {                                                                                              \
        TALK_##name(MESSAGE_READ_U, MESSAGE_READ_TEXT)                                             \
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtype-limits"
#include "scan/talk.def"
#pragma GCC diagnostic pop

struct status talk_write(const struct talk_message *message, struct writer *out)
{
    writer_u16(out, (uint16_t)message->number);
    switch (message->number) {
#define MESSAGE(ID, name, number, sender)                                                          \
    case MESSAGE_##ID:                                                                             \
        TRY(name##_write(&message->name, out));                                                    \
        break;
#include "scan/talk.def"
    case MESSAGE_NONE:
        FAIL(INVALID);
    }
    return writer_end(out);
}

struct status talk_read(struct text packet, enum talk_sender sender, struct talk_message *out)
{
    struct reader r = reader_over(packet.ptr, packet.len);
    struct talk_message message = {.number = (enum talk_number)reader_u16(&r)};
    enum talk_sender from;
    switch (message.number) {
#define MESSAGE(ID, name, number, sender)                                                          \
    case MESSAGE_##ID:                                                                             \
        name##_read(&r, &message.name);                                                            \
        from = TALK_##sender;                                                                      \
        break;
#include "scan/talk.def"
    case MESSAGE_NONE:
    default:
        FAIL(INVALID);
    }
    TRY(reader_end(&r));
    if (from != sender) {
        FAIL(INVALID);
    }
    *out = message;
    return OK;
}
