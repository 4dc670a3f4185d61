/*
 * json: writes JSON (RFC 8259) into a bounded writer, without allocating. Reading is jansson's
 * work.
 *
 * Commas are placed by the writer. Bytes that are not UTF-8 become U+FFFD, as the receiving side
 * expects valid text.
 */
#pragma once

#include "base/bytes.h"

struct json {
    struct writer *out;
    bool comma; /* the next member needs one */
};

struct json json_over(struct writer *out);

void json_open(struct json *j, char bracket);  /* '{' or '[' */
void json_close(struct json *j, char bracket); /* '}' or ']' */

/* The name of the next member of an object; `name` is a literal of ours. */
void json_key(struct json *j, const char *name);

void json_text(struct json *j, struct text value);
void json_number(struct json *j, int64_t value);
void json_unsigned(struct json *j, uint64_t value);
void json_bool(struct json *j, bool value);
void json_nothing(struct json *j); /* null; jansson has the name json_null */

/* Key and value in one. */
void json_member_text(struct json *j, const char *name, struct text value);
void json_member_number(struct json *j, const char *name, int64_t value);
void json_member_bool(struct json *j, const char *name, bool value);
