/*
 * pack_open(): the proof. Sections are proven in the order of the file, each with nothing but what
 * was proven before it, and read by the functions that the interpreter reads with. What has two
 * forms is refused in all but one, and so is what nothing refers to: no byte of a pack is without
 * meaning. (That equal texts are stored once, in the order in which they are used, is left to the
 * builder: to compare them all would take longer than it is worth, and they are read the same.)
 */
#include "content/pack/verify.h"

#include "base/bytes.h"
#include "base/heap.h"
#include "content/match/automaton.h"
#include "content/match/predicate.h"
#include "content/pack/load.h"
#include "content/pack/yara.h"

static const struct {
    const char *name;
    uint32_t item_size;
} sections[PACK_SECTION_COUNT] = {

#define SECTION_ROW(ID, name, size) [PACK_##ID] = {#name, size},
    PACK_SECTIONS(SECTION_ROW)
#undef SECTION_ROW
};

static void note(struct check *c, const char *section, size_t index, const char *what)
{
    *c->fault = (struct pack_fault){.section = section, .index = index, .what = what};
}

struct status check_refuse(struct check *c, enum pack_section section, size_t index,
                           const char *what)
{
    note(c, sections[section].name, index, what);
    FAIL(INVALID);
}

struct status check_exceeds(struct check *c, enum pack_section section, size_t index,
                            const char *what)
{
    note(c, sections[section].name, index, what);
    FAIL(LIMIT);
}

struct status check_work(struct check *c, enum pack_section section, size_t index, uint64_t bytes)
{
    c->work += bytes;
    return c->work <= c->limits.proof
               ? OK
               : check_exceeds(c, section, index, "to prove all up to it takes too long");
}

struct status check_no_memory(struct check *c, enum pack_section section)
{
    note(c, sections[section].name, PACK_WHOLE, "there is no memory to check it");
    FAIL(MEMORY);
}

static struct status refuse_header(struct check *c, const char *what)
{
    note(c, "header", PACK_WHOLE, what);
    FAIL(INVALID);
}

/* ── header and section table ── */

static struct status check_schema(struct check *c, struct reader *r)
{
    uint16_t fields = reader_u16(r);
    uint16_t types = reader_u16(r);
    uint64_t size = reader_u64(r);
    uint64_t hash = reader_u64(r);
    if (fields != FIELD_COUNT || types != EVENT_COUNT || hash != schema_hash()) {
        note(c, "header", PACK_WHOLE,
             "the pack was built for another schema; build it again with this version");
        FAIL(VERSION);
    }
    return size == c->pack.bytes.len ? OK : refuse_header(c, "the pack was cut, or has grown");
}

static struct status check_header(struct check *c, struct reader *r)
{
    struct text bytes = c->pack.bytes;
    if (bytes.len < PACK_HEADER || bytes.len > PACK_SIZE_MAX || bytes.len % 8 != 0) {
        return refuse_header(c, "the size is no pack's");
    }
    if (!text_same(reader_bytes(r, 8), TEXT(PACK_MAGIC))) {
        return refuse_header(c, "this is not a pack");
    }
    if (reader_u32(r) != PACK_VERSION) {
        note(c, "header", PACK_WHOLE, "the pack has a format that this version does not know");
        FAIL(VERSION);
    }
    TRY(check_schema(c, r));
    if (reader_u64(r) != pack_checksum(bytes)) {
        return refuse_header(c, "the checksum is wrong: the pack is damaged");
    }
    bool known = reader_u64(r) == PACK_SECTION_COUNT;
    if (!known || reader_u64(r) != 0 || reader_u64(r) != 0) {
        return refuse_header(c, "the pack has sections that this version does not know");
    }
    return OK;
}

static bool is_zero(struct text t)
{
    for (size_t i = 0; i < t.len; i++) {
        if (t.ptr[i] != 0) {
            return false;
        }
    }
    return true;
}

/* Sections follow each other without holes but those that align them to 8 bytes: so they do not
 * overlap, and every byte belongs to one. */
