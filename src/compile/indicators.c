#include "compile/indicators.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>

enum { ID_SIZE = 40 };

/* ── refusals ── */

static void tell(struct indicators *in, struct refusal *r, bool skipped)
{
    *(skipped ? &in->counts.skipped : &in->counts.refused) += 1;
    in->on_refusal(in->context, r, skipped);
}

void indicators_refuse(struct indicators *in, enum refusal_class class, uint32_t line,
                       const char *format, ...)
{
    struct refusal r = {.class = class, .line = line};
    va_list args;
    va_start(args, format);
    refusal_words(&r, format, args);
    va_end(args);
    tell(in, &r, false);
}

void indicators_skip(struct indicators *in, uint32_t line, const char *format, ...)
{
    struct refusal r = {.class = REFUSAL_INDICATOR, .line = line};
    va_list args;
    va_start(args, format);
    refusal_words(&r, format, args);
    va_end(args);
    tell(in, &r, true);
}

/* ── what a file says about itself ── */

static struct text *meta_of(struct indicators *in, struct text key)
{
    const struct {
        const char *key;
        struct text *slot;
    } keys[] = {{"title", &in->title},   {"author", &in->author}, {"level", &in->level},
                {"source", &in->source}, {"tags", &in->tags},     {"name", &in->name}};

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (text_same_folded(key, text_of(keys[i].key))) {
            return keys[i].slot;
        }
    }
    return NULL;
}

struct status indicators_meta(struct indicators *in, uint32_t line, struct text comment)
{
    size_t colon = text_find_byte(comment, ':');
    struct text value = text_trim(text_part(comment, colon, comment.len));
    struct text *slot = meta_of(in, text_trim(text_part(comment, 0, colon)));
    value = text_trim(text_part(value, 1, value.len));
    if (colon == SIZE_MAX || !slot || value.len == 0) {
        return OK;
    }
    size_t most = slot == &in->name ? INDICATOR_NAME_MAX : (int)INDICATORS_META_MAX;
    if (value.len > most || !text_is_utf8(value)) {
        indicators_refuse(in, REFUSAL_METADATA, line, "'%.*s' has over %zu bytes or is not UTF-8",
                          SHORT_ARGS(text_trim(text_part(comment, 0, colon))), most);
        return OK;
    }
    if (slot == &in->level && level_rank(value) == 0) {
        indicators_refuse(in, REFUSAL_METADATA, line, "'%.*s' is no level that Sigma knows",
                          SHORT_ARGS(value));
        return OK;
    }
    return arena_text(in->arena, value, slot);
}

/* "feeds/feodo.ioc.csv" is the list "feodo". */
static struct text name_of(struct text path)
{
    static const char *const endings[] = {".txt", ".csv", ".json", ".stix", ".ioc", ".list"};
    size_t slash = text_find_last(path, '/');
    struct text name = slash == SIZE_MAX ? path : text_part(path, slash + 1, path.len);
    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
            struct text ending = text_of(endings[i]);
            name.len -= name.len > ending.len && text_ends(name, ending) ? ending.len : 0;
        }
    }
    name = text_part(name, 0, INDICATOR_NAME_MAX);
    return name.len && text_is_utf8(name) ? name : TEXT("list");
}

enum indicators_format indicators_format_of(struct text path)
{
    return text_ends(path, TEXT(".csv"))                                      ? INDICATORS_CSV
           : text_ends(path, TEXT(".json")) || text_ends(path, TEXT(".stix")) ? INDICATORS_STIX
                                                                              : INDICATORS_LINES;
}

struct status indicators_read(struct indicators *in, enum indicators_format format,
                              struct text bytes)
{
    in->name = name_of(in->file);
    for (unsigned kind = 0; kind < INDICATOR_KIND_COUNT; kind++) {
        in->sets[kind] =
            (struct indicator_set){.arena = in->arena, .kind = (enum indicator_kind)kind};
    }
    if (bytes.len > INDICATORS_BYTES_MAX) {
        indicators_refuse(in, REFUSAL_INDICATOR, 1, "a list of indicators has at most %d MiB",
                          INDICATORS_BYTES_MAX >> 20);
        return OK;
    }
    /* What some editors put before UTF-8. */
    if (text_starts(bytes, TEXT("\xef\xbb\xbf"))) {
        bytes = text_part(bytes, 3, bytes.len);
    }
    return format == INDICATORS_CSV    ? indicators_read_csv(in, bytes)
           : format == INDICATORS_STIX ? indicators_read_stix(in, bytes)
                                       : indicators_read_lines(in, bytes);
}

/* ── rules ── */

/* A step of a rule: a field in the list, or as it is written. */
struct step {
    enum field field;
    struct text is; /* not empty: the field is this, and not asked for in the list */
    uint16_t on_true;
    uint16_t on_false;
};

#define EVENTS(a) (1ULL << EVENT_##a)
#define WRITES (EVENTS(FILE_CREATE) | EVENTS(FILE_MODIFY) | EVENTS(FILE_RENAME) | EVENTS(FILE_LINK))

