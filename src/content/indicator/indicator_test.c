#include "base/heap.h"
#include "base/own.h"
#include "base/test.h"
#include "base/xorshift.h"
#include "content/indicator/indicator_build.h"
#include "content/match/match.h"
#include "content/match/network.h"
#include "content/pack/sample.h"

#include <arpa/inet.h>
#include <stdio.h>

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 64 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

/* Repeatable, and the same everywhere. */
static uint64_t state = 1;

static struct text made_of(enum indicator_kind kind, const char *const *words, size_t count)
{
    struct text list;
    assert_ok(sample_list_of(kind, words, count, &arena, &list));
    assert_null(indicator_check(list));
    return list;
}

/* What is found, in words; "" where nothing is. Steps stay within what is promised. */
static const char *found_in(struct text list, struct text value)
{
    static char room[INDICATOR_WORDS + 1];
    struct indicator_found found;
    uint64_t steps = 0;
    bool there = indicator_find(list, value, &found, &steps);
    assert_true(steps <= indicator_cost(list, value.len));
    room[there ? indicator_words(list, &found, room).len : 0] = 0;
    return room;
}

#define finds(list, value, words) assert_string_equal(found_in(list, TEXT(value)), words)
#define COUNT(array) (sizeof(array) / sizeof *(array))

static void addresses_are_found_by_their_longest_prefix(void **ignored)
{
    (void)ignored;
    static const char *const words[] = {"10.0.0.0/8",     "10.1.0.0/16",        "10.1.2.3",
                                        "192.0.2.77/28",  "2001:db8::/32",      "2001:db8::1",
                                        "::ffff:8.8.8.8", "::ffff:9.9.9.0/120", "198.51.100.0/31"};
    struct text list = made_of(INDICATOR_ADDRESS, words, COUNT(words));
    finds(list, "10.1.2.3", "10.1.2.3");
    finds(list, "10.1.2.4", "10.1.0.0/16");
    finds(list, "10.2.0.0", "10.0.0.0/8");
    finds(list, "11.0.0.0", "");
    finds(list, "192.0.2.64", "192.0.2.64/28");
    finds(list, "192.0.2.80", "");
    finds(list, "2001:DB8:0::1", "2001:db8::1");
    finds(list, "2001:db8:ffff::", "2001:db8::/32");
    finds(list, "2001:db9::", "");
    finds(list, "8.8.8.8", "8.8.8.8");
    finds(list, "::ffff:8.8.8.8", "8.8.8.8");
    finds(list, "9.9.9.200", "9.9.9.0/24");
    finds(list, "198.51.100.1", "198.51.100.0/31");
    finds(list, "198.51.100.2", "");
    finds(list, "", "");
    finds(list, "10.1.2", "");
    finds(list, "10.1.2.3 ", "");
    finds(list, "::10.1.2.3", "");
}

static void all_of_the_internet_is_a_network(void **ignored)
{
    (void)ignored;
    static const char *const words[] = {"0.0.0.0/0", "::/0"};
    struct text list = made_of(INDICATOR_ADDRESS, words, COUNT(words));
    finds(list, "203.0.113.9", "0.0.0.0/0");
    finds(list, "fe80::1", "::/0");
}

static void a_domain_is_itself_and_what_is_below(void **ignored)
{
    (void)ignored;
    static const char *const words[] = {"Example.ORG", "*.evil.example", "a.b.evil.example",
                                        "xn--bcher-kva.example.", "_dmarc.x-y.test"};
    struct text list = made_of(INDICATOR_DOMAIN, words, COUNT(words));
    finds(list, "example.org", "*.example.org");
    finds(list, "EXAMPLE.org.", "*.example.org");
    finds(list, "www.cdn.example.org", "*.example.org");
    finds(list, "notexample.org", "");
    finds(list, "example.org.evil.test", "");
    finds(list, "org", "");
    finds(list, "evil.example", "*.evil.example");
    finds(list, "b.evil.example", "*.evil.example");
    finds(list, "x.a.b.evil.example", "*.a.b.evil.example");
    finds(list, "www.xn--bcher-kva.example", "*.xn--bcher-kva.example");
    finds(list, "a._dmarc.x-y.test", "*._dmarc.x-y.test");
    finds(list, "", "");
    finds(list, ".", "");
    finds(list, "..example.org", "*.example.org");
    finds(list, "example.org..", "");
}

