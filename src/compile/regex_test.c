/*
 * Differential: PCRE2 is the second opinion on random expressions and subjects. Cases by hand say
 * what is refused, and what the two are known to see differently.
 */
#include "base/own.h"
#include "base/test.h"
#include "compile/regex.h"
#include "content/match/automaton.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

static bool found(const struct regex *regex, struct text subject)
{
    bool any = false;
    for (size_t i = 0; i < regex->count; i++) {
        any = any || automaton_search(regex->parts[i].automaton, subject);
    }
    return any;
}

static bool matches(const char *pattern, unsigned flags, struct text subject)
{
    OWN(arena_done) struct arena arena;
    struct regex regex;
    char why[REGEX_WHY];
    arena_init(&arena, 1 << 20);
    struct status s = regex_compile(text_of(pattern), flags, &arena, &regex, why);
    if (!status_ok(s)) {
        fail_msg("/%s/: %s", pattern, why);
    }
    return found(&regex, subject);
}

#define assert_found(pattern, subject) assert_true(matches(pattern, 0, TEXT(subject)))
#define assert_missed(pattern, subject) assert_false(matches(pattern, 0, TEXT(subject)))

static void found_anywhere_unless_anchored(void **state)
{
    (void)state;
    assert_found("b+c", "abbbcd");
    assert_missed("b+c", "ac");
    assert_missed("^ab$", "xab");
    assert_found("^ab$", "ab\n");
    assert_missed("^ab$", "ab\n\n");
    assert_missed("\\Aab\\z", "ab\n");
    assert_found("\\Aab\\Z", "ab\n");
    assert_found("", "");
    assert_missed("a^", "a");
}

static void newline_before_the_end_is_seen_by_dollar(void **state)
{
    (void)state;
    assert_found("a$\\n", "a\n");
    assert_found("a$\\s", "a\n");
    assert_missed("a$\\nb", "a\nb");
    assert_missed("a$\\n\\n", "a\n\n");
    assert_found("a$\\n\\z", "a\n");
    assert_true(matches("a$", REGEX_M, TEXT("a\nb")));
    assert_true(matches("^b", REGEX_M, TEXT("a\nb")));
    assert_false(matches("^b", 0, TEXT("a\nb")));
}

static void characters_are_code_points_or_stray_bytes(void **state)
{
    (void)state;
    assert_found("^.$", "\xe2\x82\xac");
    assert_missed("^..$", "\xe2\x82\xac");
    assert_found("^.$", "\xff");
    assert_found("^..$", "\xe2\x82"); /* cut: two bytes that begin nothing */
    assert_missed("^.$", "\xe2\x82");
    assert_found("^.{3}$", "\xf0\x90\x80");
    assert_found("^..$", "\xe2"
                         "a");
    assert_found("^[^a]$", "\xff");
    assert_missed("^[\\x00-\\x{10ffff}]$", "\xff");
    assert_found("^[\xe2\x80\x93\xe2\x80\x94/-]x", "\xe2\x80\x94x");
    assert_missed("^[\xe2\x80\x93\xe2\x80\x94/-]x", "\xe2\x80\x95x");
    assert_missed("^\\d$", "\xd9\xa7"); /* a digit, but no ASCII one */
    assert_missed("a.c", "a\nc");
    assert_true(matches("a.c", REGEX_S, TEXT("a\nc")));
}

static void flags_fold_ascii(void **state)
{
    (void)state;
    assert_found("(?i)aB[c-d]", "xAbDx");
    assert_found("(?i)[^b]", "c");
    assert_missed("(?i)^[^b]$", "B");
    assert_true(matches("\xc3\xa9", REGEX_I, TEXT("\xc3\xa9")));
    assert_false(matches("\xc3\xa9", REGEX_I, TEXT("\xc3\x89")));
    assert_found("(?ims)^B.c$", "a\nb\nC");
}

static void words_have_edges(void **state)
{
    (void)state;
    assert_found("\\bnc\\b", "x nc -l");
    assert_missed("\\bnc\\b", "xnc");
    assert_found("\\bnc\\b", "nc");
    assert_found("a\\Bb", "ab");
    assert_missed("a\\bb", "ab");
    assert_found("\\b\xc3\xa9|x", "a\xc3\xa9");
}

