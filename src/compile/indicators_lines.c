/*
 * Plain lists: an entry a line. Comments begin with '#', ';' or "//", at the start or after a
 * space. Two forms of two words are known: those of hosts files and of sha256sum.
 */
#include "base/status.h"
#include "compile/indicators.h"

static size_t blank_at(struct text t)
{
    size_t i = 0;
    while (i < t.len && t.ptr[i] != ' ' && t.ptr[i] != '\t') {
        i++;
    }
    return i;
}

/* Without a comment after the entry. Paths may have spaces and '#' in them: they end with the line.
 */
static struct text without_comment(struct text line)
{
    for (size_t i = 1; i < line.len && line.ptr[0] != '/'; i++) {
        bool after_blank = line.ptr[i - 1] == ' ' || line.ptr[i - 1] == '\t';
        if (after_blank && (line.ptr[i] == '#' || line.ptr[i] == ';' ||
                            text_starts(text_part(line, i, 2), TEXT("//")))) {
            return text_trim(text_part(line, 0, i));
        }
    }
    return line;
}

static bool is_sink(struct text t)
{
    return text_same(t, TEXT("0.0.0.0")) || text_same(t, TEXT("127.0.0.1")) ||
           text_same(t, TEXT("::")) || text_same(t, TEXT("::1"));
}

static bool is_hash(struct text t)
{
    char room[INDICATOR_KEY_MAX];
    return indicator_hash_parse(t, room) != 0;
}

static struct status read_entry(struct indicators *in, uint32_t number, struct text line)
{
    line = without_comment(line);
    struct text first = text_part(line, 0, blank_at(line));
    struct text rest = text_trim(text_part(line, first.len, line.len));
    if (rest.len == 0 || line.ptr[0] == '/') {
        return indicators_value(in, number, line, EXPECTED_ANY);
    }
    if (is_sink(first) && blank_at(rest) == rest.len) {
        return indicators_value(in, number, rest, EXPECTED_DOMAIN);
    }
    if (is_hash(first)) {
        return indicators_value(in, number, first, EXPECTED_HASH);
    }
    indicators_refuse(in, REFUSAL_INDICATOR, number, "'%.*s' is more than one word",
                      SHORT_ARGS(line));
    return OK;
}

static bool is_comment(struct text line)
{
    return line.ptr[0] == '#' || line.ptr[0] == ';' || text_starts(line, TEXT("//"));
}

struct status indicators_read_lines(struct indicators *in, struct text bytes)
{
    bool head = true;
    uint32_t number = 1;
    for (; bytes.len; number++) {
        size_t end = text_find_byte(bytes, '\n');
        struct text line = text_trim(text_part(bytes, 0, end));
        bytes = text_part(bytes, end == SIZE_MAX ? bytes.len : end + 1, bytes.len);
        if (line.len == 0) {
            continue;
        }
        if (is_comment(line)) {
            TRY(head ? indicators_meta(in, number, text_part(line, 1, line.len)) : OK);
            continue;
        }
        head = false;
        if (line.len > INDICATORS_VALUE_MAX) {
            indicators_refuse(in, REFUSAL_INDICATOR, number, "a line has at most %d bytes",
                              INDICATORS_VALUE_MAX);
            continue;
        }
        TRY(read_entry(in, number, line));
    }
    return OK;
}