static void a_folder_is_all_that_is_below(void **ignored)
{
    (void)ignored;
    static const char *const words[] = {"/dev/shm/x", "/opt/kit/", "/opt/kit/deep/er/", "/tmp/a b",
                                        "/tmp/\xc3\xa4"};
    struct text list = made_of(INDICATOR_PATH, words, COUNT(words));
    finds(list, "/dev/shm/x", "/dev/shm/x");
    finds(list, "/dev/shm/X", "");
    finds(list, "/dev/shm/xy", "");
    finds(list, "/dev/shm/x/y", "");
    finds(list, "/opt/kit/", "/opt/kit/");
    finds(list, "/opt/kit", "");
    finds(list, "/opt/kit/a/b/c", "/opt/kit/");
    finds(list, "/opt/kit/deep/er/a", "/opt/kit/deep/er/");
    finds(list, "/opt/kitten/a", "");
    finds(list, "/tmp/a b", "/tmp/a b");
    finds(list, "/tmp/\xc3\xa4", "/tmp/\xc3\xa4");
    finds(list, "", "");
    finds(list, "opt/kit/a", "");
    char longer[EVENT_TEXT_MAX];
    memset(longer, 'x', sizeof longer);
    memcpy(longer, "/opt/kit/", 9);
    struct text value = {.ptr = longer, .len = sizeof longer};
    assert_string_equal(found_in(list, value), "/opt/kit/");
    memset(longer, '/', sizeof longer);
    assert_string_equal(found_in(list, value), "");
    /* The longest entry, and a value that only begins with it. */
    static char longest[INDICATOR_PATH_MAX + 1];
    const char *pointer = longest;
    memset(longest, 'x', INDICATOR_PATH_MAX);
    longest[0] = '/';
    list = made_of(INDICATOR_PATH, &pointer, 1);
    memcpy(longer, longest, INDICATOR_PATH_MAX);
    value.len = INDICATOR_PATH_MAX;
    assert_string_equal(found_in(list, value), longest);
    value.len++;
    assert_string_equal(found_in(list, value), "");
}

