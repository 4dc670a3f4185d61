/*
 * The proof of indicator lists: that no lookup leaves its table, that it looks at no more keys than
 * a bucket may have, and that every key is found. The last is not argued but done: each key is
 * looked up by the function that the interpreter calls.
 */
#include "base/status.h"
#include "content/indicator/indicator.h"
#include "content/pack/load.h"
#include "content/pack/verify.h"

/* Where a key stands within its bucket: after the one before it. */
struct order {
    const char *before; /* key, of the same bucket; NULL: it is the first */
    uint32_t tag;
};

static bool is_zero_after(const char *key, size_t size, unsigned bits)
{
    for (size_t i = bits / 8; i < size; i++) {
        unsigned dropped = i == bits / 8 ? 0xffU >> bits % 8 : 0xff;
        if ((unsigned char)key[i] & dropped) {
            return false;
        }
    }
    return true;
}

/* IPv4 in the form of IPv6 is looked up as IPv4: such a key would never be found. */
static bool is_mapped(const char *key, const struct indicator_table *t)
{
    static const char prefix[12] = {[10] = '\xff', [11] = '\xff'};
    return t->width == 16 && t->detail >= 96 && memcmp(key, prefix, sizeof prefix) == 0;
}

static const char *check_shape(enum indicator_kind kind, const struct indicator_table *t)
{
    bool right = false;
    switch (kind) {
    case INDICATOR_HASH:
        right = (t->width == 16 || t->width == 20 || t->width == 32) && t->detail == 0;
        break;
    case INDICATOR_ADDRESS:
        right = (t->width == 4 || t->width == 16) && t->detail <= t->width * 8U;
        break;
    case INDICATOR_DOMAIN:
        right = t->width == 0 && t->detail >= 1 && t->detail <= INDICATOR_DEPTH_MAX;
        break;
    case INDICATOR_PATH:
        right = t->width == 0 && t->detail <= INDICATOR_DEPTH_MAX;
        break;
    case INDICATOR_KIND_COUNT:
        break;
    }
    return right ? NULL : "a table of a shape that its kind has not";
}

/* ── keys ── */

static const char *check_key(struct text list, const struct indicator_table *t, uint32_t i,
                             struct order *order, uint64_t *hash)
{
    const char *key = t->entries + (size_t)i * t->width;
    *hash = indicator_hash_key(load_u32(list.ptr + 8), key, t->width);
    if (indicator_probe_key(t, key, *hash) != i) {
        return "a key that its own lookup does not find";
    }
    if (order->before && memcmp(order->before, key, t->width) >= 0) {
        return "keys of a bucket that are not in order";
    }
    if (indicator_kind(list) == INDICATOR_ADDRESS &&
        (!is_zero_after(key, t->width, t->detail) || is_mapped(key, t))) {
        return "an address that no lookup asks for";
    }
    order->before = key;
    return NULL;
}

static const char *check_text(struct text list, const struct indicator_table *t, uint32_t i,
                              struct order *order, uint64_t *hash)
{
    struct text key = indicator_text(t, i);
    enum indicator_kind kind = indicator_kind(list);
    int depth = kind == INDICATOR_DOMAIN ? indicator_domain_depth(key) : indicator_path_depth(key);
    if (depth != t->detail) {
        return "a text that no lookup asks for in this table";
    }
    *hash = indicator_hash_text(load_u32(list.ptr + 8), kind, key);
    if (indicator_probe_text(t, key, *hash) != i) {
        return "a key that its own lookup does not find";
    }
    if (order->before && order->tag >= (uint32_t)*hash) {
        return "keys of a bucket that are not in order";
    }
    *order = (struct order){.before = key.ptr, .tag = (uint32_t)*hash};
    return NULL;
}

/* Every key lies in the bucket that its hash names, which its lookup has shown. */
static const char *check_keys(struct text list, const struct indicator_table *t)
{
    struct order order = {0};
    uint32_t bucket = 0;
    for (uint32_t i = 0; i < t->keys; i++) {
        uint64_t hash;
        while (load_u32(t->buckets + (size_t)bucket * 4) <= i) {
            bucket++;
            order = (struct order){0};
        }
        const char *wrong =
            t->width ? check_key(list, t, i, &order, &hash) : check_text(list, t, i, &order, &hash);
        if (wrong) {
            return wrong;
        }
    }
    return NULL;
}

/* ── tables ── */

/* Ends rise to the last key; no bucket has too many. */
static const char *check_buckets(const struct indicator_table *t)
{
    uint32_t from = 0;
    for (size_t i = 0; i < 1ULL << t->bits; i++) {
        uint32_t to = load_u32(t->buckets + i * 4);
        if (to < from || to - from > INDICATOR_BUCKET_MAX) {
            return "a bucket that ends where it cannot";
        }
        from = to;
    }
    return from == t->keys ? NULL : "buckets that do not end with the last key";
}

