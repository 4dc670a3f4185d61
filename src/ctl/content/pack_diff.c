#include "ctl/content/pack_diff.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "base/heap.h"
#include "base/own.h"
#include "content/match/predicate.h"
#include "content/pack/explain.h"

#include <stdlib.h>

bool pack_diff_next(struct pack_diff *d, struct rule_pair *out)
{
    bool more_a = d->next_a < pack_count(d->a, PACK_RULES);
    bool more_b = d->next_b < pack_count(d->b, PACK_RULES);
    if (!more_a && !more_b) {
        return false;
    }
    int order = !more_a ? 1
                : !more_b
                    ? -1
                    : pack_id_order(pack_rule(d->a, d->next_a).id, pack_rule(d->b, d->next_b).id);
    out->a = order <= 0 ? d->next_a++ : SIZE_MAX;
    out->b = order >= 0 ? d->next_b++ : SIZE_MAX;
    return true;
}

bool rule_is_correlation(struct rule_ref rule)
{
    return pack_rule(rule.pack, rule.rule).types == 0 &&
           pack_correlation_of(rule.pack, rule.rule) != CORRELATION_NONE;
}

/* What they count in words says all of it, and names rules by their ids. */
static bool correlations_differ(struct rule_ref a, struct rule_ref b)
{
    enum { WORDS = 64 * 1024 };

    OWN(heap_drop) char *room = heap_alloc(2, WORDS);
    if (!room) {
        return true;
    }
    struct writer words_a = writer_over(room, WORDS);
    struct writer words_b = writer_over(room + WORDS, WORDS);
    explain_program(a.pack, a.rule, &words_a);
    explain_program(b.pack, b.rule, &words_b);
    return !text_same(writer_text(&words_a), writer_text(&words_b));
}

bool rule_pair_programs_differ(const struct pack_diff *d, const struct rule_pair *pair)
{
    struct pack_rule a = pack_rule(d->a, pair->a);
    struct pack_rule b = pack_rule(d->b, pair->b);
    struct rule_ref ref_a = {d->a, pair->a};
    struct rule_ref ref_b = {d->b, pair->b};
    if (rule_is_correlation(ref_a) || rule_is_correlation(ref_b)) {
        return correlations_differ(ref_a, ref_b);
    }
    bool differ = a.node_count != b.node_count;
    for (uint32_t i = 0; i < a.node_count && !differ; i++) {
        struct pack_node x = pack_node(d->a, a.first_node + i);
        struct pack_node y = pack_node(d->b, b.first_node + i);
        struct predicate p = pack_predicate(d->a, x.predicate);
        struct predicate q = pack_predicate(d->b, y.predicate);
        differ = x.on_true != y.on_true || x.on_false != y.on_false || !predicate_same(&p, &q);
    }
    return differ;
}

bool rule_pair_differs(const struct pack_diff *d, const struct rule_pair *pair)
{
    struct pack_rule a = pack_rule(d->a, pair->a);
    struct pack_rule b = pack_rule(d->b, pair->b);
#define WORD_DIFFERS(word)                                                                         \
    if (!text_same(a.word, b.word)) {                                                              \
        return true;                                                                               \
    }
    RULE_WORDS(WORD_DIFFERS)
#undef WORD_DIFFERS
    return a.types != b.types || a.action != b.action || a.silent != b.silent ||
           rule_pair_programs_differ(d, pair);
}

/* ── what is asked ── */

struct asked {
    uint64_t hash;
    uint32_t predicate;
};

static int by_hash(const void *left, const void *right)
{
    uint64_t a = ((const struct asked *)left)->hash;
    uint64_t b = ((const struct asked *)right)->hash;
    return (a > b) - (a < b);
}

static uint64_t predicate_hash(const struct predicate *p)
{
    const int64_t numbers[] = {(int64_t)p->kind,  (int64_t)p->field, p->cased,           p->number,
                               (int64_t)p->other, (int64_t)p->part,  (int64_t)p->compare};
    return hash_bytes(hash_text(p->text), numbers, sizeof numbers);
}

static struct asked *list_asked(struct rule_ref ref, size_t *count)
{
    struct pack_rule rule = pack_rule(ref.pack, ref.rule);
    struct asked *list = heap_alloc(rule.node_count + 1, sizeof *list);
    for (uint32_t i = 0; list && i < rule.node_count; i++) {
        list[i].predicate = pack_node(ref.pack, rule.first_node + i).predicate;
        struct predicate p = pack_predicate(ref.pack, list[i].predicate);
        list[i].hash = predicate_hash(&p);
    }
    *count = rule.node_count;
    if (list) {
        qsort(list, rule.node_count, sizeof *list, by_hash);
    }
    return list;
}

/* Rules come from their owner's packs: who makes hashes collide hides a line from himself. */
struct status rule_asks_more(struct rule_ref rule, struct rule_ref other, void *context,
                             void (*on_predicate)(void *context, const struct predicate *p))
{
    size_t count;
    size_t other_count;
    OWN(heap_drop) struct asked *list = list_asked(rule, &count);
    OWN(heap_drop) struct asked *others = list_asked(other, &other_count);
    if (!list || !others) {
        FAIL(MEMORY);
    }
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        while (at < other_count && others[at].hash < list[i].hash) {
            at++;
        }
        bool there = at < other_count && others[at].hash == list[i].hash;
        bool told = i > 0 && list[i - 1].hash == list[i].hash;
        if (!there && !told) {
            struct predicate p = pack_predicate(rule.pack, list[i].predicate);
            on_predicate(context, &p);
        }
    }
    return OK;
}
