#include "content/indicator/indicator_build.h"

#include "base/bytes.h"
#include "content/match/network.h"

#include <stdlib.h>

struct indicator_item {
    uint16_t width;
    uint16_t detail;
    uint32_t bucket;
    uint32_t tag; /* 0 where keys are no texts */
    uint32_t len;
    const char *bytes;
};

/* ── keys ── */

bool indicator_key_hash(struct text hex, char *room, struct indicator_key *out)
{
    size_t width = indicator_hash_parse(hex, room);
    *out = (struct indicator_key){
        .kind = INDICATOR_HASH, .width = (uint16_t)width, .bytes = {.ptr = room, .len = width}};
    return width != 0;
}

/* Bits after the prefix mean nothing, and are zero in a key. */
bool indicator_key_network(struct text t, char *room, struct indicator_key *out)
{
    struct network n = {0};
    if (text_find_byte(t, '/') == SIZE_MAX) {
        n.size = network_address(t, n.base);
        n.bits = (uint8_t)(n.size * 8);
    } else if (!network_parse(t, &n)) {
        return false;
    }
    if (n.size == 0) {
        return false;
    }
    for (unsigned i = 0; i < n.size; i++) {
        unsigned keep = i * 8 >= n.bits ? 0 : n.bits - i * 8 >= 8 ? 8 : n.bits - i * 8;
        room[i] = (char)(n.base[i] & 0xff00U >> keep);
    }
    *out = (struct indicator_key){.kind = INDICATOR_ADDRESS,
                                  .width = n.size,
                                  .detail = n.bits,
                                  .bytes = {.ptr = room, .len = n.size}};
    return true;
}

bool indicator_key_domain(struct text t, char *room, struct indicator_key *out)
{
    t = text_starts(t, TEXT("*.")) ? text_part(t, 2, t.len) : t;
    t.len -= t.len && t.ptr[t.len - 1] == '.';
    if (t.len > INDICATOR_DOMAIN_MAX) {
        return false;
    }
    for (size_t i = 0; i < t.len; i++) {
        room[i] = text_fold(t.ptr[i]);
    }
    struct text name = {.ptr = room, .len = t.len};
    int depth = indicator_domain_depth(name);
    *out =
        (struct indicator_key){.kind = INDICATOR_DOMAIN, .detail = (uint16_t)depth, .bytes = name};
    return depth > 0;
}

bool indicator_key_path(struct text t, struct indicator_key *out)
{
    int depth = indicator_path_depth(t);
    *out = (struct indicator_key){.kind = INDICATOR_PATH, .detail = (uint16_t)depth, .bytes = t};
    return depth >= 0;
}

bool indicator_key_of(enum indicator_kind kind, struct text t, char *room,
                      struct indicator_key *out)
{
    return kind == INDICATOR_HASH      ? indicator_key_hash(t, room, out)
           : kind == INDICATOR_ADDRESS ? indicator_key_network(t, room, out)
           : kind == INDICATOR_DOMAIN  ? indicator_key_domain(t, room, out)
                                       : indicator_key_path(t, out);
}

struct status indicator_add(struct indicator_set *set, const struct indicator_key *key)
{
    struct text bytes;
    ENSURE(key->kind == set->kind);
    if (set->count == INDICATOR_KEYS_MAX) {
        FAIL(LIMIT);
    }
    struct indicator_item *items =
        arena_push(set->arena, set->items, set->count, &set->capacity, sizeof *items);
    if (!items) {
        FAIL(MEMORY);
    }
    set->items = items;
    TRY(arena_text(set->arena, key->bytes, &bytes));
    set->items[set->count++] = (struct indicator_item){
        .width = key->width, .detail = key->detail, .len = (uint32_t)bytes.len, .bytes = bytes.ptr};
    return OK;
}

/* ── order ── */

