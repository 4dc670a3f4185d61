#include "content/builder.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "base/own.h"
#include "content/automaton.h"
#include "content/pack.h"
#include "content/predicate.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    WHY = 160,
    /* For one rule's own pack, on which it is tried: four times the largest that the format holds.
     */
    TRIAL_MAX = 64 << 20,
};

/* ── slices of bytes, each once, numbered in the order of their first use ── */

struct pool {
    struct arena *arena;
    struct text *items;
    size_t count;
    size_t capacity;
    size_t bytes;
    uint32_t *slots; /* number + 1 */
    size_t slot_count;
};

static uint32_t *pool_slot(const struct pool *p, struct text t)
{
    size_t slot = hash_text(t) & (p->slot_count - 1);
    while (p->slots[slot] && !text_same(p->items[p->slots[slot] - 1], t)) {
        slot = (slot + 1) & (p->slot_count - 1);
    }
    return &p->slots[slot];
}

/* At most half of the slots are used. */
static struct status pool_room(struct pool *p)
{
    struct text *items = arena_push(p->arena, p->items, p->count, &p->capacity, sizeof *p->items);
    if (!items) {
        FAIL(MEMORY);
    }
    p->items = items;
    if (p->count * 2 < p->slot_count) {
        return OK;
    }
    size_t more = p->slot_count ? p->slot_count * 2 : 64;
    uint32_t *slots = arena_alloc(p->arena, more, sizeof *slots);
    if (!slots) {
        FAIL(MEMORY);
    }
    p->slots = slots;
    p->slot_count = more;
    for (size_t i = 0; i < p->count; i++) {
        *pool_slot(p, p->items[i]) = (uint32_t)i + 1;
    }
    return OK;
}

static bool pool_has(const struct pool *p, struct text t)
{
    return p->slot_count && *pool_slot(p, t);
}

static struct status pool_add(struct pool *p, struct text t, uint32_t *out)
{
    TRY(pool_room(p));
    uint32_t *slot = pool_slot(p, t);
    if (!*slot) {
        p->items[p->count] = t;
        p->bytes += t.len;
        *slot = (uint32_t)++p->count;
    }
    *out = *slot - 1;
    return OK;
}

/* ── rules -> bytes ── */

struct encoder {
    struct arena *arena;
    struct pool texts;
    struct pool automata;
    struct pool predicates; /* encoded */
    struct writer nodes;
    struct writer rules;
};

static struct status encode_operand(struct encoder *e, const struct predicate *p, uint32_t *out)
{
    unsigned uses = predicate_info(p->kind)->uses;
    *out = PACK_NONE;
    if (uses & USES_AUTOMATON) {
        return pool_add(&e->automata, p->text, out);
    }
    return uses & USES_TEXT ? pool_add(&e->texts, p->text, out) : OK;
}

static struct status encode_predicate(struct encoder *e, const struct predicate *p, uint32_t *out)
{
    enum { SIZE = 24 };

    uint32_t operand;
    void *room = arena_alloc(e->arena, SIZE, 1);
    if (!room) {
        FAIL(MEMORY);
    }
    TRY(encode_operand(e, p, &operand));
    struct writer w = writer_over(room, SIZE);
    writer_u8(&w, (uint8_t)p->kind);
    writer_u8(&w, p->cased);
    writer_u8(&w, (uint8_t)(p->field == FIELD_COUNT ? PACK_ANY_FIELD : (int)p->field));
    writer_u8(&w, (uint8_t)(p->other == FIELD_COUNT ? PACK_NO_FIELD : (int)p->other));
    writer_u8(&w, (uint8_t)p->part);
    writer_u8(&w, (uint8_t)p->compare);
    writer_u16(&w, 0);
    writer_u32(&w, operand);
    writer_u32(&w, 0);
    writer_u64(&w, (uint64_t)p->number);
    TRY(writer_end(&w));
    return pool_add(&e->predicates, writer_text(&w), out);
}

static struct status encode_nodes(struct encoder *e, const struct rule *rule)
{
    uint32_t *number = arena_alloc(e->arena, rule->predicate_count, sizeof *number);
    if (!number) {
        FAIL(MEMORY);
    }
    for (size_t i = 0; i < rule->predicate_count; i++) {
        TRY(encode_predicate(e, &rule->predicates[i], &number[i]));
    }
    for (size_t i = 0; i < rule->node_count; i++) {
        writer_u32(&e->nodes, number[rule->nodes[i].predicate]);
        writer_u16(&e->nodes, rule->nodes[i].on_true);
        writer_u16(&e->nodes, rule->nodes[i].on_false);
    }
    return OK;
}

static struct status encode_rule(struct encoder *e, const struct rule *r)
{
    const struct text texts[] = {r->id,      r->title,       r->author,  r->level,
                                 r->status,  r->description, r->tags,    r->file,
                                 r->product, r->service,     r->category};
    writer_u64(&e->rules, r->types);
    writer_u32(&e->rules, (uint32_t)(e->nodes.used / 8));
    writer_u32(&e->rules, (uint32_t)r->node_count);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        uint32_t number = PACK_NONE;
        if (texts[i].len) {
            TRY(pool_add(&e->texts, texts[i], &number));
        }
        writer_u32(&e->rules, number);
    }
    writer_u32(&e->rules, 0);
    return encode_nodes(e, r);
}

