#include "content/pack/encode.h"

#include "base/bytes.h"
#include "content/match/predicate.h"
#include "content/pack/yara.h"

static const uint32_t item_sizes[PACK_SECTION_COUNT] = {
#define ITEM_SIZE(ID, name, size) [PACK_##ID] = (size),
    PACK_SECTIONS(ITEM_SIZE)
#undef ITEM_SIZE
};

struct status encode_bytes(struct encoder *e, enum pack_section section, struct text bytes)
{
    struct section_buffer *s = &e->sections[section];
    if (bytes.len > s->capacity - s->used) {
        size_t more = s->capacity ? s->capacity * 2 : 256;
        more = more < s->used + bytes.len ? s->used + bytes.len : more;
        char *room = arena_alloc(e->arena, more, 1);
        if (!room) {
            FAIL(MEMORY);
        }
        memmove(room, s->bytes ? s->bytes : room, s->used);
        s->bytes = room;
        s->capacity = more;
    }
    memmove(s->bytes + s->used, bytes.ptr, bytes.len);
    s->used += bytes.len;
    return OK;
}

struct status encode_text(struct encoder *e, struct text t, uint32_t *out)
{
    *out = PACK_NONE;
    return t.len ? pool_add(&e->texts, t, out) : OK;
}

/* ── rules and what they share ── */

/* Lists are told apart by where they lie: builder.c has seen to it that each is one of the
 * source's.
 */
static uint32_t list_number(const struct encoder *e, struct text list)
{
    uint32_t number = 0;
    while (number < e->source->list_count && e->source->lists[number].ptr != list.ptr) {
        number++;
    }
    ENSURE(number < e->source->list_count);
    return number;
}

static struct status encode_number(struct encoder *e, int64_t number, uint32_t *out)
{
    enum { SIZE = 8 };

    void *room = arena_alloc(e->arena, SIZE, 1);
    if (!room) {
        FAIL(MEMORY);
    }
    struct writer w = writer_over(room, SIZE);
    writer_u64(&w, (uint64_t)number);
    return pool_add(&e->numbers, writer_text(&w), out);
}

static struct status encode_operand(struct encoder *e, const struct predicate *p, uint32_t *out)
{
    unsigned uses = predicate_info(p->kind)->uses;
    *out = PACK_NONE;
    if (uses & USES_AUTOMATON) {
        return pool_add(&e->automata, p->text, out);
    }
    if (uses & USES_LIST) {
        *out = list_number(e, p->text);
        return OK;
    }
    if (uses & USES_NUMBER) {
        return encode_number(e, p->number, out);
    }
    return uses & USES_TEXT ? pool_add(&e->texts, p->text, out) : OK;
}

/* `p` is kept where its bytes are new. */
static struct status add_predicate(struct encoder *e, struct text bytes, const struct predicate *p,
                                   uint32_t *out)
{
    size_t before = e->predicates.count;
    void *plain = arena_push(e->arena, e->plain, before, &e->plain_capacity, sizeof *e->plain);
    if (!plain) {
        FAIL(MEMORY);
    }
    e->plain = plain;
    TRY(pool_add(&e->predicates, bytes, out));
    if (e->predicates.count > before) {
        e->plain[before] = *p;
    }
    return OK;
}

struct status encode_predicate(struct encoder *e, const struct predicate *p, uint32_t *out)
{
    enum { SIZE = 8 };

    uint32_t operand;
    void *room = arena_alloc(e->arena, SIZE, 1);
    if (!room) {
        FAIL(MEMORY);
    }
    TRY(encode_operand(e, p, &operand));
    struct writer w = writer_over(room, SIZE);
    writer_u8(&w, (uint8_t)p->kind);
    writer_u8(&w, (uint8_t)(p->cased | (unsigned)p->part << 1 | (unsigned)p->compare << 4));
    writer_u8(&w, (uint8_t)(p->field == FIELD_COUNT ? PACK_ANY_FIELD : (int)p->field));
    writer_u8(&w, (uint8_t)(p->other == FIELD_COUNT ? PACK_NO_FIELD : (int)p->other));
    writer_u32(&w, operand);
    TRY(writer_end(&w));
    return add_predicate(e, writer_text(&w), p, out);
}

