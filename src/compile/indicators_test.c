#include "base/test.h"
#include "compile/indicators.h"
#include "content/match/match.h"
#include "content/pack/builder.h"

#include <stdio.h>
#include <stdlib.h>

#define SHA256_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SHA256_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define SHA1_A "cccccccccccccccccccccccccccccccccccccccc"
#define MD5_A "dddddddddddddddddddddddddddddddd"

static struct arena arena;
static struct indicators in;
static char told[16384]; /* "LINE: class: words" of each refusal, "-" before what is skipped */

static void on_refusal(void *context, const struct refusal *r, bool skipped)
{
    (void)context;
    size_t used = strlen(told);
    snprintf(told + used, sizeof told - used, "%s%u: %s: %s\n", skipped ? "-" : "", r->line,
             refusal_name(r->class), r->words);
}

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 512 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

static void read_text(const char *file, struct text bytes)
{
    told[0] = 0;
    in = (struct indicators){.arena = &arena,
                             .file = text_of(file),
                             .now = TEXT("2026-01-01T00:00:00Z"),
                             .on_refusal = on_refusal};
    assert_ok(indicators_read(&in, indicators_format_of(text_of(file)), bytes));
}

static struct indicators_result finished(void)
{
    struct indicators_result result;
    assert_ok(indicators_finish(&in, &result));
    return result;
}

/* Is a value in the list of a kind that the last file became? */
static bool has(enum indicator_kind kind, const char *value)
{
    struct indicators_result result = finished();
    for (size_t i = 0; i < result.list_count; i++) {
        struct indicator_found found;
        uint64_t steps = 0;
        assert_null(indicator_check(result.lists[i]));
        if (indicator_kind(result.lists[i]) == kind) {
            return indicator_find(result.lists[i], text_of(value), &found, &steps);
        }
    }
    return false;
}

static void tells(const char *words)
{
    if (!strstr(told, words)) {
        fail_msg("\"%s\" is missing in:\n%s", words, told);
    }
}

#define reads(file, literal) read_text(file, TEXT(literal))
#define takes(kind, value) assert_true(has(INDICATOR_##kind, value))
#define lacks(kind, value) assert_false(has(INDICATOR_##kind, value))

/* ── plain lists ── */

static void lists_are_read_as_people_write_them(void **state)
{
    (void)state;
    reads("feeds/mixed.ioc.txt",
          "\xef\xbb\xbf# Title: Everything at once\r\n"
          "# author: Ann\r\n"
          "# level: critical\r\n"
          "# tags: attack.c2\r\n"
          "; an old comment\r\n"
          "// another\r\n"
          "\r\n"
          "   192.0.2.1  \r\n"
          "198.51.100.0/24   # with words\r\n"
          "203.0.113.7\t; SBL1234\r\n"
          "1.2.3[.]4\r\n"
          "5.6.7.8:8443\r\n"
          "[2001:db8::99]:443\r\n"
          "2001:DB8:1::/48\r\n"
          "hxxps://evil[.]example/payload.bin?x=1#y\r\n"
          "hXXp[:]//user:pw@paths.evil[dot]test:8080/\r\n"
          "*.wild.example\r\n"
          "Trailing.Dot.example.\r\n"
          "0.0.0.0 hosts.example\r\n"
          "lost-scheme.example/a/b\r\n" SHA256_A "  ./a file.bin\r\n"
          "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n" SHA1_A "\r\n" MD5_A
          "\r\n"
          "/tmp/a # b;c\r\n"
          "/opt/kit/x/\r\n"
          "# title: too late\r\n"
          "last.example");
    assert_string_equal(told, "");
    assert_int_equal(in.counts.widened, 2);
    assert_text(in.name, "mixed");
    assert_text(in.title, "Everything at once");
    assert_text(in.author, "Ann");
    assert_text(in.level, "critical");
    static const char *const addresses[] = {"192.0.2.1", "198.51.100.77", "203.0.113.7",  "1.2.3.4",
                                            "5.6.7.8",   "2001:db8::99",  "2001:db8:1::5"};
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        assert_true(has(INDICATOR_ADDRESS, addresses[i]));
    }
    static const char *const domains[] = {
        "evil.example",  "paths.evil.test",     "x.wild.example", "trailing.dot.example",
        "hosts.example", "lost-scheme.example", "last.example"};
    for (size_t i = 0; i < sizeof domains / sizeof *domains; i++) {
        assert_true(has(INDICATOR_DOMAIN, domains[i]));
    }
    takes(HASH, SHA256_A);
    takes(HASH, SHA1_A);
    takes(HASH, "MD5=" MD5_A);
    takes(PATH, "/tmp/a # b;c");
    takes(PATH, "/opt/kit/x/y/z");
    lacks(PATH, "/opt/kit/x");
    assert_int_equal(finished().list_count, 4);
    assert_int_equal(finished().rule_count, 5);
}

