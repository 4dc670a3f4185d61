/*
 * channel: the messages of channel.def as structs, a writer, a reader, and packets on sockets.
 *
 * A packet is one SOCK_SEQPACKET datagram of at most CHANNEL_MAX bytes. The reader rejects what is
 * short, long, out of its bounds or from the wrong side; its texts point into the packet.
 */
#pragma once

#include "base/bytes.h"
#include "scan/outcome.h"

enum {
    CHANNEL_MAX = 8 * 1024, /* a path of 4 KiB is the longest field */
    CHANNEL_SLOTS = 16,     /* workers at once: more would only wait for the disk */
};

enum channel_sender { CHANNEL_OPENER, CHANNEL_KEEPER, CHANNEL_WORKER };

enum channel_number {

#define MESSAGE(ID, name, number, sender) MESSAGE_##ID = (number),
#include "scan/channel.def"
    MESSAGE_NONE
};

#define CHANNEL_MEMBER_U(bits, name, max) uint##bits##_t name;
#define CHANNEL_MEMBER_TEXT(name, max) struct text name;
#define MESSAGE(ID, name, number, sender)                                                          \
    struct channel_##name {                                                                        \
        CHANNEL_##name(CHANNEL_MEMBER_U, CHANNEL_MEMBER_TEXT)                                      \
    };
#include "scan/channel.def"
#undef CHANNEL_MEMBER_U
#undef CHANNEL_MEMBER_TEXT

struct channel_message {
    enum channel_number number;

    union {
#define MESSAGE(ID, name, number, sender) struct channel_##name name;
#include "scan/channel.def"
    };
};

/* Encodes `message` into `out`. LIMIT: it does not fit, or a field exceeds its bound. */
struct status channel_write(const struct channel_message *message, struct writer *out);

/* Decodes one packet that came from `sender`. INVALID, BOUNDS or LIMIT: it breaks the rules. */
struct status channel_read(struct text packet, enum channel_sender sender,
                           struct channel_message *out);

/* ── on a socket ── */

/* Sends; `fd` (-1: none) rides along. Waits for room. */
struct status channel_send(int socket, const struct channel_message *message, int fd);

/* Room for the packet that a received message's texts point into. */
struct channel_packet {
    uint8_t bytes[CHANNEL_MAX];
};

/* Waits for a message. A descriptor that rides along is the caller's, `*out_fd` -1: none did; one
 * that came where `out_fd` is NULL is closed. CLOSED: the other side is gone. */
struct status channel_receive(int socket, enum channel_sender sender, struct channel_packet *packet,
                              struct channel_message *out, int *out_fd);