/* Node by node: what a rule asks lies together, and only what a node asks is in the pack. */
static struct status encode_nodes(struct encoder *e, const struct rule *rule)
{
    for (size_t i = 0; i < rule->node_count; i++) {
        uint8_t room[8];
        uint32_t number;
        struct writer w = writer_over(room, sizeof room);
        TRY(encode_predicate(e, &rule->predicates[rule->nodes[i].predicate], &number));
        writer_u32(&w, number);
        writer_u16(&w, rule->nodes[i].on_true);
        writer_u16(&w, rule->nodes[i].on_false);
        TRY(encode_bytes(e, PACK_NODES, writer_text(&w)));
    }
    return OK;
}

static struct status encode_rule(struct encoder *e, const struct rule *r)
{
    const struct text texts[] = {r->id,      r->title,       r->author,  r->level,
                                 r->status,  r->description, r->tags,    r->file,
                                 r->product, r->service,     r->category};
    uint8_t room[64];
    struct writer w = writer_over(room, sizeof room);
    writer_u64(&w, r->types);
    writer_u32(&w, (uint32_t)(e->sections[PACK_NODES].used / 8));
    writer_u32(&w, (uint32_t)r->node_count);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        uint32_t number;
        TRY(encode_text(e, texts[i], &number));
        writer_u32(&w, number);
    }
    writer_u8(&w, (uint8_t)r->action);
    writer_u8(&w, r->silent);
    writer_u16(&w, 0);
    TRY(encode_bytes(e, PACK_RULES, writer_text(&w)));
    return encode_nodes(e, r);
}

/* ── test vectors ── */

static struct status encode_probe(struct encoder *e, const struct probe *probe)
{
    uint8_t room[8];
    struct writer w = writer_over(room, sizeof room);
    uint32_t value = PACK_NONE;
    if (!probe->removed) {
        TRY(pool_add(&e->texts, probe->value, &value));
    }
    writer_u32(&w, value);
    writer_u8(&w, (uint8_t)probe->field);
    writer_u8(&w, 0);
    writer_u16(&w, 0);
    return encode_bytes(e, PACK_PROBES, writer_text(&w));
}

static struct status encode_vector(struct encoder *e, size_t rule, const struct vector *v)
{
    uint8_t room[16];
    struct writer w = writer_over(room, sizeof room);
    TRY(encode_bytes(e, PACK_VECTOR_BYTES, v->event));
    for (size_t i = 0; i < v->probe_count; i++) {
        TRY(encode_probe(e, &v->probes[i]));
    }
    writer_u32(&w, (uint32_t)rule);
    writer_u32(&w, (uint32_t)e->sections[PACK_VECTOR_BYTES].used);
    writer_u32(&w, (uint32_t)(e->sections[PACK_PROBES].used / 8));
    writer_u32(&w, v->matches);
    return encode_bytes(e, PACK_VECTORS, writer_text(&w));
}

static struct status encode_vectors(struct encoder *e, const struct pack_source *source)
{
    for (size_t r = 0; r < source->rule_count; r++) {
        for (size_t i = 0; i < source->rules[r].vector_count; i++) {
            TRY(encode_vector(e, r, &source->rules[r].vectors[i]));
        }
    }
    return OK;
}

/* ── pools -> sections ── */

static struct status lay_ends(struct encoder *e, const struct pool *p, enum pack_section ends)
{
    size_t end = 0;
    for (size_t i = 0; i < p->count; i++) {
        uint8_t room[4];
        struct writer w = writer_over(room, sizeof room);
        end += p->items[i].len;
        writer_u32(&w, (uint32_t)end);
        TRY(encode_bytes(e, ends, writer_text(&w)));
    }
    return OK;
}

static struct status lay_items(struct encoder *e, const struct pool *p, enum pack_section items)
{
    for (size_t i = 0; i < p->count; i++) {
        TRY(encode_bytes(e, items, p->items[i]));
    }
    return OK;
}

static struct status lay_pools(struct encoder *e)
{
    TRY(lay_ends(e, &e->texts, PACK_TEXT_ENDS));
    TRY(lay_items(e, &e->texts, PACK_TEXT_BYTES));
    TRY(lay_ends(e, &e->automata, PACK_AUTOMATON_ENDS));
    TRY(lay_items(e, &e->automata, PACK_AUTOMATON_BYTES));
    return lay_items(e, &e->numbers, PACK_NUMBERS);
}