static void what_would_match_everywhere_is_refused(void **state)
{
    (void)state;
    reads("x.txt", "0.0.0.0/0\n::/0\n10.0.0.0/7\n127.0.0.1\n::1\n0.0.0.0\n::ffff:127.0.0.1\n"
                   "255.255.255.255\n"
                   "com\nlocalhost\n/\n/usr/\n"
                   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
                   "D41D8CD98F00B204E9800998ECF8427E\n");
    assert_int_equal(in.counts.taken, 0);
    assert_int_equal(in.counts.refused, 14);
    tells("1: broad: '0.0.0.0/0': it is a network of too many addresses");
    tells("4: broad: '127.0.0.1': every machine has this address");
    tells("7: broad: ");
    tells("9: broad: 'com': one label is no domain of anybody's");
    tells("12: broad: '/usr/': it is a folder that every machine has");
    tells("13: broad: ");
    assert_int_equal(finished().list_count, 0);
}

static void what_is_no_indicator_is_refused_with_its_line(void **state)
{
    (void)state;
    reads("x.txt", "two words\n"
                   "1.2.3.4-1.2.3.9\n"
                   "300.1.2.3\n"
                   "b\xc3\xbc"
                   "cher.example\n"
                   "relative/path\n"
                   "/a/../b\n"
                   "/a//b\n"
                   "bad\xff.example\n"
                   "someone@evil.example\n"
                   "0123456789abcdef0123456789abcdef0\n"
                   "a..b.example\n"
                   "1.2.3.4/33\n"
                   "\x1b[31mred\n"
                   "\xc2\x9b\xe2\x80\xaex\n"
                   "[\n"
                   "]:\n"
                   "://\n"
                   "[]\n");
    assert_int_equal(in.counts.taken, 0);
    tells("1: indicator: 'two words' is more than one word");
    tells("2: indicator: '1.2.3.4-1.2.3.9' is a range: write it as networks");
    tells("3: indicator: '300.1.2.3' is no address, and no domain either");
    tells("4: indicator: 'b\xc3\xbc"
          "cher.example' has other letters than a to z: write it as xn--");
    tells("6: indicator: '/a/../b' has //");
    tells("8: indicator: '' is not UTF-8");
    tells("'\\x1b[31mred'");
    tells("'\\x9b\\u{202e}x'");
    tells("-9: indicator: 'someone@evil.example' is an e-mail address");
    tells("10: indicator: '0123456789abcdef0123456789abcdef0' is no MD5, SHA-1 or SHA-256 in hex");
    assert_null(strchr(told, '\x1b'));
}

static void long_lines_cost_a_line(void **state)
{
    (void)state;

    enum { LONG = 8 << 20 };

    char *bytes = arena_alloc(&arena, LONG + 32, 1);
    memset(bytes, 'a', LONG);
    memcpy(bytes + LONG, "\nok.example\n", 12);
    read_text("x.txt", (struct text){.ptr = bytes, .len = LONG + 12});
    tells("1: indicator: a line has at most 8192 bytes");
    takes(DOMAIN, "ok.example");
    memset(bytes, '"', LONG);
    read_text("x.csv", (struct text){.ptr = bytes, .len = LONG + 12});
    tells("1: csv: ");
    memcpy(bytes, "{\"objects\":[", 12);
    memset(bytes + 12, '[', LONG - 12);
    read_text("x.json", (struct text){.ptr = bytes, .len = LONG});
    tells("1: json: the object does not end, or nests too deeply");
}

static void a_level_has_to_be_one(void **state)
{
    (void)state;
    reads("x.txt", "# level: urgent\n# note: nothing\n# http://feed.example/: words\na.example\n");
    tells("1: metadata: 'urgent' is no level that Sigma knows");
    assert_int_equal(in.counts.refused, 1);
    takes(DOMAIN, "a.example");
}

