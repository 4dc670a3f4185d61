/*
 * One entry of a list: what people did to make it harmless is undone, its kind is found, and what
 * would match on every machine is refused.
 */
#include "base/bytes.h"
#include "base/status.h"
#include "compile/indicators.h"

/* ── what people write ── */

/* "hxxp://evil[.]example": as reports write what nobody shall click on. */
static struct text refang(struct text t, char *room)
{
    static const struct {
        const char *from, *to;
    } pairs[] = {{"[://]", "://"}, {"[.]", "."}, {"(.)", "."}, {"{.}", "."}, {"[dot]", "."},
                 {"(dot)", "."},   {"[:]", ":"}, {"\\.", "."}, {"[/]", "/"}};

    enum { PAIRS = sizeof pairs / sizeof *pairs };

    struct writer w = writer_over(room, INDICATORS_VALUE_MAX);
    if (t.len > 4 && text_same_folded(text_part(t, 0, 4), TEXT("hxxp"))) {
        writer_bytes(&w, TEXT("http"));
        t = text_part(t, 4, t.len);
    }
    for (size_t at = 0; at < t.len;) {
        char c = t.ptr[at];
        size_t i = c == '[' || c == '(' || c == '{' || c == '\\' ? 0 : (int)PAIRS;
        while (i < PAIRS &&
               !text_same_folded(text_part(t, at, strlen(pairs[i].from)), text_of(pairs[i].from))) {
            i++;
        }
        writer_bytes(&w, i < PAIRS ? text_of(pairs[i].to) : text_part(t, at, 1));
        at += i < PAIRS ? strlen(pairs[i].from) : 1;
    }
    return writer_text(&w);
}

static bool all_digits(struct text t)
{
    uint64_t ignored;
    return t.len > 0 && t.len < 6 && text_to_u64(t, &ignored);
}

/* "[2001:db8::1]:80", "evil.example:8080" and "1.2.3.4|80": what stands before the port. */
static struct text without_port(struct text t)
{
    size_t mark = text_find_byte(t, t.len && t.ptr[0] == '[' ? ']' : ':');
    if (t.len && t.ptr[0] == '[') {
        return mark == SIZE_MAX ? t : text_part(t, 1, mark - 1);
    }
    mark = mark == SIZE_MAX ? text_find_byte(t, '|') : mark;
    return mark != SIZE_MAX && all_digits(text_part(t, mark + 1, t.len)) ? text_part(t, 0, mark)
                                                                         : t;
}

/* The host of a URL with user and port, or of "host/path". */
static struct text host_of(struct text t)
{
    size_t scheme = text_find(t, TEXT("://"));
    t = scheme == SIZE_MAX ? t : text_part(t, scheme + 3, t.len);
    size_t end = 0;
    while (end < t.len && t.ptr[end] != '/' && t.ptr[end] != '?' && t.ptr[end] != '#') {
        end++;
    }
    t = text_part(t, 0, end);
    size_t at = text_find_last(t, '@');
    return without_port(at == SIZE_MAX ? t : text_part(t, at + 1, t.len));
}

/* ── what matches everywhere ── */

static const char *broad_hash(struct text hex)
{
    static const char *const empty[] = {
        "d41d8cd98f00b204e9800998ecf8427e", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"};
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        if (text_same_folded(hex, text_of(empty[i]))) {
            return "it is the hash of an empty file";
        }
    }
    return NULL;
}

static const char *broad_address(const struct indicator_key *key)
{
    static const char zero[16];
    unsigned first = (unsigned char)key->bytes.ptr[0];
    if (key->detail < (key->width == 4 ? 8 : 16)) {
        return "it is a network of too many addresses";
    }
    if (key->width == 4
            ? first == 0 || first == 127
            : memcmp(key->bytes.ptr, zero, 15) == 0 && (unsigned char)key->bytes.ptr[15] <= 1) {
        return "every machine has this address";
    }
    if (key->width == 4 && key->detail == 32 &&
        memcmp(key->bytes.ptr, "\xff\xff\xff\xff", 4) == 0) {
        return "it is everybody's address";
    }
    return NULL;
}

static const char *broad_path(const struct indicator_key *key)
{
    return key->detail > 0 && key->detail < 3 ? "it is a folder that every machine has" : NULL;
}

/* Paths of events have neither. */
static bool is_straight(struct text path)
{
    for (size_t i = 0; i < path.len; i++) {
        struct text rest = text_part(path, i, path.len);
        if ((unsigned char)path.ptr[i] < ' ' || path.ptr[i] == 0x7f ||
            text_starts(rest, TEXT("//")) || text_starts(rest, TEXT("/./")) ||
            text_starts(rest, TEXT("/../")) || text_same(rest, TEXT("/.")) ||
            text_same(rest, TEXT("/.."))) {
            return false;
        }
    }
    return true;
}

/* ── kinds ── */

static struct status add(struct indicators *in, uint32_t line, struct text shown,
                         const struct indicator_key *key, const char *broad)
{
    if (broad) {
        indicators_refuse(in, REFUSAL_BROAD, line, "'%.*s': %s", SHORT_ARGS(shown), broad);
        return OK;
    }
    in->counts.taken++;
    return indicator_add(&in->sets[key->kind], key);
}

static struct status refuse(struct indicators *in, uint32_t line, struct text shown,
                            const char *what)
{
    indicators_refuse(in, REFUSAL_INDICATOR, line, "'%.*s' %s", SHORT_ARGS(shown), what);
    return OK;
}

