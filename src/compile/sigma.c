#include "compile/sigma.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "compile/action.h"
#include "compile/correlation.h"
#include "compile/detection.h"
#include "compile/document.h"
#include "compile/logsource.h"

#include <stdio.h>

/* Bytes, far above what rules have: the title stands in one line of an alert. */
enum { TITLE_MAX = 1024, PROSE_MAX = 16384 };

static struct status missing(struct job *job, const struct yaml_node *document,
                             enum refusal_class class, const char *key)
{
    return job_refuse(job, class, document->line, "the rule has no '%s'", key);
}

/* A member of the rule that has to be one word or text; empty where it is not there. */
static struct status member(struct job *job, const struct yaml_node *document, const char *key,
                            size_t max, struct text *out)
{
    const struct yaml_node *node = yaml_get(document, text_of(key));
    if (node && !yaml_is_scalar(node)) {
        return job_refuse(job, REFUSAL_METADATA, node->line, "'%s' has to be a text", key);
    }
    if (node && node->text.len > max) {
        return job_refuse(job, REFUSAL_METADATA, node->line, "'%s' has over %zu bytes", key, max);
    }
    *out = node && node->kind != YAML_NULL ? node->text : TEXT("");
    return OK;
}

/* Likewise, and one of Sigma's words. `words` ends with NULL. */
static struct status word_member(struct job *job, const struct yaml_node *document, const char *key,
                                 const char *const *words, struct text *out)
{
    struct text word;
    TRY(member(job, document, key, PROSE_MAX, &word));
    bool known = word.len == 0;
    for (size_t i = 0; words[i] && !known; i++) {
        known = text_same(word, text_of(words[i]));
    }
    if (!known) {
        return job_refuse(job, REFUSAL_METADATA, yaml_get(document, text_of(key))->line,
                          "'%.*s' is no %s that Sigma knows", SHORT_ARGS(word), key);
    }
    *out = word;
    return OK;
}

/* A list of texts, joined by commas. */
static struct status tags(struct job *job, const struct yaml_node *document, struct text *out)
{
    const struct yaml_node *list = yaml_get(document, TEXT("tags"));
    void *room = arena_alloc(job->arena, PROSE_MAX, 1);
    struct writer joined = writer_over(room, PROSE_MAX);
    if (!room) {
        FAIL(MEMORY);
    }
    if (list && list->kind != YAML_LIST && list->kind != YAML_NULL) {
        return job_refuse(job, REFUSAL_METADATA, list->line, "'tags' has to be a list");
    }
    for (size_t i = 0; list && i < list->count; i++) {
        const struct yaml_node *tag = list->items[i].value;
        if (tag->kind != YAML_TEXT || text_find_byte(tag->text, ',') != SIZE_MAX) {
            return job_refuse(job, REFUSAL_METADATA, tag->line, "a tag is a text without comma");
        }
        writer_bytes(&joined, i ? TEXT(",") : TEXT(""));
        writer_bytes(&joined, tag->text);
    }
    if (joined.full) {
        return job_refuse(job, REFUSAL_METADATA, list->line, "'tags' has over %d bytes", PROSE_MAX);
    }
    *out = writer_text(&joined);
    return OK;
}

static struct status metadata(struct job *job, const struct yaml_node *document, struct rule *rule)
{
    static const char *const statuses[] = {"stable",     "test",        "experimental",
                                           "deprecated", "unsupported", NULL};
    TRY(member(job, document, "author", PROSE_MAX, &rule->author));
    TRY(member(job, document, "description", PROSE_MAX, &rule->description));
    TRY(word_member(job, document, "level", level_words, &rule->level));
    TRY(word_member(job, document, "status", statuses, &rule->status));
    TRY(tags(job, document, &rule->tags));
    TRY(action_compile(job, document, rule));
    if (rule->level.len == 0) {
        rule->level = TEXT("medium");
    }
    if (rule->title.len == 0) {
        return missing(job, document, REFUSAL_METADATA, "title");
    }
    return OK;
}

/* The id is optional in Sigma and not in a pack: its stand-in follows from the rule's text. */
static struct status stand_in_id(struct job *job, struct text text, struct text *out)
{
    char id[40];
    snprintf(id, sizeof id, "without-id-%016llx", (unsigned long long)hash_text(text));
    return arena_text(job->arena, text_of(id), out);
}

static struct status compile(struct job *job, const struct sigma_options *options,
                             const struct yaml_node *document, struct rule *rule)
{
    const struct yaml_node *detection = yaml_get(document, TEXT("detection"));
    const struct expression *root;
    if (yaml_get(document, TEXT("filter"))) {
        return job_refuse(job, REFUSAL_DETECTION, document->line,
                          "this version does not compile filters");
    }
    TRY(metadata(job, document, rule));
    TRY(logsource_compile(job, options->any_product, document, rule));
    if (!detection) {
        return missing(job, document, REFUSAL_DETECTION, "detection");
    }
    if (detection->kind != YAML_MAP || detection->count == 0) {
        return job_refuse(job, REFUSAL_DETECTION, detection->line,
                          "'detection' has to be a map of selections and a condition");
    }
    TRY(detection_compile(job, detection, &root));
    return expression_lower(job, root, detection->line, rule);
}

