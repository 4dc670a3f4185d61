#include "ctl/drill/drill.h"

#include "base/json.h"
#include "ctl/term.h"

enum { REPORT_ROOM = 64 * 1024 };

static const char *const gate_names[DRILL_GATE_COUNT] = {
#define GATE_NAME(ID, name, words) [DRILL_GATE_##ID] = (name),
    DRILL_GATES(GATE_NAME)
#undef GATE_NAME
};

static const char *const gate_words[DRILL_GATE_COUNT] = {
#define GATE_WORDS(ID, name, words) [DRILL_GATE_##ID] = (words),
    DRILL_GATES(GATE_WORDS)
#undef GATE_WORDS
};

static const char *const variants[] = {
    "control",        "compiler patched",        "verifier skipped",
    "bytes flipped",  "old schema, new content", "wildcard tests hide it",
    "all gates open",
};

static const char story[] =
    "On 19 July 2024 a content update asked for a 21st value where the sensor's code supplied 20, "
    "and the read\nbeyond the end stopped some 8.5 million Windows machines. The check before it "
    "counted 21 as well, and every\ntest until then had a wildcard in that place, so that nobody "
    "had ever looked there.\n";

/* ── JSON ── */

static void live_json(struct json *j, const struct drill_live *l)
{
    json_key(j, "live");
    json_open(j, '{');
    json_member_number(j, "started", l->started);
    json_member_number(j, "seen", l->seen);
    json_member_number(j, "alerts", l->alerts);
    json_member_bool(j, "guard_lived", l->guard_lived);
    json_member_text(j, "engine", text_of(l->engine));
    json_member_text(j, "said", text_of(l->said));
    json_close(j, '}');
}

static void report_json(const struct drill_report *r, struct writer *out)
{
    struct json j = json_over(out);
    json_open(&j, '{');
    json_member_text(&j, "drill", TEXT("channel-291"));
    json_member_bool(&j, "passed", r->passed);
    json_member_number(&j, "ms", (int64_t)(r->seconds * 1000));
    json_key(&j, "tries");
    json_open(&j, '[');
    for (size_t i = 0; i < r->count; i++) {
        const struct drill_try *t = &r->tries[i];
        json_open(&j, '{');
        json_member_number(&j, "variant", t->variant);
        json_member_text(&j, "name", text_of(variants[t->variant]));
        json_member_text(&j, "what", text_of(t->what));
        json_member_text(&j, "gate", text_of(gate_names[t->gate]));
        json_member_text(&j, "earliest", text_of(gate_names[t->wanted]));
        json_member_text(&j, "why", text_of(t->why));
        json_member_number(&j, "us", (int64_t)(t->ms * 1000));
        if (t->live) {
            live_json(&j, t->live);
        }
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_key(&j, "left_out");
    json_open(&j, '[');
    for (size_t i = 0; i < 2; i++) {
        if (r->left_out[i]) {
            json_text(&j, text_of(r->left_out[i]));
        }
    }
    json_close(&j, ']');
    json_close(&j, '}');
    writer_bytes(out, TEXT("\n"));
}

/* ── words ── */

static void live_words(struct term *t, const struct drill_live *l)
{
    term_print(t, STYLE_DIM, "       machine  ");
    term_print(t, l->seen == l->started && l->guard_lived ? STYLE_GREEN : STYLE_ALARM,
               "%u of %u programs seen, guard %s", l->seen, l->started,
               l->guard_lived ? "never ended" : "ended");
    term_print(t, STYLE_PLAIN, "\n");
    if (l->seen == 0 && l->started > 0) {
        term_print(t, STYLE_YELLOW,
                   "                the drill could not see its own programs here: run it on the "
                   "machine itself\n");
    }
    term_print(t, STYLE_DIM, "       engine   ");
    term_quote(t, STYLE_PLAIN, text_of(l->engine), DRILL_SAID);
    if (l->alerts) {
        term_print(t, STYLE_PLAIN, "; the content before is active again: %u alerts\n", l->alerts);
    } else if (text_starts(text_of(l->engine), TEXT("running"))) {
        term_print(t, STYLE_PLAIN, ", with the other rules\n");
    } else {
        term_print(t, STYLE_PLAIN, "; it stays off until there is other content\n");
    }
}

/* Guard lived, but told of none of the programs that were run: that shows nothing about the fault.
 */
static bool unseen(const struct drill_try *t)
{
    return t->live && t->live->guard_lived && t->live->started > 0 && t->live->seen == 0;
}

static void try_words(struct term *t, const struct drill_try *try)
{
    bool good = try->gate == try->wanted;
    term_print(t, STYLE_PLAIN, "     ");
    term_print(t, good ? STYLE_GREEN : STYLE_ALARM, "%s", good ? "✓" : "✗");
    term_print(t, STYLE_PLAIN, " %s\n", try->what);
    term_print(t, STYLE_DIM, "       stopped  ");
    term_print(t, STYLE_BOLD, "%s", unseen(try) ? "not known" : gate_names[try->gate]);
    term_print(t, STYLE_DIM, "  %.1f ms  ", try->ms);
    term_print(t, STYLE_DIM, "%s\n", unseen(try) ? "" : gate_words[try->gate]);
    if (try->why[0]) {
        term_print(t, STYLE_DIM, "       said     ");
        term_quote(t, STYLE_PLAIN, text_of(try->why), DRILL_WHY);
        term_print(t, STYLE_PLAIN, "\n");
    }
    if (try->live) {
        live_words(t, try->live);
    }
}

static bool is_blind(const struct drill_report *r)
{
    bool blind = false;
    for (size_t i = 0; i < r->count; i++) {
        if (!unseen(&r->tries[i]) && r->tries[i].gate != r->tries[i].wanted) {
            return false;
        }
        blind = blind || unseen(&r->tries[i]);
    }
    return blind;
}

static void report_words(const struct drill_report *r, struct term *t)
{
    term_print(t, STYLE_BOLD, "Drill channel-291\n\n");
    writer_bytes(t->out, text_of(story));
    for (unsigned variant = 1; variant <= 7; variant++) {
        unsigned shown = variant % 7; /* the control comes last */
        bool titled = false;
        for (size_t i = 0; i < r->count; i++) {
            if (r->tries[i].variant != shown) {
                continue;
            }
            if (!titled) {
                term_print(t, STYLE_BOLD, "\n  %u  %s\n", variant, variants[shown]);
                titled = true;
            }
            try_words(t, &r->tries[i]);
        }
    }
    writer_bytes(t->out, TEXT("\n"));
    for (size_t i = 0; i < 2; i++) {
        if (r->left_out[i]) {
            term_print(t, STYLE_YELLOW, "Left out: %s.\n", r->left_out[i]);
        }
    }
    term_print(t, r->passed ? STYLE_GREEN : STYLE_ALARM, "%s",
               r->passed     ? "Every fault was stopped where it can be first"
               : is_blind(r) ? "Not all was shown: the drill could not see its own programs here"
                             : "Something came through");
    term_print(t, STYLE_PLAIN, ", %.1f s.\n", r->seconds);
}

void drill_report_print(const struct drill_report *report, bool json)
{
    static char room[REPORT_ROOM];
    struct writer out = writer_over(room, sizeof room);
    struct term term = {.out = &out, .colour = !json && term_wants_colour(stdout)};
    if (json) {
        report_json(report, &out);
    } else {
        report_words(report, &term);
    }
    fwrite(room, 1, out.used, stdout);
}
