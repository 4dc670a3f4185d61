/*
 * client: the channel of client.def as structs, a writer, a reader and names.
 *
 * A packet is one SOCK_SEQPACKET datagram of at most WIRE_MAX bytes. The reader rejects what is
 * short, long, out of its bounds or from the wrong side; its texts point into the packet.
 */
#pragma once

#include "base/message.h"
#include "schema/schema.h"

enum { WIRE_MAX = 40 * 1024, WIRE_VERSION = 1 };

enum wire_sender { WIRE_SENDER_CLIENT, WIRE_SENDER_GUARD };

enum wire_number {

#define MESSAGE(ID, name, number, sender) WIRE_##ID = (number),
#include "wire/client.def"
    WIRE_END
};

#define MESSAGE(ID, name, number, sender)                                                          \
    struct wire_##name {                                                                           \
        WIRE_##name(MESSAGE_MEMBER_U, MESSAGE_MEMBER_TEXT)                                         \
    };
#include "wire/client.def"

struct wire_message {
    enum wire_number number;

    union {
#define MESSAGE(ID, name, number, sender) struct wire_##name name;
#include "wire/client.def"
    };
};

/* Encodes `message` into `out`. LIMIT: it does not fit, or a field exceeds its bound. */
struct status wire_write(const struct wire_message *message, struct writer *out);

/* Decodes one packet that came from `sender`. INVALID, BOUNDS or LIMIT: the packet violates the
 * channel's rules, and whoever sent it is to be cut off. */
struct status wire_read(struct text packet, enum wire_sender sender, struct wire_message *out);

/* "hello"; "?" for a number that is none. */
const char *wire_name(unsigned number);