static const struct shape {
    enum indicator_kind kind;
    const char *what; /* after the list's title */
    uint64_t types;
    size_t count;
    struct step steps[4];
} shapes[INDICATORS_RULES_MAX] = {
    {INDICATOR_HASH,
     "a file with a listed hash",
     EVENTS(PROCESS_EXEC) | EVENTS(MODULE_LOAD) | EVENTS(RECORDED),
     4,
     {{FIELD_SHA256, {0}, NODE_MATCH, 1},
      {FIELD_SHA1, {0}, NODE_MATCH, 2},
      {FIELD_MD5, {0}, NODE_MATCH, 3},
      {FIELD_HASHES, {0}, NODE_MATCH, NODE_MISS}}},
    /* The other side is the one that was called, unless it called. */
    {INDICATOR_ADDRESS,
     "a connection with a listed address",
     EVENTS(NETWORK_CONNECT) | EVENTS(NETWORK_ACCEPT),
     3,
     {{FIELD_INITIATED, {"false", 5}, 1, 2},
      {FIELD_SOURCE_ADDRESS, {0}, NODE_MATCH, NODE_MISS},
      {FIELD_DESTINATION_ADDRESS, {0}, NODE_MATCH, NODE_MISS}}},
    {INDICATOR_DOMAIN,
     "a connection to a listed domain",
     EVENTS(NETWORK_CONNECT) | EVENTS(NETWORK_ACCEPT) | EVENTS(RECORDED),
     1,
     {{FIELD_DESTINATION_HOSTNAME, {0}, NODE_MATCH, NODE_MISS}}},
    {INDICATOR_PATH,
     "a listed program was run",
     EVENTS(PROCESS_EXEC),
     2,
     {{FIELD_PATH, {0}, NODE_MATCH, 1}, {FIELD_INVOKED_PATH, {0}, NODE_MATCH, NODE_MISS}}},
    {INDICATOR_PATH,
     "a listed file was written",
     EVENTS(FILE_ATTRIBUTE) | WRITES,
     1,
     {{FIELD_TARGET_PATH, {0}, NODE_MATCH, NODE_MISS}}},
};

/* In the form of a UUID of version 8 (RFC 9562), which is left to those who make it. */
static struct status make_id(struct indicators *in, const struct shape *shape, struct text *out)
{
    char id[ID_SIZE];
    uint64_t high = hash_bytes(hash_text(in->name), shape->what, strlen(shape->what));
    uint64_t low = hash_text(in->name);
    low = hash_bytes(hash_bytes(low ^ high, "list", 4), shape->what, strlen(shape->what));
    snprintf(id, sizeof id, "%08x-%04x-8%03x-%04x-%012llx", (unsigned)(high >> 32),
             (unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xfff),
             (unsigned)(low >> 48 & 0x3fff) | 0x8000, (unsigned long long)(low & 0xffffffffffff));
    return arena_text(in->arena, text_of(id), out);
}

static struct status make_title(struct indicators *in, const struct shape *shape, struct text *out)
{
    char title[INDICATORS_META_MAX + 64];
    struct writer w = writer_over(title, sizeof title);
    writer_bytes(&w, in->title.len ? in->title : in->name);
    writer_print(&w, ": %s", shape->what);
    return arena_text(in->arena, writer_text(&w), out);
}

static struct status make_program(struct indicators *in, const struct shape *shape,
                                  struct text list, struct rule *rule)
{
    struct predicate *predicates = arena_alloc(in->arena, shape->count, sizeof *predicates);
    struct node *nodes = arena_alloc(in->arena, shape->count, sizeof *nodes);
    if (!predicates || !nodes) {
        FAIL(MEMORY);
    }
    for (size_t i = 0; i < shape->count; i++) {
        const struct step *step = &shape->steps[i];
        predicates[i] =
            (struct predicate){.kind = step->is.len ? PREDICATE_EQUAL : PREDICATE_LISTED,
                               .field = step->field,
                               .text = step->is.len ? step->is : list};
        nodes[i] = (struct node){
            .predicate = (uint16_t)i, .on_true = step->on_true, .on_false = step->on_false};
    }
    rule->predicates = predicates;
    rule->predicate_count = shape->count;
    rule->nodes = nodes;
    rule->node_count = shape->count;
    return OK;
}

static struct status make_rule(struct indicators *in, const struct shape *shape, struct text list,
                               struct rule *out)
{
    struct rule rule = {.author = in->author,
                        .level = in->level.len ? in->level : TEXT("high"),
                        .description = in->source,
                        .tags = in->tags,
                        .file = in->file,
                        .types = shape->types};
    TRY(make_id(in, shape, &rule.id));
    TRY(make_title(in, shape, &rule.title));
    TRY(make_program(in, shape, list, &rule));
    *out = rule;
    return OK;
}

struct status indicators_finish(struct indicators *in, struct indicators_result *out)
{
    struct indicators_result result = {0};
    for (unsigned kind = 0; kind < INDICATOR_KIND_COUNT; kind++) {
        struct text list;
        if (in->sets[kind].count == 0) {
            continue;
        }
        TRY(indicator_finish(&in->sets[kind], in->name, &list));
        result.lists[result.list_count++] = list;
        for (size_t i = 0; i < INDICATORS_RULES_MAX; i++) {
            if (shapes[i].kind == (enum indicator_kind)kind) {
                TRY(make_rule(in, &shapes[i], list, &result.rules[result.rule_count++]));
            }
        }
    }
    *out = result;
    return OK;
}
