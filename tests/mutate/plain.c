#include "plain.h"

#include "base/heap.h"
#include "base/own.h"

struct plain {
    const struct pack *pack;
    struct pack_rule *rules;
    size_t rule_count;
    char *folded;
    struct subject subject;
};

void found_clear(struct found *f)
{
    memset(f->bits, 0, f->words * sizeof *f->bits);
}

void found_add(struct found *f, size_t rule)
{
    f->bits[rule / 64] |= 1ULL << rule % 64;
}

static bool wanted(struct text wanted, struct text given)
{
    return wanted.len == 0 || text_same(wanted, given);
}

bool rule_wants(const struct pack_rule *rule, const struct event *event)
{
    bool absent = event_get(event, FIELD_LOG_PRODUCT).kind == VALUE_ABSENT;
    bool any_category = event->header.type != EVENT_RECORDED &&
                        event_get(event, FIELD_LOG_CATEGORY).kind == VALUE_ABSENT;
    struct text product = absent ? TEXT("linux") : event_text(event, FIELD_LOG_PRODUCT);
    return (rule->types >> event->header.type & 1) && wanted(rule->product, product) &&
           wanted(rule->service, event_text(event, FIELD_LOG_SERVICE)) &&
           (any_category || wanted(rule->category, event_text(event, FIELD_LOG_CATEGORY)));
}

bool rule_runs(const struct pack *pack, const struct pack_rule *rule, void *context,
               bool (*ask)(void *context, uint32_t predicate))
{
    uint32_t at = 0;
    while (at < rule->node_count) {
        struct pack_node node = pack_node(pack, rule->first_node + at);
        uint16_t next = ask(context, node.predicate) ? node.on_true : node.on_false;
        if (next == NODE_MATCH || next == NODE_MISS) {
            return next == NODE_MATCH;
        }
        at = next;
    }
    return true;
}

struct status plain_new(const struct pack *pack, struct plain **out)
{
    OWN(plain_drop) struct plain *p = heap_alloc(1, sizeof *p);
    if (!p) {
        FAIL(MEMORY);
    }
    p->pack = pack;
    p->rule_count = pack_count(pack, PACK_RULES);
    p->rules = heap_alloc(p->rule_count, sizeof *p->rules);
    p->folded = heap_alloc(EVENT_MAX, 1);
    if (!p->rules || !p->folded) {
        FAIL(MEMORY);
    }
    for (size_t i = 0; i < p->rule_count; i++) {
        p->rules[i] = pack_rule(pack, i);
    }
    *out = TAKE(p);
    return OK;
}

void plain_drop(struct plain **p)
{
    if (*p) {
        heap_free((*p)->rules);
        heap_free((*p)->folded);
        heap_free(*p);
        *p = NULL;
    }
}

static bool look(void *context, uint32_t predicate)
{
    struct plain *p = context;
    struct predicate asked = pack_predicate(p->pack, predicate);
    return predicate_holds(&asked, &p->subject);
}

void plain_run(struct plain *p, const struct event *event, struct found *found)
{
    p->subject = (struct subject){.event = event, .folded = p->folded, .budget = UINT64_MAX};
    for (size_t i = 0; i < p->rule_count; i++) {
        if (rule_wants(&p->rules[i], event) && rule_runs(p->pack, &p->rules[i], p, look)) {
            found_add(found, i);
        }
    }
}
