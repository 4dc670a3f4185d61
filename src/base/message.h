/*
 * message: what the tables of messages have in common (wire/client.def, scan/talk.def). Each says
 * the fields of a message with U(bits, name, max) and TEXT(name, max); these are what to make of
 * them.
 *
 * Both sides hold a field to its bound: a writer FAILs, a reader goes bad.
 */
#pragma once

#include "base/bytes.h"

/* Members of a struct. */
#define MESSAGE_MEMBER_U(bits, name, max) uint##bits##_t name;
#define MESSAGE_MEMBER_TEXT(name, max) struct text name;

/* Statements of a function that writes `m` to `out`. */
#define MESSAGE_WRITE_U(bits, name, max)                                                           \
    if (m->name > (max)) {                                                                         \
        FAIL(LIMIT);                                                                               \
    }                                                                                              \
    writer_u##bits(out, m->name);
#define MESSAGE_WRITE_TEXT(name, max)                                                              \
    if (m->name.len > (max)) {                                                                     \
        FAIL(LIMIT);                                                                               \
    }                                                                                              \
    writer_text32(out, m->name);

/* Statements of a function that reads `m` from `r`. */
#define MESSAGE_READ_U(bits, name, max)                                                            \
    m->name = reader_u##bits(r);                                                                   \
    r->bad = r->bad || m->name > (max);
#define MESSAGE_READ_TEXT(name, max) m->name = reader_text32(r, max);
