/*
 * yaml: one YAML document as a tree that knows the line of every node.
 *
 * libyaml splits the text; scalars are typed here after YAML 1.2's core schema, so that yes, no and
 * on stay texts. Duplicate keys are refused. The limits below end hostile input early; all memory
 * comes from the arena, the tree lives as long.
 */
#pragma once

#include "base/arena.h"

enum {
    YAML_BYTES_MAX = 8 << 20, /* of a file: all of SigmaHQ's Linux rules as one are under 1 MiB */
    YAML_NODES_MAX = 65536, /* of a document, aliases expanded; the longest public rule has 1,700 */
    YAML_DEPTH_MAX = 32,    /* a rule needs 5; the compiler may recurse over this much */
    YAML_KEYS_MAX = 1024,   /* of one map: duplicates are looked for one by one */
    YAML_ANCHORS_MAX = 256, /* likewise */
};

enum yaml_kind { YAML_NULL, YAML_BOOL, YAML_NUMBER, YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml_item {
    const struct yaml_node *key; /* a scalar; NULL in lists */
    const struct yaml_node *value;
};

struct yaml_node {
    enum yaml_kind kind;
    uint32_t line;    /* from 1 */
    struct text text; /* scalars: as written, quotes and escapes undone */
    bool truth;       /* YAML_BOOL */
    bool whole;       /* YAML_NUMBER: `number` is its value; else it has a fraction */
    int64_t number;
    const struct yaml_item *items; /* YAML_LIST, YAML_MAP */
    size_t count;
    size_t weight; /* nodes under it and itself, aliases expanded; 0 while it is being read */
};

struct yaml_fault {
    uint32_t line;
    char words[160];
};

/* Cuts the first document off `text` and moves *line on. False: nothing is left. Every file is the
 * sequence of its documents, so that one that is broken does not hide the others. */
bool yaml_cut(struct text *text, uint32_t *line, struct text *document, uint32_t *document_line);

/* Reads one document that starts at `line` of its file. INVALID, LIMIT: `fault` says what and
 * where. `out` is NULL where it holds nothing but comments. */
struct status yaml_read(struct text document, uint32_t line, struct arena *arena,
                        const struct yaml_node **out, struct yaml_fault *fault);

/* The value of `key` in a map, or NULL. */
const struct yaml_node *yaml_get(const struct yaml_node *map, struct text key);

static inline bool yaml_is_scalar(const struct yaml_node *node)
{
    return node->kind != YAML_LIST && node->kind != YAML_MAP;
}
