/*
 * pack: the compiled content, as bytes that are mapped and used in place.
 *
 * docs/formats/pack.md gives the bytes. pack_open() is the verifier: after it accepted a pack,
 * nothing that reads it can leave its bytes, loop, or exceed the cost that is then known. The bytes
 * must stay, and must not change: map them from a sealed descriptor, or copy them first.
 */
#pragma once

#include "base/status.h"
#include "content/pack/load.h"
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
    X(NUMBERS, numbers, 8)                                                                         \
    X(PREDICATES, predicates, 8)                                                                   \
    X(NODES, nodes, 8)                                                                             \
    X(RULES, rules, 64)                                                                            \
    X(ATOMS, atoms, 8)                                                                             \
    X(TRIGGERS, triggers, 8)                                                                       \
    X(ALWAYS, always, 4)                                                                           \
    X(FILTERS, filters, 24)                                                                        \
    X(FILTER_WORDS, filter_words, 8)                                                               \
    X(FILTER_BUCKETS, filter_buckets, 4)                                                           \
    X(FILTER_ENTRIES, filter_entries, 8)                                                           \
    X(CORRELATION_FIELDS, correlation_fields, 1)                                                   \
    X(CORRELATION_CONDITIONS, correlation_conditions, 16)                                          \
    X(CORRELATION_REFERENCES, correlation_references, 8)                                           \
    X(CORRELATIONS, correlations, 24)                                                              \
    X(INDICATOR_ENDS, indicator_ends, 4)                                                           \
    X(INDICATOR_BYTES, indicator_bytes, 1)                                                         \
    X(VECTORS, vectors, 16)                                                                        \
    X(VECTOR_BYTES, vector_bytes, 1)                                                               \
    X(PROBES, probes, 8)                                                                           \
    X(YARA, yara, 8)                                                                               \
    X(YARA_SOURCES, yara_sources, 1)

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

    uint64_t types;               /* of events that any rule asks for */
    uint64_t cost[EVENT_COUNT];   /* the most steps that are taken for one event of this type */
    uint64_t demand[EVENT_COUNT]; /* what the worst event would need: where it is more than the
                                     cost, such an event is not decided in full, and that is told */
    uint64_t windows_cost[EVENT_COUNT]; /* what correlations add at most: reached by an event that
                                           comes late into full windows, or is all they ask for */
};

/* Why a pack was refused: all are literals but the index. */
struct pack_fault {
    const char *section;
    size_t index; /* of the item, or PACK_WHOLE */
    const char *what;
    const char *field; /* that it is about, or NULL */
};

#define PACK_WHOLE SIZE_MAX

/* "predicates[12]: the field is not in the schema". Returns `out`, terminated. */
const char *pack_fault_text(const struct pack_fault *fault, char *out, size_t out_size);

/* What a pack may cost, in steps: about a nanosecond each (predicate.h). What one event takes is
 * cut at `event`: only an event made for it comes so far, 32 KiB of what the rules look for, and
 * the rules that were not decided then are told (matcher_undecided()). Looking alone, without
 * finding anything, has to fit into the share of scanning. Correlations have a budget of their own,
 * or an event made for the one would keep the other from deciding.
 */
struct pack_limits {
    uint64_t event;
    uint64_t correlations; /* of one event, on top of `event` */
    size_t windows;        /* bytes that the windows of all correlations have */
    uint64_t proof;        /* bytes to look at to prove predicates and atoms */
};

enum { PACK_EVENT_COST = 1000000 /* a millisecond: a storm of such events is 1,000 a second */ };

/* Another millisecond. It reaches for an event that is late by 5,000 others of its group, and for
 * one in order that 1,000 correlations count. */
enum { PACK_CORRELATION_COST = 1000000 };

/* Of an event's budget: 64 KiB, looked at four times, two nanoseconds a byte, take 0.55 ms. */
#define PACK_SCAN_SHARE(budget) ((budget) / 4 * 3)

/* Reserved when a pack with correlations starts: some 120,000 events in windows, or 10,000 for each
 * of a dozen correlations. */
enum { PACK_WINDOW_MEMORY = 16 << 20 };

/* A second or a few. Predicates may share one text and atoms one automaton, each of which is looked
 * at for all of them: the proof of 64 MiB could take hours. */
#define PACK_PROOF_BYTES (1ULL << 32)

#define PACK_LIMITS                                                                                \
    ((struct pack_limits){.event = PACK_EVENT_COST,                                                \
                          .correlations = PACK_CORRELATION_COST,                                   \
                          .windows = PACK_WINDOW_MEMORY,                                           \
                          .proof = PACK_PROOF_BYTES})

/* Proves all of `bytes` and opens it. INVALID, BOUNDS, LIMIT or VERSION: `fault` says what; MEMORY.
 */
struct status pack_open(struct text bytes, struct pack *out, struct pack_fault *fault);
struct status pack_open_within(struct text bytes, struct pack_limits limits, struct pack *out,
                               struct pack_fault *fault);

/* Are the counts and the hash in the header those of this schema? At least PACK_HEADER bytes. */
bool pack_has_schema(const struct pack *pack);

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

static inline size_t pack_count(const struct pack *pack, enum pack_section section)
{
    return pack->sections[section].count;
}

/* The bytes of an item, for those who read a section of their own. */
static inline const char *pack_item(const struct pack *pack, enum pack_section section,
                                    size_t index)
{
    static const size_t sizes[PACK_SECTION_COUNT] = {
#define PACK_ITEM_SIZE(ID, name, size) [PACK_##ID] = (size),
        PACK_SECTIONS(PACK_ITEM_SIZE)
#undef PACK_ITEM_SIZE
    };
    ENSURE(index < pack->sections[section].count);
    return pack->sections[section].at + index * sizes[section];
}

