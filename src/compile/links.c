#include "compile/links.h"

#include "compile/document.h"

void sigma_links_init(struct sigma_links *l, struct sigma_options options, struct arena *arena)
{
    *l = (struct sigma_links){.options = options,
                              .arena = arena,
                              .ids = {.texts = {.arena = arena}},
                              .names = {.texts = {.arena = arena}}};
    arena_init(&l->work, SIGMA_RULE_MEMORY);
}

void sigma_links_done(struct sigma_links *l)
{
    arena_done(&l->work);
}

static struct status copy_references(struct sigma_links *l, const struct yaml_node *document,
                                     struct link *link)
{
    const struct yaml_node *correlation = yaml_get(document, TEXT("correlation"));
    const struct yaml_node *rules =
        correlation->kind == YAML_MAP ? yaml_get(correlation, TEXT("rules")) : NULL;
    size_t count = rules && rules->kind == YAML_LIST ? rules->count : 0;
    struct text *references = arena_alloc(l->arena, count, sizeof *references);
    if (!references) {
        FAIL(MEMORY);
    }
    for (size_t i = 0; i < count; i++) {
        TRY(arena_text(l->arena, rules->items[i].value->text, &references[i]));
    }
    link->references = references;
    link->reference_count = count;
    return OK;
}

/* Puts a link at the end of its text's chain. *before: the one that it follows, + 1; 0: none. */
static struct status chain(struct link_index *index, struct text t, size_t link, uint32_t *before)
{
    uint32_t number;
    size_t known = index->texts.count;
    TRY(pool_add(&index->texts, t, &number));
    if (index->texts.count > known) {
        struct link_chain *chains =
            arena_push(index->texts.arena, index->chains, known, &index->capacity, sizeof *chains);
        if (!chains) {
            FAIL(MEMORY);
        }
        chains[known] = (struct link_chain){0};
        index->chains = chains;
    }
    struct link_chain *c = &index->chains[number];
    *before = c->last;
    c->last = (uint32_t)link + 1;
    c->first = c->first ? c->first : c->last;
    return OK;
}

/* Both chains go on with the last link. */
static struct status chain_last(struct sigma_links *l)
{
    const struct link *link = &l->items[l->count - 1];
    uint32_t before;
    TRY(chain(&l->ids, link->id, l->count - 1, &before));
    if (before) {
        l->items[before - 1].same_id = (uint32_t)l->count;
    }
    TRY(chain(&l->names, link->name, l->count - 1, &before));
    if (before) {
        l->items[before - 1].same_name = (uint32_t)l->count;
    }
    return OK;
}

static uint32_t first_of(const struct link_index *index, struct text t)
{
    size_t number = pool_find(&index->texts, t);
    return number == SIZE_MAX ? 0 : index->chains[number].first;
}

static struct status add_waiting(struct sigma_links *l, size_t link)
{
    uint32_t *waiting = arena_push(l->arena, l->waiting, l->waiting_count, &l->waiting_capacity,
                                   sizeof *l->waiting);
    if (!waiting) {
        FAIL(MEMORY);
    }
    l->waiting = waiting;
    l->waiting[l->waiting_count++] = (uint32_t)link;
    return OK;
}

struct status sigma_links_add(struct sigma_links *l, const struct sigma_outcome *outcome,
                              bool taken)
{
    struct link *items = arena_push(l->arena, l->items, l->count, &l->capacity, sizeof *l->items);
    struct text product = outcome->rule.product;
    struct link link = {.state = taken ? LINK_TAKEN : LINK_REFUSED,
                        .types = outcome->rule.types,
                        .foreign = product.len && !text_same(product, TEXT("linux")),
                        .line = outcome->line};
    if (!items) {
        FAIL(MEMORY);
    }
    l->items = items;
    TRY(arena_text(l->arena, outcome->id, &link.id));
    TRY(arena_text(l->arena, outcome->name, &link.name));
    if (outcome->ok && outcome->waits) {
        link.state = LINK_WAITS;
        TRY(arena_text(l->arena, outcome->rule.file, &link.file));
        TRY(arena_text(l->arena, outcome->source, &link.source));
        link.line = outcome->source_line;
        TRY(copy_references(l, outcome->document, &link));
        TRY(add_waiting(l, l->count));
    }
    l->items[l->count++] = link;
    return chain_last(l);
}

