#include "compile/modifier.h"

_Static_assert(MODIFIER_COUNT < 32, "sets of modifiers are 32-bit masks");

struct row {
    const char *name;
    uint32_t with;
    uint32_t after;
};

static const struct row rows[MODIFIER_COUNT] = {
#define MODIFIER_ROW(ID, name_, with_, after_)                                                     \
    [MODIFIER_##ID] = {.name = name_, .with = (with_) | M(EXPAND), .after = after_},
    MODIFIERS(MODIFIER_ROW)
#undef MODIFIER_ROW
};

const char *modifier_name(enum modifier modifier)
{
    ENSURE((unsigned)modifier < MODIFIER_COUNT);
    return rows[modifier].name;
}

uint32_t modifier_company(enum modifier modifier)
{
    ENSURE((unsigned)modifier < MODIFIER_COUNT);
    return rows[modifier].with;
}

static const char *first_name(uint32_t set)
{
    return rows[__builtin_ctz(set)].name;
}

static unsigned modifier_by_name(struct text name)
{
    unsigned i = 0;
    while (i < MODIFIER_COUNT && !text_same(name, text_of(rows[i].name))) {
        i++;
    }
    return i;
}

static struct status add(struct job *job, uint32_t line, struct text word, uint32_t *set)
{
    unsigned i = modifier_by_name(word);
    if (word.len == 0) {
        return job_refuse(job, REFUSAL_MODIFIER, line, "'|' is followed by no modifier");
    }
    if (i == MODIFIER_COUNT) {
        return job_refuse(job, REFUSAL_MODIFIER, line, "there is no modifier '%.*s'",
                          SHORT_ARGS(word));
    }
    if (*set >> i & 1) {
        return job_refuse(job, REFUSAL_MODIFIER, line, "the modifier '%s' stands here twice",
                          rows[i].name);
    }
    if (*set & ~rows[i].with) {
        return job_refuse(job, REFUSAL_MODIFIER, line, "'%s' means nothing together with '%s'",
                          rows[i].name, first_name(*set & ~rows[i].with));
    }
    if (*set & rows[i].after) {
        return job_refuse(job, REFUSAL_MODIFIER, line, "'%s' has to stand before '%s'",
                          rows[i].name, first_name(*set & rows[i].after));
    }
    if (1U << i & M_RE_FLAGS && !(*set & M(RE))) {
        return job_refuse(job, REFUSAL_MODIFIER, line, "'%s' has to stand after 're'",
                          rows[i].name);
    }
    *set |= 1U << i;
    return OK;
}

struct status modifier_read(struct job *job, const struct yaml_node *key, struct modified *out)
{
    struct text left = key->text;
    size_t bar = text_find_byte(left, '|');
    struct modified m = {.field = text_part(left, 0, bar)};
    while (bar != SIZE_MAX) {
        left = text_part(left, bar + 1, left.len);
        bar = text_find_byte(left, '|');
        TRY(add(job, key->line, text_part(left, 0, bar), &m.modifiers));
    }
    if (m.modifiers & M_UTF16 && !(m.modifiers & M_BASE64)) {
        return job_refuse(job, REFUSAL_MODIFIER, key->line,
                          "'%s' needs 'base64' or 'base64offset' after it: fields hold UTF-8",
                          first_name(m.modifiers & M_UTF16));
    }
    *out = m;
    return OK;
}