static void classes_read_as_in_pcre(void **state)
{
    (void)state;
    assert_found("^[]a]+$", "]a");
    assert_found("^[\\w.-]+$", "a-b.c");
    assert_found("^[a-]+$", "-a");
    assert_found("[\\w+|\\s]", "|");
    assert_missed("^[^\\W\\d]$", "7");
    assert_found("[\\b]", "\b");
    assert_found("a{,2}", "a{,2}");
    assert_found("\\x41\\x{e9}", "A\xc3\xa9");
}

static void public_rules_compile(void **state)
{
    (void)state;
    char line[1001];
    memset(line, 'x', sizeof line);
    assert_true(matches(".{1000,}", 0, (struct text){line, 1000}));
    assert_false(matches(".{1000,}", 0, (struct text){line, 999}));
    assert_true(matches("[^/]{100,}$", 0, (struct text){line, 100}));
    assert_found("(?:[Pp]rogram[Dd]ata|%(?:[Ll]ocal)?[Aa]pp[Dd]ata%|\\\\[Aa]pp[Dd]ata\\\\"
                 "(?:[Ll]ocal(?:[Ll]ow)?|[Rr]oaming))\\\\[^\\\\]{1,256}$",
                 "%AppData%\\evil.exe");
    assert_found("cmd.{0,5}(?:/c|/r).+powershell.+(?:\\$\\{?input\\}?|noexit).+\\\"",
                 "cmd.exe /c echo | powershell -x -noexit y\"");
    assert_found("[-/\xe2\x80\x93][Ee^]{1,2}[ncodema^]*\\s[A-Za-z0-9+/=]{15,}",
                 "-enc AAAAAAAAAAAAAAAAAAAA");
    assert_found("(?i)\\.exe[\"\']?\\s+[^\"]{0,64}werfaultsecure\\.exe[\"\']?\\s+\\d{2,10}",
                 "w.exe  x.exe  c:\\WerFaultSecure.exe 712");
}

static void is_refused(const char *pattern, const char *reason)
{
    OWN(arena_done) struct arena arena;
    struct regex out = {.count = 4711};
    char why[REGEX_WHY];
    arena_init(&arena, 1 << 20);
    struct status s = regex_compile(text_of(pattern), 0, &arena, &out, why);
    if (status_ok(s) || !strstr(why, reason)) {
        fail_msg("%s: %s", pattern, status_ok(s) ? "accepted" : why);
    }
    assert_int_equal(out.count, 4711);
}

static void refusals_name_place_and_reason(void **state)
{
    (void)state;
    is_refused("x(a", "at byte 2: this ( is not closed");
    is_refused("a)", "at byte 2: this ) closes nothing");
    is_refused("[a", "at byte 1: this [ is not closed");
    is_refused("[", "not closed");
    is_refused("[^", "not closed");
    is_refused("*a", "at byte 1: there is nothing to repeat");
    is_refused("a|{2}", "at byte 3: there is nothing to repeat");
    is_refused("a$+", "at byte 3: there is nothing to repeat");
    is_refused("a**", "follows a quantifier");
    is_refused("a*+", "possessive");
    is_refused("a{3,2}", "at byte 2: the larger count comes first");
    is_refused("[b-a]", "range");
    is_refused("[a-\\d]", "shorthand");
    is_refused("[[:alpha:]]", "named classes");
    is_refused("(?=a)b", "look-around");
    is_refused("(?<!a)b", "look-around");
    is_refused("(a)\\1", "at byte 4: back-references");
    is_refused("(?>a)", "atomic");
    is_refused("(?<n>a)", "named");
    is_refused("(?P<n>a)", "named");
    is_refused("a(?i)b", "flags at the very start");
    is_refused("(*UTF)a", "verbs");
    is_refused("\\p{L}", "escape");
    is_refused("\\Qa", "escape");
    is_refused("a\\", "backslash ends");
    is_refused("\\x{110000}", "no such Unicode");
    is_refused("\\x{d800}", "no such Unicode");
    is_refused("\xff", "UTF-8");
    is_refused("a{4001}", "limit 4000");
    is_refused("(?:a{1000}){1000}", "too large");
    is_refused("[ab]*a[ab]{20}", "too many states");
    is_refused("[ab]*a[ab]{13}c", "automaton is too large");
}