static struct status writer_new(struct arena *arena, size_t size, struct writer *out)
{
    void *room = arena_alloc(arena, size, 1);
    if (!room) {
        FAIL(MEMORY);
    }
    *out = writer_over(room, size);
    return OK;
}

static struct status encode_rules(struct encoder *e, const struct rule *rules, size_t count)
{
    size_t nodes = 0;
    for (size_t i = 0; i < count; i++) {
        nodes += rules[i].node_count;
    }
    TRY(writer_new(e->arena, nodes * 8, &e->nodes));
    TRY(writer_new(e->arena, count * 64, &e->rules));
    for (size_t i = 0; i < count; i++) {
        TRY(encode_rule(e, &rules[i]));
    }
    TRY(writer_end(&e->nodes));
    return writer_end(&e->rules);
}

static void align(struct writer *w)
{
    while (w->used % 8 != 0 && !w->full) {
        writer_u8(w, 0);
    }
}

static void write_ends(struct writer *w, const struct pool *p)
{
    size_t end = 0;
    for (size_t i = 0; i < p->count; i++) {
        end += p->items[i].len;
        writer_u32(w, (uint32_t)end);
    }
}

static void write_items(struct writer *w, const struct pool *p)
{
    for (size_t i = 0; i < p->count; i++) {
        writer_bytes(w, p->items[i]);
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
    const size_t counts[PACK_SECTION_COUNT] = {
        [PACK_TEXT_ENDS] = e->texts.count,         [PACK_TEXT_BYTES] = e->texts.bytes,
        [PACK_AUTOMATON_ENDS] = e->automata.count, [PACK_AUTOMATON_BYTES] = e->automata.bytes,
        [PACK_PREDICATES] = e->predicates.count,   [PACK_NODES] = e->nodes.used / 8,
        [PACK_RULES] = e->rules.used / 64,
    };
    static const uint32_t sizes[PACK_SECTION_COUNT] = {
#define SECTION_SIZE(ID, name, size) [PACK_##ID] = (size),
        PACK_SECTIONS(SECTION_SIZE)
#undef SECTION_SIZE
    };
    uint64_t offset = PACK_HEADER + PACK_SECTION_COUNT * PACK_SECTION;
    for (uint32_t i = 0; i < PACK_SECTION_COUNT; i++) {
        offset += -offset % 8;
        writer_u32(w, i + 1);
        writer_u32(w, sizes[i]);
        writer_u64(w, offset);
        writer_u64(w, counts[i]);
        offset += counts[i] * sizes[i];
    }
}

static void write_sections(const struct encoder *e, struct writer *w)
{
    write_section_table(e, w);
    write_ends(w, &e->texts);
    align(w);
    write_items(w, &e->texts);
    align(w);
    write_ends(w, &e->automata);
    align(w);
    write_items(w, &e->automata);
    align(w);
    write_items(w, &e->predicates);
    writer_bytes(w, writer_text(&e->nodes));
    writer_bytes(w, writer_text(&e->rules));
}

static size_t encoded_size(const struct encoder *e)
{
    enum { ALIGNMENT = 4 * 7 /* at most, after four sections */ };

    return PACK_HEADER + PACK_SECTION_COUNT * PACK_SECTION + e->texts.count * 4 + e->texts.bytes +
           e->automata.count * 4 + e->automata.bytes + e->predicates.bytes + e->nodes.used +
           e->rules.used + ALIGNMENT;
}

/* `rules` are sorted by id. */
static struct status encode(struct arena *arena, const struct rule *rules, size_t count,
                            struct text *out)
{
    struct encoder e = {.arena = arena,
                        .texts = {.arena = arena},
                        .automata = {.arena = arena},
                        .predicates = {.arena = arena}};
    struct writer w;
    TRY(encode_rules(&e, rules, count));
    TRY(writer_new(arena, encoded_size(&e), &w));
    write_header(&w, 0, 0);
    write_sections(&e, &w);
    TRY(writer_end(&w));
    if (w.used > PACK_SIZE_MAX) {
        FAIL(LIMIT);
    }
    /* The checksum is over the size as well, so the header is written three times. */
    struct writer header = writer_over(w.start, PACK_HEADER);
    write_header(&header, w.used, 0);
    header = writer_over(w.start, PACK_HEADER);
    write_header(&header, w.used, pack_checksum(writer_text(&w)));
    *out = writer_text(&w);
    return OK;
}

/* ── taking rules ── */

struct builder {
    struct arena *arena;
    struct rule *rules;
    size_t count;
    size_t capacity;
    struct pool ids;
    uint64_t cost[EVENT_COUNT]; /* of the rules so far, as in struct pack */
};

static struct status refuse(char *why, const char *what)
{
    snprintf(why, WHY, "%s", what);
    FAIL(INVALID);
}

static struct status copy_texts(struct arena *arena, struct rule *r)
{
    struct text *const texts[] = {&r->id,      &r->title,       &r->author,  &r->level,
                                  &r->status,  &r->description, &r->tags,    &r->file,
                                  &r->product, &r->service,     &r->category};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        TRY(arena_text(arena, *texts[i], texts[i]));
    }
    return OK;
}

