#include "compile/yaml.h"

#include "base/own.h"
#include "compile/yaml_scalar.h"

#include <stdarg.h>
#include <stdio.h>
#include <yaml.h>

struct frame {
    struct yaml_node *node;
    struct yaml_item *items;
    size_t capacity;
    const struct yaml_node *key; /* of the next value; NULL: a key comes next */
};

struct anchor {
    struct text name;
    const struct yaml_node *node;
};

struct reading {
    struct arena *arena;
    struct yaml_fault *fault;
    uint32_t line; /* of the document in its file */
    struct frame stack[YAML_DEPTH_MAX];
    size_t depth;
    struct anchor anchors[YAML_ANCHORS_MAX];
    size_t anchor_count;
    size_t nodes;
    struct yaml_node *root;
    bool ended;
};

static struct status fault_at(struct reading *r, size_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static struct status fault_at(struct reading *r, size_t line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(r->fault->words, sizeof r->fault->words, format, args);
    va_end(args);
    r->fault->line = (uint32_t)line;
    FAIL(INVALID);
}

/* libyaml counts lines and columns from 0. */
static size_t line_of(const struct reading *r, yaml_mark_t mark)
{
    return r->line + mark.line;
}

static struct status check_duplicate(struct reading *r, const struct frame *f)
{
    for (size_t i = 0; i < f->node->count; i++) {
        if (text_same(f->items[i].key->text, f->key->text)) {
            return fault_at(r, f->key->line,
                            "the key '%.*s' stands here and on line %u: a key may occur only once",
                            (int)(f->key->text.len < 60 ? f->key->text.len : 60), f->key->text.ptr,
                            f->items[i].key->line);
        }
    }
    if (f->node->count >= YAML_KEYS_MAX) {
        return fault_at(r, f->key->line, "a map may have at most %d keys", YAML_KEYS_MAX);
    }
    return OK;
}

/* Puts a node, finished or just begun, where it belongs. */
static struct status place(struct reading *r, struct yaml_node *node)
{
    if (r->depth == 0) {
        r->root = node;
        return OK;
    }
    struct frame *f = &r->stack[r->depth - 1];
    bool map = f->node->kind == YAML_MAP;
    if (map && !f->key) {
        if (!yaml_is_scalar(node)) {
            return fault_at(r, node->line, "a key has to be a word, not a list or a map");
        }
        f->key = node;
        return check_duplicate(r, f);
    }
    f->items = arena_push(r->arena, f->items, f->node->count, &f->capacity, sizeof *f->items);
    if (!f->items) {
        FAIL(MEMORY);
    }
    f->items[f->node->count++] = (struct yaml_item){.key = f->key, .value = node};
    f->key = NULL;
    f->node->items = f->items;
    return OK;
}

static struct status node_new(struct reading *r, yaml_mark_t mark, enum yaml_kind kind,
                              struct yaml_node **out)
{
    struct yaml_node *node = arena_alloc(r->arena, 1, sizeof *node);
    if (!node) {
        FAIL(MEMORY);
    }
    if (++r->nodes > YAML_NODES_MAX) {
        return fault_at(r, line_of(r, mark), "a document may have at most %d values",
                        YAML_NODES_MAX);
    }
    node->kind = kind;
    node->line = (uint32_t)line_of(r, mark);
    *out = node;
    return OK;
}

static struct status remember(struct reading *r, const yaml_char_t *name,
                              const struct yaml_node *node)
{
    if (!name) {
        return OK;
    }
    if (r->anchor_count == YAML_ANCHORS_MAX) {
        return fault_at(r, node->line, "a document may have at most %d anchors", YAML_ANCHORS_MAX);
    }
    struct anchor *anchor = &r->anchors[r->anchor_count];
    TRY(arena_text(r->arena, text_of((const char *)name), &anchor->name));
    anchor->node = node;
    r->anchor_count++;
    return OK;
}

static struct status on_alias(struct reading *r, const yaml_event_t *event)
{
    struct text name = text_of((const char *)event->data.alias.anchor);
    size_t line = line_of(r, event->start_mark);
    size_t i = r->anchor_count; /* the last one of a name counts */
    while (i > 0 && !text_same(r->anchors[i - 1].name, name)) {
        i--;
    }
    if (i == 0) {
        return fault_at(r, line, "*%.60s refers to no anchor above it", name.ptr);
    }
    if (r->anchors[i - 1].node->weight == 0) {
        return fault_at(r, line, "*%.60s refers to something that holds it", name.ptr);
    }
    struct yaml_node *copy;
    TRY(node_new(r, event->start_mark, YAML_NULL, &copy));
    *copy = *r->anchors[i - 1].node;
    copy->line = (uint32_t)line;
    return place(r, copy);
}

/* Only the tags that say "a text" are known; what others would change is not worth the surprise. */
static bool tag_is_text(const yaml_char_t *tag)
{
    struct text name = text_of((const char *)tag);
    return text_same(name, TEXT("!")) || text_same(name, TEXT(YAML_STR_TAG));
}

static struct status on_scalar(struct reading *r, const yaml_event_t *event)
{
    struct yaml_node *node;
    TRY(node_new(r, event->start_mark, YAML_TEXT, &node));
    const yaml_char_t *tag = event->data.scalar.tag;
    struct text value = {(const char *)event->data.scalar.value, event->data.scalar.length};
    TRY(arena_text(r->arena, value, &node->text));
    if (tag && !tag_is_text(tag)) {
        return fault_at(r, node->line, "the tag %.80s is not supported", (const char *)tag);
    }
    if (!tag && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
        yaml_scalar_type(node);
    }
    node->weight = 1;
    TRY(remember(r, event->data.scalar.anchor, node));
    return place(r, node);
}

static struct status on_open(struct reading *r, const yaml_event_t *event, enum yaml_kind kind,
                             const yaml_char_t *anchor)
{
    struct yaml_node *node;
    TRY(node_new(r, event->start_mark, kind, &node));
    if (r->depth == YAML_DEPTH_MAX) {
        return fault_at(r, node->line, "lists and maps may be nested %d deep", YAML_DEPTH_MAX);
    }
    TRY(remember(r, anchor, node));
    TRY(place(r, node));
    r->stack[r->depth++] = (struct frame){.node = node};
    return OK;
}

/* An alias costs what it stands for, or ten lines could make a billion nodes. */
static struct status on_close(struct reading *r)
{
    struct yaml_node *node = r->stack[--r->depth].node;
    size_t weight = 1;
    for (size_t i = 0; i < node->count; i++) {
        weight += node->items[i].value->weight;
    }
    if (weight > YAML_NODES_MAX) {
        return fault_at(r, node->line, "with its aliases this holds over %d values",
                        YAML_NODES_MAX);
    }
    node->weight = weight;
    return OK;
}

static struct status on_event(struct reading *r, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return on_scalar(r, event);
    case YAML_ALIAS_EVENT:
        return on_alias(r, event);
    case YAML_SEQUENCE_START_EVENT:
        return on_open(r, event, YAML_LIST, event->data.sequence_start.anchor);
    case YAML_MAPPING_START_EVENT:
        return on_open(r, event, YAML_MAP, event->data.mapping_start.anchor);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return on_close(r);
    case YAML_DOCUMENT_START_EVENT:
        if (r->root) {
            return fault_at(r, line_of(r, event->start_mark), "a document has to begin with ---");
        }
        return OK;
    case YAML_STREAM_END_EVENT:
        r->ended = true;
        return OK;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
    return OK;
}

/* libyaml's words, and a hint for the fault that people make most. */
static struct status parser_fault(struct reading *r, const yaml_parser_t *parser,
                                  struct text document)
{
    if (parser->error == YAML_MEMORY_ERROR) {
        FAIL(MEMORY);
    }
    size_t line = parser->problem_mark.line;
    size_t offset = parser->problem_mark.index;
    if (parser->error == YAML_READER_ERROR) {
        /* The reader counts bytes, and no lines. */
        line = 0;
        offset = 0;
        for (size_t i = 0; i < parser->problem_offset && i < document.len; i++) {
            line += document.ptr[i] == '\n';
        }
    }
    bool tab = offset < document.len && document.ptr[offset] == '\t';
    return fault_at(r, r->line + line, "%s%s%s%s", parser->context ? parser->context : "",
                    parser->context ? ": " : "",
                    parser->problem ? parser->problem : "this is not YAML",
                    tab ? " (a tab may not indent: use spaces)" : "");
}

struct status yaml_read(struct text document, uint32_t line, struct arena *arena,
                        const struct yaml_node **out, struct yaml_fault *fault)
{
    struct reading r = {.arena = arena, .fault = fault, .line = line};
    OWN(yaml_parser_delete) yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        FAIL(MEMORY);
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)document.ptr, document.len);
    while (!r.ended) {
        OWN(yaml_event_delete) yaml_event_t event = {.type = YAML_NO_EVENT};
        if (!yaml_parser_parse(&parser, &event)) {
            return parser_fault(&r, &parser, document);
        }
        TRY(on_event(&r, &event));
    }
    *out = r.root;
    return OK;
}

