/*
 * indicator: lists of known-bad hashes, addresses, domains and paths, as flat tables that are
 * searched in place.
 *
 * docs/formats/pack.md gives the bytes. A key lies in the bucket that its hash names, a bucket has
 * at most INDICATOR_BUCKET_MAX keys, and a lookup looks into one bucket of each table: so it ends,
 * and what it may cost is known. verify_indicator.c proves both, and that every key is found.
 */
#pragma once

#include "content/pack/pack.h"

enum indicator_kind {
    INDICATOR_HASH,    /* MD5, SHA-1, SHA-256 */
    INDICATOR_ADDRESS, /* IPv4 and IPv6 networks; an address is one of all its bits */
    INDICATOR_DOMAIN,  /* a name and what is below it */
    INDICATOR_PATH,    /* a path, or a folder and all below it */
    INDICATOR_KIND_COUNT
};

enum {
    INDICATOR_HEADER = 24,
    INDICATOR_ROW = 16,
    INDICATOR_BUCKET_MAX = 16, /* two on average: one million keys have such a table at once */
    INDICATOR_SEEDS = 64,      /* tried one after another until no bucket has more */
    INDICATOR_KEYS_MAX = 2097152,
    INDICATOR_TABLES_MAX = 33 + 129, /* every length of a prefix in IPv4 and IPv6 */
    INDICATOR_NAME_MAX = 128,
    INDICATOR_DEPTH_MAX = 64,                 /* labels of a domain, folders of a path */
    INDICATOR_DOMAIN_MAX = 253,               /* RFC 1035, without the last dot */
    INDICATOR_LABEL_MAX = 63,                 /* likewise, bytes of a label */
    INDICATOR_PATH_MAX = 4096,                /* the kernel's */
    INDICATOR_KEY_MAX = 32,                   /* bytes of a key that is no text: a SHA-256 */
    INDICATOR_HASHES_MAX = 16,                /* of one value, "MD5=…,SHA256=…" */
    INDICATOR_ROOM = 256,                     /* bytes that hold any key but a path … */
    INDICATOR_WORDS = INDICATOR_PATH_MAX + 8, /* … and any entry in words */
};

/* A table: keys of one shape. `detail` is what keys have in common: of addresses the bits of the
 * prefix, of domains the labels, of folders the slashes; 0 for hashes and whole paths. */
struct indicator_table {
    uint16_t width; /* bytes of a key; 0: texts */
    uint16_t detail;
    uint32_t bits; /* of a bucket's number */
    uint32_t keys;
    const char *buckets; /* u32: where each ends, in keys */
    const char *entries; /* keys, or (u32 tag, u32 end in bytes) for each */
    const char *bytes;   /* texts */
};

#define INDICATOR_NONE UINT32_MAX /* no such key */

/* ── lists, proven or just built ── */

struct text indicator_name(struct text list);
enum indicator_kind indicator_kind(struct text list);
const char *indicator_kind_name(enum indicator_kind kind); /* "address" */
uint32_t indicator_seed(struct text list);
uint32_t indicator_tables(struct text list);
struct indicator_table indicator_table(struct text list, uint32_t index);
uint32_t indicator_count(struct text list);

/* The order in which lists stand in a pack: by name, then by kind. Like memcmp(). */
int indicator_order(struct text a, struct text b);

/* The most steps, in those of predicate.h, that it takes to look up a value of `len` bytes. */
uint64_t indicator_cost(struct text list, size_t len);

/* Where a value was found. */
struct indicator_found {
    struct indicator_table table;
    uint32_t key;
};

/* Looks a value up as events write it. False: it is not there, or no value of the list's kind. The
 * longest prefix, name or folder that matches is the one that is told. */
bool indicator_find(struct text list, struct text value, struct indicator_found *out,
                    uint64_t *steps);

/* "10.0.0.0/8", "*.example.org", "/opt/x/", a hash in hex; in `out` of INDICATOR_WORDS bytes. */
struct text indicator_words(struct text list, const struct indicator_found *found, char *out);

/* Is the SHA-256 of a file in a list of an open pack? `rule` is then the rule that asks for that
 * list; SIZE_MAX: none does. */
bool indicator_has_hash(const struct pack *pack, const uint8_t sha256[32], size_t *rule);

/* What a rule that matched this event found in a list; false: it asks for none. */
struct event;
bool indicator_matched(const struct pack *pack, size_t rule, const struct event *event,
                       struct text *list, struct indicator_found *found);

/* ── for the builder and the verifier, which have to agree with the lookup ── */

uint64_t indicator_hash_key(uint32_t seed, const char *key, size_t width);
uint64_t indicator_hash_text(uint32_t seed, enum indicator_kind kind, struct text t);

static inline uint32_t indicator_bucket(uint64_t hash, uint32_t bits)
{
    return bits ? (uint32_t)(hash >> (64 - bits)) : 0;
}

/* Bits for that many keys: at most two a bucket on average. */
uint32_t indicator_bits(uint32_t keys);

/* Bytes of an MD5, SHA-1 or SHA-256 in hex, written to `out` of INDICATOR_KEY_MAX; 0: it is none.
 */
size_t indicator_hash_parse(struct text hex, char *out);

/* A text of a table by its number, which must be there. */
struct text indicator_text(const struct indicator_table *t, uint32_t key);

/* The number of a key, or INDICATOR_NONE. */
uint32_t indicator_probe_key(const struct indicator_table *t, const char *key, uint64_t hash);
uint32_t indicator_probe_text(const struct indicator_table *t, struct text key, uint64_t hash);

/* Is it the text of a key, and what is the detail of its table? -1: it is none. */
int indicator_domain_depth(struct text t);
int indicator_path_depth(struct text t);

/* Proves a list: NULL, or what is wrong. Nothing but this may be called on bytes from outside. */
const char *indicator_check(struct text list);
