#include "wire/client.h"

#define MESSAGE(ID, name, number, sender)                                                          \
    static struct status name##_write(const struct wire_##name *m, struct writer *out)             \
    {                                                                                              \
        WIRE_##name(MESSAGE_WRITE_U, MESSAGE_WRITE_TEXT) return OK;                                \
    }                                                                                              \
    static void name##_read(struct reader *r, struct wire_##name *m)                               \
    {                                                                                              \
        WIRE_##name(MESSAGE_READ_U, MESSAGE_READ_TEXT)                                             \
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtype-limits"
#include "wire/client.def"
#pragma GCC diagnostic pop

struct status wire_write(const struct wire_message *message, struct writer *out)
{
    writer_u16(out, (uint16_t)message->number);
    switch (message->number) {
#define MESSAGE(ID, name, number, sender)                                                          \
    case WIRE_##ID:                                                                                \
        TRY(name##_write(&message->name, out));                                                    \
        break;
#include "wire/client.def"
    case WIRE_END:
        FAIL(INVALID);
    }
    return writer_end(out);
}

struct status wire_read(struct text packet, enum wire_sender sender, struct wire_message *out)
{
    struct reader r = reader_over(packet.ptr, packet.len);
    struct wire_message message = {.number = (enum wire_number)reader_u16(&r)};
    enum wire_sender from;
    switch (message.number) {
#define MESSAGE(ID, name, number, sender)                                                          \
    case WIRE_##ID:                                                                                \
        name##_read(&r, &message.name);                                                            \
        from = WIRE_SENDER_##sender;                                                               \
        break;
#include "wire/client.def"
    case WIRE_END:
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

const char *wire_name(unsigned number)
{
    switch (number) {
#define MESSAGE(ID, name, number, sender)                                                          \
    case WIRE_##ID:                                                                                \
        return #name;
#include "wire/client.def"
    default:
        return "?";
    }
}