/* ── CSV ── */

static void csv_knows_columns_by_name(void **state)
{
    (void)state;
    reads("a.csv", "Date;Indicator;Comment\n"
                   "2026-01-01;evil.example;\"a; b\"\n"
                   "2026-01-02;\"1.2.3[.]4\";\"two\nlines \"\"quoted\"\"\"\n"
                   "2026-01-03;bad thing;\n"
                   "2026-01-04;;\n");
    takes(DOMAIN, "evil.example");
    takes(ADDRESS, "1.2.3.4");
    tells("5: indicator: 'bad thing' is no hash, address, domain or path");
    tells("6: csv: the row has no indicator");
    reads("b.csv",
          "sha256_hash,md5_hash,file_name\n" SHA256_A "," MD5_A ",x.exe\n" SHA256_B ",n/a,y.exe\n");
    assert_string_equal(told, "");
    takes(HASH, SHA256_B);
    takes(HASH, MD5_A);
    reads("c.csv", "\"ip\"\t\"path\"\r\n\"192.0.2.1\"\t\"/tmp/x y\"\r\n");
    takes(PATH, "/tmp/x y");
    takes(ADDRESS, "192.0.2.1");
}

static void csv_of_abuse_ch_is_read(void **state)
{
    (void)state;
    reads("threats.csv",
          "################################\n"
          "# recent indicators            #\n"
          "# Last updated: 2026-01-01     #\n"
          "################################\n"
          "#\n"
          "# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"threat_type\"\n"
          "\"2026-01-01 00:00:00\", \"1\", \"192.0.2.9:4444\", \"ip:port\", \"botnet_cc\"\n"
          "\"2026-01-01 00:00:00\", \"2\", \"c2.example\", \"domain\", \"botnet_cc\"\n"
          "\"2026-01-01 00:00:00\", \"3\", \"http://dl.example/x.sh\", \"url\", \"payload\"\n"
          "\"2026-01-01 00:00:00\", \"4\", \"" SHA256_A "\", \"sha256_hash\", \"payload\"\n"
          "# Number of entries: 4\n");
    assert_string_equal(told, "");
    takes(ADDRESS, "192.0.2.9");
    takes(DOMAIN, "c2.example");
    takes(DOMAIN, "dl.example");
    takes(HASH, SHA256_A);
    reads("urls.csv", "# id,dateadded,url,url_status\n"
                      "\"1\",\"2026-01-01\",\"http://192.0.2.77:8080/bin.sh\",\"online\"\n");
    takes(ADDRESS, "192.0.2.77");
}

static void csv_of_misp_is_read(void **state)
{
    (void)state;
    reads("misp.csv",
          "uuid,event_id,category,type,value,comment,to_ids,date,object_relation\n"
          "u1,1,\"Network activity\",\"ip-dst\",\"192.0.2.1\",\"\",1,20260101,\"\"\n"
          "u2,1,\"Network activity\",\"ip-dst|port\",\"192.0.2.2|443\",\"\",1,20260101,\"\"\n"
          "u3,1,\"Network activity\",\"domain|ip\",\"a.example|192.0.2.3\",\"\",1,20260101,\"\"\n"
          "u4,1,\"Payload\",\"filename|sha256\",\"a|b.exe|" SHA256_A "\",\"\",1,20260101,\"\"\n"
          "u5,1,\"Payload\",\"filename\",\"c.exe\",\"\",1,20260101,\"\"\n"
          "u6,1,\"Payload\",\"email-src\",\"a@b.example\",\"\",1,20260101,\"\"\n"
          "u7,1,\"Network activity\",\"domain\",\"good.example\",\"\",0,20260101,\"\"\n"
          "u8,1,\"Payload\",\"regkey|value\",\"HKLM\\x|y\",\"\",1,20260101,\"\"\n");
    takes(ADDRESS, "192.0.2.1");
    takes(ADDRESS, "192.0.2.2");
    takes(ADDRESS, "192.0.2.3");
    takes(DOMAIN, "a.example");
    takes(HASH, SHA256_A);
    lacks(DOMAIN, "good.example");
    assert_int_equal(in.counts.refused, 0);
    assert_int_equal(in.counts.skipped, 4);
    tells("-6: indicator: 'c.exe' is a name without folder");
    tells("-7: indicator: no list holds the type 'email-src'");
    tells("-8: indicator: it is not meant for detection: to_ids is 0");
    tells("-9: indicator: no list holds the type 'regkey|value'");
}

