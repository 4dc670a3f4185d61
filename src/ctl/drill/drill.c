#include "ctl/drill/drill.h"

#include "base/clock.h"
#include "base/own.h"
#include "content/pack/pack.h"
#include "ctl/content/content_proof.h"
#include "ctl/ctl.h"
#include "ctl/drill/drill_packs.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static const char help[] =
    "Usage: bulkhead drill channel-291 [--json]\n"
    "\n"
    "Replays the shape of the content fault of July 2024 on this machine: packs that count one "
    "field\n"
    "more than there is, in five variants, and says which gate stops each. As root also with a "
    "real\n"
    "guard and engine in a scratch home under /run, beside whatever runs here. Takes some ten\n"
    "seconds and leaves nothing behind.\n"
    "\n"
    "  --json  the report as JSON\n"
    "\n"
    "Exit codes: 0 every variant was stopped and the machine worked on, 1 not so, 2 wrong usage.\n";

enum {
    PACK_MEMORY = 256 << 20,
    FLIPS = 300, /* each is a process: some 3 ms */
};

struct drill {
    struct arena arena;
    struct drill_report report;
    struct text good;
    struct drill_live live[2];
    int exit_code; /* CTL_OK, or why it cannot go on */
};

/* ── one try ── */

static struct drill_try *begin(struct drill *d, unsigned variant, const char *what,
                               enum drill_gate wanted)
{
    ENSURE(d->report.count < DRILL_TRIES);
    struct drill_try *t = &d->report.tries[d->report.count++];
    *t = (struct drill_try){
        .variant = variant, .what = what, .gate = DRILL_GATE_NONE, .wanted = wanted};
    t->ms = (double)clock_boot_ns() / CLOCK_NS_PER_MS;
    return t;
}

static void end(struct drill_try *t)
{
    t->ms = (double)clock_boot_ns() / CLOCK_NS_PER_MS - t->ms;
}

/* Is it right in its structure? */
static bool opens(struct text pack)
{
    struct pack open;
    struct pack_fault fault;
    return status_ok(pack_open(pack, &open, &fault));
}

/* Shows a pack to bulkhead-verify. MISSING, after a complaint: there was no answer, and a gate that
 * is not there neither stops anything nor lets it through. */
static struct status ask(struct drill *d, struct text pack, char *why, enum drill_gate *out)
{
    struct content_proof proof = {0};
    if (!content_proof_bytes(pack, NULL, &proof, &d->exit_code)) {
        FAIL(MISSING);
    }
    snprintf(why, DRILL_WHY, "%s", proof.line);
    /* What is refused all the same, its test events have shown. */
    *out = proof.accepted ? DRILL_GATE_NONE : opens(pack) ? DRILL_GATE_VECTORS : DRILL_GATE_VERIFY;
    return OK;
}

static struct status try_pack(struct drill *d, unsigned variant, const char *what,
                              enum drill_fault fault, enum drill_gate wanted)
{
    struct text pack;
    struct drill_try *t = begin(d, variant, what, wanted);
    TRY(drill_fault(&d->arena, d->good, fault, &pack));
    TRY(ask(d, pack, t->why, &t->gate));
    end(t);
    return OK;
}

/* ── the variants ── */

static struct status try_compiler(struct drill *d)
{
    struct drill_try *t =
        begin(d, 1, "the compiler knows a field that the schema has not", DRILL_GATE_BUILD);
    if (drill_build_extra_field(&d->arena, t->why)) {
        t->gate = DRILL_GATE_BUILD;
    }
    end(t);
    TRY(try_pack(d, 1, "compiler and builder agree on one field more", DRILL_COUNT,
                 DRILL_GATE_VERIFY));
    return try_pack(d, 1, "and the header hides it: a rule reads the field after the last",
                    DRILL_HIDDEN, DRILL_GATE_VERIFY);
}

/* Some bits are letters of a title: such a pack is as right as before. What may not be is that one
 * is accepted whose program, tables or tests are other than they were. */
static struct status try_flips(struct drill *d)
{
    unsigned by[DRILL_GATE_COUNT] = {0};
    struct drill_try *t =
        begin(d, 3, "300 bits flipped, one at a time, the checksum repaired", DRILL_GATE_VERIFY);
    for (unsigned i = 0; i < FLIPS; i++) {
        struct arena scratch;
        struct text pack;
        arena_init(&scratch, PACK_MEMORY);
        enum drill_gate gate = DRILL_GATE_NONE;
        struct status s = drill_flip(&scratch, d->good, i, &pack);
        s = status_ok(s) ? ask(d, pack, t->why, &gate) : s;
        arena_done(&scratch);
        TRY(s);
        by[gate]++;
    }
    snprintf(t->why, sizeof t->why,
             "%u refused for their structure, %u by their test events; %u accepted: they "
             "change what only a signature can protect, such as letters of a title",
             by[DRILL_GATE_VERIFY], by[DRILL_GATE_VECTORS], by[DRILL_GATE_NONE]);
    t->gate =
        by[DRILL_GATE_VERIFY] + by[DRILL_GATE_VECTORS] > 0 ? DRILL_GATE_VERIFY : DRILL_GATE_NONE;
    end(t);
    return OK;
}

