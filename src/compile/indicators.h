/*
 * indicators: the text of a list of indicators -> lists and rules as packs hold them.
 *
 * Plain lists, CSV and STIX 2.1; docs/formats/indicators.md says what is read and how. Pure: no
 * file is opened here, and the time is an argument. An entry that cannot be used is told with line,
 * class and words, and does not stop the others.
 */
#pragma once

#include "compile/job.h"
#include "content/indicator/indicator_build.h"
#include "content/rule.h"

enum {
    INDICATORS_BYTES_MAX = 512 << 20, /* of a file: a million rows of CSV with comments are 200 */
    INDICATORS_VALUE_MAX = 8192,      /* bytes of one entry: a path in hex digits, and room */
    INDICATORS_ROW_MAX = 65536,       /* bytes of a row of CSV: descriptions are in them */
    INDICATORS_COLUMNS_MAX = 64,      /* MISP has 20 */
    INDICATORS_OBJECT_MAX = 4 << 20,  /* bytes of a STIX object: patterns of 10,000 addresses */
    INDICATORS_DEPTH_MAX = 32,        /* nesting in a STIX bundle: extensions need 6 */
    INDICATORS_TERMS_MAX = 32768,     /* comparisons of one pattern */
    INDICATORS_CHAIN_MAX = 16,        /* of them joined by AND */
    INDICATORS_META_MAX = 1024,       /* bytes of title, author … */
};

enum indicators_format { INDICATORS_LINES, INDICATORS_CSV, INDICATORS_STIX };

/* By the file's name: .csv, .json and .stix; anything else is a plain list. */
enum indicators_format indicators_format_of(struct text path);

/* What an entry is said to be. */
enum indicators_expected {
    EXPECTED_ANY,
    EXPECTED_HASH,
    EXPECTED_ADDRESS,
    EXPECTED_DOMAIN,
    EXPECTED_URL,
    EXPECTED_PATH,
    EXPECTED_NOTHING, /* a type that no event carries */
};

/* What became of the entries. */
struct indicators_counts {
    size_t taken;   /* before those that came twice are left out */
    size_t refused; /* malformed, or so wide that they would match everywhere */
    size_t skipped; /* well-formed, and nothing for a list: another type, expired, revoked */
    size_t widened; /* URLs, of which only the host is looked up */
};

struct indicators {
    struct arena *arena; /* of lists and rules */
    struct text file;    /* as the user named it */
    struct text now;     /* RFC 3339, UTC; empty: nothing is expired */
    void *context;
    void (*on_refusal)(void *context, const struct refusal *refusal, bool skipped);

    /* filled in while reading */
    struct text name; /* of the list: the file's, without folders and endings */
    struct text title, author, level, source, tags;
    struct indicator_set sets[INDICATOR_KIND_COUNT];
    struct indicators_counts counts;
    char room[INDICATORS_VALUE_MAX]; /* of the entry that is read */
};

/* What a file becomes. Rules ask for the lists by their slices. */
enum { INDICATORS_RULES_MAX = 5 };

struct indicators_result {
    struct text lists[INDICATOR_KIND_COUNT];
    size_t list_count;
    struct rule rules[INDICATORS_RULES_MAX];
    size_t rule_count;
};

/* Reads a whole file. `arena`, `file`, `now`, `context` and `on_refusal` are given. MEMORY; LIMIT:
 * more entries than a list holds. */
struct status indicators_read(struct indicators *in, enum indicators_format format,
                              struct text bytes);

/* Lists and rules of what was read; none where nothing was taken. LIMIT, MEMORY. */
struct status indicators_finish(struct indicators *in, struct indicators_result *out);

/* ── for the readers of the formats ── */

/* Tells why an entry is not used, and counts it. */
void indicators_refuse(struct indicators *in, enum refusal_class class, uint32_t line,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));
void indicators_skip(struct indicators *in, uint32_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* One entry as somebody wrote it: "hxxp://evil[.]example/x", "10.0.0.0/8", "1.2.3.4:80". Adds a key
 * or tells why not. */
struct status indicators_value(struct indicators *in, uint32_t line, struct text value,
                               enum indicators_expected expected);

/* A line "key: value" of a comment at the head of a file; others are comments and nothing else. */
struct status indicators_meta(struct indicators *in, uint32_t line, struct text comment);

struct status indicators_read_lines(struct indicators *in, struct text bytes);
struct status indicators_read_csv(struct indicators *in, struct text bytes);
struct status indicators_read_stix(struct indicators *in, struct text bytes);

/* A STIX pattern, as it stands in an indicator at `line`. */
struct status indicators_pattern(struct indicators *in, uint32_t line, struct text pattern);
