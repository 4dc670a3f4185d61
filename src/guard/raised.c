#include "guard/raised.h"

#include "base/hash.h"

/* 64 bits of hash stand for the alert: among 16,000 that two are alike happens once in 10^11
 * streams. Rules are the owner's, and numbers ours: nobody can look for such a pair. */
static uint64_t key_of(const struct raised_about *about)
{
    uint64_t hash = hash_text(about->client);
    hash = hash_bytes(hash, &about->event, sizeof about->event);
    hash = hash_bytes(hash, &about->nth, sizeof about->nth);
    return hash_bytes(hash, about->rule.ptr, about->rule.len);
}

/* FNV's low bits hang on few of its input's. */
static size_t bucket_of(uint64_t key)
{
    return (key ^ key >> 32) % RAISED_BUCKETS;
}

bool raised_before(const struct raised *r, const struct raised_about *about)
{
    uint64_t key = key_of(about);
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
    uint64_t key = key_of(about);
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
