/*
 * pack: the compiled content, as bytes that are mapped and used in place.
 *
 * docs/formats/pack.md gives the bytes. pack_open() is the verifier: after it accepted a pack,
 * nothing that reads it can leave its bytes, loop, or exceed the cost that is then known. The bytes
 * must stay, and must not change: map them from a sealed descriptor, or copy them first.
 */
#pragma once

#include "content/rule.h"

enum {
    PACK_VERSION = 2,
    PACK_SIZE_MAX = 64 << 20, /* 10,000 Sigma rules are about 10 MiB */
    PACK_RULES_MAX = 65536,   /* a bound for tables; public collections have 4,000 */
    PACK_TEXT_MAX = 65536,    /* bytes of one text; descriptions are the longest */
    PACK_HEADER = 64,         /* bytes; then, in each entry of the section table: */
    PACK_SECTION = 24,
    PACK_CHECKSUM_AT = 32,
    PACK_ANY_FIELD = 255, /* a predicate's field: every field */
    PACK_NO_FIELD = 255,  /* its second field: none */
};

#define PACK_MAGIC "BHPACK\x1a\n" /* the two last bytes show what was copied as text */
#define PACK_NONE UINT32_MAX      /* "no text" */

/* Every section, in the order of the file: its name and the bytes of one item. All must be there,
 * empty or not. */
#define PACK_SECTIONS(X)                                                                           \
    X(TEXT_ENDS, text_ends, 4)                                                                     \
    X(TEXT_BYTES, text_bytes, 1)                                                                   \
    X(AUTOMATON_ENDS, automaton_ends, 4)                                                           \
    X(AUTOMATON_BYTES, automaton_bytes, 1)                                                         \
    X(PREDICATES, predicates, 24)                                                                  \
    X(NODES, nodes, 8)                                                                             \
    X(RULES, rules, 64)

enum pack_section {

#define PACK_SECTION_ENUM(ID, name, size) PACK_##ID,
    PACK_SECTIONS(PACK_SECTION_ENUM)
#undef PACK_SECTION_ENUM
        PACK_SECTION_COUNT
};

/* An open pack. Read it through the functions below. */
struct pack {
    struct text bytes;

    struct {
        const char *at;
        size_t count;
    } sections[PACK_SECTION_COUNT];

    uint64_t types;             /* of events that any rule asks for */
    uint64_t cost[EVENT_COUNT]; /* the most steps for one event of this type */
};

/* Why a pack was refused: all are literals but the index. */
struct pack_fault {
    const char *section;
    size_t index; /* of the item, or PACK_WHOLE */
    const char *what;
};

#define PACK_WHOLE SIZE_MAX

/* "predicates[12]: the field is not in the schema". Returns `out`, terminated. */
const char *pack_fault_text(const struct pack_fault *fault, char *out, size_t out_size);

/* What a pack may cost, in steps: about a nanosecond each (predicate.h). */
struct pack_limits {
    uint64_t rule;  /* the costliest path of one rule */
    uint64_t event; /* all rules together, for one event */
};

/* Sums of worst cases, each with the longest value made for it. The rules that come with the
 * product have 32 ms an event, the public Linux rules 234 ms (179 of them one rule's), the public
 * Windows rules 1.44 s: so much has to be permitted while rules run one after another. One such
 * event is far from HANG_S in guard/guard.h; many in a row are not, as the client library looks at
 * the clock once in 1,024 events.
 */
enum { PACK_RULE_COST = 200000000, PACK_EVENT_COST = 1500000000 };

#define PACK_LIMITS ((struct pack_limits){.rule = PACK_RULE_COST, .event = PACK_EVENT_COST})

/* Proves all of `bytes` and opens it. INVALID, BOUNDS, LIMIT or VERSION: `fault` says what; MEMORY.
 */
struct status pack_open(struct text bytes, struct pack *out, struct pack_fault *fault);
struct status pack_open_within(struct text bytes, struct pack_limits limits, struct pack *out,
                               struct pack_fault *fault);

/* ── what is in an open pack; indexes must be below the counts ── */

struct pack_rule {
    struct text id, title, author, level, status, description, tags, file;
    struct text product, service, category;
    uint64_t types;
    uint32_t first_node;
    uint32_t node_count;
    enum action action;
    bool silent;
};

struct pack_node {
    uint32_t predicate; /* of the pack */
    uint16_t on_true;   /* as in rule.h: relative to the rule's first node */
    uint16_t on_false;
};

/* A text or automaton by its number; empty for PACK_NONE. */
struct text pack_text(const struct pack *pack, uint32_t number);
struct text pack_automaton(const struct pack *pack, uint32_t number);

size_t pack_count(const struct pack *pack, enum pack_section section);
struct pack_rule pack_rule(const struct pack *pack, size_t index);
struct pack_node pack_node(const struct pack *pack, size_t index);
struct predicate pack_predicate(const struct pack *pack, size_t index);

/* "alert", "block" …; ACTION_COUNT where there is no such action. */
const char *action_name(enum action action);
enum action action_by_name(struct text name);

/* The order in which rules stand: that of their ids' bytes. Like memcmp(). */
int pack_id_order(struct text a, struct text b);

/* The rule with this id, or SIZE_MAX. */
size_t pack_find(const struct pack *pack, struct text id);

/* FNV-1a over the 64-bit words of a pack, its own place taken as zero. Finds damage, not malice. */
uint64_t pack_checksum(struct text bytes);
