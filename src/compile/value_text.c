#include "compile/value_text.h"

#include "compile/encode.h"
#include "compile/pattern.h"
#include "compile/regex.h"

#include <stdio.h>

/* A scalar as the text that an event's field is compared with: numbers in decimal. */
static struct status text_value(struct job *job, const struct yaml_node *value, struct text *out)
{
    char number[24];
    if (value->kind == YAML_BOOL) {
        *out = value->truth ? TEXT("true") : TEXT("false");
        return OK;
    }
    if (value->kind == YAML_NUMBER && value->whole) {
        snprintf(number, sizeof number, "%lld", (long long)value->number);
        return arena_text(job->arena, text_of(number), out);
    }
    *out = value->text;
    return OK;
}

struct status value_regex(struct job *job, const struct place *at, const struct expression **out)
{
    struct predicate p = {.kind = PREDICATE_REGEX, .field = at->field, .cased = true};
    unsigned flags = (at->modifiers & M(I) ? REGEX_I : 0U) | (at->modifiers & M(M) ? REGEX_M : 0U) |
                     (at->modifiers & M(S) ? REGEX_S : 0U);
    struct expression_list parts = {0};
    struct regex regex;
    char why[REGEX_WHY] = "";
    if (at->value->kind == YAML_BOOL) {
        return job_refuse(job, REFUSAL_TYPE, at->value->line, "'re' takes a text");
    }
    struct status s = regex_compile(at->value->text, flags, job->arena, &regex, why);
    if (s.fault == FAULT_INVALID || s.fault == FAULT_LIMIT || s.fault == FAULT_UNSUPPORTED) {
        return job_refuse(job, REFUSAL_REGEX, at->value->line, "%s", why);
    }
    TRY(s);
    for (size_t i = 0; i < regex.count; i++) {
        const struct expression *part;
        p.text = regex.parts[i].automaton;
        p.factor = regex.parts[i].factor;
        TRY(expression_leaf(job, &p, &part));
        TRY(expression_add(job, &parts, part));
    }
    return expression_join(job, EXPRESSION_ANY, at->value->line, &parts, out);
}

/* The text that base64 and base64offset encode. */
static struct status plain_bytes(struct job *job, const struct place *at, struct text *out)
{
    struct text text;
    struct pattern pattern;
    TRY(text_value(job, at->value, &text));
    TRY(pattern_read(job, text, &pattern));
    if (pattern_has_wildcards(&pattern) || pattern.count == 0) {
        return job_refuse(job, REFUSAL_VALUE, at->value->line,
                          pattern.count ? "wildcards cannot be encoded: write \\* and \\? for the "
                                          "characters, or several values"
                                        : "an empty text has no base64 form");
    }
    TRY(pattern_text(job, &pattern, &text));
    if (at->modifiers & M_UTF16) {
        enum utf16 form = at->modifiers & M(UTF16)     ? UTF16_MARKED
                          : at->modifiers & M(UTF16BE) ? UTF16_BIG
                                                       : UTF16_LITTLE;
        TRY(encode_utf16(text, form, job->arena, &text));
    }
    *out = text;
    return OK;
}

/* Places a pattern in the field as the modifiers (or the keyword) say. */
static struct status pattern_leaf(struct job *job, const struct place *at, struct pattern *pattern,
                                  const struct expression **out)
{
    bool keyword = at->field == FIELD_COUNT;
    bool anywhere = keyword || at->modifiers & M(CONTAINS);
    struct predicate p = {.field = at->field, .cased = at->modifiers & M(CASED)};
    TRY(pattern_widen(job, pattern, anywhere || at->modifiers & M(ENDSWITH),
                      anywhere || at->modifiers & M(STARTSWITH)));
    TRY(pattern_predicate(job, pattern, &p));
    return expression_leaf(job, &p, out);
}

struct status value_base64(struct job *job, const struct place *at, const struct expression **out)
{
    struct text bytes;
    struct text encoded;
    struct pattern pattern;
    TRY(plain_bytes(job, at, &bytes));
    TRY(encode_base64(bytes, job->arena, &encoded));
    TRY(pattern_literal(job, encoded, &pattern));
    return pattern_leaf(job, at, &pattern, out);
}

struct status value_base64offset(struct job *job, const struct place *at,
                                 const struct expression **out)
{
    struct text bytes;
    struct expression_list alignments = {0};
    TRY(plain_bytes(job, at, &bytes));
    for (size_t offset = 0; offset < 3; offset++) {
        struct text encoded;
        struct pattern pattern;
        const struct expression *one;
        TRY(encode_base64_inner(bytes, offset, job->arena, &encoded));
        if (encoded.len == 0) {
            return job_refuse(job, REFUSAL_VALUE, at->value->line,
                              "the text is too short for base64offset: at one alignment all its "
                              "characters depend on neighbours, and everything would match");
        }
        TRY(pattern_literal(job, encoded, &pattern));
        TRY(pattern_leaf(job, at, &pattern, &one));
        TRY(expression_add(job, &alignments, one));
    }
    return expression_join(job, EXPRESSION_ANY, at->value->line, &alignments, out);
}

struct status value_plain(struct job *job, const struct place *at, const struct expression **out)
{
    struct text text;
    struct pattern pattern;
    TRY(text_value(job, at->value, &text));
    TRY(pattern_read(job, text, &pattern));
    if (at->modifiers & M(WINDASH)) {
        pattern_windash(&pattern);
    }
    return pattern_leaf(job, at, &pattern, out);
}