static struct status read_document(struct job *job, struct text text, uint32_t line,
                                   const struct yaml_node **out)
{
    struct yaml_fault fault = {.line = line};
    const struct yaml_node *document;
    struct status s = yaml_read(text, line, job->arena, &document, &fault);
    if (s.fault == FAULT_INVALID) {
        return job_refuse(job, REFUSAL_YAML, fault.line, "%s", fault.words);
    }
    TRY(s);
    if (document && document->kind != YAML_NULL && document->kind != YAML_MAP) {
        return job_refuse(job, REFUSAL_YAML, document->line,
                          "a rule is a map: title, logsource, detection …");
    }
    *out = document && document->kind == YAML_MAP ? document : NULL;
    return OK;
}

/* What hangs on other rules is looked at once all are known. */
static struct status correlation(struct job *job, const struct document *d,
                                 const struct yaml_node *document, struct sigma_outcome *out)
{
    TRY(metadata(job, document, &out->rule));
    if (d->links) {
        return correlation_compile(job, d, document, out);
    }
    out->waits = true;
    out->source = d->text;
    out->document = document;
    return OK;
}

struct status document_compile(struct job *job, const struct document *d, struct sigma_outcome *out,
                               bool *empty)
{
    const struct yaml_node *document = NULL;
    out->source_line = out->line;
    TRY(read_document(job, d->text, out->line, &document));
    *empty = !document;
    if (!document) {
        return OK;
    }
    out->line = document->line;
    TRY(member(job, document, "title", TITLE_MAX, &out->title));
    TRY(member(job, document, "id", RULE_ID_MAX, &out->id));
    TRY(member(job, document, "name", TITLE_MAX, &out->name));
    out->rule = (struct rule){.id = out->id, .title = out->title, .file = d->file};
    if (out->id.len == 0) {
        TRY(stand_in_id(job, d->text, &out->rule.id));
    }
    if (yaml_get(document, TEXT("correlation"))) {
        TRY(correlation(job, d, document, out));
    } else {
        TRY(compile(job, &d->options, document, &out->rule));
    }
    out->id = out->rule.id;
    return OK;
}

void sigma_open(struct sigma_file *f, struct sigma_options options, struct text name,
                struct text bytes)
{
    *f = (struct sigma_file){.options = options, .name = name, .left = bytes, .line = 1};
    arena_init(&f->arena, SIGMA_RULE_MEMORY);
}

void sigma_close(struct sigma_file *f)
{
    arena_done(&f->arena);
}

/* A line end is no part of a longer sequence, so that each line can be looked at by itself. */
static uint32_t first_bad_line(struct text bytes)
{
    uint32_t line = 1;
    for (struct text left = bytes; left.len; line++) {
        size_t end = text_find_byte(left, '\n');
        if (!text_is_utf8(text_part(left, 0, end))) {
            break;
        }
        left = text_part(left, end == SIZE_MAX ? left.len : end + 1, left.len);
    }
    return line;
}

/* What holds for the file as a whole is said once. */
static struct status check_file(struct job *job, const struct sigma_file *f)
{
    if (f->left.len > YAML_BYTES_MAX) {
        return job_refuse(job, REFUSAL_YAML, 1, "a rule file has at most %d MiB",
                          YAML_BYTES_MAX >> 20);
    }
    if (!text_is_utf8(f->left)) {
        return job_refuse(job, REFUSAL_YAML, first_bad_line(f->left), "this line is not UTF-8");
    }
    return OK;
}

void document_refused(struct status s, const struct job *job, struct sigma_outcome *out)
{
    out->ok = false;
    out->refusal = job->refusal;
    if (s.fault != FAULT_INVALID) {
        out->refusal = (struct refusal){.class = REFUSAL_DETECTION, .line = out->line};
        snprintf(out->refusal.words, sizeof out->refusal.words,
                 "the rule needs more memory to compile than this machine has, or %d MiB",
                 SIGMA_RULE_MEMORY >> 20);
    }
}

bool sigma_next(struct sigma_file *f, struct sigma_outcome *out)
{
    struct text text;
    struct job job = {.arena = &f->arena};
    bool empty = true;
    *out = (struct sigma_outcome){.ok = true, .line = 1};
    if (f->line == 1 && !f->ended) {
        struct status s = check_file(&job, f);
        if (!status_ok(s)) {
            f->ended = true;
            document_refused(s, &job, out);
            return true;
        }
    }
    while (!f->ended && empty && yaml_cut(&f->left, &f->line, &text, &out->line)) {
        arena_done(&f->arena);
        arena_init(&f->arena, SIGMA_RULE_MEMORY);
        struct document document = {.options = f->options, .file = f->name, .text = text};
        struct status s = document_compile(&job, &document, out, &empty);
        if (!status_ok(s)) {
            document_refused(s, &job, out);
            empty = false;
        }
    }
    if (empty && !f->found && !f->ended) {
        f->ended = true;
        document_refused(job_refuse(&job, REFUSAL_YAML, 1, "the file holds no rule"), &job, out);
        return true;
    }
    f->found = f->found || !empty;
    return !empty;
}