static struct status check_sections(struct check *c, struct reader *r)
{
    struct text bytes = c->pack.bytes;
    size_t end = PACK_HEADER + PACK_SECTION_COUNT * PACK_SECTION;
    for (unsigned i = 0; i < PACK_SECTION_COUNT; i++) {
        enum pack_section section = (enum pack_section)i;
        uint32_t kind = reader_u32(r);
        uint32_t item_size = reader_u32(r);
        uint64_t offset = reader_u64(r);
        uint64_t count = reader_u64(r);
        size_t padding = -end % 8;
        if (r->bad || kind != i + 1 || item_size != sections[i].item_size) {
            return check_refuse(c, section, PACK_WHOLE, "its entry in the section table is wrong");
        }
        if (offset != end + padding || offset > bytes.len ||
            count > (bytes.len - offset) / item_size) {
            return check_refuse(c, section, PACK_WHOLE, "it does not lie where it should");
        }
        if (!is_zero(text_part(bytes, end, padding))) {
            return check_refuse(c, section, PACK_WHOLE, "the bytes before it are not zero");
        }
        c->pack.sections[i].at = bytes.ptr + offset;
        c->pack.sections[i].count = (size_t)count;
        end = (size_t)(offset + count * item_size);
    }
    bool whole = end + -end % 8 == bytes.len && is_zero(text_part(bytes, end, bytes.len));
    return whole ? OK : refuse_header(c, "bytes that belong to no section");
}

/* ── texts and automata ── */

struct status check_ends(struct check *c, enum pack_section ends, enum pack_section bytes,
                         size_t most, size_t align)
{
    size_t from = 0;
    size_t all = c->pack.sections[bytes].count;
    for (size_t i = 0; i < c->pack.sections[ends].count; i++) {
        size_t to = load_u32(c->pack.sections[ends].at + i * 4);
        if (to < from || to - from > most || to % align != 0) {
            return check_refuse(c, ends, i, "it ends where it cannot");
        }
        from = to;
    }
    return from == all ? OK : check_refuse(c, bytes, PACK_WHOLE, "bytes that belong to nothing");
}

/* All of them at once: they are one text, and each begins where a character does. */
static bool texts_are_utf8(const struct pack *pack)
{
    struct text all = {.ptr = pack->sections[PACK_TEXT_BYTES].at,
                       .len = pack_count(pack, PACK_TEXT_BYTES)};
    bool whole = text_is_utf8(all);
    for (size_t i = 0; whole && i < pack_count(pack, PACK_TEXT_ENDS); i++) {
        size_t end = load_u32(pack_item(pack, PACK_TEXT_ENDS, i));
        whole = end == all.len || ((unsigned char)all.ptr[end] & 0xc0) != 0x80;
    }
    return whole;
}

/* Where that is not so, which of them is to blame. */
static struct status check_texts(struct check *c)
{
    TRY(check_ends(c, PACK_TEXT_ENDS, PACK_TEXT_BYTES, PACK_TEXT_MAX, 1));
    if (texts_are_utf8(&c->pack)) {
        return OK;
    }
    for (size_t i = 0; i < pack_count(&c->pack, PACK_TEXT_ENDS); i++) {
        if (!text_is_utf8(pack_text(&c->pack, (uint32_t)i))) {
            return check_refuse(c, PACK_TEXT_ENDS, i, "the text is not UTF-8");
        }
    }
    return OK;
}

static struct status check_automata(struct check *c)
{
    TRY(check_ends(c, PACK_AUTOMATON_ENDS, PACK_AUTOMATON_BYTES, AUTOMATON_SIZE_MAX, 8));
    for (size_t i = 0; i < pack_count(&c->pack, PACK_AUTOMATON_ENDS); i++) {
        const char *wrong = automaton_check(pack_automaton(&c->pack, (uint32_t)i));
        if (wrong) {
            return check_refuse(c, PACK_AUTOMATON_ENDS, i, wrong);
        }
    }
    return OK;
}

/* ── predicates ── */

