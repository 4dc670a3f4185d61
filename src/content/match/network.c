#include "content/match/network.h"

#include <arpa/inet.h>

enum { MAPPED_BITS = 96 }; /* RFC 4291, 2.5.5.2: ::ffff:0:0/96 */

static bool is_mapped(const uint8_t *address)
{
    static const uint8_t prefix[MAPPED_BITS / 8] = {[10] = 0xff, [11] = 0xff};
    return memcmp(address, prefix, sizeof prefix) == 0;
}

/* Bytes of the address, 0: not one. */
static uint8_t address_parse(struct text t, uint8_t *out)
{
    char terminated[INET6_ADDRSTRLEN];
    if (t.len >= sizeof terminated || text_find_byte(t, 0) != SIZE_MAX) {
        return 0;
    }
    text_copy(t, terminated, sizeof terminated);
    return inet_pton(AF_INET, terminated, out) == 1    ? 4
           : inet_pton(AF_INET6, terminated, out) == 1 ? 16
                                                       : 0;
}

uint8_t network_address(struct text t, uint8_t *out)
{
    uint8_t size = address_parse(t, out);
    if (size == 16 && is_mapped(out)) {
        memmove(out, out + MAPPED_BITS / 8, 4);
        size = 4;
    }
    return size;
}

bool network_parse(struct text t, struct network *out)
{
    struct network network = {0};
    uint64_t bits;
    size_t slash = text_find_byte(t, '/');
    network.size = address_parse(text_part(t, 0, slash), network.base);
    if (network.size == 0 || slash >= t.len ||
        !text_to_u64(text_part(t, slash + 1, t.len), &bits) || bits > network.size * 8U) {
        return false;
    }
    network.bits = (uint8_t)bits;
    if (network.size == 16 && bits >= MAPPED_BITS && is_mapped(network.base)) {
        memmove(network.base, network.base + MAPPED_BITS / 8, 4);
        network.size = 4;
        network.bits = (uint8_t)(bits - MAPPED_BITS);
    }
    *out = network;
    return true;
}

bool network_has(const struct network *network, struct text address)
{
    uint8_t bytes[16];
    if (network_address(address, bytes) != network->size) {
        return false;
    }
    for (unsigned bit = 0; bit < network->bits; bit += 8) {
        unsigned left = network->bits - bit;
        uint8_t mask = (uint8_t)(left >= 8 ? 0xff : 0xff00U >> left);
        if ((bytes[bit / 8] ^ network->base[bit / 8]) & mask) {
            return false;
        }
    }
    return true;
}