static struct status lay_lists(struct encoder *e)
{
    uint64_t end = 0;
    for (size_t i = 0; i < e->source->list_count; i++) {
        uint8_t room[4];
        struct writer w = writer_over(room, sizeof room);
        end += e->source->lists[i].len;
        if (end > PACK_SIZE_MAX) {
            FAIL(LIMIT);
        }
        writer_u32(&w, (uint32_t)end);
        TRY(encode_bytes(e, PACK_INDICATOR_ENDS, writer_text(&w)));
        TRY(encode_bytes(e, PACK_INDICATOR_BYTES, e->source->lists[i]));
    }
    return OK;
}

struct pack encode_view(const struct encoder *e)
{
    struct pack view = {0};
    for (unsigned i = 0; i < PACK_SECTION_COUNT; i++) {
        view.sections[i].at = e->sections[i].bytes;
        view.sections[i].count = e->sections[i].used / item_sizes[i];
    }
    return view;
}

/* ── sections -> pack ── */

static void align(struct writer *w)
{
    while (w->used % 8 != 0 && !w->full) {
        writer_u8(w, 0);
    }
}

static void write_header(struct writer *w, size_t size, uint64_t checksum)
{
    writer_bytes(w, TEXT(PACK_MAGIC));
    writer_u32(w, PACK_VERSION);
    writer_u16(w, FIELD_COUNT);
    writer_u16(w, EVENT_COUNT);
    writer_u64(w, size);
    writer_u64(w, schema_hash());
    writer_u64(w, checksum);
    writer_u64(w, PACK_SECTION_COUNT);
    writer_u64(w, 0);
    writer_u64(w, 0);
}

/* The sections' sizes are known: the table is written before them. */
static void write_section_table(const struct encoder *e, struct writer *w)
{
    uint64_t offset = PACK_HEADER + PACK_SECTION_COUNT * PACK_SECTION;
    for (uint32_t i = 0; i < PACK_SECTION_COUNT; i++) {
        ENSURE(e->sections[i].used % item_sizes[i] == 0);
        offset += -offset % 8;
        writer_u32(w, i + 1);
        writer_u32(w, item_sizes[i]);
        writer_u64(w, offset);
        writer_u64(w, e->sections[i].used / item_sizes[i]);
        offset += e->sections[i].used;
    }
}

static void write_sections(const struct encoder *e, struct writer *w)
{
    write_section_table(e, w);
    for (unsigned i = 0; i < PACK_SECTION_COUNT; i++) {
        align(w);
        writer_bytes(w, (struct text){.ptr = e->sections[i].bytes, .len = e->sections[i].used});
    }
    align(w);
}

static size_t encoded_size(const struct encoder *e)
{
    size_t size = PACK_HEADER + PACK_SECTION_COUNT * PACK_SECTION;
    for (unsigned i = 0; i < PACK_SECTION_COUNT; i++) {
        size += e->sections[i].used + 7;
    }
    return size;
}

/* The checksum is over the size as well, so the header is written three times. */
static struct status lay_pack(struct encoder *e, struct text *out)
{
    size_t room = encoded_size(e);
    if (room > PACK_SIZE_MAX) {
        FAIL(LIMIT);
    }
    void *bytes = arena_alloc(e->arena, room, 1);
    if (!bytes) {
        FAIL(MEMORY);
    }
    struct writer w = writer_over(bytes, room);
    write_header(&w, 0, 0);
    write_sections(e, &w);
    TRY(writer_end(&w));
    struct writer header = writer_over(w.start, PACK_HEADER);
    write_header(&header, w.used, 0);
    header = writer_over(w.start, PACK_HEADER);
    write_header(&header, w.used, pack_checksum(writer_text(&w)));
    *out = writer_text(&w);
    return OK;
}

struct status encode_pack(struct arena *arena, const struct pack_source *source, struct text *out)
{
    struct encoder e = {.arena = arena,
                        .source = source,
                        .texts = {.arena = arena},
                        .automata = {.arena = arena},
                        .numbers = {.arena = arena},
                        .predicates = {.arena = arena}};
    struct encoded_atoms atoms;
    for (size_t i = 0; i < source->rule_count; i++) {
        TRY(encode_rule(&e, &source->rules[i]));
    }
    TRY(encode_correlations(&e, source));
    TRY(lay_items(&e, &e.predicates, PACK_PREDICATES));
    TRY(encode_atoms(&e, &atoms));
    TRY(encode_matcher(&e, &atoms));
    TRY(encode_vectors(&e, source));
    TRY(encode_yara(&e, source->yara, source->yara_count));
    TRY(lay_pools(&e));
    TRY(lay_lists(&e));
    return lay_pack(&e, out);
}
