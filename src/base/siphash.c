#include "base/siphash.h"

static uint64_t rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static void rounds(uint64_t v[4], unsigned count)
{
    while (count-- > 0) {
        v[0] += v[1];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[0] = rotate(v[0], 32);
        v[2] += v[3];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[2] = rotate(v[2], 32);
    }
}

static uint64_t word_of(const uint8_t *bytes, size_t count)
{
    uint64_t word = 0;
    for (size_t i = 0; i < count; i++) {
        word |= (uint64_t)bytes[i] << 8 * i;
    }
    return word;
}

static void absorb(struct siphash *s, uint64_t word)
{
    s->v[3] ^= word;
    rounds(s->v, 2);
    s->v[0] ^= word;
}

/* The constants are those of the paper ("somepseudorandomlygeneratedbytes"); 0xee asks for 128
 * bits. */
struct siphash siphash_begin(const uint8_t key[SIPHASH_KEY])
{
    uint64_t low = word_of(key, 8);
    uint64_t high = word_of(key + 8, 8);
    return (struct siphash){
        .v = {low ^ 0x736f6d6570736575ULL, high ^ 0x646f72616e646f6dULL ^ 0xee,
              low ^ 0x6c7967656e657261ULL, high ^ 0x7465646279746573ULL},
    };
}

void siphash_bytes(struct siphash *s, struct text bytes)
{
    const uint8_t *at = (const uint8_t *)bytes.ptr;
    size_t left = bytes.len;
    while (left > 0) {
        unsigned used = s->length % 8;
        if (used == 0 && left >= 8) {
            absorb(s, word_of(at, 8));
            at += 8;
            left -= 8;
            s->length += 8;
            continue;
        }
        s->word = used == 0 ? *at : s->word | (uint64_t)*at << 8 * used;
        s->length++;
        at++;
        left--;
        if (used == 7) {
            absorb(s, s->word);
        }
    }
}

struct hash128 siphash_end(struct siphash *s)
{
    struct hash128 hash;
    uint64_t last = s->length % 8 ? s->word : 0;
    absorb(s, last | s->length << 56);
    s->v[2] ^= 0xee;
    rounds(s->v, 4);
    hash.low = s->v[0] ^ s->v[1] ^ s->v[2] ^ s->v[3];
    s->v[1] ^= 0xdd;
    rounds(s->v, 4);
    hash.high = s->v[0] ^ s->v[1] ^ s->v[2] ^ s->v[3];
    return hash;
}
