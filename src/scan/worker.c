#include "scan/worker.h"

#include "base/file.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/own.h"
#include "scan/cage.h"
#include "scan/examine.h"
#include "scan/indicator.h"
#include "scan/post.h"

#include <errno.h>
#include <sys/stat.h>
#include <sysexits.h>

struct worker {
    struct text pack_bytes;
    struct pack pack;
    struct rules rules;
    uint32_t missing; /* layers that the cage lacks */
    bool *skipped;    /* sources that ended an earlier worker, or are left out for a file */
    bool *others;     /* room for the sources that are not asked alone */
    bool said;        /* flaws were told */
};

static struct status tell(const struct talk_message *m)
{
    return post_send(WORKER_OPENER, m, -1);
}

/* ── the pack ── */

static struct status read_pack(struct text *out)
{
    struct stat info;
    if (fstat(WORKER_PACK, &info) != 0) {
        FAIL_SYS(errno);
    }
    size_t size = (size_t)info.st_size;
    if (info.st_size < 0 || size > PACK_SIZE_MAX) {
        FAIL(LIMIT);
    }
    OWN(heap_drop) char *bytes = heap_alloc(size + 1, 1);
    if (!bytes) {
        FAIL(MEMORY);
    }
    TRY(file_read(WORKER_PACK, bytes, size));
    *out = (struct text){.ptr = TAKE(bytes), .len = size};
    return OK;
}

static struct status refuse_pack(const struct pack_fault *fault)
{
    char words[256];
    struct talk_message m = {
        .number = MESSAGE_FLAW,
        .flaw = {.line = 1,
                 .file = TEXT("the pack"),
                 .words = text_of(pack_fault_text(fault, words, sizeof words))}};
    TRY(tell(&m));
    FAIL(INVALID);
}

static struct status open_pack(struct worker *w)
{
    struct pack_fault fault = {.section = "pack", .index = PACK_WHOLE, .what = "out of memory"};
    if (!status_ok(pack_open(w->pack_bytes, &w->pack, &fault))) {
        return refuse_pack(&fault);
    }
    w->skipped = heap_alloc(pack_count(&w->pack, PACK_YARA) + 1, sizeof *w->skipped);
    w->others = heap_alloc(pack_count(&w->pack, PACK_YARA) + 1, sizeof *w->others);
    if (!w->skipped || !w->others) {
        FAIL(MEMORY);
    }
    return OK;
}

/* ── compiling ── */

static void on_source(void *context, uint32_t index, struct text file)
{
    const struct worker *w = context;
    struct talk_message m = {.number = MESSAGE_SOURCE, .source = {.index = index, .file = file}};
    if (!w->rules.compiled) {
        status_ignore(tell(&m)); /* an opener that is gone is noticed by the next receive */
    }
}

static void on_flaw(void *context, const struct talk_flaw *flaw)
{
    const struct worker *w = context;
    struct talk_message m = {.number = MESSAGE_FLAW, .flaw = *flaw};
    if (!w->said) {
        status_ignore(tell(&m)); /* as above */
    }
}

static struct status compile(struct worker *w, const bool *skipped, struct rules *out)
{
    struct rules_listener listener = {.context = w, .on_source = on_source, .on_flaw = on_flaw};
    return rules_compile(&w->pack, skipped, &listener, out);
}

static struct status on_begin(struct worker *w, bool said)
{
    w->said = said;
    TRY(compile(w, w->skipped, &w->rules));
    w->said = true;
    struct talk_message m = {.number = MESSAGE_READY,
                             .ready = {.rules = w->rules.count,
                                       .lists = scan_hash_lists(&w->pack),
                                       .sources = (uint32_t)pack_count(&w->pack, PACK_YARA),
                                       .refused = w->rules.refused,
                                       .missing = w->missing}};
    return tell(&m);
}

/* A rule is switched where it is. A whole source is not: what it looks for would still be searched,
 * which may be what takes so long. */
static struct status on_rule(struct worker *w, const struct talk_rule *rule)
{
    struct rules rules;
    if (rule->name.len) {
        rules_switch(&w->rules, rule->file, rule->name, rule->on);
        return OK;
    }
    for (uint32_t i = 0; i < pack_count(&w->pack, PACK_YARA); i++) {
        if (text_same(pack_yara(&w->pack, i).file, rule->file)) {
            w->skipped[i] = !rule->on;
        }
    }
    TRY(compile(w, w->skipped, &rules));
    rules_free(&w->rules);
    w->rules = rules;
    return OK;
}

/* ── files ── */

static void on_hash(void *context, struct text sha256)
{
    const struct worker *w = context;
    struct talk_message m = {.number = MESSAGE_HASH, .hash = {.sha256 = sha256}};
    status_ignore(tell(&m)); /* as above */
    m = (struct talk_message){.number = MESSAGE_MATCH};
    if (scan_on_hash(&w->pack, sha256, &m.match)) {
        status_ignore(tell(&m));
    }
}

