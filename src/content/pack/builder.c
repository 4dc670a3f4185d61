#include "content/pack/builder.h"

#include "base/own.h"
#include "content/correlate/correlation.h"
#include "content/indicator/indicator.h"
#include "content/match/automaton.h"
#include "content/match/predicate.h"
#include "content/pack/encode.h"
#include "content/pack/yara.h"
#include "content/prove/idle.h"
#include "content/prove/witness.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    WHY = 160,
    /* For one rule's own pack, on which it is tried: the largest list of indicators twice, and four
     * times the largest of the rest. */
    TRIAL_MAX = 3 * PACK_SIZE_MAX,
};

struct builder {
    struct arena *arena;
    struct rule *rules;
    size_t count;
    size_t capacity;
    struct pool ids;
    struct pack_yara *yara;
    size_t yara_count;
    size_t yara_capacity;
    size_t yara_bytes;
    struct pool yara_files;
    struct text *lists;
    size_t list_count;
    size_t list_capacity;
    bool *generates; /* of each rule: a correlation lets it go on raising alerts */
    size_t generates_capacity;
    uint64_t windows; /* bytes that the correlations so far need */
    enum builder_proof proof;
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

static bool has_list(const struct builder *b, struct text list)
{
    size_t i = 0;
    while (i < b->list_count && b->lists[i].ptr != list.ptr) {
        i++;
    }
    return i < b->list_count && b->lists[i].len == list.len;
}

/* Lists stay where they are: a copy for each rule would be what a pack may hold several times. */
static struct status take_list(const struct builder *b, const struct predicate *from,
                               struct predicate *out, char *why)
{
    struct predicate p = predicate_plain(from, NULL);
    if (!has_list(b, p.text)) {
        return refuse(why, "it asks for a list that is not in the pack");
    }
    const char *wrong = predicate_check(&p);
    if (wrong) {
        return refuse(why, wrong);
    }
    *out = p;
    return OK;
}

/* A copy in the form that packs hold, or why there is none. */
static struct status copy_predicate(const struct builder *b, const struct predicate *from,
                                    struct predicate *out, char *why)
{
    struct arena *arena = b->arena;
    if ((unsigned)from->kind >= PREDICATE_KIND_COUNT) {
        return refuse(why, "there is no such kind of predicate");
    }
    if (predicate_info(from->kind)->uses & USES_LIST) {
        return take_list(b, from, out, why);
    }
    struct text text;
    TRY(arena_text(arena, from->text, &text));
    struct predicate p = predicate_plain(from, (char *)(uintptr_t)text.ptr);
    p.text.ptr = p.text.len ? text.ptr : "";
    TRY(arena_text(arena, p.factor, &p.factor));
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

static struct status copy_program(const struct builder *b, struct rule *rule, char *why)
{
    struct arena *arena = b->arena;
    struct predicate *predicates = arena_alloc(arena, rule->predicate_count, sizeof *predicates);
    struct node *nodes = arena_alloc(arena, rule->node_count, sizeof *nodes);
    if (!predicates || !nodes) {
        FAIL(MEMORY);
    }
    for (size_t i = 0; i < rule->predicate_count; i++) {
        TRY(copy_predicate(b, &rule->predicates[i], &predicates[i], why));
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

static bool asks_for(const struct rule *rule, struct text list)
{
    for (size_t i = 0; i < rule->predicate_count; i++) {
        if (rule->predicates[i].kind == PREDICATE_LISTED &&
            rule->predicates[i].text.ptr == list.ptr) {
            return true;
        }
    }
    return false;
}

/* The lists that a rule asks for, in their order. */
static struct status trial_lists(const struct builder *b, const struct rule *rule,
                                 struct arena *arena, struct pack_source *source)
{
    struct text *lists = arena_alloc(arena, b->list_count, sizeof *lists);
    if (!lists) {
        FAIL(MEMORY);
    }
    for (size_t i = 0; i < b->list_count; i++) {
        if (asks_for(rule, b->lists[i])) {
            lists[source->list_count++] = b->lists[i];
        }
    }
    source->lists = lists;
    return OK;
}

static struct status copy_correlation(struct arena *arena, struct rule *rule)
{
    struct correlation *c = arena_alloc(arena, 1, sizeof *c);
    const struct correlation *from = rule->correlation;
    size_t width = from->group_fields + from->value_fields;
    struct correlation_reference *references =
        arena_alloc(arena, from->reference_count, sizeof *references);
    struct correlation_condition *conditions =
        arena_alloc(arena, from->condition_count, sizeof *conditions);
    enum field *fields = arena_alloc(arena, from->reference_count * width, sizeof *fields);
    if (!c || !references || !conditions || !fields) {
        FAIL(MEMORY);
    }
    for (size_t i = 0; i < from->reference_count; i++) {
        TRY(arena_text(arena, from->references[i].id, &references[i].id));
        for (size_t j = 0; j < width; j++) {
            fields[i * width + j] = from->references[i].fields[j];
        }
        references[i].fields = fields + i * width;
    }
    for (size_t i = 0; i < from->condition_count; i++) {
        conditions[i] = from->conditions[i];
    }
    *c = *from;
    c->references = references;
    c->conditions = conditions;
    rule->correlation = c;
    return OK;
}

/* ── trying ── */

static int compare_rules(const void *a, const void *b)
{
    return pack_id_order(((const struct rule *)a)->id, ((const struct rule *)b)->id);
}

/* The rule, and stand-ins for those that it refers to. */
static struct status trial_source(struct builder *b, const struct rule *rule, struct arena *scratch,
                                  struct pack_source *out, char *why)
{
    size_t references = rule->correlation ? rule->correlation->reference_count : 0;
    struct rule *rules = arena_alloc(scratch, references + 1, sizeof *rules);
    size_t count = 1;
    if (!rules) {
        FAIL(MEMORY);
    }
    rules[0] = *rule;
    for (size_t i = 0; i < references; i++) {
        struct text id = rule->correlation->references[i].id;
        bool there = false;
        if (!pool_has(&b->ids, id)) {
            return refuse(why, "a rule that it refers to is not in the pack");
        }
        for (size_t j = 0; j < count; j++) {
            there = there || text_same(rules[j].id, id);
        }
        if (!there) {
            rules[count++] = (struct rule){.id = id, .title = id, .types = 1};
        }
    }
    qsort(rules, count, sizeof *rules, compare_rules);
    *out = (struct pack_source){.rules = rules, .rule_count = count};
    return OK;
}

/* ── test vectors ── */

/* Public collections have rules that ask for what cannot be. Such a rule stays, as one that says
 * so: nothing leads to a match, and there is nothing to test. */
static struct status make_never(const struct builder *b, struct rule *rule, char *why)
{
    struct node *node = arena_alloc(b->arena, 1, sizeof *node);
    if (!node) {
        FAIL(MEMORY);
    }
    *node = (struct node){.on_true = NODE_MISS, .on_false = NODE_MISS};
    rule->predicates = &rule->predicates[rule->nodes[0].predicate];
    rule->predicate_count = 1;
    rule->nodes = node;
    rule->node_count = 1;
    rule->vector_count = 0;
    snprintf(why, WHY, "it can never match: every way to a match asks for what excludes itself");
    return OK;
}

/* What happened to a rule on its way into the pack. */
struct remark {
    bool again; /* it was changed, and has to be tried again */
    char words[WHY];
};

/* What nobody can show is kept unless all has to be shown: that a field never decides may be the
 * author's wish, and may be a mistake. */
static struct status settle(const struct builder *b)
{
    if (b->proof == BUILDER_PROOF_WANTED) {
        FAIL(INVALID);
    }
    return OK;
}

/* A field that provably never decides is left out: what the rule says stays the same, and all that
 * it reads then counts. */
static struct status leave_out(const struct builder *b, struct rule *rule, const struct witness *w,
                               struct remark *remark)
{
    OWN(arena_done) struct arena scratch;
    bool idle = false;
    arena_init(&scratch, TRIAL_MAX);
    if (w->unproven_field == FIELD_COUNT) {
        return OK;
    }
    TRY(idle_is(&scratch, rule, w->unproven_field, &idle));
    struct status s = idle ? idle_drop(b->arena, rule, w->unproven_field) : OK;
    remark->again = idle && status_ok(s);
    if (remark->again) {
        snprintf(remark->words, WHY, "its %s never decides, whatever is in it, and is left out",
                 w->unproven);
    }
    return s.fault == FAULT_INVALID ? OK : s;
}

static struct status make_vectors(const struct builder *b, struct rule *rule,
                                  const struct pack *trial, struct remark *remark, char *why)
{
    struct witness w;
    if (b->proof == BUILDER_PROOF_NONE) {
        return OK;
    }
    TRY(witness_make(b->arena, rule, trial, &w));
    if (w.wrong != SIZE_MAX) {
        snprintf(why, WHY, "the rule does not say that about its test event %zu", w.wrong + 1);
        FAIL(INVALID);
    }
    if (w.contradicts) {
        return make_never(b, rule, why);
    }
    if (w.matches && w.unproven) {
        TRY(leave_out(b, rule, &w, remark));
    }
    if (remark->again) {
        return OK;
    }
    rule->vectors = w.vectors;
    rule->vector_count = w.count;
    if (!w.matches) {
        snprintf(why, WHY, "no event was found that it matches; test events may help (--tests)");
        return settle(b);
    }
    if (w.unproven) {
        snprintf(why, WHY,
                 "no event was found in which its %s decides; test events may help (--tests)",
                 w.unproven);
        return settle(b);
    }
    return OK;
}

/* The verifier's own word: a pack of this rule alone must open. Nobody else has to know its rules.
 * *windows: bytes that a correlation needs. */
static struct status try_once(struct builder *b, struct rule *rule, uint64_t *windows,
                              struct remark *remark, char *why)
{
    struct pack trial;
    OWN(arena_done) struct arena scratch;
    struct pack_fault fault = {.what = "there is no memory to try it"};
    struct pack_source source;
    struct text bytes;
    arena_init(&scratch, TRIAL_MAX);
    TRY(trial_source(b, rule, &scratch, &source, why));
    TRY(trial_lists(b, rule, &scratch, &source));
    TRY(encode_pack(&scratch, &source, &bytes));
    struct status s = pack_open(bytes, &trial, &fault);
    snprintf(why, WHY, "%s", fault.what);
    TRY(s);
    *windows = windows_need(&trial);
    if (b->windows + *windows > PACK_LIMITS.windows) {
        snprintf(why, WHY, "with those before it, its window needs more memory than there is");
        FAIL(LIMIT);
    }
    *why = 0;
    remark->again = false;
    return rule->correlation ? OK : make_vectors(b, rule, &trial, remark, why);
}

/* Each time again there is a field less. */
static struct status try_rule(struct builder *b, struct rule *rule, uint64_t *windows, char *why)
{
    struct remark remark = {.again = true};
    while (remark.again) {
        TRY(try_once(b, rule, windows, &remark, why));
    }
    if (!why[0]) {
        snprintf(why, WHY, "%s", remark.words);
    }
    return OK;
}

/* ── keeping ── */

/* What is referred to is silent, unless one of those that refer to it lets it speak. */
static void silence(struct builder *b, const struct correlation *c)
{
    for (size_t i = 0; c && i < c->reference_count; i++) {
        uint32_t number;
        ENSURE(status_ok(pool_add(&b->ids, c->references[i].id, &number)));
        b->generates[number] = b->generates[number] || c->generate;
        b->rules[number].silent = !b->generates[number];
    }
}

static struct status keep_rule(struct builder *b, const struct rule *rule)
{
    uint32_t ignored;
    struct rule *rules = arena_push(b->arena, b->rules, b->count, &b->capacity, sizeof *b->rules);
    if (!rules) {
        FAIL(MEMORY);
    }
    b->rules = rules;
    bool *generates =
        arena_push(b->arena, b->generates, b->count, &b->generates_capacity, sizeof *generates);
    if (!generates) {
        FAIL(MEMORY);
    }
    b->generates = generates;
    TRY(pool_add(&b->ids, rule->id, &ignored));
    b->generates[b->count] = false;
    b->rules[b->count++] = *rule;
    silence(b, rule->correlation);
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
    b->yara_files.arena = arena;
    *out = b;
    return OK;
}

/* Lists are kept in their order, which is the pack's. */
struct status builder_list(struct builder *b, struct text list, char *why)
{
    const char *wrong = indicator_check(list);
    if (wrong) {
        return refuse(why, wrong);
    }
    struct text *lists =
        arena_push(b->arena, b->lists, b->list_count, &b->list_capacity, sizeof *lists);
    if (!lists) {
        snprintf(why, WHY, "there is no memory for it");
        FAIL(MEMORY);
    }
    b->lists = lists;
    size_t at = b->list_count;
    while (at > 0 && indicator_order(lists[at - 1], list) > 0) {
        at--;
    }
    if (at > 0 && indicator_order(lists[at - 1], list) == 0) {
        return refuse(why, "another list has the same name and kind");
    }
    for (size_t i = b->list_count++; i > at; i--) {
        lists[i] = lists[i - 1];
    }
    lists[at] = list;
    return OK;
}

void builder_proof(struct builder *b, enum builder_proof proof)
{
    b->proof = proof;
}

struct status builder_add(struct builder *b, const struct rule *rule, char *why)
{
    struct rule copy = *rule;
    uint64_t windows;
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
    TRY(copy_program(b, &copy, why));
    if (copy.correlation) {
        copy.vector_count = 0; /* nothing runs them */
        TRY(copy_correlation(b->arena, &copy));
    }
    TRY(try_rule(b, &copy, &windows, why));
    b->windows += windows;
    return keep_rule(b, &copy);
}

struct status builder_add_yara(struct builder *b, struct text file, struct text source, char *why)
{
    struct pack_yara item = {.file = file, .source = source};
    uint32_t ignored;
    const char *wrong = yara_check(item);
    snprintf(why, WHY, "there is no memory for it");
    if (wrong) {
        return refuse(why, wrong);
    }
    if (b->yara_count == PACK_YARA_MAX || source.len > PACK_YARA_BYTES - b->yara_bytes) {
        snprintf(why, WHY, "a pack holds at most %d YARA files with %d MiB", PACK_YARA_MAX,
                 PACK_YARA_BYTES >> 20);
        FAIL(LIMIT);
    }
    if (pool_has(&b->yara_files, file)) {
        return refuse(why, "another file has the same name");
    }
    struct pack_yara *yara =
        arena_push(b->arena, b->yara, b->yara_count, &b->yara_capacity, sizeof *b->yara);
    if (!yara) {
        FAIL(MEMORY);
    }
    b->yara = yara;
    TRY(pool_add(&b->yara_files, file, &ignored));
    b->yara[b->yara_count++] = item;
    b->yara_bytes += source.len;
    return OK;
}

static int compare_yara(const void *a, const void *b)
{
    return pack_id_order(((const struct pack_yara *)a)->file, ((const struct pack_yara *)b)->file);
}

struct status builder_finish(struct builder *b, struct text *out)
{
    if (b->count) {
        qsort(b->rules, b->count, sizeof *b->rules, compare_rules);
    }
    if (b->yara_count) {
        qsort(b->yara, b->yara_count, sizeof *b->yara, compare_yara);
    }
    struct pack_source source = {.rules = b->rules,
                                 .rule_count = b->count,
                                 .lists = b->lists,
                                 .list_count = b->list_count,
                                 .yara = b->yara,
                                 .yara_count = b->yara_count};
    return encode_pack(b->arena, &source, out);
}
