#include "content/indicator/indicator.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "base/status.h"
#include "content/match/network.h"
#include "content/pack/load.h"

#include <arpa/inet.h>

enum {
    /* Two or three lines of memory, and what translates their addresses, that no cache has: 0.9 to
     * 1.0 µs in all. 60 ns where they are near. */
    PROBE_COST = 1000,
    BYTE_COST = 2,    /* a byte of a text that is hashed: 1.3 ns */
    PARSE_COST = 192, /* an address, a hash in hex */
};

/* Multiplier of a 64-bit mix whose every output bit depends on every input bit after two rounds. */
#define MIX 0xd6e8feb86659fd93ULL

/* ── the parts of a list ── */

enum indicator_kind indicator_kind(struct text list)
{
    return (enum indicator_kind)load_u32(list.ptr + 4);
}

uint32_t indicator_seed(struct text list)
{
    return load_u32(list.ptr + 8);
}

uint32_t indicator_tables(struct text list)
{
    return load_u32(list.ptr + 12);
}

struct text indicator_name(struct text list)
{
    return text_part(list, INDICATOR_HEADER + (size_t)indicator_tables(list) * INDICATOR_ROW,
                     load_u32(list.ptr + 16));
}

struct indicator_table indicator_table(struct text list, uint32_t index)
{
    const char *row = list.ptr + INDICATOR_HEADER + (size_t)index * INDICATOR_ROW;
    struct indicator_table t = {.width = load_u16(row),
                                .detail = load_u16(row + 2),
                                .bits = load_u32(row + 4),
                                .keys = load_u32(row + 8)};
    t.buckets = list.ptr + load_u32(row + 12);
    t.entries = t.buckets + (4ULL << t.bits);
    t.bytes = t.entries + 8ULL * t.keys;
    return t;
}

uint32_t indicator_count(struct text list)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < indicator_tables(list); i++) {
        count += indicator_table(list, i).keys;
    }
    return count;
}

int indicator_order(struct text a, struct text b)
{
    int order = pack_id_order(indicator_name(a), indicator_name(b));
    return order ? order : (int)indicator_kind(a) - (int)indicator_kind(b);
}

const char *indicator_kind_name(enum indicator_kind kind)
{
    static const char *const names[INDICATOR_KIND_COUNT] = {[INDICATOR_HASH] = "hash",
                                                            [INDICATOR_ADDRESS] = "address",
                                                            [INDICATOR_DOMAIN] = "domain",
                                                            [INDICATOR_PATH] = "path"};
    ENSURE((unsigned)kind < INDICATOR_KIND_COUNT);
    return names[kind];
}

uint32_t indicator_bits(uint32_t keys)
{
    uint32_t bits = 0;
    while ((2ULL << bits) < keys) {
        bits++;
    }
    return bits;
}

/* ── hashes ── */

static uint64_t mix(uint64_t h)
{
    h = (h ^ h >> 32) * MIX;
    h = (h ^ h >> 32) * MIX;
    return h ^ h >> 32;
}

/* The seed stands before the bytes: who makes keys that collide under one does not under all. */
static uint64_t start(uint32_t seed)
{
    return mix(HASH_START + seed);
}

uint64_t indicator_hash_key(uint32_t seed, const char *key, size_t width)
{
    uint64_t h = start(seed);
    size_t at = 0;
    for (; at + 8 <= width; at += 8) {
        h = (h ^ load_u64(key + at)) * MIX;
        h ^= h >> 32;
    }
    return mix(at < width ? h ^ load_u32(key + at) : h);
}

/* Names are read from their end, so that one pass gives the hash of each that it is below. */
uint64_t indicator_hash_text(uint32_t seed, enum indicator_kind kind, struct text t)
{
    uint64_t h = start(seed);
    for (size_t i = 0; i < t.len; i++) {
        h = hash_bytes(h, kind == INDICATOR_DOMAIN ? t.ptr + t.len - 1 - i : t.ptr + i, 1);
    }
    return mix(h);
}

/* ── one table ── */

struct bucket {
    uint32_t from, to;
};

static struct bucket bucket_at(const struct indicator_table *t, uint64_t hash)
{
    size_t number = indicator_bucket(hash, t->bits);
    const char *end = t->buckets + number * 4;
    return (struct bucket){.from = number ? load_u32(end - 4) : 0, .to = load_u32(end)};
}

