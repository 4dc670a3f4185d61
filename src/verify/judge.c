#include "verify/judge.h"

#include "base/count.h"
#include "base/json.h"
#include "base/own.h"
#include "content/indicator/indicator.h"
#include "content/prove/prove.h"
#include "content/prove/vector.h"

#include <inttypes.h>

static struct status refuse(struct judgement *j, const char *what)
{
    j->fault = (struct pack_fault){.section = "pack", .index = PACK_WHOLE, .what = what};
    return OK;
}

/* What a rule is called was chosen by who made the pack. */
static void note_rule(struct judgement *j, const struct pack *pack, size_t rule)
{
    text_copy(pack_rule(pack, rule).id, j->rule, sizeof j->rule);
    for (char *c = j->rule; *c; c++) {
        *c = *c < ' ' || *c == 0x7f ? '?' : *c;
    }
}

/* The rule that a fault of an open pack is about. */
static void name_rule(struct judgement *j, const struct pack *pack)
{
    struct text section = text_of(j->fault.section);
    size_t index = j->fault.index;
    if (text_same(section, TEXT("rules")) && index < pack_count(pack, PACK_RULES)) {
        note_rule(j, pack, index);
    }
    bool probe = text_same(section, TEXT("probes"));
    for (size_t i = 0; i < pack_count(pack, PACK_VECTORS); i++) {
        struct pack_vector v = pack_vector(pack, i);
        if (probe ? index - v.first_probe < v.probe_count
                  : text_same(section, TEXT("vectors")) && i == index) {
            note_rule(j, pack, v.rule);
        }
    }
}

static void count(struct judgement *j, const struct pack *pack)
{
    j->rules = pack_count(pack, PACK_RULES);
    j->predicates = pack_count(pack, PACK_PREDICATES);
    j->correlations = pack_count(pack, PACK_CORRELATIONS);
    j->lists = pack_count(pack, PACK_INDICATOR_ENDS);
    for (uint32_t i = 0; i < j->lists; i++) {
        j->indicators += indicator_count(pack_list(pack, i));
    }
    j->yara_files = pack_count(pack, PACK_YARA);
    j->vectors = pack_count(pack, PACK_VECTORS);
    j->probes = pack_count(pack, PACK_PROBES);
    /* Windows are reserved in whole as soon as there is one (content/correlate/detect.h). */
    j->memory = pack->bytes.len + matcher_memory(pack);
    j->memory += j->correlations ? PACK_WINDOW_MEMORY : 0;
    for (unsigned i = 0; i < EVENT_COUNT; i++) {
        uint64_t cost = pack->cost[i] + pack->windows_cost[i];
        j->cost = cost > j->cost ? cost : j->cost;
    }
}

/* A fault that says something about the pack is a judgement, no failure. */
static struct status judged(struct status s, struct judgement *j)
{
    if (s.fault == FAULT_MEMORY) {
        return s;
    }
    j->accepted = status_ok(s);
    return OK;
}

struct status judge(struct text bytes, const struct judge_limits *limits, struct judgement *out)
{
    struct judgement j = {0};
    struct pack pack;
    *out = j;
    if (bytes.len > limits->size) {
        return refuse(out, "it has more bytes than the limit (--max-size)");
    }
    struct pack_limits within = PACK_LIMITS;
    within.event = limits->event_cost;
    TRY(judged(pack_open_within(bytes, within, &pack, &j.fault), &j));
    if (j.accepted) {
        count(&j, &pack);
        if (j.memory > limits->memory) {
            return refuse(out, "it takes more memory than the limit (--max-memory)");
        }
        TRY(limits->structure ? OK : judged(pack_prove(&pack, &j.fault), &j));
    }
    if (!j.accepted && j.rules > 0) {
        name_rule(&j, &pack);
    }
    *out = j;
    return OK;
}

/* ── words ── */

static void write_json(const struct judgement *j, size_t bytes, struct writer *out)
{
    struct json json = json_over(out);
    json_open(&json, '{');
    json_member_bool(&json, "accepted", j->accepted);
    json_member_number(&json, "bytes", (int64_t)bytes);
    if (j->accepted) {
        json_member_number(&json, "rules", (int64_t)j->rules);
        json_member_number(&json, "predicates", (int64_t)j->predicates);
        json_member_number(&json, "correlations", (int64_t)j->correlations);
        json_member_number(&json, "lists", (int64_t)j->lists);
        json_member_number(&json, "indicators", (int64_t)j->indicators);
        json_member_number(&json, "yara_files", (int64_t)j->yara_files);
        json_member_number(&json, "vectors", (int64_t)j->vectors);
        json_member_number(&json, "probes", (int64_t)j->probes);
        json_member_number(&json, "worst_cost", (int64_t)j->cost);
        json_member_number(&json, "memory", (int64_t)j->memory);
    } else {
        json_member_text(&json, "section", text_of(j->fault.section));
        if (j->fault.index != PACK_WHOLE) {
            json_member_number(&json, "index", (int64_t)j->fault.index);
        }
        json_member_text(&json, "reason", text_of(j->fault.what));
        if (j->fault.field) {
            json_member_text(&json, "field", text_of(j->fault.field));
        }
        if (j->rule[0]) {
            json_member_text(&json, "rule", text_of(j->rule));
        }
    }
    json_close(&json, '}');
    writer_bytes(out, TEXT("\n"));
}

static void accepted(const struct judgement *j, size_t bytes, struct writer *out)
{
    writer_print(
        out, "accepted: %s, %s, %s, %s, %s in %s, %s, %s, %s; ", COUNTED(bytes, "byte", "bytes"),
        COUNTED(j->rules, "rule", "rules"), COUNTED(j->predicates, "predicate", "predicates"),
        COUNTED(j->correlations, "correlation", "correlations"),
        COUNTED(j->indicators, "indicator", "indicators"), COUNTED(j->lists, "list", "lists"),
        COUNTED(j->yara_files, "YARA file", "YARA files"),
        COUNTED(j->vectors, "test event", "test events"), COUNTED(j->probes, "probe", "probes"));
    writer_print(out, "at most %s for one event, %s of memory\n", COUNTED(j->cost, "step", "steps"),
                 COUNTED(j->memory, "byte", "bytes"));
}

void judgement_write(const struct judgement *j, size_t bytes, bool json, struct writer *out)
{
    char words[256];
    if (json) {
        write_json(j, bytes, out);
    } else if (j->accepted) {
        accepted(j, bytes, out);
    } else {
        writer_print(out, "refused: %s%s%s%s\n", pack_fault_text(&j->fault, words, sizeof words),
                     j->rule[0] ? " (rule " : "", j->rule, j->rule[0] ? ")" : "");
    }
}
