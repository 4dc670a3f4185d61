#include "content/pack/pack.h"

#include "base/status.h"
#include "content/pack/load.h"

#include <stdio.h>

enum { FLAG_CASED = 1, FLAG_SILENT = 1 };

enum { LANES = 4 };

_Static_assert(PACK_CHECKSUM_AT % (LANES * 8) == 0, "its own word is in the first lane");

#define FNV_START 0xcbf29ce484222325ULL
#define FNV_PRIME 0x100000001b3ULL

static const char *const action_names[ACTION_COUNT] = {
#define ACTION_NAME(ID, name) [ACTION_##ID] = (name),
    ACTIONS(ACTION_NAME)
#undef ACTION_NAME
};

uint64_t pack_checksum(struct text bytes)
{
    /* A multiplication waits for the one before it, but not for those of other lanes. */
    uint64_t lanes[LANES] = {FNV_START, FNV_START, FNV_START, FNV_START};
    uint64_t hash = FNV_START;
    size_t whole = bytes.len / (LANES * 8) * (LANES * 8);
    for (size_t i = 0; i < whole; i += LANES * 8) {
        uint64_t first = i == PACK_CHECKSUM_AT ? 0 : load_u64(bytes.ptr + i);
        lanes[0] = (lanes[0] ^ first) * FNV_PRIME;
        lanes[1] = (lanes[1] ^ load_u64(bytes.ptr + i + 8)) * FNV_PRIME;
        lanes[2] = (lanes[2] ^ load_u64(bytes.ptr + i + 16)) * FNV_PRIME;
        lanes[3] = (lanes[3] ^ load_u64(bytes.ptr + i + 24)) * FNV_PRIME;
    }
    for (size_t i = whole; i + 8 <= bytes.len; i += 8) {
        lanes[i / 8 % LANES] = (lanes[i / 8 % LANES] ^ load_u64(bytes.ptr + i)) * FNV_PRIME;
    }
    for (size_t lane = 0; lane < LANES; lane++) {
        hash = (hash ^ lanes[lane]) * FNV_PRIME;
    }
    return hash;
}

const char *pack_fault_text(const struct pack_fault *fault, char *out, size_t out_size)
{
    char index[32] = "";
    if (fault->index != PACK_WHOLE) {
        snprintf(index, sizeof index, "[%zu]", fault->index);
    }
    snprintf(out, out_size, "%s%s: %s%s%s", fault->section, index, fault->what,
             fault->field ? ": " : "", fault->field ? fault->field : "");
    return out;
}

bool pack_has_schema(const struct pack *pack)
{
    const char *header = pack->bytes.ptr;
    return pack->bytes.len >= PACK_HEADER && load_u16(header + 12) == FIELD_COUNT &&
           load_u16(header + 14) == EVENT_COUNT && load_u64(header + 24) == schema_hash();
}

struct text pack_automaton(const struct pack *pack, uint32_t number)
{
    return pack_divided(pack, PACK_AUTOMATON_ENDS, PACK_AUTOMATON_BYTES, number);
}

struct text pack_list(const struct pack *pack, uint32_t number)
{
    return pack_divided(pack, PACK_INDICATOR_ENDS, PACK_INDICATOR_BYTES, number);
}

static struct text text_at(const struct pack *pack, const char *at)
{
    return pack_text(pack, load_u32(at));
}

bool pack_rule_silent(const struct pack *pack, size_t index)
{
    return pack_item(pack, PACK_RULES, index)[61] & FLAG_SILENT;
}

struct pack_rule pack_rule(const struct pack *pack, size_t index)
{
    const char *at = pack_item(pack, PACK_RULES, index);
    struct pack_program program = pack_program(pack, index);
    return (struct pack_rule){
        .types = program.types,
        .first_node = program.first_node,
        .node_count = program.node_count,
        .id = text_at(pack, at + 16),
        .title = text_at(pack, at + 20),
        .author = text_at(pack, at + 24),
        .level = text_at(pack, at + 28),
        .status = text_at(pack, at + 32),
        .description = text_at(pack, at + 36),
        .tags = text_at(pack, at + 40),
        .file = text_at(pack, at + 44),
        .product = text_at(pack, at + 48),
        .service = text_at(pack, at + 52),
        .category = text_at(pack, at + 56),
        .action = (enum action)(unsigned char)at[60],
        .silent = pack_rule_silent(pack, index),
    };
}

_Static_assert((int)PACK_ANY_FIELD == (int)PACK_NO_FIELD, "both are FIELD_COUNT here");

/* The operand is the number of a text, of an automaton or of a number: its kind says which. */
struct predicate pack_predicate(const struct pack *pack, size_t index)
{
    const char *at = pack_item(pack, PACK_PREDICATES, index);
    enum predicate_kind kind = (enum predicate_kind)(unsigned char)at[0];
    unsigned flags = (unsigned char)at[1];
    uint32_t operand = load_u32(at + 4);
    bool number = PREDICATE_HAS_NUMBER(kind) && operand < pack_count(pack, PACK_NUMBERS);
    struct text text = kind == PREDICATE_REGEX      ? pack_automaton(pack, operand)
                       : kind == PREDICATE_LISTED   ? pack_list(pack, operand)
                       : PREDICATE_HAS_NUMBER(kind) ? TEXT("")
                                                    : pack_text(pack, operand);
    return (struct predicate){
        .kind = kind,
        .cased = flags & FLAG_CASED,
        .field = pack_field(at[2]),
        .other = pack_field(at[3]),
        .part = (enum time_part)(flags >> 1 & 7),
        .compare = (enum compare)(flags >> 4 & 7),
        .text = text,
        .number = number ? (int64_t)load_u64(pack_item(pack, PACK_NUMBERS, operand)) : 0};
}

uint32_t pack_always(const struct pack *pack, size_t index)
{
    return load_u32(pack_item(pack, PACK_ALWAYS, index));
}

const char *action_name(enum action action)
{
    ENSURE((unsigned)action < ACTION_COUNT);
    return action_names[action];
}

enum action action_by_name(struct text name)
{
    unsigned action = 0;
    while (action < ACTION_COUNT && !text_same(name, text_of(action_names[action]))) {
        action++;
    }
    return (enum action)action;
}

int pack_id_order(struct text a, struct text b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common ? memcmp(a.ptr, b.ptr, common) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

size_t pack_find(const struct pack *pack, struct text id)
{
    size_t low = 0;
    size_t high = pack_count(pack, PACK_RULES);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = pack_id_order(pack_rule_text(pack, middle, PACK_RULE_ID), id);
        if (order == 0) {
            return middle;
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return SIZE_MAX;
}
