#include "guard/raised.h"

static struct text bytes_of(const void *at, size_t size)
{
    return (struct text){.ptr = at, .len = size};
}

/* 64 bits of hash stand for the alert: among 16,000 that two are alike happens once in 10^11
 * streams. Who writes a pack, or a client that raises alerts, chooses names: without the secret key
 * he could look for a pair, and hide one alert behind another. */
static uint64_t key_of(const struct raised *r, const struct raised_about *about)
{
    struct siphash s = siphash_begin(r->secret);
    siphash_bytes(&s, bytes_of(&about->event, sizeof about->event));
    siphash_bytes(&s, bytes_of(&about->nth, sizeof about->nth));
    siphash_bytes(&s, bytes_of(&about->client.len, sizeof about->client.len));
    siphash_bytes(&s, about->client);
    siphash_bytes(&s, about->rule);
    return siphash_end(&s).low;
}

static size_t bucket_of(uint64_t key)
{
    return key % RAISED_BUCKETS;
}

void raised_init(struct raised *r, const uint8_t secret[SIPHASH_KEY])
{
    memset(r, 0, sizeof *r);
    memcpy(r->secret, secret, SIPHASH_KEY);
}

bool raised_before(const struct raised *r, const struct raised_about *about)
{
    uint64_t key = key_of(r, about);
    const struct raised_alert *bucket = r->alerts[bucket_of(key)];
    for (unsigned i = 0; i < RAISED_PLACES; i++) {
        if (bucket[i].key == key && bucket[i].position > 0) {
            return true;
        }
    }
    return false;
}

void raised_add(struct raised *r, const struct raised_about *about, uint64_t position)
{
    uint64_t key = key_of(r, about);
    struct raised_alert *bucket = r->alerts[bucket_of(key)];
    struct raised_alert *oldest = &bucket[0];
    for (unsigned i = 1; i < RAISED_PLACES; i++) {
        oldest = bucket[i].position < oldest->position ? &bucket[i] : oldest;
    }
    *oldest = (struct raised_alert){.key = key, .position = position};
}

void raised_found(struct raised *r, const struct raised_about *about, uint64_t position)
{
    enum { NTH_MAX = 65536 }; /* the channel's bound */

    struct raised_about next = *about;
    for (next.nth = 0; next.nth < NTH_MAX && raised_before(r, &next); next.nth++) {
        continue;
    }
    raised_add(r, &next, position);
}
