/*
 * STIX 2.1: the objects of a bundle, one by one. They are cut out of the text before jansson sees
 * them: so each has a line, a limit of its own, and one that is broken does not hide the others.
 */
#include "base/own.h"
#include "base/status.h"
#include "compile/indicators.h"

#include <jansson.h>

static void json_drop(json_t **slot)
{
    json_decref(*slot);
}

/* ── cutting ── */

struct cutter {
    struct text left;
    uint32_t line;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip(struct cutter *c, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        c->line += c->left.ptr[i] == '\n';
    }
    c->left = text_part(c->left, count, c->left.len);
}

static void skip_space(struct cutter *c)
{
    size_t i = 0;
    while (i < c->left.len && is_space(c->left.ptr[i])) {
        i++;
    }
    skip(c, i);
}

static bool skip_byte(struct cutter *c, char byte)
{
    skip_space(c);
    bool there = c->left.len && c->left.ptr[0] == byte;
    skip(c, there);
    return there;
}

/* Bytes of the text that begins with a quote; 0: it does not end. */
static size_t string_size(struct text t)
{
    for (size_t i = 1; i < t.len; i++) {
        if (t.ptr[i] == '"') {
            return i + 1;
        }
        i += t.ptr[i] == '\\';
    }
    return 0;
}

/* Bytes of the value at the start, by its brackets alone; 0: it does not end, or is too deep. */
static size_t value_size(struct text t)
{
    size_t depth = 0;
    for (size_t i = 0; i < t.len; i++) {
        char c = t.ptr[i];
        if (c == '"') {
            size_t size = string_size(text_part(t, i, t.len));
            i += size ? size - 1 : t.len - i;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        } else if (depth == 0 && (c == ',' || c == '}' || c == ']')) {
            return i;
        }
        if (depth > INDICATORS_DEPTH_MAX) {
            return 0;
        }
        if (depth == 0 && (c == '}' || c == ']')) {
            return i + 1;
        }
    }
    return 0;
}

/* ── objects ── */

struct object {
    struct indicators *in;
    const json_t *json;
    uint32_t line;
};

static struct text text_at(const json_t *json, const char *name)
{
    const json_t *value = json_object_get(json, name);
    return json_is_string(value)
               ? (struct text){.ptr = json_string_value(value), .len = json_string_length(value)}
               : TEXT("");
}

/* RFC 3339 in UTC: earlier is smaller, as far as seconds. */
static bool is_before(struct text time, struct text now)
{
    enum { SECONDS = 19 };

    return time.len >= SECONDS && now.len >= SECONDS && memcmp(time.ptr, now.ptr, SECONDS) < 0;
}

static bool is_benign(const json_t *json)
{
    const json_t *types = json_object_get(json, "indicator_types");
    for (size_t i = 0; i < json_array_size(types); i++) {
        const char *type = json_string_value(json_array_get(types, i));
        if (type && strcmp(type, "benign") == 0) {
            return true;
        }
    }
    return false;
}

static struct status read_indicator(const struct object *o)
{
    struct text type = text_at(o->json, "pattern_type");
    struct text pattern = text_at(o->json, "pattern");
    struct text until = text_at(o->json, "valid_until");
    if (json_is_true(json_object_get(o->json, "revoked"))) {
        indicators_skip(o->in, o->line, "the indicator was revoked");
    } else if (is_benign(o->json)) {
        indicators_skip(o->in, o->line, "the indicator is of something benign");
    } else if (is_before(until, o->in->now)) {
        indicators_skip(o->in, o->line, "the indicator is valid until %.*s", SHORT_ARGS(until));
    } else if (type.len && !text_same(type, TEXT("stix"))) {
        indicators_skip(o->in, o->line, "the pattern is '%.*s', not stix", SHORT_ARGS(type));
    } else if (pattern.len == 0) {
        indicators_refuse(o->in, REFUSAL_JSON, o->line, "the indicator has no pattern");
    } else {
        return indicators_pattern(o->in, o->line, pattern);
    }
    return OK;
}