static struct text next_line(struct text t)
{
    size_t end = text_find_byte(t, '\n');
    return text_part(t, 0, end == SIZE_MAX ? t.len : end + 1);
}

static bool is_marker(struct text line, struct text marker)
{
    struct text rest = text_part(line, marker.len, line.len);
    return text_starts(line, marker) && (rest.len == 0 || strchr(" \t\r\n", rest.ptr[0]));
}

/* Comments, directives and blank lines may precede the --- of the document that they belong to. */
static bool has_content(struct text line)
{
    struct text trimmed = text_trim(line);
    return trimmed.len && trimmed.ptr[0] != '#' && line.ptr[0] != '%';
}

bool yaml_cut(struct text *text, uint32_t *line, struct text *document, uint32_t *document_line)
{
    size_t used = 0;
    uint32_t lines = 0;
    bool begun = false;
    if (text->len == 0) {
        return false;
    }
    /* A line that begins with --- or ... cannot be inside a scalar, whatever its style. */
    while (used < text->len) {
        struct text next = next_line(text_part(*text, used, text->len));
        bool starts = is_marker(next, TEXT("---"));
        if (starts && begun) {
            break;
        }
        begun = begun || has_content(next);
        used += next.len;
        lines++;
        if (is_marker(next, TEXT("..."))) {
            break;
        }
    }
    *document = text_part(*text, 0, used);
    *document_line = *line;
    *text = text_part(*text, used, text->len);
    *line += lines;
    return true;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, struct text key)
{
    for (size_t i = 0; map->kind == YAML_MAP && i < map->count; i++) {
        if (text_same(map->items[i].key->text, key)) {
            return map->items[i].value;
        }
    }
    return NULL;
}
