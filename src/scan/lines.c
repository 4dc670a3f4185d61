#include "scan/lines.h"

#include "base/cage.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"

#include <errno.h>
#include <unistd.h>

enum {
    LINE_MAX_BYTES =
        256 * 1024,   /* a path of 16 KiB, six bytes for each that is escaped, and room */
    FLAWS_MAX = 1000, /* warnings of a large collection; more are counted */
};

struct line {
    struct writer out;
    struct json json;
};

static struct line begin(const char *type)
{
    static uint8_t room[LINE_MAX_BYTES];
    struct line line = {.out = writer_over(room, sizeof room)};
    writer_bytes(&line.out, TEXT("{\"type\":\""));
    writer_bytes(&line.out, text_of(type));
    writer_bytes(&line.out, TEXT("\""));
    line.json.comma = true;
    return line;
}

/* The writer moved with the line. */
static struct json *json_of(struct line *line)
{
    line->json.out = &line->out;
    return &line->json;
}

static void end(struct lines *l, struct line *line)
{
    writer_bytes(&line->out, TEXT("}\n"));
    if (status_ok(writer_end(&line->out))) {
        l->broken = l->broken || !status_ok(file_write(l->fd, writer_text(&line->out)));
    }
}

static void put(struct line *line, const char *name, struct text value)
{
    if (value.len) {
        json_member_text(json_of(line), name, value);
    }
}

static void put_number(struct line *line, const char *name, uint64_t value)
{
    json_key(json_of(line), name);
    json_unsigned(json_of(line), value);
}

struct lines lines_begin(int fd)
{
    return (struct lines){.fd = fd, .started_ns = clock_boot_ns()};
}

void lines_match(struct lines *l, const char *path, struct text sha256,
                 const struct talk_match *match)
{
    struct line line = begin("match");
    l->matches++;
    put(&line, "path", text_of(path));
    put(&line, "sha256", sha256);
    put(&line, "kind", match->indicator ? TEXT("indicator") : TEXT("yara"));
    put(&line, "rule", match->name);
    put(&line, "file", match->file);
    put(&line, "author", match->author);
    put(&line, "description", match->description);
    put(&line, "level", match->level);
    put(&line, "tags", match->tags);
    end(l, &line);
}

void lines_outcome(struct lines *l, const char *path, enum outcome outcome, struct text words)
{
    l->outcomes[outcome]++;
    if (outcome == OUTCOME_SCANNED) {
        l->files++;
        return;
    }
    /* Folders are full of these; they are counted. */
    if (outcome == OUTCOME_LINK || outcome == OUTCOME_NO_FILE) {
        return;
    }
    struct line line = begin(outcome_skipped(outcome) ? "skipped" : "failed");
    put(&line, "path", text_of(path));
    put(&line, "reason", text_of(outcome_name(outcome)));
    put(&line, "words", text_of(outcome_words(outcome)));
    put(&line, "detail", words);
    end(l, &line);
}

void lines_culprit(struct lines *l, const char *path, enum outcome outcome,
                   const struct talk_named *rule, bool off)
{
    struct line line = begin("rule_failed");
    l->culprits++;
    put(&line, "path", text_of(path));
    put(&line, "reason", text_of(outcome_name(outcome)));
    put(&line, "rule", rule->name);
    put(&line, "file", rule->file);
    json_member_bool(json_of(&line), "off", off);
    end(l, &line);
}

void lines_flaw(struct lines *l, const struct talk_flaw *flaw)
{
    l->errors += !flaw->warning;
    if (++l->flaws > FLAWS_MAX) {
        return;
    }
    struct line line = begin(flaw->warning ? "warning" : "error");
    put(&line, "file", flaw->file);
    put_number(&line, "line", flaw->line);
    put(&line, "words", flaw->words);
    end(l, &line);
}

void lines_ready(struct lines *l, const struct talk_ready *ready)
{
    char words[160];
    struct line line = begin("ready");
    l->rules = ready->rules;
    l->lists = ready->lists;
    l->refused = ready->refused;
    put_number(&line, "rules", ready->rules);
    put_number(&line, "hash_lists", ready->lists);
    put_number(&line, "refused", ready->refused);
    put(&line, "cage_lacks", text_of(cage_missing(ready->missing, words, sizeof words)));
    end(l, &line);
}

static void put_counts(struct lines *l, struct line *line)
{
    put_number(line, "files", l->files);
    put_number(line, "folders", l->folders);
    put_number(line, "bytes", l->bytes);
    put_number(line, "matches", l->matches);
    put_number(line, "ms", (clock_boot_ns() - l->started_ns) / CLOCK_NS_PER_MS);
}

void lines_progress(struct lines *l, const char *path)
{
    struct line line = begin("progress");
    put_counts(l, &line);
    put(&line, "path", text_of(path));
    end(l, &line);
}

static void put_outcomes(struct lines *l, struct line *line, const char *name, bool skipped)
{
    json_key(json_of(line), name);
    json_open(json_of(line), '{');
    for (unsigned i = 0; i < OUTCOME_COUNT; i++) {
        enum outcome outcome = (enum outcome)i;
        if (outcome != OUTCOME_SCANNED && outcome_skipped(outcome) == skipped && l->outcomes[i]) {
            put_number(line, outcome_name(outcome), l->outcomes[i]);
        }
    }
    json_close(json_of(line), '}');
}

void lines_summary(struct lines *l)
{
    struct line line = begin("summary");
    put_counts(l, &line);
    put_outcomes(l, &line, "skipped", true);
    put_outcomes(l, &line, "failed", false);
    put_number(&line, "rules", l->rules);
    put_number(&line, "hash_lists", l->lists);
    put_number(&line, "rule_files_refused", l->refused);
    put_number(&line, "rule_errors", l->errors);
    put_number(&line, "rules_failed", l->culprits);
    end(l, &line);
}