static void groups_may_not_nest_without_end(void **state)
{
    (void)state;
    char pattern[2 * REGEX_DEPTH_MAX + 4] = "";
    memset(pattern, '(', REGEX_DEPTH_MAX);
    memset(pattern + REGEX_DEPTH_MAX, ')', REGEX_DEPTH_MAX);
    assert_true(matches(pattern, 0, TEXT("")));
    memset(pattern, '(', REGEX_DEPTH_MAX + 1);
    memset(pattern + REGEX_DEPTH_MAX + 1, ')', REGEX_DEPTH_MAX + 1);
    is_refused(pattern, "nested");
}

/* Merging is complete: an expression and a roundabout way to say it have the same table. */
static void equal_states_are_merged(void **state)
{
    (void)state;
    OWN(arena_done) struct arena arena;
    struct regex plain;
    struct regex odd;
    char why[REGEX_WHY];
    arena_init(&arena, 1 << 20);
    assert_ok(regex_compile(TEXT("^(?:a|b)*c"), 0, &arena, &plain, why));
    assert_ok(regex_compile(TEXT("^(?:a*b*|ab|(?:ba)+)*(?:c|cc|cd)"), 0, &arena, &odd, why));
    assert_int_equal(plain.parts[0].automaton.ptr[4], 3);
    assert_int_equal(odd.parts[0].automaton.ptr[4], 3);
}

/* ── PCRE2 ── */

static uint32_t seed = 20240719;

static uint32_t dice(uint32_t sides)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % sides;
}

static void random_pattern(char *out, size_t room)
{
    static const char *const pieces[] = {"a",
                                         "b",
                                         "c",
                                         "a",
                                         "b",
                                         ".",
                                         "[ab]",
                                         "[^a]",
                                         "\\w",
                                         "\\W",
                                         "\\d",
                                         "\\s",
                                         "\\b",
                                         "\\B",
                                         "^",
                                         "$",
                                         "\\A",
                                         "\\z",
                                         "\\Z",
                                         "\\n",
                                         "*",
                                         "+",
                                         "?",
                                         "*?",
                                         "{2}",
                                         "{1,2}",
                                         "{0,3}",
                                         "{2,}",
                                         "{1,3}",
                                         "{0,}",
                                         "(",
                                         "(?:",
                                         ")",
                                         ")",
                                         "|",
                                         "\xc3\xa9",
                                         "[\xc3\xa9-\xe2\x82\xac]",
                                         "[^\xc3\xa9]",
                                         "\\S",
                                         "[a\\W]",
                                         "-"};
    out[0] = 0;
    for (uint32_t n = 1 + dice(9); n > 0; n--) {
        const char *piece = pieces[dice(sizeof pieces / sizeof *pieces)];
        size_t used = strlen(out);
        if (used + strlen(piece) < room) {
            memcpy(out + used, piece, strlen(piece) + 1);
        }
    }
}

static struct text random_subject(char *out, size_t room)
{
    static const char *const pieces[] = {"a", "b", "c",        "\n",           "a", "b", "-",
                                         "1", " ", "\xc3\xa9", "\xe2\x82\xac", "B"};
    size_t used = 0;
    for (uint32_t n = dice(8); n > 0; n--) {
        const char *piece = pieces[dice(sizeof pieces / sizeof *pieces)];
        if (used + strlen(piece) < room) {
            memcpy(out + used, piece, strlen(piece));
            used += strlen(piece);
        }
    }
    return (struct text){out, used};
}

static void code_drop(pcre2_code **code)
{
    pcre2_code_free(*code);
}

static void match_drop(pcre2_match_data **data)
{
    pcre2_match_data_free(*data);
}

