#include "base/json.h"

struct json json_over(struct writer *out)
{
    return (struct json){.out = out};
}

static void json_item(struct json *j)
{
    if (j->comma) {
        writer_u8(j->out, ',');
    }
    j->comma = true;
}

void json_open(struct json *j, char bracket)
{
    json_item(j);
    writer_u8(j->out, (uint8_t)bracket);
    j->comma = false;
}

void json_close(struct json *j, char bracket)
{
    writer_u8(j->out, (uint8_t)bracket);
    j->comma = true;
}

/* Length of the well-formed UTF-8 sequence at the start of `t`, or 0. */
static size_t sequence_length(struct text t)
{
    for (size_t len = 1; len <= 4 && len <= t.len; len++) {
        if (text_is_utf8(text_part(t, 0, len))) {
            return len;
        }
    }
    return 0;
}

static void json_escaped(struct writer *out, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char short_form[] = "btn\0fr";
    writer_u8(out, '\\');
    if (c == '"' || c == '\\') {
        writer_u8(out, c);
    } else if (c >= '\b' && c <= '\r' && c != '\v') {
        writer_u8(out, (uint8_t)short_form[c - '\b']);
    } else {
        writer_bytes(out, TEXT("u00"));
        writer_u8(out, (uint8_t)hex[c >> 4]);
        writer_u8(out, (uint8_t)hex[c & 15]);
    }
}

static void json_string(struct writer *out, struct text value)
{
    writer_u8(out, '"');
    for (size_t i = 0; i < value.len;) {
        unsigned char c = (unsigned char)value.ptr[i];
        if (c < ' ' || c == '"' || c == '\\' || c == 0x7f) {
            json_escaped(out, c);
            i++;
        } else if (c < 0x7f) {
            writer_u8(out, c);
            i++;
        } else {
            size_t len = sequence_length(text_part(value, i, 4));
            writer_bytes(out, len ? text_part(value, i, len) : TEXT("\xef\xbf\xbd"));
            i += len ? len : 1;
        }
    }
    writer_u8(out, '"');
}

void json_key(struct json *j, const char *name)
{
    json_item(j);
    json_string(j->out, text_of(name));
    writer_u8(j->out, ':');
    j->comma = false;
}

void json_text(struct json *j, struct text value)
{
    json_item(j);
    json_string(j->out, value);
}

void json_number(struct json *j, int64_t value)
{
    json_item(j);
    writer_print(j->out, "%lld", (long long)value);
}

void json_unsigned(struct json *j, uint64_t value)
{
    json_item(j);
    writer_print(j->out, "%llu", (unsigned long long)value);
}

void json_bool(struct json *j, bool value)
{
    json_item(j);
    writer_bytes(j->out, value ? TEXT("true") : TEXT("false"));
}

void json_nothing(struct json *j)
{
    json_item(j);
    writer_bytes(j->out, TEXT("null"));
}

void json_member_text(struct json *j, const char *name, struct text value)
{
    json_key(j, name);
    json_text(j, value);
}

void json_member_number(struct json *j, const char *name, int64_t value)
{
    json_key(j, name);
    json_number(j, value);
}

void json_member_bool(struct json *j, const char *name, bool value)
{
    json_key(j, name);
    json_bool(j, value);
}