static struct status add_path(struct indicators *in, uint32_t line, struct text t)
{
    struct indicator_key key;
    if (t.len == 0 || t.ptr[0] != '/') {
        return refuse(in, line, t, "is no path from / on: events carry whole paths");
    }
    if (!is_straight(t)) {
        return refuse(in, line, t, "has //, /./, /../ or a control character, as no event has");
    }
    if (!indicator_key_path(t, &key)) {
        return refuse(in, line, t, "is longer or deeper than a path may be");
    }
    return add(in, line, t, &key, broad_path(&key));
}

static bool is_number(struct text t)
{
    size_t i = 0;
    while (i < t.len && t.ptr[i] >= '0' && t.ptr[i] <= '9') {
        i++;
    }
    return i == t.len;
}

static struct status add_domain(struct indicators *in, uint32_t line, struct text t)
{
    char room[INDICATOR_ROOM];
    struct indicator_key key;
    for (size_t i = 0; i < t.len; i++) {
        if ((unsigned char)t.ptr[i] >= 0x80) {
            return refuse(in, line, t, "has other letters than a to z: write it as xn--…");
        }
    }
    if (!indicator_key_domain(t, room, &key)) {
        return refuse(in, line, t, "is no hash, address, domain or path");
    }
    size_t dot = text_find_last(key.bytes, '.');
    if (dot != SIZE_MAX && is_number(text_part(key.bytes, dot + 1, key.bytes.len))) {
        return refuse(in, line, t, "is no address, and no domain either");
    }
    return add(in, line, t, &key, key.detail < 2 ? "one label is no domain of anybody's" : NULL);
}

static bool is_range(struct text t)
{
    char room[INDICATOR_ROOM];
    struct indicator_key key;
    size_t dash = text_find_byte(t, '-');
    return dash != SIZE_MAX &&
           indicator_key_network(text_trim(text_part(t, 0, dash)), room, &key) &&
           indicator_key_network(text_trim(text_part(t, dash + 1, t.len)), room, &key);
}

/* An address or a domain. */
static struct status add_host(struct indicators *in, uint32_t line, struct text t,
                              enum indicators_expected expected)
{
    char room[INDICATOR_ROOM];
    struct indicator_key key;
    if (expected != EXPECTED_DOMAIN && indicator_key_network(t, room, &key)) {
        return add(in, line, t, &key, broad_address(&key));
    }
    if (is_range(t)) {
        return refuse(in, line, t, "is a range: write it as networks, 10.0.0.0/8");
    }
    if (expected == EXPECTED_ADDRESS || text_find_byte(t, ':') != SIZE_MAX) {
        return refuse(in, line, t, "is no address");
    }
    return add_domain(in, line, t);
}

static struct status add_url(struct indicators *in, uint32_t line, struct text t)
{
    size_t scheme = text_find(t, TEXT("://"));
    struct text rest = scheme == SIZE_MAX ? t : text_part(t, scheme + 3, t.len);
    size_t slash = text_find_byte(rest, '/');
    in->counts.widened += slash != SIZE_MAX && slash + 1 < rest.len;
    return add_host(in, line, host_of(t), EXPECTED_URL);
}

static struct status add_hash(struct indicators *in, uint32_t line, struct text t)
{
    char room[INDICATOR_ROOM];
    struct indicator_key key;
    if (indicator_key_hash(t, room, &key)) {
        return add(in, line, t, &key, broad_hash(t));
    }
    return refuse(in, line, t, "is no MD5, SHA-1 or SHA-256 in hex");
}

static bool is_hex(struct text t)
{
    for (size_t i = 0; i < t.len; i++) {
        char c = text_fold(t.ptr[i]);
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) {
            return false;
        }
    }
    return t.len >= 32;
}

/* "evil.example/x" is a URL that lost its scheme; "10.0.0.0/8" and "10.0.0.0/99" are none. */
static bool is_url(struct text t)
{
    char room[INDICATOR_ROOM];
    struct indicator_key key;
    size_t slash = text_find_byte(t, '/');
    return text_find(t, TEXT("://")) != SIZE_MAX ||
           (slash != SIZE_MAX && (!is_number(text_part(t, slash + 1, t.len)) ||
                                  !indicator_key_network(text_part(t, 0, slash), room, &key)));
}

struct status indicators_value(struct indicators *in, uint32_t line, struct text value,
                               enum indicators_expected expected)
{
    value = text_trim(value);
    if (value.len > INDICATORS_VALUE_MAX) {
        indicators_refuse(in, REFUSAL_INDICATOR, line, "an entry has at most %d bytes",
                          INDICATORS_VALUE_MAX);
        return OK;
    }
    if (value.len == 0 || !text_is_utf8(value)) {
        return refuse(in, line, TEXT(""), value.len ? "is not UTF-8" : "is empty");
    }
    if (expected == EXPECTED_PATH || (expected == EXPECTED_ANY && value.ptr[0] == '/')) {
        return add_path(in, line, value);
    }
    struct text t = refang(value, in->room);
    if (expected == EXPECTED_HASH || (expected == EXPECTED_ANY && is_hex(t))) {
        return add_hash(in, line, t);
    }
    if (text_find_byte(t, '@') != SIZE_MAX && text_find(t, TEXT("://")) == SIZE_MAX) {
        indicators_skip(in, line, "'%.*s' is an e-mail address, which no event carries",
                        SHORT_ARGS(t));
        return OK;
    }
    if (expected == EXPECTED_URL || (expected == EXPECTED_ANY && is_url(t))) {
        return add_url(in, line, t);
    }
    return add_host(in, line, without_port(t), expected);
}