static pcre2_code *second_opinion(const char *pattern, unsigned flags)
{
    uint32_t options = PCRE2_UTF | (flags & REGEX_I ? PCRE2_CASELESS : 0) |
                       (flags & REGEX_M ? PCRE2_MULTILINE : 0) |
                       (flags & REGEX_S ? PCRE2_DOTALL : 0);
    int error;
    PCRE2_SIZE at;
    return pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, options, &error, &at, NULL);
}

static unsigned compare_subjects(const char *pattern, unsigned flags, const struct regex *regex,
                                 pcre2_code *code)
{
    OWN(match_drop) pcre2_match_data *data = pcre2_match_data_create_from_pattern(code, NULL);
    unsigned compared = 0;
    for (int i = 0; i < 30; i++) {
        char room[64];
        struct text subject = random_subject(room, sizeof room);
        int theirs = pcre2_match(code, (PCRE2_SPTR)subject.ptr, subject.len, 0, 0, data, NULL);
        if (theirs < -1) {
            continue; /* they gave up */
        }
        compared++;
        if (found(regex, subject) != (theirs >= 0)) {
            fail_msg("/%s/ flags %u on \"%.*s\": PCRE2 says %d", pattern, flags, TEXT_ARGS(subject),
                     theirs);
        }
    }
    return compared;
}

/* What is read off the expression, and what is proven on its automaton. */
static bool factor_is_needed(const char *pattern, const struct regex *regex)
{
    bool all = true;
    for (size_t i = 0; i < regex->count; i++) {
        const struct regex_part *part = &regex->parts[i];
        if (part->factor.len && !automaton_needs(part->automaton, part->factor)) {
            fail_msg("/%s/ matches without '%.*s'", pattern, TEXT_ARGS(part->factor));
        }
        all = all && part->factor.len;
    }
    return all;
}

static void agrees_with_pcre2(void **state)
{
    (void)state;
    unsigned compared = 0;
    unsigned compiled = 0;
    unsigned needed = 0;
    for (int i = 0; i < 60000; i++) {
        OWN(arena_done) struct arena arena;
        char pattern[128];
        char why[REGEX_WHY];
        struct regex regex;
        unsigned flags = dice(8);
        arena_init(&arena, 1 << 20);
        random_pattern(pattern, sizeof pattern);
        OWN(code_drop) pcre2_code *code = second_opinion(pattern, flags);
        if (!status_ok(regex_compile(text_of(pattern), flags, &arena, &regex, why))) {
            continue; /* what is refused is settled by the test above */
        }
        if (!code) {
            fail_msg("/%s/ is refused by PCRE2", pattern);
        }
        compiled++;
        compared += compare_subjects(pattern, flags, &regex, code);
        needed += factor_is_needed(pattern, &regex);
    }
    assert_true(compiled > 15000 && compared > 400000 && needed > 5000);
}

static void has_factor(const char *pattern, unsigned flags, const char *factor)
{
    OWN(arena_done) struct arena arena;
    struct regex regex;
    char why[REGEX_WHY];
    arena_init(&arena, 1 << 20);
    assert_ok(regex_compile(text_of(pattern), flags, &arena, &regex, why));
    assert_int_equal(regex.count, 1);
    if (!text_same(regex.parts[0].factor, text_of(factor))) {
        fail_msg("/%s/: '%.*s', not '%s'", pattern, TEXT_ARGS(regex.parts[0].factor), factor);
    }
    assert_true(factor_is_needed(pattern, &regex) == (factor[0] != 0));
}

static void factors_are_the_longest_words(void **state)
{
    (void)state;
    has_factor("abc", 0, "abc");
    has_factor("ABC", 0, "abc");
    has_factor("aBc", REGEX_I, "abc");
    has_factor("ab.*cde", 0, "cde");
    has_factor("^ab\\bcd$", 0, "abcd");
    has_factor("ab+cd", 0, "bcd");
    has_factor("abx+c", 0, "abx");
    has_factor("ab{3}c", 0, "abbbc");
    has_factor("ab?cd", 0, "cd");
    has_factor("(?:abc)+d", 0, "abcd");
    has_factor("(?:abc){2}", 0, "abc");
    has_factor("x(?:ab|cd)+yz", 0, "yz");
    has_factor("[ab]c?", 0, "");
    has_factor("c:\\\\windows\\\\[^\\\\]+\\.exe", 0, "c:\\windows\\");
    has_factor("\xc3\xa9xyz", 0, "xyz");
}

