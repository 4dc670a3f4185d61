#include "content/prove/vector.h"

#include "content/match/predicate.h"
#include "content/pack/load.h"
#include "content/prove/automaton_text.h"

#include <inttypes.h>
#include <stdio.h>

struct pack_vector pack_vector(const struct pack *pack, size_t index)
{
    const char *at = pack_item(pack, PACK_VECTORS, index);
    const char *before = index ? pack_item(pack, PACK_VECTORS, index - 1) : NULL;
    struct text all = {.ptr = pack->sections[PACK_VECTOR_BYTES].at,
                       .len = pack_count(pack, PACK_VECTOR_BYTES)};
    uint32_t from = before ? load_u32(before + 4) : 0;
    uint32_t to = load_u32(at + 4);
    uint32_t first = before ? load_u32(before + 8) : 0;
    uint32_t last = load_u32(at + 8);
    return (struct pack_vector){.rule = load_u32(at),
                                .event = text_part(all, from, to > from ? to - from : 0),
                                .matches = at[12],
                                .first_probe = first,
                                .probe_count = last > first ? last - first : 0};
}

struct probe pack_probe(const struct pack *pack, size_t index)
{
    const char *at = pack_item(pack, PACK_PROBES, index);
    uint32_t value = load_u32(at);
    return (struct probe){.field = (enum field)(unsigned char)at[4],
                          .removed = value == PACK_NONE,
                          .value = pack_text(pack, value)};
}

/* ── values ── */

/* A decimal in the one form that a number has. */
static bool is_number(struct text t, int64_t *out)
{
    char room[24];
    if (!text_to_i64(t, out)) {
        return false;
    }
    int len = snprintf(room, sizeof room, "%" PRId64, *out);
    return text_same(t, (struct text){room, (size_t)len});
}

void vector_put(struct event_builder *b, enum field field, struct text value)
{
    enum field_kind kind = field_info(field)->kind;
    int64_t number;
    if ((kind == FIELD_KIND_NUMBER || kind == FIELD_KIND_GUID) && is_number(value, &number)) {
        event_put_number(b, field, number);
    } else if (kind == FIELD_KIND_BOOL &&
               (text_same(value, TEXT("true")) || text_same(value, TEXT("false")))) {
        event_put_bool(b, field, value.len == sizeof "true" - 1);
    } else {
        event_put_text(b, field, value);
    }
}

static void put_again(struct event_builder *b, enum field field, const struct value *v)
{
    switch (v->kind) {
    case VALUE_TEXT:
        event_put_cut(b, field, v->text, v->cut);
        break;
    case VALUE_NUMBER:
        event_put_number(b, field, v->number);
        break;
    case VALUE_BOOL:
        event_put_bool(b, field, v->number != 0);
        break;
    case VALUE_NULL:
        event_put_null(b, field);
        break;
    case VALUE_ABSENT:
        break;
    }
}

struct status vector_change(const struct event *base, const struct probe *probe, void *buffer,
                            size_t size, struct event *out)
{
    struct event_builder b;
    struct text record;
    struct event_header header = base->header;
    if (probe->removed && base->index[probe->field] == 0) {
        FAIL(INVALID);
    }
    event_begin(&b, buffer, size);
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        enum field field = (enum field)i;
        if (base->index[i] != 0 && field != probe->field) {
            struct value v = event_get(base, field);
            put_again(&b, field, &v);
        }
    }
    if (!probe->removed) {
        vector_put(&b, probe->field, probe->value);
    }
    TRY(event_end(&b, header, &record));
    return event_open(record, out);
}

/* ── what a rule reads ── */

static bool is_stars(struct text t)
{
    size_t i = 0;
    while (i < t.len && t.ptr[i] == '*') {
        i++;
    }
    return i == t.len;
}

/* Does it hold for every value there is? */
static bool takes_any_value(const struct predicate *p)
{
    switch ((int)p->kind) {
    case PREDICATE_EXISTS:
    case PREDICATE_PRESENT:
        return true;
    case PREDICATE_PREFIX:
    case PREDICATE_SUFFIX:
    case PREDICATE_CONTAINS:
        return p->text.len == 0;
    case PREDICATE_GLOB:
        return p->text.len > 0 && is_stars(p->text);
    case PREDICATE_REGEX:
        return automaton_takes_all(p->text);
    default:
        return false;
    }
}

static void reads_field(struct reads *reads, enum field field, enum reading how)
{
    uint8_t *slot = field == FIELD_COUNT ? &reads->any_field : &reads->how[field];
    *slot = *slot > how ? *slot : (uint8_t)how;
}

void reads_add(struct reads *reads, const struct predicate *p)
{
    reads_field(reads, p->field, takes_any_value(p) ? READING_PRESENCE : READING_VALUE);
    if (predicate_info(p->kind)->uses & USES_OTHER) {
        reads_field(reads, p->other, READING_VALUE);
    }
}

void reads_origin(struct reads *reads, struct text product, struct text service,
                  struct text category)
{
    reads->origin[FIELD_LOG_PRODUCT] = product.len > 0;
    reads->origin[FIELD_LOG_SERVICE] = service.len > 0;
    reads->origin[FIELD_LOG_CATEGORY] = category.len > 0;
}

void reads_of(const struct pack *pack, size_t rule, struct reads *out)
{
    struct pack_rule r = pack_rule(pack, rule);
    *out = (struct reads){0};
    reads_origin(out, r.product, r.service, r.category);
    for (uint32_t i = 0; i < r.node_count; i++) {
        struct predicate p = pack_predicate(pack, pack_node(pack, r.first_node + i).predicate);
        reads_add(out, &p);
    }
}