/* Item `index` of the bytes that a table of ends divides. Clamped, so that even a pack that
 * somebody changes after it was opened is not left. */
static inline struct text pack_divided(const struct pack *pack, enum pack_section ends,
                                       enum pack_section bytes, uint32_t index)
{
    if (index >= pack->sections[ends].count) {
        return TEXT("");
    }
    const char *at = pack->sections[ends].at + (size_t)index * 4;
    size_t all = pack->sections[bytes].count;
    size_t to = load_u32(at);
    size_t from = index ? load_u32(at - 4) : 0;
    to = to < all ? to : all;
    from = from < to ? from : to;
    return (struct text){.ptr = pack->sections[bytes].at + from, .len = to - from};
}

/* A literal that a predicate's value has to hold (atom.h). */
struct pack_atom {
    uint32_t predicate;
    uint32_t literal; /* the number of its text */
    unsigned anchor;  /* enum anchor */
    bool exact;
};

/* How an atom is written: its literal, then this in one word; the highest bit is 0. */
enum {
    PACK_ATOM_PREDICATE = (1 << 28) - 1, /* mask: a pack has no room for more */
    PACK_ATOM_ANCHOR = 28,               /* shift of two bits */
    PACK_ATOM_EXACT = 30,                /* shift of one */
};

/* A rule whose program runs if the atom was found. */
struct pack_trigger {
    uint32_t atom;
    uint32_t rule;
};

/* A text, automaton or list of indicators by its number; empty for PACK_NONE. */
static inline struct text pack_text(const struct pack *pack, uint32_t number)
{
    return pack_divided(pack, PACK_TEXT_ENDS, PACK_TEXT_BYTES, number);
}

struct text pack_automaton(const struct pack *pack, uint32_t number);
struct text pack_list(const struct pack *pack, uint32_t number);

struct pack_rule pack_rule(const struct pack *pack, size_t index);

/* pack_rule().silent alone. */
bool pack_rule_silent(const struct pack *pack, size_t index);
struct predicate pack_predicate(const struct pack *pack, size_t index);

/* One text of a rule, in the order in which they are written. */
enum pack_rule_text {
    PACK_RULE_ID,
    PACK_RULE_TITLE,
    PACK_RULE_AUTHOR,
    PACK_RULE_LEVEL,
    PACK_RULE_STATUS,
    PACK_RULE_DESCRIPTION,
    PACK_RULE_TAGS,
    PACK_RULE_FILE,
    PACK_RULE_PRODUCT,
    PACK_RULE_SERVICE,
    PACK_RULE_CATEGORY,
    PACK_RULE_TEXT_COUNT
};

static inline struct text pack_rule_text(const struct pack *pack, size_t index,
                                         enum pack_rule_text which)
{
    return pack_text(pack, load_u32(pack_item(pack, PACK_RULES, index) + 16 + which * 4));
}

/* What a rule runs, without its texts. */
struct pack_program {
    uint64_t types;
    uint32_t first_node;
    uint32_t node_count;
};

static inline struct pack_program pack_program(const struct pack *pack, size_t index)
{
    const char *at = pack_item(pack, PACK_RULES, index);
    return (struct pack_program){
        .types = load_u64(at), .first_node = load_u32(at + 8), .node_count = load_u32(at + 12)};
}

static inline struct pack_node pack_node(const struct pack *pack, size_t index)
{
    const char *at = pack_item(pack, PACK_NODES, index);
    return (struct pack_node){
        .predicate = load_u32(at), .on_true = load_u16(at + 4), .on_false = load_u16(at + 6)};
}

static inline struct pack_atom pack_atom(const struct pack *pack, size_t index)
{
    const char *at = pack_item(pack, PACK_ATOMS, index);
    uint32_t word = load_u32(at + 4);
    return (struct pack_atom){.predicate = word & PACK_ATOM_PREDICATE,
                              .literal = load_u32(at),
                              .anchor = word >> PACK_ATOM_ANCHOR & 3,
                              .exact = word >> PACK_ATOM_EXACT & 1};
}

static inline struct pack_trigger pack_trigger(const struct pack *pack, size_t index)
{
    const char *at = pack_item(pack, PACK_TRIGGERS, index);
    return (struct pack_trigger){.atom = load_u32(at), .rule = load_u32(at + 4)};
}

/* The number of a rule that always runs. */
uint32_t pack_always(const struct pack *pack, size_t index);

/* A field as packs write it; FIELD_COUNT is every field. */
static inline enum field pack_field(char byte)
{
    unsigned field = (unsigned char)byte;
    return (enum field)(field == PACK_ANY_FIELD ? FIELD_COUNT : field);
}

static inline enum field pack_predicate_field(const struct pack *pack, size_t index)
{
    return pack_field(pack_item(pack, PACK_PREDICATES, index)[2]);
}

/* A file of YARA rules. Nothing here compiled it. */
struct pack_yara {
    struct text file; /* its name: where it was read from, and the namespace of its rules */
    struct text source;
};

struct pack_yara pack_yara(const struct pack *pack, size_t index);

/* "alert", "block" …; ACTION_COUNT where there is no such action. */
const char *action_name(enum action action);
enum action action_by_name(struct text name);

/* The order in which rules stand: that of their ids' bytes. Like memcmp(). */
int pack_id_order(struct text a, struct text b);

/* The rule with this id, or SIZE_MAX. */
size_t pack_find(const struct pack *pack, struct text id);

/* FNV-1a over the 64-bit words of a pack, in four lanes, its own place taken as zero. Finds damage,
 * not malice. */
uint64_t pack_checksum(struct text bytes);