/* Where two rules have the same id, one of them was refused for it. */
static const struct link *better(const struct link *a, const struct link *b)
{
    return a && a->state <= b->state ? a : b;
}

/* NULL: none. *several: rules that are not refused share the name. */
static const struct link *find(const struct sigma_links *l, struct text reference, bool *several)
{
    const struct link *by_id = NULL;
    const struct link *by_name = NULL;
    *several = false;
    for (uint32_t i = reference.len ? first_of(&l->ids, reference) : 0; i;
         i = l->items[i - 1].same_id) {
        by_id = better(by_id, &l->items[i - 1]);
    }
    for (uint32_t i = reference.len ? first_of(&l->names, reference) : 0; i;
         i = l->items[i - 1].same_name) {
        const struct link *link = &l->items[i - 1];
        *several =
            *several || (by_name && by_name->state != LINK_REFUSED && link->state != LINK_REFUSED);
        by_name = by_name && by_name->state != LINK_REFUSED ? by_name : link;
    }
    *several = *several && !by_id;
    return by_id ? by_id : by_name;
}

struct status sigma_links_find(const struct sigma_links *l, struct job *job, uint32_t line,
                               struct text reference, const struct link **out)
{
    bool several;
    const struct link *link = find(l, reference, &several);
    if (several) {
        return job_refuse(job, REFUSAL_REFERENCE, line,
                          "several rules are called '%.*s': refer to one by its id",
                          SHORT_ARGS(reference));
    }
    *out = link;
    return OK;
}

/* Nothing that it refers to is still to come. What does not wait will not wait again. */
static bool is_ready(const struct sigma_links *l, struct link *link)
{
    for (; link->settled < link->reference_count; link->settled++) {
        bool several;
        const struct link *other = find(l, link->references[link->settled], &several);
        if (other && other->state == LINK_WAITS) {
            return false;
        }
    }
    return true;
}

/* Those that are too many go first: what refers to them finds them refused. Then the first that is
 * ready; else the first that waits, which then waits for itself or for one that does. SIZE_MAX:
 * none waits. */
static size_t choose(struct sigma_links *l, struct document *d)
{
    d->too_many = l->waiting_count > LINKS_WAITING_MAX;
    d->circle = false;
    if (d->too_many) {
        return l->waiting[--l->waiting_count];
    }
    while (l->first_waiting < l->waiting_count &&
           l->items[l->waiting[l->first_waiting]].state != LINK_WAITS) {
        l->first_waiting++;
    }
    for (size_t i = l->first_waiting; i < l->waiting_count; i++) {
        struct link *link = &l->items[l->waiting[i]];
        if (link->state == LINK_WAITS && is_ready(l, link)) {
            return l->waiting[i];
        }
    }
    d->circle = l->first_waiting < l->waiting_count;
    return d->circle ? l->waiting[l->first_waiting] : SIZE_MAX;
}

bool sigma_links_next(struct sigma_links *l, struct sigma_outcome *out)
{
    struct document document = {.options = l->options, .links = l};
    bool empty;
    l->given = choose(l, &document);
    if (l->given == SIZE_MAX) {
        return false;
    }
    struct link *link = &l->items[l->given];
    arena_done(&l->work);
    arena_init(&l->work, SIGMA_RULE_MEMORY);
    struct job job = {.arena = &l->work};
    document.file = link->file;
    document.text = link->source;
    *out = (struct sigma_outcome){.ok = true, .line = link->line};
    struct status s = document_compile(&job, &document, out, &empty);
    if (!status_ok(s)) {
        document_refused(s, &job, out);
    }
    link->types = out->types;
    link->foreign = out->foreign;
    link->state = LINK_REFUSED; /* until it is settled */
    return true;
}

void sigma_links_settle(struct sigma_links *l, bool taken)
{
    l->items[l->given].state = taken ? LINK_TAKEN : LINK_REFUSED;
}