static void csv_that_is_broken_costs_a_row(void **state)
{
    (void)state;
    reads("a.csv", "ip\n"
                   "\"192.0.2.1\n"
                   "\"192.0.2.2\" x\n"
                   "192.0.2.3\n");
    takes(ADDRESS, "192.0.2.3");
    lacks(ADDRESS, "192.0.2.1");
    tells("2: csv: ");
    tells("3: csv: something stands after a quote");
    reads("b.csv", "when,who\n2026,Ann\n");
    tells("1: csv: no column has a name that is known");
    reads("c.csv", "2026-01-01,192.0.2.5,x\n2026-01-02,192.0.2.6,y\n");
    takes(ADDRESS, "192.0.2.6");
    assert_string_equal(told, "");
    reads("d.csv", "");
    assert_string_equal(told, "");
}

/* ── STIX ── */

#define INDICATOR(pattern)                                                                         \
    "{\"type\":\"indicator\",\"pattern_type\":\"stix\",\"pattern\":\"" pattern "\"}"
#define BUNDLE(objects) "{\"type\":\"bundle\",\"id\":\"bundle--1\",\n\"objects\":[\n" objects "\n]}"

static void stix_patterns_become_entries(void **state)
{
    (void)state;
    reads(
        "b.json", BUNDLE(INDICATOR("[ipv4-addr:value = '192.0.2.1' OR ipv4-addr:value='192.0.2.2']") ",\n" INDICATOR("[ipv4-addr:value = '198.51.100.0/24'] OR [ipv6-addr:value = '2001:db8::1']") ",\n" INDICATOR("[ipv4-addr:value ISSUBSET '203.0.113.0/24']") ",\n" INDICATOR("[domain-name:value IN ('a.example', 'b.example')]") ",\n" INDICATOR("[url:value = 'http://c.example/x']") ",\n" INDICATOR("[file:hashes.'SHA-256' = '" SHA256_A "' AND file:name = 'x']") ",\n" INDICATOR(
                      "[file:hashes.MD5 = '" MD5_A "' AND file:hashes.SHA256 = '" SHA256_B
                      "']") ",\n" INDICATOR("[(file:name = 'x y' AND "
                                            "file:parent_directory_ref.path = '/opt/q')]") ","
                                                                                           "\n" INDICATOR(
                                                                                               "[ne"
                                                                                               "two"
                                                                                               "rk-"
                                                                                               "tra"
                                                                                               "ffi"
                                                                                               "c:"
                                                                                               "dst"
                                                                                               "_re"
                                                                                               "f."
                                                                                               "typ"
                                                                                               "e "
                                                                                               "= "
                                                                                               "'ip"
                                                                                               "v4-"
                                                                                               "add"
                                                                                               "r' "
                                                                                               "AND"
                                                                                               " "
                                                                                               "net"
                                                                                               "wor"
                                                                                               "k-"
                                                                                               "tra"
                                                                                               "ffi"
                                                                                               "c:"
                                                                                               "dst"
                                                                                               "_re"
                                                                                               "f."
                                                                                               "val"
                                                                                               "ue "
                                                                                               "= "
                                                                                               "'19"
                                                                                               "2."
                                                                                               "0."
                                                                                               "2."
                                                                                               "7'"
                                                                                               "]") ",\n" INDICATOR("[file:name = '/tmp/it\\\\'s']")));
    assert_string_equal(told, "");
    takes(ADDRESS, "192.0.2.1");
    takes(ADDRESS, "192.0.2.2");
    takes(ADDRESS, "192.0.2.7");
    takes(ADDRESS, "198.51.100.9");
    takes(ADDRESS, "203.0.113.9");
    takes(ADDRESS, "2001:db8::1");
    takes(DOMAIN, "b.example");
    takes(DOMAIN, "c.example");
    takes(HASH, SHA256_A);
    takes(HASH, SHA256_B);
    lacks(HASH, MD5_A); /* the stronger hash alone */
    takes(PATH, "/opt/q/x y");
    takes(PATH, "/tmp/it's");
}