uint32_t indicator_probe_key(const struct indicator_table *t, const char *key, uint64_t hash)
{
    struct bucket b = bucket_at(t, hash);
    uint32_t first = load_u32(key);
    for (uint32_t i = b.from; i < b.to; i++) {
        const char *entry = t->entries + (size_t)i * t->width;
        if (load_u32(entry) == first && memcmp(entry + 4, key + 4, t->width - 4U) == 0) {
            return i;
        }
    }
    return INDICATOR_NONE;
}

struct text indicator_text(const struct indicator_table *t, uint32_t key)
{
    const char *entry = t->entries + (size_t)key * 8;
    uint32_t from = key ? load_u32(entry - 4) : 0;
    return (struct text){.ptr = t->bytes + from, .len = load_u32(entry + 4) - from};
}

/* No two keys of a bucket have the same tag: at most one is compared. */
uint32_t indicator_probe_text(const struct indicator_table *t, struct text key, uint64_t hash)
{
    struct bucket b = bucket_at(t, hash);
    for (uint32_t i = b.from; i < b.to; i++) {
        if (load_u32(t->entries + (size_t)i * 8) == (uint32_t)hash) {
            return text_same(indicator_text(t, i), key) ? i : INDICATOR_NONE;
        }
    }
    return INDICATOR_NONE;
}

/* ── shapes of texts ── */

/* A table, as the verifier looks at every byte of a million names. */
enum { BYTE_OTHER, BYTE_NAME, BYTE_DOT };

static const uint8_t name_bytes[256] = {
    ['.'] = BYTE_DOT,  ['-'] = BYTE_NAME, ['_'] = BYTE_NAME, ['0'] = BYTE_NAME, ['1'] = BYTE_NAME,
    ['2'] = BYTE_NAME, ['3'] = BYTE_NAME, ['4'] = BYTE_NAME, ['5'] = BYTE_NAME, ['6'] = BYTE_NAME,
    ['7'] = BYTE_NAME, ['8'] = BYTE_NAME, ['9'] = BYTE_NAME, ['a'] = BYTE_NAME, ['b'] = BYTE_NAME,
    ['c'] = BYTE_NAME, ['d'] = BYTE_NAME, ['e'] = BYTE_NAME, ['f'] = BYTE_NAME, ['g'] = BYTE_NAME,
    ['h'] = BYTE_NAME, ['i'] = BYTE_NAME, ['j'] = BYTE_NAME, ['k'] = BYTE_NAME, ['l'] = BYTE_NAME,
    ['m'] = BYTE_NAME, ['n'] = BYTE_NAME, ['o'] = BYTE_NAME, ['p'] = BYTE_NAME, ['q'] = BYTE_NAME,
    ['r'] = BYTE_NAME, ['s'] = BYTE_NAME, ['t'] = BYTE_NAME, ['u'] = BYTE_NAME, ['v'] = BYTE_NAME,
    ['w'] = BYTE_NAME, ['x'] = BYTE_NAME, ['y'] = BYTE_NAME, ['z'] = BYTE_NAME};

int indicator_domain_depth(struct text t)
{
    int labels = 1;
    size_t label = 0; /* where it begins */
    if (t.len == 0 || t.len > INDICATOR_DOMAIN_MAX) {
        return -1;
    }
    for (size_t i = 0; i < t.len; i++) {
        uint8_t byte = name_bytes[(unsigned char)t.ptr[i]];
        if (byte == BYTE_NAME) {
            continue;
        }
        if (byte == BYTE_OTHER || i == label || i - label > INDICATOR_LABEL_MAX) {
            return -1;
        }
        labels++;
        label = i + 1;
    }
    bool last = label < t.len && t.len - label <= INDICATOR_LABEL_MAX;
    return last && labels <= INDICATOR_DEPTH_MAX ? labels : -1;
}

int indicator_path_depth(struct text t)
{
    int slashes = 0;
    if (t.len == 0 || t.len > INDICATOR_PATH_MAX || t.ptr[0] != '/' || !text_is_utf8(t)) {
        return -1;
    }
    for (size_t i = 0; i < t.len; i++) {
        if (t.ptr[i] == 0) {
            return -1;
        }
        slashes += t.ptr[i] == '/';
    }
    if (t.ptr[t.len - 1] != '/') {
        return 0;
    }
    return slashes <= INDICATOR_DEPTH_MAX ? slashes : -1;
}

/* ── lookups ── */

struct lookup {
    struct text list;
    uint32_t seed;
    uint32_t tables;
    struct indicator_found *out;
    bool found;
    uint64_t *steps;
};