/* What pack_predicate() does not hand on: the operand and the flags' highest bit. */
static const char *check_bytes(const struct check *c, const char *at)
{
    unsigned kind = (unsigned char)at[0];
    uint32_t operand = load_u32(at + 4);
    if (kind >= PREDICATE_KIND_COUNT) {
        return "there is no such kind of predicate";
    }
    unsigned uses = predicate_info((enum predicate_kind)kind)->uses;
    if ((unsigned char)at[1] >= 0x80) {
        return "a bit that must be zero is not";
    }
    /* 255 is how "every field" and "none" are written; the number that stands for it here is no
     * field. */
    if ((unsigned char)at[2] == FIELD_COUNT || (unsigned char)at[3] == FIELD_COUNT) {
        return "the field is not in the schema";
    }
    size_t count = uses & USES_AUTOMATON ? pack_count(&c->pack, PACK_AUTOMATON_ENDS)
                   : uses & USES_LIST    ? pack_count(&c->pack, PACK_INDICATOR_ENDS)
                   : uses & USES_TEXT    ? pack_count(&c->pack, PACK_TEXT_ENDS)
                   : uses & USES_NUMBER  ? pack_count(&c->pack, PACK_NUMBERS)
                                         : 0;
    bool needed = uses & (USES_AUTOMATON | USES_LIST | USES_TEXT | USES_NUMBER);
    return operand < count || (!needed && operand == PACK_NONE) ? NULL : "its operand is not there";
}

/* The lists are not counted: they have names, and the scanner looks files up in them. */
static void note_operand(const struct check *c, const char *at)
{
    unsigned uses = predicate_info((enum predicate_kind)(unsigned char)at[0])->uses;
    uint32_t operand = load_u32(at + 4);
    if (uses & USES_AUTOMATON) {
        check_use(c, CHECK_AUTOMATA, operand);
    } else if (uses & USES_NUMBER) {
        check_use(c, CHECK_NUMBERS, operand);
    } else if (uses & USES_TEXT) {
        check_use(c, CHECK_TEXTS, operand);
    }
}

static struct status check_predicates(struct check *c)
{
    c->predicate_cost =
        heap_alloc(pack_count(&c->pack, PACK_PREDICATES), sizeof *c->predicate_cost);
    if (!c->predicate_cost) {
        return check_no_memory(c, PACK_PREDICATES);
    }
    for (size_t i = 0; i < pack_count(&c->pack, PACK_PREDICATES); i++) {
        const char *at = c->pack.sections[PACK_PREDICATES].at + i * 8;
        const char *wrong = check_bytes(c, at);
        if (!wrong) {
            struct predicate p = pack_predicate(&c->pack, i);
            note_operand(c, at);
            bool read = predicate_info(p.kind)->uses & USES_TEXT; /* the others were proven once */
            TRY(check_work(c, PACK_PREDICATES, i, read ? p.text.len : 0));
            wrong = predicate_check(&p);
            c->predicate_cost[i] = wrong ? 0 : predicate_cost(&p);
        }
        if (wrong) {
            return check_refuse(c, PACK_PREDICATES, i, wrong);
        }
    }
    return OK;
}

static struct status check_all(struct check *c)
{
    struct reader r = reader_over(c->pack.bytes.ptr, c->pack.bytes.len);
    TRY(check_header(c, &r));
    TRY(check_sections(c, &r));
    TRY(check_used_new(c));
    TRY(check_texts(c));
    TRY(check_automata(c));
    TRY(check_indicators(c));
    TRY(check_predicates(c));
    TRY(check_rules(c));
    TRY(check_predicates_differ(c));
    TRY(check_correlations(c));
    TRY(check_matcher(c));
    TRY(check_vectors(c));
    TRY(check_yara(c));
    return check_all_used(c);
}

struct status pack_open_within(struct text bytes, struct pack_limits limits, struct pack *out,
                               struct pack_fault *fault)
{
    struct check c = {.pack = {.bytes = bytes}, .limits = limits, .fault = fault};
    struct status s = check_all(&c);
    heap_free(c.predicate_cost);
    check_used_drop(&c);
    TRY(s);
    *out = c.pack;
    return OK;
}

struct status pack_open(struct text bytes, struct pack *out, struct pack_fault *fault)
{
    return pack_open_within(bytes, PACK_LIMITS, out, fault);
}
