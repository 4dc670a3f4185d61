/*
 * message: an event in one line for a person: who did what to whom.
 *
 *     /usr/bin/curl (pid 4711, root): connected to 192.0.2.1:443
 */
#pragma once

#include "content/pack/explain.h"
#include "schema/event.h"

enum { MESSAGE_MAX = 1024 }; /* what the alert message of wire/client.def takes */

/* Writes into `out` of MESSAGE_MAX bytes; cuts what does not fit and replaces control characters.
 */
struct text message_write(const struct event *event, char *out);

/* Likewise, `message` and then which entry of which list it was about: "…; feodo lists
 * 192.0.2.0/24". Both are cut to what is read at a glance. */
struct text message_listed(struct text message, struct text list, struct text entry, char *out);

/* Likewise why a correlation fired, and then `last`, the message of the event at which it did:
 *
 *     3 events within 10s for user=root; the last: /usr/bin/su (pid 4711, root): ran: su
 */
struct text message_write_hit(const struct pack *pack, const struct correlation_hit *hit,
                              const struct event *event, struct text last, char *out);
