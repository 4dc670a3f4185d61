#include "content/pack/verify.h"

#include "content/pack/load.h"
#include "content/prove/vector.h"

/* The event's fields are in the schema, and its type is one that the rule is asked for. */
static const char *check_event(const struct check *c, const struct pack_vector *v)
{
    struct event event;
    if (!status_ok(event_open(v->event, &event)) || event.header.size != v->event.len) {
        return "its event is no record of this schema";
    }
    return pack_program(&c->pack, v->rule).types >> event.header.type & 1
               ? NULL
               : "its event is of a type that the rule is not asked for";
}

/* Rules in their order; bytes and probes those after the last vector's, none left out. */
static const char *check_place(const struct check *c, size_t index)
{
    const char *at = c->pack.sections[PACK_VECTORS].at + index * 16;
    const char *before = at - 16;
    if (load_u32(at) >= pack_count(&c->pack, PACK_RULES)) {
        return "its rule is not there";
    }
    if (load_u32(at + 12) > 1) {
        return "a byte that must be zero is not";
    }
    if (load_u32(at + 4) > pack_count(&c->pack, PACK_VECTOR_BYTES) ||
        load_u32(at + 8) > pack_count(&c->pack, PACK_PROBES)) {
        return "its event or probes are not there";
    }
    if (index > 0 && (load_u32(at) < load_u32(before) || load_u32(at + 4) < load_u32(before + 4) ||
                      load_u32(at + 8) < load_u32(before + 8))) {
        return "it is not in order";
    }
    return NULL;
}

/* `least` is the first field that may follow. */
static const char *check_probe(const struct check *c, size_t index, unsigned *least)
{
    const char *at = c->pack.sections[PACK_PROBES].at + index * 8;
    uint32_t value = load_u32(at);
    unsigned field = (unsigned char)at[4];
    if (field >= FIELD_COUNT) {
        return "the field is not in the schema";
    }
    if (field < *least || at[5] != 0 || load_u16(at + 6) != 0) {
        return "it is not in order, or a byte that must be zero is not";
    }
    if (value != PACK_NONE && (value >= pack_count(&c->pack, PACK_TEXT_ENDS) ||
                               pack_text(&c->pack, value).len > EVENT_TEXT_MAX)) {
        return "its value is not there, or longer than any";
    }
    if (value != PACK_NONE) {
        check_use(c, CHECK_TEXTS, value);
    }
    *least = field + 1;
    return NULL;
}

static struct status check_probes(struct check *c, const struct pack_vector *v)
{
    unsigned least = 0;
    for (uint32_t i = 0; i < v->probe_count; i++) {
        const char *wrong = v->matches ? check_probe(c, v->first_probe + i, &least)
                                       : "it changes an event that does not match";
        if (wrong) {
            return check_refuse(c, PACK_PROBES, v->first_probe + i, wrong);
        }
    }
    return OK;
}

struct status check_vectors(struct check *c)
{
    size_t bytes = 0;
    size_t probes = 0;
    for (size_t i = 0; i < pack_count(&c->pack, PACK_VECTORS); i++) {
        const char *wrong = check_place(c, i);
        if (wrong) {
            return check_refuse(c, PACK_VECTORS, i, wrong);
        }
        struct pack_vector v = pack_vector(&c->pack, i);
        wrong = check_event(c, &v);
        if (wrong) {
            return check_refuse(c, PACK_VECTORS, i, wrong);
        }
        TRY(check_probes(c, &v));
        bytes += v.event.len;
        probes += v.probe_count;
    }
    if (bytes != pack_count(&c->pack, PACK_VECTOR_BYTES)) {
        return check_refuse(c, PACK_VECTOR_BYTES, PACK_WHOLE, "bytes that belong to nothing");
    }
    return probes == pack_count(&c->pack, PACK_PROBES)
               ? OK
               : check_refuse(c, PACK_PROBES, probes, "it belongs to no vector");
}