static int by_number(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

static int by_bytes(const void *a, const void *b)
{
    const struct indicator_item *x = a;
    const struct indicator_item *y = b;
    return pack_id_order((struct text){x->bytes, x->len}, (struct text){y->bytes, y->len});
}

static int by_shape(const void *a, const void *b)
{
    const struct indicator_item *x = a;
    const struct indicator_item *y = b;
    int order = by_number(x->width, y->width);
    order = order ? order : by_number(x->detail, y->detail);
    return order ? order : by_bytes(a, b);
}

static int by_bucket(const void *a, const void *b)
{
    const struct indicator_item *x = a;
    const struct indicator_item *y = b;
    int order = by_number(x->bucket, y->bucket);
    order = order ? order : by_number(x->tag, y->tag);
    return order ? order : by_bytes(a, b);
}

static void sort_unique(struct indicator_set *set)
{
    size_t kept = 0;
    qsort(set->items, set->count, sizeof *set->items, by_shape);
    for (size_t i = 0; i < set->count; i++) {
        if (kept == 0 || by_shape(&set->items[kept - 1], &set->items[i]) != 0) {
            set->items[kept++] = set->items[i];
        }
    }
    set->count = kept;
}

/* ── layout ── */

struct table {
    struct indicator_item *items;
    uint32_t count;
    uint32_t bits;
    size_t size; /* bytes in the list, padding among them */
};

static size_t cut_tables(const struct indicator_set *set, struct table *out)
{
    size_t tables = 0;
    for (size_t i = 0; i < set->count; i++) {
        struct indicator_item *item = &set->items[i];
        bool first = i == 0 || item->width != item[-1].width || item->detail != item[-1].detail;
        if (first) {
            ENSURE(tables < INDICATOR_TABLES_MAX);
            out[tables++] = (struct table){.items = item};
        }
        out[tables - 1].count++;
        out[tables - 1].size += item->len + (item->width ? 0 : 8);
    }
    for (size_t i = 0; i < tables; i++) {
        out[i].bits = indicator_bits(out[i].count);
        out[i].size += 4ULL << out[i].bits;
        out[i].size += -out[i].size % 8;
    }
    return tables;
}

/* False: some bucket has too many under this seed, or two keys of one the same tag. */
static bool spread(const struct indicator_set *set, struct table *t, uint32_t seed)
{
    uint32_t in_bucket = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        struct indicator_item *item = &t->items[i];
        struct text bytes = {.ptr = item->bytes, .len = item->len};
        uint64_t hash = item->width ? indicator_hash_key(seed, item->bytes, item->width)
                                    : indicator_hash_text(seed, set->kind, bytes);
        item->bucket = indicator_bucket(hash, t->bits);
        item->tag = item->width ? 0 : (uint32_t)hash;
    }
    qsort(t->items, t->count, sizeof *t->items, by_bucket);
    for (uint32_t i = 0; i < t->count; i++) {
        const struct indicator_item *item = &t->items[i];
        bool same = i && item->bucket == item[-1].bucket;
        in_bucket = same ? in_bucket + 1 : 1;
        if (in_bucket > INDICATOR_BUCKET_MAX ||
            (same && item->width == 0 && item->tag == item[-1].tag)) {
            return false;
        }
    }
    return true;
}

static bool spread_all(const struct indicator_set *set, struct table *tables, size_t count,
                       uint32_t seed)
{
    for (size_t i = 0; i < count; i++) {
        if (!spread(set, &tables[i], seed)) {
            return false;
        }
    }
    return true;
}

static void pad(struct writer *w)
{
    while (w->used % 8 && !w->full) {
        writer_u8(w, 0);
    }
}

static void write_table(struct writer *w, const struct table *t)
{
    uint32_t end = 0;
    for (uint32_t bucket = 0; bucket < 1U << t->bits; bucket++) {
        while (end < t->count && t->items[end].bucket == bucket) {
            end++;
        }
        writer_u32(w, end);
    }
    end = 0;
    for (uint32_t i = 0; i < t->count && t->items[0].width == 0; i++) {
        writer_u32(w, t->items[i].tag);
        writer_u32(w, end += t->items[i].len);
    }
    for (uint32_t i = 0; i < t->count; i++) {
        writer_bytes(w, (struct text){.ptr = t->items[i].bytes, .len = t->items[i].len});
    }
    pad(w);
}

static size_t head_size(struct text name, size_t count)
{
    size_t size = INDICATOR_HEADER + count * INDICATOR_ROW + name.len;
    return size + -size % 8;
}

struct head {
    struct text name;
    enum indicator_kind kind;
    uint32_t seed;
    size_t size;
};

static void write_list(struct writer *w, const struct head *head, const struct table *tables,
                       size_t count)
{
    size_t at = head_size(head->name, count);
    writer_u32(w, (uint32_t)head->size);
    writer_u32(w, head->kind);
    writer_u32(w, head->seed);
    writer_u32(w, (uint32_t)count);
    writer_u32(w, (uint32_t)head->name.len);
    writer_u32(w, 0);
    for (size_t i = 0; i < count; i++) {
        writer_u16(w, tables[i].items->width);
        writer_u16(w, tables[i].items->detail);
        writer_u32(w, tables[i].bits);
        writer_u32(w, tables[i].count);
        writer_u32(w, (uint32_t)at);
        at += tables[i].size;
    }
    writer_bytes(w, head->name);
    pad(w);
    for (size_t i = 0; i < count; i++) {
        write_table(w, &tables[i]);
    }
}

struct status indicator_finish(struct indicator_set *set, struct text name, struct text *out)
{
    struct table tables[INDICATOR_TABLES_MAX];
    struct head head = {.name = text_part(name, 0, INDICATOR_NAME_MAX), .kind = set->kind};
    ENSURE(set->count && head.name.len);
    sort_unique(set);
    size_t count = cut_tables(set, tables);
    head.size = head_size(head.name, count);
    for (size_t i = 0; i < count; i++) {
        head.size += tables[i].size;
    }
    if (head.size > PACK_SIZE_MAX) {
        FAIL(LIMIT);
    }
    while (!spread_all(set, tables, count, head.seed)) {
        if (++head.seed == INDICATOR_SEEDS) {
            FAIL(LIMIT);
        }
    }
    char *bytes = arena_alloc(set->arena, head.size, 1);
    if (!bytes) {
        FAIL(MEMORY);
    }
    struct writer w = writer_over(bytes, head.size);
    write_list(&w, &head, tables, count);
    TRY(writer_end(&w));
    ENSURE(w.used == head.size);
    *out = writer_text(&w);
    return OK;
}
