#include "scan/examine.h"

#include "base/file.h"
#include "base/heap.h"
#include "base/own.h"

#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>

struct matching {
    const struct examination *e;
    uint32_t matches;
    uint32_t untold;
};

/* ── reading ── */

static enum outcome read_whole(const struct examination *e, uint8_t *bytes)
{
    struct status s = file_read(e->file, bytes, e->size);
    return status_ok(s)               ? OUTCOME_SCANNED
           : s.fault == FAULT_INVALID ? OUTCOME_CHANGED
                                      : OUTCOME_UNREADABLE;
}

static void tell_hash(const struct examination *e, const uint8_t *bytes)
{
    struct sha256_ctx hash;
    uint8_t digest[SHA256_DIGEST_SIZE];
    char hex[EXAMINE_SHA256];
    sha256_init(&hash);
    sha256_update(&hash, e->size, bytes);
    sha256_digest(&hash, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
    e->on_hash(e->context, (struct text){.ptr = hex, .len = 2 * sizeof digest});
}

/* ── asking ── */

/* "a,b,c", cut at whole tags. */
static struct text join_tags(const YR_RULE *rule, char *room, size_t size)
{
    struct writer w = writer_over(room, size);
    const char *tag;
    yr_rule_tags_foreach(rule, tag)
    {
        struct text t = text_of(tag);
        if (w.used + 1 + t.len <= size) {
            writer_bytes(&w, w.used ? TEXT(",") : TEXT(""));
            writer_bytes(&w, t);
        }
    }
    return writer_text(&w);
}

/* Sigma's words, where the author used them; "high" where not: most rules are about malware. */
static struct text level_of(const YR_RULE *rule)
{
    static const char *const names[] = {"level", "severity"};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        struct text said = rules_meta(rule, names[n]);
        for (size_t i = 0; level_words[i]; i++) {
            if (text_same_folded(said, text_of(level_words[i]))) {
                return text_of(level_words[i]);
            }
        }
    }
    return TEXT("high");
}

static void on_match(struct matching *m, const YR_RULE *rule)
{
    char tags[512];
    if (m->matches++ >= EXAMINE_MATCHES_MAX) {
        m->untold++;
        return;
    }
    struct talk_match match = {
        .file = text_of(rule->ns->name),
        .name = text_part(text_of(rule->identifier), 0, 256),
        .author = text_part(rules_meta(rule, "author"), 0, 256),
        .description = text_part(rules_meta(rule, "description"), 0, 512),
        .level = level_of(rule),
        .tags = join_tags(rule, tags, sizeof tags),
    };
    m->e->on_match(m->e->context, &match);
}

static int on_message(YR_SCAN_CONTEXT *context, int message, void *data, void *user)
{
    (void)context;
    if (message == CALLBACK_MSG_RULE_MATCHING) {
        on_match(user, data);
    }
    return CALLBACK_CONTINUE; /* a string with too many matches is not searched on */
}

static int define_path(YR_SCANNER *scanner, struct text path)
{
    char whole[4097], name[4097], extension[256];
    size_t slash = text_find_last(path, '/');
    struct text leaf = text_part(path, slash == SIZE_MAX ? 0 : slash + 1, SIZE_MAX);
    size_t dot = text_find_last(leaf, '.');
    text_copy(path, whole, sizeof whole);
    text_copy(leaf, name, sizeof name);
    text_copy(dot == SIZE_MAX ? TEXT("") : text_part(leaf, dot, SIZE_MAX), extension,
              sizeof extension);
    int error = yr_scanner_define_string_variable(scanner, "filename", name);
    error = error ? error : yr_scanner_define_string_variable(scanner, "filepath", whole);
    return error ? error : yr_scanner_define_string_variable(scanner, "extension", extension);
}

static int ask_rules(const struct examination *e, const uint8_t *bytes, struct matching *m)
{
    YR_SCANNER *scanner;
    int error = yr_scanner_create(e->rules->compiled, &scanner);
    if (error != ERROR_SUCCESS) {
        return error;
    }
    /* Its handler of SIGSEGV and SIGBUS would go on with what is broken: better to die. */
    yr_scanner_set_flags(scanner, SCAN_FLAGS_REPORT_RULES_MATCHING | SCAN_FLAGS_NO_TRYCATCH);
    yr_scanner_set_callback(scanner, on_message, m);
    yr_scanner_set_timeout(scanner, (int)e->time_s);
    error = define_path(scanner, e->path);
    if (error == ERROR_SUCCESS) {
        error = yr_scanner_scan_mem(scanner, bytes, e->size);
    }
    yr_scanner_destroy(scanner);
    return error;
}

static enum outcome outcome_of(int error)
{
    switch (error) {
    case ERROR_SUCCESS:
        return OUTCOME_SCANNED;
    case ERROR_SCAN_TIMEOUT:
        return OUTCOME_TIMED_OUT;
    case ERROR_INSUFFICIENT_MEMORY:
        return OUTCOME_MEMORY;
    default:
        return OUTCOME_FAULT;
    }
}

static void examine_bytes(const struct examination *e, const uint8_t *bytes,
                          struct talk_verdict *out)
{
    static char words[64];
    struct matching m = {.e = e};
    tell_hash(e, bytes);
    rules_choose(e->rules, e->first, e->end);
    int error = ask_rules(e, bytes, &m);
    out->outcome = (uint8_t)outcome_of(error);
    out->matches = m.matches;
    out->untold = m.untold;
    if (out->outcome == OUTCOME_FAULT) {
        snprintf(words, sizeof words, "libyara's error %d", error);
        out->words = text_of(words);
    }
}

struct status examine(const struct examination *e, struct talk_verdict *out)
{
    struct talk_verdict verdict = {.bytes = e->size};
    OWN(heap_drop) uint8_t *bytes = heap_alloc(e->size + 1, 1);
    if (!bytes) {
        verdict.outcome = OUTCOME_MEMORY;
    } else {
        verdict.outcome = (uint8_t)read_whole(e, bytes);
    }
    if (verdict.outcome == OUTCOME_SCANNED) {
        examine_bytes(e, bytes, &verdict);
    }
    *out = verdict;
    return OK;
}
