/*
 * talk: the messages of talk.def as structs, a writer and a reader.
 *
 * A packet is one SOCK_SEQPACKET datagram of at most TALK_MAX bytes. The reader rejects what is
 * short, long, out of its bounds or from the wrong side; its texts point into the packet.
 */
#pragma once

#include "base/message.h"
#include "scan/outcome.h"

enum {
    TALK_MAX = 8 * 1024, /* a path of 4 KiB is the longest field */
    TALK_SLOTS = 16,     /* workers at once: more would only wait for the disk */
};

enum talk_sender { TALK_OPENER, TALK_KEEPER, TALK_WORKER };

enum talk_number {

#define MESSAGE(ID, name, number, sender) MESSAGE_##ID = (number),
#include "scan/talk.def"
    MESSAGE_NONE
};

#define MESSAGE(ID, name, number, sender)                                                          \
    struct talk_##name {                                                                           \
        TALK_##name(MESSAGE_MEMBER_U, MESSAGE_MEMBER_TEXT)                                         \
    };
#include "scan/talk.def"

struct talk_message {
    enum talk_number number;

    union {
#define MESSAGE(ID, name, number, sender) struct talk_##name name;
#include "scan/talk.def"
    };
};

/* Encodes `message` into `out`. LIMIT: it does not fit, or a field exceeds its bound. */
struct status talk_write(const struct talk_message *message, struct writer *out);

/* Decodes one packet that came from `sender`. INVALID, BOUNDS or LIMIT: it breaks the rules. */
struct status talk_read(struct text packet, enum talk_sender sender, struct talk_message *out);