static struct status try_schemas_and_wildcards(struct drill *d)
{
    TRY(try_pack(d, 4, "content of an older schema", DRILL_OLD_SCHEMA, DRILL_GATE_VERIFY));
    TRY(try_pack(d, 4, "a test event with a field of a newer one, under this one's name",
                 DRILL_NEW_CONTENT, DRILL_GATE_VERIFY));
    TRY(try_pack(d, 5, "the test of a field takes any value: a wildcard", DRILL_WILDCARD,
                 DRILL_GATE_VECTORS));
    return try_pack(d, 5, "a rule reads another field than its tests are about", DRILL_WRONG_INDEX,
                    DRILL_GATE_VECTORS);
}

/* ── with guard and engine ── */

static bool all_seen(const struct drill_live *l)
{
    return l->guard_lived && l->started > 0 && l->seen == l->started;
}

static enum drill_gate stopped_by(const struct drill_live *l)
{
    struct text said = text_of(l->said);
    if (text_find(said, TEXT("content was refused")) != SIZE_MAX) {
        return DRILL_GATE_LOAD;
    }
    return said.len ? DRILL_GATE_RUN : DRILL_GATE_NONE;
}

static struct status try_live(struct drill *d, struct drill_try *t, const char *engine)
{
    struct drill_live *live = &d->live[engine != NULL];
    struct drill_scene scene = {.previous = d->good, .engine = engine};
    TRY(drill_fault(&d->arena, d->good, DRILL_HIDDEN, &scene.bad));
    TRY(drill_live(&scene, live));
    snprintf(t->why, sizeof t->why, "%s", live->said[0] ? live->said : live->engine);
    t->live = live;
    t->gate = all_seen(live) ? stopped_by(live) : DRILL_GATE_NONE;
    end(t);
    return OK;
}

static struct status try_machine(struct drill *d)
{
    char engine[PROGRAM_PATH];
    if (geteuid() != 0) {
        d->report.left_out[0] = "guard and engine in a scratch home: that needs root";
        return OK;
    }
    TRY(try_live(d,
                 begin(d, 2,
                       "the verifier is skipped: the engine starts on the pack with the "
                       "hidden field",
                       DRILL_GATE_LOAD),
                 NULL));
    /* Only a build folder has an engine that takes what it is given. */
    if (!status_ok(program_find("bulkhead-engine-open", "../tests/drill", engine))) {
        d->report.left_out[1] = "all gates forced open: that needs an engine made for it, which is "
                                "not installed; `meson test drill` in a build folder has it";
        return OK;
    }
    return try_live(d, begin(d, 6, "all gates forced open, and events pour in", DRILL_GATE_RUN),
                    engine);
}

/* ── the command ── */

static struct status run_all(struct drill *d)
{
    struct drill_try *t;
    TRY(drill_good(&d->arena, &d->good));
    TRY(try_compiler(d));
    TRY(try_flips(d));
    TRY(try_schemas_and_wildcards(d));
    TRY(try_machine(d));
    /* Without this, everything could be refused, whatever it is. */
    t = begin(d, 0, "the same pack without a fault", DRILL_GATE_HARMLESS);
    TRY(ask(d, d->good, t->why, &t->gate));
    t->gate = t->gate == DRILL_GATE_NONE ? DRILL_GATE_HARMLESS : t->gate;
    end(t);
    return OK;
}

static bool passed(const struct drill_report *r)
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->tries[i].gate != r->tries[i].wanted) {
            return false;
        }
    }
    return true;
}

static void drill_done(struct drill *d)
{
    arena_done(&d->arena);
}

static int run(bool json)
{
    OWN(drill_done) struct drill d = {0};
    char words[256];
    uint64_t start = clock_boot_ns();
    arena_init(&d.arena, PACK_MEMORY);
    struct status s = run_all(&d);
    if (!status_ok(s)) {
        ctl_error("the drill cannot go on: %s", status_plain(s, words, sizeof words));
        return d.exit_code ? d.exit_code : CTL_FAULT;
    }
    d.report.seconds = (double)(clock_boot_ns() - start) / CLOCK_NS_PER_S;
    d.report.passed = passed(&d.report);
    drill_report_print(&d.report, json);
    return d.report.passed ? CTL_OK : CTL_FAULT;
}

int drill_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
    bool json = false;
    for (int c; (c = getopt_long(argc, argv, ":h", options, NULL)) != -1;) {
        if (c == 'h') {
            return ctl_help(help);
        }
        if (c != 'j') {
            return ctl_bad_option(argc, argv, c);
        }
        json = true;
    }
    if (optind != argc - 1 || !text_same(text_of(argv[optind]), TEXT("channel-291"))) {
        return ctl_usage("drill", "drill: name the drill: channel-291");
    }
    return run(json);
}
