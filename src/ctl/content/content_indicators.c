#include "ctl/content/content_indicators.h"

#include "base/count.h"
#include "base/own.h"
#include "ctl/content/content_file.h"

#include <stdio.h>

enum {
    TOLD_MAX = 100, /* refused entries of a file that are told one by one */
    WHY = 160,      /* the builder's */
    BINARY_LOOK = 65536,
};

/* One file on its way into the pack. */
struct reading {
    struct content_indicators *job;
    const char *path;
    size_t told;
};

static void refuse_file(struct content_indicators *job, const char *path, const char *words)
{
    struct refusal r = {.class = REFUSAL_INDICATOR}; /* and no line */
    snprintf(r.words, sizeof r.words, "%s", words);
    job->on_refusal(job->context, path, &r);
}

/* What is skipped is ordinary in a feed, and only counted. */
static void on_refusal(void *context, const struct refusal *refusal, bool skipped)
{
    struct reading *r = context;
    if (!skipped && r->told++ < TOLD_MAX) {
        r->job->on_refusal(r->job->context, r->path, refusal);
    }
}

static void note(struct reading *r, const char *format, const char *counted)
{
    char words[240];
    snprintf(words, sizeof words, format, counted);
    r->job->on_note(r->job->context, r->path, words);
}

static void tell_counts(struct reading *r, const struct indicators *in)
{
    if (r->told > TOLD_MAX) {
        note(r, "%s refused, too",
             COUNTED(r->told - TOLD_MAX, "more entry was", "more entries were"));
    }
    if (in->counts.skipped) {
        note(r, "%s left out: expired, revoked, or nothing that a list holds",
             COUNTED(in->counts.skipped, "entry was", "entries were"));
    }
    if (in->counts.widened) {
        note(r, "of %s only the host is looked up, which more may be on",
             COUNTED(in->counts.widened, "URL", "URLs"));
    }
}

/* Nobody shall believe that something is watched which is not. */
static bool is_recorded_only(const struct rule *rule)
{
    for (size_t i = 0; i < rule->predicate_count; i++) {
        if (rule->predicates[i].kind == PREDICATE_LISTED &&
            !field_info(rule->predicates[i].field)->recorded) {
            return false;
        }
    }
    return true;
}

static void add_rule(struct reading *r, const struct rule *rule)
{
    struct content_indicators *job = r->job;
    char why[WHY] = "";
    struct status s = builder_add(job->builder, rule, why);
    bool good = status_ok(s);
    job->on_rule(job->context, r->path, rule, good ? NULL : refusal_name(REFUSAL_INDICATOR),
                 good || why[0] ? why : fault_words(s.fault));
    if (good && is_recorded_only(rule)) {
        struct text list = rule->predicates[0].text;
        note(r,
             indicator_kind(list) == INDICATOR_HASH
                 ? "no live event carries the hash of a file: of %s those that are "
                   "SHA-256 are asked of files by the scanner, the others of recordings only"
                 : "no live event carries the name of a host: %s recorded events "
                   "only",
             indicator_kind(list) == INDICATOR_HASH
                 ? COUNTED(indicator_count(list), "hash", "hashes")
                 : COUNTED(indicator_count(list), "domain matches", "domains match"));
    }
}

static void add_result(struct reading *r, const struct indicators_result *result)
{
    struct content_indicators *job = r->job;
    char why[WHY] = "";
    for (size_t i = 0; i < result->list_count; i++) {
        struct status s = builder_list(job->builder, result->lists[i], why);
        if (!status_ok(s)) {
            refuse_file(job, r->path, why[0] ? why : fault_words(s.fault));
            return;
        }
        job->lists++;
        job->entries += indicator_count(result->lists[i]);
    }
    for (size_t i = 0; i < result->rule_count; i++) {
        add_rule(r, &result->rules[i]);
    }
}

static struct status add_bytes(struct reading *r, struct text bytes)
{
    struct content_indicators *job = r->job;
    struct text path = text_of(r->path);
    struct indicators_result result;
    /* A program or a picture would be thousands of entries that are none. */
    if (text_find_byte(text_part(bytes, 0, BINARY_LOOK), '\0') != SIZE_MAX) {
        refuse_file(job, r->path, "this is no text");
        return OK;
    }
    struct indicators in = {
        .arena = job->arena, .file = path, .now = job->now, .context = r, .on_refusal = on_refusal};
    struct status s = indicators_read(&in, indicators_format_of(path), bytes);
    if (status_ok(s)) {
        s = indicators_finish(&in, &result);
    }
    tell_counts(r, &in);
    if (s.fault == FAULT_LIMIT) {
        refuse_file(job, r->path, "it has more entries than a list or a pack holds");
        return OK;
    }
    TRY(s);
    if (in.counts.taken == 0) {
        refuse_file(job, r->path, "the file holds no indicator that could be used");
    }
    add_result(r, &result);
    return OK;
}

struct status content_indicators_add(struct content_indicators *job, const char *path)
{
    OWN(content_bytes_drop) struct content_bytes bytes = {0};
    struct reading r = {.job = job, .path = path};
    char words[200];
    struct status s = content_file_read(path, INDICATORS_BYTES_MAX, &bytes);
    if (s.fault == FAULT_LIMIT) {
        snprintf(words, sizeof words, "a list of indicators has at most %d MiB",
                 INDICATORS_BYTES_MAX >> 20);
        refuse_file(job, path, words);
        return OK;
    }
    if (!status_ok(s)) {
        refuse_file(job, path,
                    s.fault == FAULT_INVALID ? "this is no file"
                                             : status_plain(s, words, sizeof words));
        return OK;
    }
    return add_bytes(&r, content_text(&bytes));
}