/* `left`: bytes of the list after the entries. */
static const char *check_texts(const struct indicator_table *t, size_t left, size_t *used)
{
    uint32_t from = 0;
    for (size_t i = 0; i < t->keys; i++) {
        uint32_t to = load_u32(t->entries + i * 8 + 4);
        if (to <= from || to > left) {
            return "a text that ends where it cannot";
        }
        from = to;
    }
    *used = from;
    return NULL;
}

static bool is_zero(struct text t)
{
    for (size_t i = 0; i < t.len; i++) {
        if (t.ptr[i]) {
            return false;
        }
    }
    return true;
}

/* Table `index` begins at *at, which is moved to where the next one does. */
static const char *check_table(struct text list, uint32_t index, size_t *at)
{
    const char *row = list.ptr + INDICATOR_HEADER + (size_t)index * INDICATOR_ROW;
    uint32_t bits = load_u32(row + 4);
    uint32_t keys = load_u32(row + 8);
    if (load_u32(row + 12) != *at || keys == 0 || keys > INDICATOR_KEYS_MAX ||
        bits != indicator_bits(keys)) {
        return "a table that does not lie where it should";
    }
    size_t width = load_u16(row);
    size_t fixed = (4ULL << bits) + keys * (width ? width : 8);
    if (fixed > list.len - *at) {
        return "a table that is longer than the list";
    }
    struct indicator_table t = indicator_table(list, index);
    size_t texts = 0;
    const char *wrong = check_shape(indicator_kind(list), &t);
    wrong = wrong ? wrong : check_buckets(&t);
    if (!wrong && width == 0) {
        wrong = check_texts(&t, list.len - *at - fixed, &texts);
    }
    size_t end = *at + fixed + texts;
    size_t padding = -end % 8;
    if (!wrong && (padding > list.len - end || !is_zero(text_part(list, end, padding)))) {
        wrong = "bytes after a table that are not zero";
    }
    *at = end + padding;
    return wrong ? wrong : check_keys(list, &t);
}

static const char *check_header(struct text list, size_t *at)
{
    if (list.len < INDICATOR_HEADER || load_u32(list.ptr) != list.len ||
        load_u32(list.ptr + 4) >= INDICATOR_KIND_COUNT ||
        load_u32(list.ptr + 8) >= INDICATOR_SEEDS || load_u32(list.ptr + 20) != 0) {
        return "the list's header is wrong";
    }
    size_t tables = load_u32(list.ptr + 12);
    size_t name = load_u32(list.ptr + 16);
    size_t end = INDICATOR_HEADER + tables * INDICATOR_ROW + name;
    if (tables == 0 || tables > INDICATOR_TABLES_MAX || name == 0 || name > INDICATOR_NAME_MAX ||
        end + -end % 8 > list.len) {
        return "the list's header is wrong";
    }
    if (!text_is_utf8(indicator_name(list)) || !is_zero(text_part(list, end, -end % 8))) {
        return "the list's name is wrong";
    }
    *at = end + -end % 8;
    return NULL;
}

const char *indicator_check(struct text list)
{
    size_t at;
    uint32_t before = 0;
    const char *wrong = check_header(list, &at);
    for (uint32_t i = 0; !wrong && i < indicator_tables(list); i++) {
        const char *row = list.ptr + INDICATOR_HEADER + (size_t)i * INDICATOR_ROW;
        uint32_t shape = (uint32_t)load_u16(row) << 16 | load_u16(row + 2);
        if (i && shape <= before) {
            return "tables that are not in order";
        }
        before = shape;
        wrong = check_table(list, i, &at);
    }
    if (wrong) {
        return wrong;
    }
    return at == list.len ? NULL : "bytes that belong to no table";
}

struct status check_indicators(struct check *c)
{
    struct text before = TEXT("");
    TRY(check_ends(c, PACK_INDICATOR_ENDS, PACK_INDICATOR_BYTES, PACK_SIZE_MAX, 8));
    for (uint32_t i = 0; i < pack_count(&c->pack, PACK_INDICATOR_ENDS); i++) {
        struct text list = pack_list(&c->pack, i);
        const char *wrong = indicator_check(list);
        if (!wrong && i && indicator_order(before, list) >= 0) {
            wrong = "two lists have the same name and kind, or they are not in order";
        }
        if (wrong) {
            return check_refuse(c, PACK_INDICATOR_ENDS, i, wrong);
        }
        before = list;
    }
    return OK;
}
