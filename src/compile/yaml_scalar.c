#include "compile/yaml_scalar.h"

static bool is_word(struct text t, const char *lower, const char *title, const char *upper)
{
    return text_same(t, text_of(lower)) || text_same(t, text_of(title)) ||
           text_same(t, text_of(upper));
}

static int digit_value(char c)
{
    char folded = text_fold(c);
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return folded >= 'a' && folded <= 'f' ? folded - 'a' + 10 : INT32_MAX;
}

/* 0o17 and 0x1f; neither has a sign. */
static bool based_number(struct text t, int64_t *out)
{
    int base = text_starts(t, TEXT("0x")) ? 16 : text_starts(t, TEXT("0o")) ? 8 : 0;
    int64_t value = 0;
    if (base == 0 || t.len == 2) {
        return false;
    }
    for (size_t i = 2; i < t.len; i++) {
        int digit = digit_value(t.ptr[i]);
        if (digit >= base || __builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, digit, &value)) {
            return false;
        }
    }
    *out = value;
    return true;
}

static size_t digits_at(struct text t, size_t from)
{
    size_t count = 0;
    while (from + count < t.len && t.ptr[from + count] >= '0' && t.ptr[from + count] <= '9') {
        count++;
    }
    return count;
}

/* [-+]?(\.[0-9]+|[0-9]+\.[0-9]*) */
static bool is_fraction(struct text t)
{
    size_t at = t.len && (t.ptr[0] == '-' || t.ptr[0] == '+');
    size_t before = digits_at(t, at);
    at += before;
    if (at == t.len || t.ptr[at] != '.') {
        return false;
    }
    size_t after = digits_at(t, at + 1);
    return at + 1 + after == t.len && before + after > 0;
}

void yaml_scalar_type(struct yaml_node *node)
{
    struct text t = node->text;
    struct text unsigned_part = text_starts(t, TEXT("+")) ? text_part(t, 1, t.len) : t;
    bool sign_again = unsigned_part.len != t.len && text_starts(unsigned_part, TEXT("-"));
    node->kind = YAML_TEXT;
    if (t.len == 0 || text_same(t, TEXT("~")) || is_word(t, "null", "Null", "NULL")) {
        node->kind = YAML_NULL;
    } else if (is_word(t, "true", "True", "TRUE") || is_word(t, "false", "False", "FALSE")) {
        node->kind = YAML_BOOL;
        node->truth = text_fold(t.ptr[0]) == 't';
    } else if (!sign_again &&
               (text_to_i64(unsigned_part, &node->number) || based_number(t, &node->number))) {
        node->kind = YAML_NUMBER;
        node->whole = true;
    } else if (is_fraction(t)) {
        node->kind = YAML_NUMBER;
    }
}