static void hashes_are_found_alone_and_by_their_name(void **ignored)
{
    (void)ignored;
    static const char *const words[] = {
        "D41D8CD98F00B204E9800998ECF8427E", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"};
    struct text list = made_of(INDICATOR_HASH, words, COUNT(words));
    finds(list, "d41d8cd98f00b204e9800998ecf8427e", "d41d8cd98f00b204e9800998ecf8427e");
    finds(list, "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709",
          "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    finds(list,
          "MD5=00000000000000000000000000000000, "
          "SHA256=E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    /* The length of an MD5, and none. */
    finds(list, "IMPHASH=d41d8cd98f00b204e9800998ecf8427e", "");
    finds(list, "MD5=d41d8cd98f00b204e9800998ecf8427g", "");
    finds(list, "d41d8cd98f00b204e9800998ecf8427", "");
    finds(list, ",,,=,MD5=,", "");
}

static void what_is_no_key_is_refused(void **ignored)
{
    (void)ignored;

    static const struct {
        enum indicator_kind kind;
        const char *words;
    } wrong[] = {
        {INDICATOR_HASH, ""},
        {INDICATOR_HASH, "xyz"},
        {INDICATOR_HASH, "d41d8cd98f00b204e9800998ecf8427g"},
        {INDICATOR_HASH, "d41d8cd98f00b204e9800998ecf842g7"},
        {INDICATOR_HASH, "d41d8cd98f00b204e9800998ecf8427e0"},
        {INDICATOR_ADDRESS, "10.0.0.0/33"},
        {INDICATOR_ADDRESS, "10.0.0"},
        {INDICATOR_ADDRESS, "10.0.0.0/"},
        {INDICATOR_ADDRESS, "::1/129"},
        {INDICATOR_DOMAIN, ""},
        {INDICATOR_DOMAIN, "*."},
        {INDICATOR_DOMAIN, "a..b"},
        {INDICATOR_DOMAIN, ".a"},
        {INDICATOR_DOMAIN, "b\xc3\xbc"
                           "cher.example"},
        {INDICATOR_DOMAIN, "a b.example"},
        {INDICATOR_DOMAIN, "*.*.example"},
        {INDICATOR_DOMAIN,
         "0123456789012345678901234567890123456789012345678901234567890123.example"},
        {INDICATOR_PATH, "relative"},
        {INDICATOR_PATH, ""},
        {INDICATOR_PATH, "/\xff"},
    };

    char room[INDICATOR_WORDS];
    struct indicator_key key;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        if (indicator_key_of(wrong[i].kind, text_of(wrong[i].words), room, &key)) {
            fail_msg("\"%s\" became a key", wrong[i].words);
        }
    }
}

static void order_and_repetition_change_nothing(void **ignored)
{
    (void)ignored;
    static const char *const one[] = {"a.test", "b.test", "c.b.test", "d.test"};
    static const char *const other[] = {"d.test.", "C.b.test", "*.b.test", "a.test", "b.test"};
    assert_true(text_same(made_of(INDICATOR_DOMAIN, one, COUNT(one)),
                          made_of(INDICATOR_DOMAIN, other, COUNT(other))));
}

/* ── against one comparison after another ── */

enum { ENTRIES = 400, VALUES = 4000 };

static void random_address(char *out, bool network)
{
    /* Few different bytes, so that prefixes meet. */
    unsigned char b[16];
    char words[INET6_ADDRSTRLEN];
    for (size_t i = 0; i < sizeof b; i++) {
        b[i] = (unsigned char)(xorshift(&state) % 5 ? 0 : 1 << xorshift(&state) % 8);
    }
    bool six = xorshift(&state) % 3 == 0;
    b[0] = six ? 0x20 : b[0];
    inet_ntop(six ? AF_INET6 : AF_INET, b, words, sizeof words);
    unsigned bits = (unsigned)(xorshift(&state) % (six ? 129 : 33)); /* short ones match all */
    if (network) {
        snprintf(out, 64, "%s/%u", words, bits < 24 ? 32 : bits);
    } else {
        snprintf(out, 64, "%s", words);
    }
}

static void networks_agree_with_a_naive_search(void **ignored)
{
    (void)ignored;
    static char words[ENTRIES][64];
    static struct network networks[ENTRIES];
    const char *pointers[ENTRIES];
    unsigned hits = 0;
    for (size_t i = 0; i < ENTRIES; i++) {
        random_address(words[i], true);
        pointers[i] = words[i];
        assert_true(network_parse(text_of(words[i]), &networks[i]));
    }
    struct text list = made_of(INDICATOR_ADDRESS, pointers, ENTRIES);
    for (size_t n = 0; n < VALUES; n++) {
        char value[64];
        bool naive = false;
        random_address(value, false);
        for (size_t i = 0; i < ENTRIES; i++) {
            naive = naive || network_has(&networks[i], text_of(value));
        }
        hits += naive;
        if ((found_in(list, text_of(value))[0] != 0) != naive) {
            fail_msg("%s: %d", value, naive);
        }
    }
    assert_in_range(hits, VALUES / 20, VALUES - VALUES / 20);
}

static void random_name(char *out, const char *separator, unsigned parts)
{
    static const char *const labels[] = {"a", "b", "c", "evil", "x-y"};
    size_t used = 0;
    for (unsigned i = 0; i < parts; i++) {
        used += (size_t)snprintf(out + used, 64 - used, "%s%s", i ? separator : "",
                                 labels[xorshift(&state) % COUNT(labels)]);
    }
}

static bool is_below(struct text name, struct text parent)
{
    return text_ends(name, parent) &&
           (name.len == parent.len || name.ptr[name.len - parent.len - 1] == '.');
}

static void domains_agree_with_a_naive_search(void **ignored)
{
    (void)ignored;
    static char words[ENTRIES][64];
    const char *pointers[ENTRIES];
    unsigned hits = 0;
    for (size_t i = 0; i < ENTRIES; i++) {
        random_name(words[i], ".", 4 + (unsigned)(xorshift(&state) % 4));
        pointers[i] = words[i];
    }
    struct text list = made_of(INDICATOR_DOMAIN, pointers, ENTRIES);
    for (size_t n = 0; n < VALUES; n++) {
        char value[64];
        bool naive = false;
        random_name(value, ".", 1 + (unsigned)(xorshift(&state) % 7));
        for (size_t i = 0; i < ENTRIES; i++) {
            naive = naive || is_below(text_of(value), text_of(words[i]));
        }
        hits += naive;
        assert_int_equal(found_in(list, text_of(value))[0] != 0, naive);
    }
    assert_in_range(hits, VALUES / 20, VALUES - VALUES / 20);
}

static void paths_agree_with_a_naive_search(void **ignored)
{
    (void)ignored;
    static char words[ENTRIES][64];
    const char *pointers[ENTRIES];
    unsigned hits = 0;
    for (size_t i = 0; i < ENTRIES; i++) {
        words[i][0] = '/';
        random_name(words[i] + 1, "/", 3 + (unsigned)(xorshift(&state) % 4));
        size_t len = strlen(words[i]);
        words[i][len] = xorshift(&state) % 2 ? '/' : 0;
        pointers[i] = words[i];
    }
    struct text list = made_of(INDICATOR_PATH, pointers, ENTRIES);
    for (size_t n = 0; n < VALUES; n++) {
        char value[64] = "/";
        bool naive = false;
        random_name(value + 1, "/", 1 + (unsigned)(xorshift(&state) % 6));
        for (size_t i = 0; i < ENTRIES; i++) {
            struct text entry = text_of(words[i]);
            naive = naive || text_same(text_of(value), entry) ||
                    (text_ends(entry, TEXT("/")) && text_starts(text_of(value), entry));
        }
        hits += naive;
        assert_int_equal(found_in(list, text_of(value))[0] != 0, naive);
    }
    assert_in_range(hits, VALUES / 20, VALUES - VALUES / 20);
}

#define with_arena(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_arena(addresses_are_found_by_their_longest_prefix),
        with_arena(all_of_the_internet_is_a_network),
        with_arena(a_domain_is_itself_and_what_is_below),
        with_arena(a_folder_is_all_that_is_below),
        with_arena(hashes_are_found_alone_and_by_their_name),
        with_arena(what_is_no_key_is_refused),
        with_arena(order_and_repetition_change_nothing),
        with_arena(networks_agree_with_a_naive_search),
        with_arena(domains_agree_with_a_naive_search),
        with_arena(paths_agree_with_a_naive_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