/* A copy in the form that packs hold, or why there is none. */
static struct status copy_predicate(struct arena *arena, const struct predicate *from,
                                    struct predicate *out, char *why)
{
    if ((unsigned)from->kind >= PREDICATE_KIND_COUNT) {
        return refuse(why, "there is no such kind of predicate");
    }
    struct text text;
    TRY(arena_text(arena, from->text, &text));
    struct predicate p = predicate_plain(from, (char *)(uintptr_t)text.ptr);
    p.text.ptr = p.text.len ? text.ptr : "";
    const char *wrong = predicate_check(&p);
    if (!wrong && p.kind == PREDICATE_REGEX) {
        wrong = automaton_check(p.text);
    }
    if (wrong) {
        return refuse(why, wrong);
    }
    *out = p;
    return OK;
}

static struct status copy_program(struct arena *arena, struct rule *rule, char *why)
{
    struct predicate *predicates = arena_alloc(arena, rule->predicate_count, sizeof *predicates);
    struct node *nodes = arena_alloc(arena, rule->node_count, sizeof *nodes);
    if (!predicates || !nodes) {
        FAIL(MEMORY);
    }
    for (size_t i = 0; i < rule->predicate_count; i++) {
        TRY(copy_predicate(arena, &rule->predicates[i], &predicates[i], why));
    }
    for (size_t i = 0; i < rule->node_count; i++) {
        if (rule->nodes[i].predicate >= rule->predicate_count) {
            return refuse(why, "a node asks a predicate that is not there");
        }
        nodes[i] = rule->nodes[i];
    }
    rule->predicates = predicates;
    rule->nodes = nodes;
    return OK;
}

/* The verifier's own word: a pack of this rule alone must open. Nobody else has to know its rules.
 */
static struct status try_rule(const struct builder *b, const struct rule *rule, struct pack *out,
                              char *why)
{
    OWN(arena_done) struct arena scratch;
    struct pack_fault fault = {.what = "there is no memory to try it"};
    struct text bytes;
    arena_init(&scratch, TRIAL_MAX);
    TRY(encode(&scratch, rule, 1, &bytes));
    struct status s = pack_open(bytes, out, &fault);
    snprintf(why, WHY, "%s", fault.what);
    TRY(s);
    for (unsigned type = 0; type < EVENT_COUNT; type++) {
        if (b->cost[type] + out->cost[type] > PACK_LIMITS.event) {
            snprintf(why, WHY, "with the rules before it, an event could take too long");
            FAIL(LIMIT);
        }
    }
    return OK;
}

static struct status keep_rule(struct builder *b, const struct rule *rule, const struct pack *trial)
{
    uint32_t ignored;
    struct rule *rules = arena_push(b->arena, b->rules, b->count, &b->capacity, sizeof *b->rules);
    if (!rules) {
        FAIL(MEMORY);
    }
    b->rules = rules;
    TRY(pool_add(&b->ids, rule->id, &ignored));
    b->rules[b->count++] = *rule;
    for (unsigned type = 0; type < EVENT_COUNT; type++) {
        b->cost[type] += trial->cost[type] - EVENT_MAX; /* the fold is counted once, not for each */
    }
    return OK;
}

struct status builder_new(struct arena *arena, struct builder **out)
{
    struct builder *b = arena_alloc(arena, 1, sizeof *b);
    if (!b) {
        FAIL(MEMORY);
    }
    b->arena = arena;
    b->ids.arena = arena;
    *out = b;
    return OK;
}

struct status builder_add(struct builder *b, const struct rule *rule, char *why)
{
    struct rule copy = *rule;
    struct pack trial;
    snprintf(why, WHY, "there is no memory for it");
    if (rule->node_count > NODES_MAX) {
        snprintf(why, WHY, "it needs %zu decisions (limit %d)", rule->node_count, NODES_MAX);
        FAIL(LIMIT);
    }
    if (b->count == PACK_RULES_MAX) {
        snprintf(why, WHY, "a pack holds at most %d rules", PACK_RULES_MAX);
        FAIL(LIMIT);
    }
    if (pool_has(&b->ids, rule->id)) {
        return refuse(why, "another rule has the same id");
    }
    TRY(copy_texts(b->arena, &copy));
    TRY(copy_program(b->arena, &copy, why));
    TRY(try_rule(b, &copy, &trial, why));
    return keep_rule(b, &copy, &trial);
}

static int compare_rules(const void *a, const void *b)
{
    return pack_id_order(((const struct rule *)a)->id, ((const struct rule *)b)->id);
}

struct status builder_finish(struct builder *b, struct text *out)
{
    if (b->count) {
        qsort(b->rules, b->count, sizeof *b->rules, compare_rules);
    }
    return encode(b->arena, b->rules, b->count, out);
}
