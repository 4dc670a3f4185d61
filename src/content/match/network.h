/*
 * network: addresses and the networks they are in, "10.0.0.0/8", "2001:db8::/32".
 *
 * A network holds addresses of its own family only; an IPv4-mapped IPv6 address ("::ffff:10.0.0.1")
 * is the IPv4 address. Bits after the prefix mean nothing.
 */
#pragma once

#include "base/text.h"

struct network {
    uint8_t base[16];
    uint8_t size; /* bytes of an address: 4 or 16 */
    uint8_t bits;
};

/* Bytes of the address, 4 or 16, written to `out` of 16; 0: it is none. */
uint8_t network_address(struct text t, uint8_t *out);

/* False: not a network. The prefix must be there. */
bool network_parse(struct text t, struct network *out);

/* False also where `address` is none. */
bool network_has(const struct network *network, struct text address);
