/*
 * post: the messages of talk.h on sockets.
 *
 * Sockets are SOCK_SEQPACKET pairs made by the keeper. A descriptor may ride along with a message.
 */
#pragma once

#include "scan/talk.h"

/* Sends; `fd` (-1: none) rides along. Waits for room. CLOSED: the other side is gone. */
struct status post_send(int socket, const struct talk_message *message, int fd);

/* Room for the packet that a received message's texts point into. */
struct post_packet {
    uint8_t bytes[TALK_MAX];
};

/* Waits for a message. A descriptor that rides along is the caller's, `*out_fd` -1: none did; one
 * that came where `out_fd` is NULL is closed. CLOSED: the other side is gone. */
struct status post_receive(int socket, enum talk_sender sender, struct post_packet *packet,
                           struct talk_message *out, int *out_fd);