static void stix_that_lists_cannot_hold_is_refused_by_name(void **state)
{
    (void)state;

    static const struct {
        const char *pattern;
        const char *words;
    } rows[] = {
        {"[ipv4-addr:value = '192.0.2.1'] FOLLOWEDBY [domain-name:value = 'a.example']",
         "3: pattern: 'FOLLOWEDBY' joins or limits observations, which no list can hold"},
        {"[ipv4-addr:value = '192.0.2.1'] AND [domain-name:value = 'a.example']", "'AND' joins"},
        {"[ipv4-addr:value = '192.0.2.1'] WITHIN 300 SECONDS", "'WITHIN' joins or limits"},
        {"[domain-name:value LIKE '%.example']", "'LIKE' asks for more than a list can hold"},
        {"[ipv4-addr:value != '192.0.2.1']", "'!=' asks for more"},
        {"[NOT ipv4-addr:value = '192.0.2.1']", "'NOT' stands where a path should"},
        {"[ipv4-addr:value NOT = '192.0.2.1']", "'NOT' asks for more"},
        {"[ipv4-addr:value = '192.0.2.1' AND domain-name:value = 'a.example']",
         "'domain-name:value' is asked for together with something else"},
        {"[email-addr:value = 'a@b.example']", "'email-addr:value' is nothing that a list holds"},
        {"[file:hashes.'SHA-512' = 'aa']", "is nothing that a list holds"},
        {"[ipv4-addr:value = 192]", "'192' is no address"},
        {"[ipv4-addr:value = '192.0.2.1'", "'the end' stands where ] should"},
        {"[ipv4-addr:value = '192.0.2.1", "stands where a value should"},
        {"ipv4-addr:value = '192.0.2.1'", "stands where [ should"},
        {"[]", "']' stands where a path should"},
        {"((((((((((((((((((((((((((((((((((((((((", "'(' is nested too deeply"},
        {"", "the indicator has no pattern"},
    };

    char text[512];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int len = snprintf(text, sizeof text, BUNDLE(INDICATOR("%s")), rows[i].pattern);
        read_text("b.json", (struct text){.ptr = text, .len = (size_t)len});
        assert_int_equal(in.counts.taken, 0);
        tells(rows[i].words);
    }
}

static void stix_says_which_object_is_broken(void **state)
{
    (void)state;
    reads("b.stix.json",
          BUNDLE("{\"type\":\"identity\",\"name\":\"CERT Example\"},\n"
                 "{\"type\":\"indicator\",\"pattern\":\"[ipv4-addr:value = '192.0.2.1']\"},\n"
                 "{\"type\":\"indicator\" \"pattern\":1},\n"
                 "[1],\n"
                 "{\"type\":\"indicator\",\"pattern_type\":\"yara\",\"pattern\":\"rule x {}\"},\n"
                 "{\"type\":\"indicator\",\"pattern\":\"[ipv4-addr:value = '192.0.2.2']\",\n"
                 "  \"valid_until\":\"2025-12-31T23:59:59.000Z\"},\n"
                 "{\"type\":\"indicator\",\"pattern\":\"[ipv4-addr:value = '192.0.2.3']\",\n"
                 "  \"valid_until\":\"2027-01-01T00:00:00Z\"},\n"
                 "{\"type\":\"indicator\",\"pattern\":\"[ipv4-addr:value = '192.0.2.4']\","
                 "\"revoked\":true},\n"
                 "{\"type\":\"indicator\",\"pattern\":\"[ipv4-addr:value = '192.0.2.5']\","
                 "\"indicator_types\":[\"benign\"]},\n"
                 "{\"type\":\"malware\",\"name\":\"\\\"]}\"},\n"
                 "{\"type\":\"ipv4-addr\",\"value\":\"192.0.2.6\"},\n"
                 "{\"type\":\"file\",\"hashes\":{\"MD5\":\"" MD5_A "\",\"SHA-256\":\"" SHA256_A
                 "\"}},\n"
                 "{\"type\":\"indicator\",\"pattern\":\"[ipv4-addr:value = "
                 "'192.0.2.99']\",\"x\":\"\xff\"}"));
    takes(ADDRESS, "192.0.2.1");
    lacks(ADDRESS, "192.0.2.2");
    takes(ADDRESS, "192.0.2.3");
    lacks(ADDRESS, "192.0.2.4");
    lacks(ADDRESS, "192.0.2.5");
    takes(ADDRESS, "192.0.2.6");
    lacks(ADDRESS, "192.0.2.99");
    takes(HASH, SHA256_A);
    assert_text(in.name, "b");
    assert_text(in.author, "CERT Example");
    tells("5: json: ");
    tells("6: json: it is no object");
    tells("-7: indicator: the pattern is 'yara', not stix");
    tells("-8: indicator: the indicator is valid until 2025-12-31T23:59:59.000Z");
    tells("-12: indicator: the indicator was revoked");
    tells("-13: indicator: the indicator is of something benign");
    tells("17: json: ");
}