static bool note(struct lookup *l, const struct indicator_table *t, uint32_t key)
{
    if (key != INDICATOR_NONE) {
        *l->out = (struct indicator_found){.table = *t, .key = key};
        l->found = true;
    }
    return key != INDICATOR_NONE;
}

static bool probe_key(struct lookup *l, const struct indicator_table *t, const char *key)
{
    *l->steps += PROBE_COST;
    return note(l, t, indicator_probe_key(t, key, indicator_hash_key(l->seed, key, t->width)));
}

/* By a table: half of all digits are letters, which no branch could foresee. */
static uint8_t digit_of(char c)
{
    static const uint8_t digits[256] = {
        ['0'] = 16, 17, 18, 19, 20, 21,         22, 23, 24, 25, ['A'] = 26,
        27,         28, 29, 30, 31, ['a'] = 26, 27, 28, 29, 30, 31};
    return digits[(unsigned char)c];
}

size_t indicator_hash_parse(struct text hex, char *out)
{
    unsigned good = 16;
    if (hex.len != 32 && hex.len != 40 && hex.len != 64) {
        return 0;
    }
    for (size_t i = 0; i < hex.len; i += 2) {
        unsigned high = digit_of(hex.ptr[i]);
        unsigned low = digit_of(hex.ptr[i + 1]);
        good &= high & low;
        out[i / 2] = (char)(high << 4 | (low & 15));
    }
    return good ? hex.len / 2 : 0;
}

/* "SHA256=…": the hash of an import table ("IMPHASH=…") has the length of an MD5 and is none. */
static struct text named_hash(struct text t)
{
    static const struct {
        const char *name;
        size_t digits;
    } names[] = {{"md5", 32}, {"sha1", 40}, {"sha256", 64}};

    size_t equal = text_find_byte(t, '=');
    if (equal == SIZE_MAX) {
        return t;
    }
    struct text hex = text_trim(text_part(t, equal + 1, t.len));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (hex.len == names[i].digits &&
            text_same_folded(text_trim(text_part(t, 0, equal)), text_of(names[i].name))) {
            return hex;
        }
    }
    return TEXT("");
}

static void find_one_hash(struct lookup *l, struct text hex)
{
    char key[INDICATOR_KEY_MAX];
    size_t width = indicator_hash_parse(hex, key);
    *l->steps += hex.len >= 32 ? PARSE_COST : 0;
    for (uint32_t i = 0; width && i < l->tables; i++) {
        struct indicator_table t = indicator_table(l->list, i);
        if (t.width == width) {
            probe_key(l, &t, key);
            return;
        }
    }
}

static void find_hash(struct lookup *l, struct text value)
{
    enum { TOKEN_MAX = 128 }; /* a name, and 64 digits */

    for (unsigned n = 0; n < INDICATOR_HASHES_MAX && value.len && !l->found; n++) {
        size_t comma = text_find_byte(text_part(value, 0, TOKEN_MAX), ',');
        struct text token = text_part(value, 0, comma < TOKEN_MAX ? comma : (size_t)TOKEN_MAX);
        *l->steps += BYTE_COST * token.len;
        find_one_hash(l, named_hash(text_trim(token)));
        value = comma == SIZE_MAX ? TEXT("") : text_part(value, comma + 1, value.len);
    }
}

static void mask(char *address, size_t size, unsigned bits)
{
    for (size_t i = bits / 8; i < size; i++) {
        unsigned keep = i == bits / 8 ? bits % 8 : 0;
        address[i] = (char)((unsigned char)address[i] & (0xff00U >> keep));
    }
}

/* Tables are in the order of their prefixes: from the longest down, bits only ever go. */
static void find_address(struct lookup *l, struct text value)
{
    uint8_t bytes[16];
    char key[16];
    size_t size = network_address(value, bytes);
    *l->steps += PARSE_COST;
    memmove(key, bytes, sizeof key);
    for (uint32_t i = size ? l->tables : 0; i-- > 0;) {
        struct indicator_table t = indicator_table(l->list, i);
        if (t.width != size) {
            continue;
        }
        mask(key, size, t.detail);
        if (probe_key(l, &t, key)) {
            return;
        }
    }
}

/* Asks the next table if it is that of this depth. Tables are in the order of their depths. */
static void probe_depth(struct lookup *l, uint32_t *next, unsigned depth, struct text key,
                        uint64_t hash)
{
    struct indicator_table t = {0};
    while (*next < l->tables && (t = indicator_table(l->list, *next)).detail < depth) {
        ++*next;
    }
    if (*next < l->tables && t.detail == depth) {
        *l->steps += PROBE_COST + key.len / 8;
        note(l, &t, indicator_probe_text(&t, key, mix(hash)));
    }
}