/* The strongest hash that lists hold, as it alone says which file it is. */
static struct status read_file(const struct object *o)
{
    static const char *const names[] = {"SHA-256", "SHA256", "SHA-1", "SHA1", "MD5"};
    const json_t *hashes = json_object_get(o->json, "hashes");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct text hash = text_at(hashes, names[i]);
        if (hash.len) {
            return indicators_value(o->in, o->line, hash, EXPECTED_HASH);
        }
    }
    indicators_skip(o->in, o->line, "the file has no MD5, SHA-1 or SHA-256");
    return OK;
}

/* Objects that are no indicators and no observables (malware, relationship, marking …) say nothing
 * that a list could hold. */
static struct status read_object(const struct object *o)
{
    static const struct {
        const char *type;
        enum indicators_expected expected;
    } observables[] = {{"ipv4-addr", EXPECTED_ADDRESS},
                       {"ipv6-addr", EXPECTED_ADDRESS},
                       {"domain-name", EXPECTED_DOMAIN},
                       {"url", EXPECTED_URL}};
    struct text type = text_at(o->json, "type");
    if (text_same(type, TEXT("indicator"))) {
        return read_indicator(o);
    }
    if (text_same(type, TEXT("file"))) {
        return read_file(o);
    }
    if (text_same(type, TEXT("identity")) && o->in->author.len == 0) {
        struct text name = text_part(text_at(o->json, "name"), 0, INDICATORS_META_MAX);
        return text_is_utf8(name) ? arena_text(o->in->arena, name, &o->in->author) : OK;
    }
    for (size_t i = 0; i < sizeof observables / sizeof *observables; i++) {
        if (text_same(type, text_of(observables[i].type))) {
            return indicators_value(o->in, o->line, text_at(o->json, "value"),
                                    observables[i].expected);
        }
    }
    return OK;
}

static struct status read_text(struct indicators *in, uint32_t line, struct text text)
{
    json_error_t error;
    if (text.len > INDICATORS_OBJECT_MAX) {
        indicators_refuse(in, REFUSAL_JSON, line, "an object has at most %d MiB",
                          INDICATORS_OBJECT_MAX >> 20);
        return OK;
    }
    OWN(json_drop) json_t *json = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(json)) {
        uint32_t at = json || error.line < 1 ? line : line + (uint32_t)error.line - 1;
        indicators_refuse(in, REFUSAL_JSON, at, "%s", json ? "it is no object" : error.text);
        return OK;
    }
    return read_object(&(struct object){.in = in, .json = json, .line = line});
}

static struct status broken(struct indicators *in, const struct cutter *c, const char *what)
{
    indicators_refuse(in, REFUSAL_JSON, c->line, "%s", what);
    return OK;
}

static struct status read_objects(struct indicators *in, struct cutter *c)
{
    if (!skip_byte(c, '[')) {
        return broken(in, c, "\"objects\" has to be a list");
    }
    while (!skip_byte(c, ']')) {
        size_t size = value_size(c->left);
        if (size == 0) {
            return broken(in, c, "the object does not end, or nests too deeply");
        }
        TRY(read_text(in, c->line, text_part(c->left, 0, size)));
        skip(c, size);
        skip_space(c);
        if (!skip_byte(c, ',') && (c->left.len == 0 || c->left.ptr[0] != ']')) {
            return broken(in, c, "a comma or ] is missing after the object");
        }
    }
    return OK;
}

/* Members of the bundle up to "objects"; what comes after it says nothing of them. */
struct status indicators_read_stix(struct indicators *in, struct text bytes)
{
    struct cutter c = {.left = bytes, .line = 1};
    if (!skip_byte(&c, '{')) {
        return broken(in, &c, "a STIX bundle begins with {");
    }
    for (;;) {
        skip_space(&c);
        size_t size = c.left.len && c.left.ptr[0] == '"' ? string_size(c.left) : 0;
        bool found = text_same(text_part(c.left, 0, size), TEXT("\"objects\""));
        skip(&c, size);
        if (size == 0 || !skip_byte(&c, ':')) {
            return broken(in, &c, "the file has no \"objects\": it is no STIX bundle");
        }
        if (found) {
            return read_objects(in, &c);
        }
        skip_space(&c);
        skip(&c, value_size(c.left));
        if (!skip_byte(&c, ',')) {
            return broken(in, &c, "the file has no \"objects\": it is no STIX bundle");
        }
    }
}