static void what_is_no_bundle_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "[]",
                                        "{",
                                        "{}",
                                        "{\"objects\"",
                                        "{\"objects\":{}}",
                                        "{\"objects\":[",
                                        "{\"objects\":[{",
                                        "{\"objects\":[{}",
                                        "{\"objects\":[{} {}]}",
                                        "{\"a\":\"x",
                                        "{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
                                        "{\"a\":1}",
                                        "{\"a\":1,}",
                                        "{\"objects\":[,]}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        read_text("b.json", text_of(texts[i]));
        assert_int_equal(in.counts.refused, 1);
    }
}

/* ── rules ── */

static unsigned matches;

static void on_match(void *context, size_t rule)
{
    (void)context;
    (void)rule;
    matches++;
}

static void on_fault(void *context, size_t rule, const char *what)
{
    (void)context;
    fail_msg("rule %zu: %s", rule, what);
}

static struct text pack_of(void)
{
    struct indicators_result result = finished();
    struct builder *b;
    struct text bytes;
    char why[160];
    assert_ok(builder_new(&arena, &b));
    for (size_t i = 0; i < result.list_count; i++) {
        assert_ok(builder_list(b, result.lists[i], why));
    }
    for (size_t i = 0; i < result.rule_count; i++) {
        assert_ok(builder_add(b, &result.rules[i], why));
    }
    assert_ok(builder_finish(b, &bytes));
    return bytes;
}

static unsigned matches_of(struct matcher *m, const char *line, enum event_names names)
{
    static uint8_t record[EVENT_MAX];
    struct event_json_fault fault = {0};
    struct event event;
    struct matcher_sink sink = {.on_match = on_match, .on_fault = on_fault};
    if (!status_ok(event_json_read(text_of(line), names, record, sizeof record, &event, &fault))) {
        fail_msg("%s", fault.words);
    }
    matches = 0;
    matcher_run(m, &event, &sink);
    return matches;
}

static void rules_match_the_other_side_programs_and_files(void **state)
{
    (void)state;

    static const struct {
        const char *line;
        unsigned matches;
    } events[] = {
        {"{\"type\":\"network_connect\",\"initiated\":true,\"source_address\":\"10.9.9.9\","
         "\"destination_address\":\"192.0.2.1\"}",
         1},
        {"{\"type\":\"network_connect\",\"initiated\":true,\"source_address\":\"192.0.2.1\","
         "\"destination_address\":\"10.9.9.9\"}",
         0},
        {"{\"type\":\"network_accept\",\"initiated\":false,\"source_address\":\"192.0.2.1\","
         "\"destination_address\":\"10.9.9.9\"}",
         1},
        {"{\"type\":\"network_accept\",\"initiated\":false,\"source_address\":\"10.9.9.9\","
         "\"destination_address\":\"192.0.2.1\"}",
         0},
        {"{\"type\":\"process_exec\",\"path\":\"/opt/kit/a/b\"}", 1},
        {"{\"type\":\"process_exec\",\"path\":\"/bin/sh\",\"invoked_path\":\"/opt/kit/a/b.sh\"}",
         1},
        {"{\"type\":\"process_exec\",\"path\":\"/bin/sh\"}", 0},
        {"{\"type\":\"file_create\",\"path\":\"/bin/cp\",\"target_path\":\"/opt/kit/a/n\"}", 1},
        {"{\"type\":\"file_create\",\"path\":\"/opt/kit/a/x\",\"target_path\":\"/tmp/n\"}", 0},
        {"{\"type\":\"process_exec\",\"path\":\"/x\",\"sha256\":\"" SHA256_A "\"}", 1},
    };

    static const char *const recorded[] = {
        "{\"category\":\"network_connection\",\"product\":\"windows\",\"fields\":"
        "{\"DestinationHostname\":\"CDN.evil.example\",\"Initiated\":\"true\"}}",
        "{\"category\":\"process_creation\",\"product\":\"windows\",\"fields\":"
        "{\"Hashes\":\"MD5=0,SHA256=" SHA256_A ",IMPHASH=1\"}}",
        "{\"category\":\"network_connection\",\"product\":\"windows\",\"fields\":"
        "{\"SourceIp\":\"192.0.2.1\",\"DestinationIp\":\"10.1.1.1\",\"Initiated\":\"false\"}}"};
    struct pack pack;
    struct pack_fault fault;
    struct matcher *m = NULL;
    reads("x.txt", "# title: Bad things\n192.0.2.1\nevil.example\n/opt/kit/a/\n" SHA256_A "\n");
    assert_ok(pack_open(pack_of(), &pack, &fault));
    assert_ok(matcher_new(&pack, &m));
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        if (matches_of(m, events[i].line, EVENT_NAMES_OURS) != events[i].matches) {
            fail_msg("%s", events[i].line);
        }
    }
    for (size_t i = 0; i < sizeof recorded / sizeof *recorded; i++) {
        assert_int_equal(matches_of(m, recorded[i], EVENT_NAMES_SIGMA), 1);
    }
    matcher_free(m);
}