static void choices_of_words_are_split(void **state)
{
    (void)state;
    OWN(arena_done) struct arena arena;
    struct regex regex;
    char why[REGEX_WHY];
    arena_init(&arena, 1 << 20);
    assert_ok(regex_compile(TEXT("(^|/)(?:chisel|frpc|ngrok)( |$)"), 0, &arena, &regex, why));
    assert_int_equal(regex.count, 3);
    assert_text(regex.parts[0].factor, "ngrok");
    assert_text(regex.parts[2].factor, "chisel");
    assert_true(found(&regex, TEXT("/opt/frpc -c x")));
    assert_false(found(&regex, TEXT("/opt/frpcx -c x")));
    assert_ok(regex_compile(TEXT("abc|xyz+"), 0, &arena, &regex, why));
    assert_int_equal(regex.count, 2);
    /* A choice within one: -a or --algo, then a name. */
    assert_ok(regex_compile(TEXT("(?:stratum|(-a|--algo)[= ]?(randomx|kawpow))"), 0, &arena, &regex,
                            why));
    assert_int_equal(regex.count, 3);
    assert_true(found(&regex, TEXT("x --algo=kawpow")));
    assert_false(found(&regex, TEXT("x --algo=kawpaw")));
    /* One alternative without a word: nothing is gained. A longer word is there anyhow: likewise.
     */
    assert_ok(regex_compile(TEXT("(?:chisel|x*)"), 0, &arena, &regex, why));
    assert_int_equal(regex.count, 1);
    assert_ok(regex_compile(TEXT("(?:chisel|frpc) --server"), 0, &arena, &regex, why));
    assert_int_equal(regex.count, 1);
}

/* Words that are there by chance, and not in every match. */
static void what_is_not_needed_is_told_apart(void **state)
{
    (void)state;
    OWN(arena_done) struct arena arena;
    struct regex regex;
    char why[REGEX_WHY];
    arena_init(&arena, 1 << 20);
    assert_ok(regex_compile(TEXT("x(?:ab|cd)+yz"), 0, &arena, &regex, why));
    assert_true(automaton_needs(regex.parts[0].automaton, TEXT("yz")));
    assert_true(automaton_needs(regex.parts[0].automaton, TEXT("x")));
    assert_false(automaton_needs(regex.parts[0].automaton, TEXT("ab")));
    assert_false(automaton_needs(regex.parts[0].automaton, TEXT("xyz")));
    assert_false(automaton_needs(regex.parts[0].automaton, TEXT("yzz")));
    assert_false(automaton_needs(regex.parts[0].automaton, TEXT("")));
    assert_ok(regex_compile(TEXT("a*$"), 0, &arena, &regex, why));
    assert_false(automaton_needs(regex.parts[0].automaton, TEXT("a")));
    assert_ok(regex_compile(TEXT("aab$"), 0, &arena, &regex, why));
    assert_true(automaton_needs(regex.parts[0].automaton, TEXT("aab")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(factors_are_the_longest_words),
        cmocka_unit_test(choices_of_words_are_split),
        cmocka_unit_test(what_is_not_needed_is_told_apart),
        cmocka_unit_test(found_anywhere_unless_anchored),
        cmocka_unit_test(newline_before_the_end_is_seen_by_dollar),
        cmocka_unit_test(characters_are_code_points_or_stray_bytes),
        cmocka_unit_test(flags_fold_ascii),
        cmocka_unit_test(words_have_edges),
        cmocka_unit_test(classes_read_as_in_pcre),
        cmocka_unit_test(public_rules_compile),
        cmocka_unit_test(refusals_name_place_and_reason),
        cmocka_unit_test(groups_may_not_nest_without_end),
        cmocka_unit_test(equal_states_are_merged),
        cmocka_unit_test(agrees_with_pcre2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
