/*
 * A scan that a person asked for: the files below paths, and lines about them.
 */
#include "scan/opener.h"

#include "base/log.h"
#include "base/own.h"
#include "scan/cage.h"
#include "scan/lines.h"
#include "scan/walk.h"

#include <signal.h>
#include <string.h>
#include <sysexits.h>

struct demand {
    bool check; /* compile and end, whatever there is */
    struct walk walk;
    struct lines lines;
    uint32_t missing; /* of the opener's cage */
};

static enum pool_next next(void *context, struct target *out)
{
    struct demand *d = context;
    struct walk_left_out why;
    while (!d->lines.broken) {
        switch (walk_next(&d->walk, out, &why)) {
        case WALK_FILE:
            return POOL_FILE;
        case WALK_LEFT_OUT:
            lines_outcome(&d->lines, d->walk.path, why.outcome,
                          text_of(why.error ? strerror(why.error) : ""));
            break;
        case WALK_FOLDER:
            d->lines.folders++;
            break;
        case WALK_END:
            return POOL_END;
        }
    }
    return POOL_END;
}

static void on_match(void *context, const struct target *t, struct text sha256,
                     const struct talk_match *match)
{
    struct demand *d = context;
    lines_match(&d->lines, t->path, sha256, match);
}

static void on_verdict(void *context, const struct target *t, struct text sha256,
                       const struct verdict *v)
{
    struct demand *d = context;
    (void)sha256;
    d->lines.bytes += v->outcome == OUTCOME_SCANNED ? v->bytes : 0;
    d->lines.matches += v->untold;
    lines_outcome(&d->lines, t->path, v->outcome, v->words);
}

static void on_culprit(void *context, const struct target *t, enum outcome outcome,
                       const struct talk_named *rule, bool off)
{
    struct demand *d = context;
    lines_culprit(&d->lines, t->path, outcome, rule, off);
}

static void on_flaw(void *context, const struct talk_flaw *flaw)
{
    struct demand *d = context;
    lines_flaw(&d->lines, flaw);
}

static bool on_ready(void *context, const struct talk_ready *ready)
{
    struct demand *d = context;
    struct talk_ready both = *ready;
    both.missing |= d->missing;
    lines_ready(&d->lines, &both);
    return d->check || ready->rules > 0 || ready->lists > 0; /* no walk to look for nothing */
}

static void on_tick(void *context)
{
    struct demand *d = context;
    lines_progress(&d->lines, d->walk.path);
}

int demand_run(const struct opener_options *options)
{
    static struct demand d;
    struct cage cage = demand_cage();
    struct pool_options pool = {.keeper = OPENER_KEEPER,
                                .jobs = options->jobs,
                                .time_s = options->time_s,
                                .compile_only = options->check};
    struct pool_source source = {.context = &d,
                                 .fd = -1,
                                 .next = next,
                                 .on_match = on_match,
                                 .on_verdict = on_verdict,
                                 .on_culprit = on_culprit,
                                 .on_flaw = on_flaw,
                                 .on_ready = on_ready,
                                 .on_tick = on_tick};
    d.check = options->check;
    d.walk = walk_begin(options->paths, options->max_size, options->one_system);
    d.lines = lines_begin(SCAN_OUT);
    signal(SIGPIPE, SIG_IGN); /* a reader that is gone is seen where it is written to */
    struct status s = cage_enter(&cage, &d.missing);
    s = status_ok(s) ? pool_run(&pool, &source) : s;
    walk_end(&d.walk);
    if (s.fault == FAULT_CLOSED) {
        return EX_OK; /* the keeper is gone: the scan was ended from outside */
    }
    if (!status_ok(s) &&
        s.fault != FAULT_MISSING) { /* missing: what to look for, as the sum says */
        log_status("cannot scan", s);
        return s.fault == FAULT_INVALID ? EX_CONFIG : EX_SOFTWARE;
    }
    lines_summary(&d.lines);
    return EX_OK;
}
