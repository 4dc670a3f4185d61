#include "content/pack/encode.h"

#include "base/bytes.h"
#include "content/correlate/correlation.h"

/* A correlation on its way into the pack. */
struct placed {
    const struct correlation *correlation;
    uint32_t rule;
    uint32_t depth; /* 1 above the deepest correlation that it refers to; 0: not known yet */
};

struct placing {
    struct encoder *encoder;
    const struct pack_source *source;
    struct placed *placed; /* in the order of the rules, then in that of the pack */
    size_t count;
};

/* The rule with this id; the builder knows that it is there. */
static uint32_t rule_of(const struct pack_source *source, struct text id)
{
    size_t low = 0;
    size_t high = source->rule_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        bool later = pack_id_order(source->rules[middle].id, id) > 0;
        low = later ? low : middle;
        high = later ? middle : high;
    }
    return (uint32_t)low;
}

/* False: a correlation that it refers to has no depth yet. */
static bool find_depth(const struct placing *p, struct placed *one)
{
    uint32_t depth = 1;
    for (size_t i = 0; i < one->correlation->reference_count; i++) {
        uint32_t rule = rule_of(p->source, one->correlation->references[i].id);
        for (size_t j = 0; j < p->count; j++) {
            if (p->placed[j].rule == rule) {
                if (p->placed[j].depth == 0) {
                    return false;
                }
                depth = p->placed[j].depth >= depth ? p->placed[j].depth + 1 : depth;
            }
        }
    }
    one->depth = depth;
    return true;
}

/* By depth, then by id: what is referred to comes first, and there is one order only. INVALID: a
 * circle. */
static struct status order(struct placing *p)
{
    bool moved = true;
    size_t known = 0;
    while (known < p->count && moved) {
        moved = false;
        for (size_t i = 0; i < p->count; i++) {
            if (p->placed[i].depth == 0 && find_depth(p, &p->placed[i])) {
                moved = true;
                known++;
            }
        }
    }
    if (known < p->count) {
        FAIL(INVALID);
    }
    for (size_t i = 1; i < p->count; i++) {
        struct placed one = p->placed[i];
        size_t at = i;
        for (; at > 0 && p->placed[at - 1].depth > one.depth; at--) {
            p->placed[at] = p->placed[at - 1];
        }
        p->placed[at] = one;
    }
    return OK;
}

/* ── bytes ── */

static struct status encode_fields(struct encoder *e, const enum field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        TRY(encode_bytes(e, PACK_CORRELATION_FIELDS, (struct text){&(char){(char)fields[i]}, 1}));
    }
    return OK;
}

static bool same_fields(const enum field *a, const enum field *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (a[i] != b[i]) {
            return false;
        }
    }
    return true;
}

/* Equal lists of one correlation are stored once. */
static struct status encode_references(struct placing *p, const struct correlation *c)
{
    struct encoder *e = p->encoder;
    size_t width = c->group_fields + c->value_fields;
    uint32_t first[CORRELATION_REFERENCES_MAX];
    for (size_t i = 0; i < c->reference_count; i++) {
        const struct correlation_reference *r = &c->references[i];
        size_t same = 0;
        while (same < i && !same_fields(c->references[same].fields, r->fields, width)) {
            same++;
        }
        first[i] = same < i ? first[same] : (uint32_t)e->sections[PACK_CORRELATION_FIELDS].used;
        if (same == i) {
            TRY(encode_fields(e, r->fields, width));
        }
        uint8_t room[8];
        struct writer w = writer_over(room, sizeof room);
        writer_u32(&w, rule_of(p->source, r->id));
        writer_u32(&w, first[i]);
        TRY(encode_bytes(e, PACK_CORRELATION_REFERENCES, writer_text(&w)));
    }
    return OK;
}

static struct status encode_conditions(struct encoder *e, const struct correlation *c)
{
    for (size_t i = 0; i < c->condition_count; i++) {
        uint8_t room[16];
        struct writer w = writer_over(room, sizeof room);
        writer_u32(&w, (uint32_t)c->conditions[i].operator);
        writer_u32(&w, c->conditions[i].millionths);
        writer_u64(&w, (uint64_t)c->conditions[i].whole);
        TRY(encode_bytes(e, PACK_CORRELATION_CONDITIONS, writer_text(&w)));
    }
    return OK;
}

static struct status encode_one(struct placing *p, const struct placed *one)
{
    struct encoder *e = p->encoder;
    const struct correlation *c = one->correlation;
    uint8_t room[24];
    struct writer w = writer_over(room, sizeof room);
    writer_u32(&w, one->rule);
    writer_u32(&w, c->span_s);
    writer_u32(&w, (uint32_t)(e->sections[PACK_CORRELATION_REFERENCES].used / 8));
    writer_u32(&w, (uint32_t)(e->sections[PACK_CORRELATION_CONDITIONS].used / 16));
    writer_u8(&w, (uint8_t)c->type);
    writer_u8(&w, (uint8_t)c->group_fields);
    writer_u8(&w, (uint8_t)c->value_fields);
    writer_u8(&w, (uint8_t)c->condition_count);
    writer_u32(&w, (uint32_t)c->reference_count);
    TRY(encode_bytes(e, PACK_CORRELATIONS, writer_text(&w)));
    TRY(encode_references(p, c));
    return encode_conditions(e, c);
}

struct status encode_correlations(struct encoder *e, const struct pack_source *source)
{
    struct placing p = {.encoder = e, .source = source};
    for (size_t i = 0; i < source->rule_count; i++) {
        p.count += source->rules[i].correlation != NULL;
    }
    p.placed = arena_alloc(e->arena, p.count, sizeof *p.placed);
    if (!p.placed) {
        FAIL(MEMORY);
    }
    p.count = 0;
    for (size_t i = 0; i < source->rule_count; i++) {
        if (source->rules[i].correlation) {
            p.placed[p.count++] =
                (struct placed){.correlation = source->rules[i].correlation, .rule = (uint32_t)i};
        }
    }
    TRY(order(&p));
    for (size_t i = 0; i < p.count; i++) {
        TRY(encode_one(&p, &p.placed[i]));
    }
    return OK;
}