static void on_match(void *context, const struct talk_match *match)
{
    (void)context;
    struct talk_message m = {.number = MESSAGE_MATCH, .match = *match};
    status_ignore(tell(&m)); /* as above */
}

/* The sources `first` to before `end`, but for those that are left out anyway. */
static struct status compile_alone(struct worker *w, const struct talk_scan *scan,
                                   struct rules *out)
{
    for (uint32_t i = 0; i < pack_count(&w->pack, PACK_YARA); i++) {
        w->others[i] = w->skipped[i] || i < scan->first || i >= scan->end;
    }
    return compile(w, w->others, out);
}

static struct status on_scan(struct worker *w, const struct talk_scan *scan, int file)
{
    OWN(rules_free) struct rules alone = {0};
    if (scan->alone) {
        TRY(compile_alone(w, scan, &alone));
    }
    struct examination e = {.rules = scan->alone ? &alone : &w->rules,
                            .file = file,
                            .size = scan->size,
                            .first = scan->alone ? 0 : scan->first,
                            .end = scan->alone ? UINT32_MAX : scan->end,
                            .time_s = scan->time_s,
                            .path = scan->path,
                            .context = w,
                            .on_hash = on_hash,
                            .on_match = on_match};
    struct talk_message m = {.number = MESSAGE_VERDICT};
    TRY(examine(&e, &m.verdict));
    return tell(&m);
}

/* A source is called as its rule is, if it has no other: people know rules and not files. */
static void name_source(const struct worker *w, uint32_t source, struct talk_named *out)
{
    const YR_RULE *rule;
    unsigned rules = 0;
    out->file = pack_yara(&w->pack, source).file;
    yr_rules_foreach(w->rules.compiled, rule)
    {
        if (text_same(text_of(rule->ns->name), out->file)) {
            out->name = rules++ == 0 ? text_part(text_of(rule->identifier), 0, 256) : TEXT("");
        }
    }
}

static struct status on_which(const struct worker *w, const struct talk_which *which)
{
    struct talk_message m = {.number = MESSAGE_NAMED};
    size_t count = which->source ? pack_count(&w->pack, PACK_YARA) : w->rules.count;
    if (which->index >= count) {
        FAIL(INVALID);
    }
    if (which->source) {
        name_source(w, which->index, &m.named);
    } else {
        const YR_RULE *rule = &w->rules.compiled->rules_table[which->index];
        m.named.file = text_of(rule->ns->name);
        m.named.name = text_part(text_of(rule->identifier), 0, 256);
    }
    return tell(&m);
}

/* ── the loop ── */

/* What it may be told depends on whether it has compiled its rules: the rest ends it. */
static struct status serve(struct worker *w, const struct talk_message *m, int file)
{
    bool ready = w->rules.compiled != NULL;
    if (!ready && m->number == MESSAGE_SKIP && m->skip.source < pack_count(&w->pack, PACK_YARA)) {
        w->skipped[m->skip.source] = true;
    } else if (!ready && m->number == MESSAGE_BEGIN) {
        return on_begin(w, m->begin.said);
    } else if (ready && m->number == MESSAGE_RULE) {
        return on_rule(w, &m->rule);
    } else if (ready && m->number == MESSAGE_SCAN && file >= 0) {
        return on_scan(w, &m->scan, file);
    } else if (ready && m->number == MESSAGE_WHICH) {
        return on_which(w, &m->which);
    } else {
        FAIL(DENIED);
    }
    return OK;
}

static struct status work(struct worker *w)
{
    struct post_packet packet;
    struct talk_message m;
    for (;;) {
        OWN(fd_drop) int file = -1;
        struct status s = post_receive(WORKER_OPENER, TALK_OPENER, &packet, &m, &file);
        if (s.fault == FAULT_CLOSED) {
            return OK;
        }
        TRY(s);
        TRY(serve(w, &m, file));
    }
}

static struct status enter(struct worker *w)
{
    struct cage cage = worker_cage();
    TRY(cage_close_from(WORKER_INHERITED));
    TRY(rules_warm_up());
    TRY(read_pack(&w->pack_bytes));
    TRY(worker_limits());
    return cage_enter(&cage, &w->missing);
}

int worker_run(void)
{
    static struct worker w;
    struct status s = enter(&w);
    s = status_ok(s) ? open_pack(&w) : s;
    s = status_ok(s) ? work(&w) : s;
    if (!status_ok(s)) {
        log_status("a worker stopped", s);
    }
    return status_ok(s) ? EX_OK : s.fault == FAULT_INVALID ? EX_CONFIG : EX_OSERR;
}