static void find_domain(struct lookup *l, struct text value)
{
    char name[INDICATOR_DOMAIN_MAX];
    uint64_t h = start(l->seed);
    uint32_t next = 0;
    unsigned depth = 0;
    value.len -= value.len && value.ptr[value.len - 1] == '.';
    if (value.len > sizeof name) {
        return;
    }
    *l->steps += BYTE_COST * value.len;
    for (size_t i = value.len; i-- > 0 && next < l->tables;) {
        name[i] = text_fold(value.ptr[i]);
        h = hash_bytes(h, name + i, 1);
        if (i == 0 || value.ptr[i - 1] == '.') {
            probe_depth(l, &next, ++depth, (struct text){name + i, value.len - i}, h);
        }
    }
}

static void find_path(struct lookup *l, struct text value)
{
    struct text looked = text_part(value, 0, INDICATOR_PATH_MAX);
    struct indicator_table whole = indicator_table(l->list, 0);
    uint64_t h = start(l->seed);
    uint32_t next = 0;
    unsigned depth = 0;
    *l->steps += BYTE_COST * looked.len;
    for (size_t i = 0; i < looked.len; i++) {
        h = hash_bytes(h, looked.ptr + i, 1);
        if (looked.ptr[i] == '/') {
            probe_depth(l, &next, ++depth, text_part(looked, 0, i + 1), h);
        }
    }
    if (whole.detail == 0 && looked.len == value.len) {
        *l->steps += PROBE_COST + looked.len / 8;
        note(l, &whole, indicator_probe_text(&whole, looked, mix(h)));
    }
}

bool indicator_find(struct text list, struct text value, struct indicator_found *out,
                    uint64_t *steps)
{
    static void (*const finders[INDICATOR_KIND_COUNT])(struct lookup * l, struct text value) = {
        [INDICATOR_HASH] = find_hash,
        [INDICATOR_ADDRESS] = find_address,
        [INDICATOR_DOMAIN] = find_domain,
        [INDICATOR_PATH] = find_path};
    struct lookup l = {.list = list,
                       .seed = indicator_seed(list),
                       .tables = indicator_tables(list),
                       .out = out,
                       .steps = steps};
    finders[indicator_kind(list)](&l, value);
    return l.found;
}

uint64_t indicator_cost(struct text list, size_t len)
{
    uint64_t tables = indicator_tables(list);
    size_t looked = len < INDICATOR_PATH_MAX ? len : INDICATOR_PATH_MAX;
    uint64_t probes = tables < looked + 1 ? tables : looked + 1;
    switch (indicator_kind(list)) {
    case INDICATOR_HASH:
        probes = looked / 32 < INDICATOR_HASHES_MAX ? looked / 32 : (int)INDICATOR_HASHES_MAX;
        return BYTE_COST * looked + probes * (PARSE_COST + PROBE_COST);
    case INDICATOR_ADDRESS:
        return PARSE_COST + tables * PROBE_COST;
    case INDICATOR_DOMAIN:
    case INDICATOR_PATH:
        return BYTE_COST * looked + probes * (PROBE_COST + looked / 8);
    case INDICATOR_KIND_COUNT:
        break;
    }
    return 0;
}

/* ── words ── */

static void write_key(struct writer *w, const struct indicator_table *t, const char *key,
                      enum indicator_kind kind)
{
    char address[INET6_ADDRSTRLEN] = "";
    if (kind == INDICATOR_HASH) {
        for (size_t i = 0; i < t->width; i++) {
            writer_print(w, "%02x", (unsigned char)key[i]);
        }
        return;
    }
    inet_ntop(t->width == 4 ? AF_INET : AF_INET6, key, address, sizeof address);
    writer_bytes(w, text_of(address));
    if (t->detail != t->width * 8U) {
        writer_print(w, "/%u", t->detail);
    }
}

struct text indicator_words(struct text list, const struct indicator_found *found, char *out)
{
    const struct indicator_table *t = &found->table;
    struct writer w = writer_over(out, INDICATOR_WORDS);
    if (t->width) {
        write_key(&w, t, t->entries + (size_t)found->key * t->width, indicator_kind(list));
    } else {
        writer_bytes(&w, indicator_kind(list) == INDICATOR_DOMAIN ? TEXT("*.") : TEXT(""));
        writer_bytes(&w, indicator_text(t, found->key));
    }
    return writer_text(&w);
}
