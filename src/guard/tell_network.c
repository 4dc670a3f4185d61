#include "guard/story.h"

#include <arpa/inet.h>
#include <stdio.h>

static void put_end(struct event_builder *b, const struct seen *seen, enum part_kind kind,
                    enum field address, enum field port)
{
    char text[INET6_ADDRSTRLEN];
    const struct seen_part *part = seen_part(seen, kind, 0);
    if (!part || (part->bytes.len != 4 + 2 && part->bytes.len != 16 + 2)) {
        return;
    }
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    size_t length = part->bytes.len - 2;
    const unsigned char *at = (const unsigned char *)part->bytes.ptr;
    if (length == 16 && memcmp(at, mapped, sizeof mapped) == 0) {
        at += sizeof mapped; /* IPv4 through an IPv6 socket is IPv4: rules name it so */
        length = 4;
    }
    if (inet_ntop(length == 4 ? AF_INET : AF_INET6, at, text, sizeof text)) {
        event_put_text(b, address, text_of(text));
        event_put_number(b, port, at[length] << 8 | at[length + 1]);
    }
}

static void tell_connection(struct guard *g, const struct story *story, enum event_type type)
{
    const struct record *r = &story->seen->record;
    char number[24];
    struct event_builder b;
    if (!wanted(g, type)) {
        return;
    }
    snprintf(number, sizeof number, "%llu", (unsigned long long)r->numbers[0]);
    tell_begin(g, &b);
    event_put_text(&b, FIELD_PROTOCOL,
                   text_of(r->numbers[0] == 6    ? "tcp"
                           : r->numbers[0] == 17 ? "udp"
                                                 : number));
    if (type != EVENT_NETWORK_LISTEN) {
        event_put_bool(&b, FIELD_INITIATED, (r->flags & RECORD_OUTGOING) != 0);
        put_end(&b, story->seen, PART_SOURCE, FIELD_SOURCE_ADDRESS, FIELD_SOURCE_PORT);
    }
    put_end(&b, story->seen, PART_DESTINATION, FIELD_DESTINATION_ADDRESS, FIELD_DESTINATION_PORT);
    tell(g, &b, type, story);
}

void on_connect(struct guard *g, struct story *story)
{
    tell_connection(g, story, EVENT_NETWORK_CONNECT);
}

void on_accept(struct guard *g, struct story *story)
{
    tell_connection(g, story, EVENT_NETWORK_ACCEPT);
}

void on_listen(struct guard *g, struct story *story)
{
    tell_connection(g, story, EVENT_NETWORK_LISTEN);
}
