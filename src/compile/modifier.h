/*
 * modifier: what stands after a field name: `CommandLine|base64offset|contains`.
 *
 * One table says which modifiers may stand together and in which order; the rest of the compiler
 * may then treat them as a set.
 */
#pragma once

#include "compile/job.h"

/* X(ID, name, may stand together with, may not stand after) */
#define MODIFIERS(X)                                                                               \
    X(CONTAINS, "contains", M_ON_TEXT | M(FIELDREF), 0)                                            \
    X(STARTSWITH, "startswith", M_ON_TEXT | M(FIELDREF), 0)                                        \
    X(ENDSWITH, "endswith", M_ON_TEXT | M(FIELDREF), 0)                                            \
    X(ALL, "all", M_ANY & ~M(EXISTS), 0)                                                           \
    X(NEQ, "neq", M_ANY & ~M(EXISTS), 0)                                                           \
    X(CASED, "cased", M_PLACE | M_ON_TEXT | M(FIELDREF), 0)                                        \
    X(WINDASH, "windash", M_PLACE | M_LOGIC | M(CASED), 0)                                         \
    X(WIDE, "wide", M_PLACE | M_BASE64 | M_LOGIC | M(CASED), M_PLACE | M_BASE64)                   \
    X(UTF16LE, "utf16le", M_PLACE | M_BASE64 | M_LOGIC | M(CASED), M_PLACE | M_BASE64)             \
    X(UTF16BE, "utf16be", M_PLACE | M_BASE64 | M_LOGIC | M(CASED), M_PLACE | M_BASE64)             \
    X(UTF16, "utf16", M_PLACE | M_BASE64 | M_LOGIC | M(CASED), M_PLACE | M_BASE64)                 \
    X(BASE64, "base64", M_PLACE | M_UTF16 | M_LOGIC | M(CASED), M_PLACE)                           \
    X(BASE64OFFSET, "base64offset", M_PLACE | M_UTF16 | M_LOGIC | M(CASED), M_PLACE)               \
    X(RE, "re", M_LOGIC | M_RE_FLAGS, M_ANY)                                                       \
    X(I, "i", M_LOGIC | M_RE_FLAGS | M(RE), 0)                                                     \
    X(M, "m", M_LOGIC | M_RE_FLAGS | M(RE), 0)                                                     \
    X(S, "s", M_LOGIC | M_RE_FLAGS | M(RE), 0)                                                     \
    X(CIDR, "cidr", M_LOGIC, 0)                                                                    \
    X(EXISTS, "exists", 0, 0)                                                                      \
    X(FIELDREF, "fieldref", M_PLACE | M_LOGIC | M(CASED), M_PLACE)                                 \
    X(GT, "gt", M_LOGIC | M_TIME, 0)                                                               \
    X(GTE, "gte", M_LOGIC | M_TIME, 0)                                                             \
    X(LT, "lt", M_LOGIC | M_TIME, 0)                                                               \
    X(LTE, "lte", M_LOGIC | M_TIME, 0)                                                             \
    X(MINUTE, "minute", M_LOGIC | M_COMPARE, M_COMPARE)                                            \
    X(HOUR, "hour", M_LOGIC | M_COMPARE, M_COMPARE)                                                \
    X(DAY, "day", M_LOGIC | M_COMPARE, M_COMPARE)                                                  \
    X(WEEK, "week", M_LOGIC | M_COMPARE, M_COMPARE)                                                \
    X(MONTH, "month", M_LOGIC | M_COMPARE, M_COMPARE)                                              \
    X(YEAR, "year", M_LOGIC | M_COMPARE, M_COMPARE)                                                \
    X(EXPAND, "expand", M_ANY, 0)

enum modifier {

#define MODIFIER_ENUM(ID, name, with, after) MODIFIER_##ID,
    MODIFIERS(MODIFIER_ENUM)
#undef MODIFIER_ENUM
        MODIFIER_COUNT
};

/* Sets of modifiers, a bit each. */
#define M(ID) (1U << MODIFIER_##ID)
#define M_ANY ((1U << MODIFIER_COUNT) - 1)
#define M_PLACE (M(CONTAINS) | M(STARTSWITH) | M(ENDSWITH))
#define M_LOGIC (M(ALL) | M(NEQ))
#define M_UTF16 (M(WIDE) | M(UTF16LE) | M(UTF16BE) | M(UTF16))
#define M_BASE64 (M(BASE64) | M(BASE64OFFSET))
#define M_ON_TEXT (M_LOGIC | M_UTF16 | M_BASE64 | M(CASED) | M(WINDASH))
#define M_RE_FLAGS (M(I) | M(M) | M(S))
#define M_COMPARE (M(GT) | M(GTE) | M(LT) | M(LTE))
#define M_TIME (M(MINUTE) | M(HOUR) | M(DAY) | M(WEEK) | M(MONTH) | M(YEAR))

/* "field|modifier|…" taken apart. */
struct modified {
    struct text field; /* empty: a keyword */
    uint32_t modifiers;
};

struct status modifier_read(struct job *job, const struct yaml_node *key, struct modified *out);

const char *modifier_name(enum modifier modifier);

/* The modifiers that may stand together with it. */
uint32_t modifier_company(enum modifier modifier);