static void the_same_entries_make_the_same_pack(void **state)
{
    (void)state;
    reads("x.txt", "b.example\na.example\n192.0.2.1\n192.0.2.0/25\n");
    struct text one = pack_of();
    reads("x.txt", "192.0.2.0/25\nA.example.\n192.0.2.1\n192.0.2.1\nhxxp://b[.]example\n");
    assert_true(text_same(one, pack_of()));
    reads("y.txt", "192.0.2.1\n");
    struct text id = finished().rules[0].id;
    reads("y.txt", "192.0.2.2\n");
    assert_true(text_same(id, finished().rules[0].id)); /* of the list, not of its entries */
    assert_text(id, "8cfe7a01-a799-8b99-a5be-838d7b54987c");
}

/* However little memory there is: a status, and nothing that was half read is used. */
static void no_memory_is_a_status(void **state)
{
    (void)state;

    static const struct {
        const char *file;
        struct text bytes;
    } files[] = {
        {"x.txt", TEXT("# title: T\n192.0.2.1\na.example\n/opt/a/b\n" SHA256_A "\n")},
        {"x.csv", TEXT("ip,domain\n192.0.2.1,a.example\n")},
        {"x.json", TEXT("{\"objects\":[{\"type\":\"indicator\",\"pattern\":\"[ipv4-addr:value = "
                        "'192.0.2.1']\"}]}")}};

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        bool done = false;
        for (size_t limit = 0; !done && limit < 1 << 20; limit += 64) {
            struct arena small;
            struct indicators_result result;
            arena_init(&small, limit);
            in = (struct indicators){
                .arena = &small, .file = text_of(files[i].file), .on_refusal = on_refusal};
            struct status s =
                indicators_read(&in, indicators_format_of(text_of(files[i].file)), files[i].bytes);
            s = status_ok(s) ? indicators_finish(&in, &result) : s;
            done = status_ok(s);
            assert_true(done || s.fault == FAULT_MEMORY);
            arena_done(&small);
        }
        assert_true(done);
    }
}

#define with_arena(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_arena(lists_are_read_as_people_write_them),
        with_arena(what_would_match_everywhere_is_refused),
        with_arena(what_is_no_indicator_is_refused_with_its_line),
        with_arena(long_lines_cost_a_line),
        with_arena(a_level_has_to_be_one),
        with_arena(csv_knows_columns_by_name),
        with_arena(csv_of_abuse_ch_is_read),
        with_arena(csv_of_misp_is_read),
        with_arena(csv_that_is_broken_costs_a_row),
        with_arena(stix_patterns_become_entries),
        with_arena(stix_that_lists_cannot_hold_is_refused_by_name),
        with_arena(stix_says_which_object_is_broken),
        with_arena(what_is_no_bundle_is_refused),
        with_arena(rules_match_the_other_side_programs_and_files),
        with_arena(the_same_entries_make_the_same_pack),
        with_arena(no_memory_is_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
