#include "base/arena.h"
#include "base/clock.h"
#include "base/count.h"
#include "base/file.h"
#include "base/heap.h"
#include "base/json.h"
#include "base/own.h"
#include "base/quote.h"
#include "base/siphash.h"
#include "base/test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static struct status fails_here(void)
{
    FAIL_SYS(2);
}

static struct status hands_up(void)
{
    TRY(fails_here());
    return OK;
}

static void status_says_what_and_where(void **state)
{
    (void)state;
    char words[128];
    status_text(hands_up(), words, sizeof words);
    assert_non_null(strstr(words, "No such file or directory"));
    assert_non_null(strstr(words, "base_test.c:"));
    assert_string_equal(status_plain(hands_up(), words, sizeof words), "No such file or directory");
    struct status folder = {.fault = FAULT_SYSTEM, .sys = EISDIR, .where = STATUS_HERE};
    assert_string_equal(status_plain(folder, words, sizeof words), "it is a folder");
    struct status rare = {.fault = FAULT_SYSTEM, .sys = EIO, .where = STATUS_HERE};
    assert_non_null(strstr(status_plain(rare, words, sizeof words), "base_test.c:"));
    char small[8];
    assert_string_equal(status_text(hands_up(), small, sizeof small), "the sys");
}

static void reader_is_sticky(void **state)
{
    (void)state;
    uint8_t bytes[] = {1, 2, 0, 9, 9};
    struct reader r = reader_over(bytes, sizeof bytes);
    assert_int_equal(reader_u8(&r), 1);
    assert_int_equal(reader_u16(&r), 2);
    assert_int_equal(reader_u32(&r), 0); /* two bytes are left */
    assert_int_equal(reader_u8(&r), 0);  /* and are not given out after a failure */
    assert_fault(reader_end(&r), BOUNDS);
    struct reader leftovers = reader_over(bytes, sizeof bytes);
    reader_u32(&leftovers);
    assert_fault(reader_end(&leftovers), INVALID);
}

static void text_length_is_bounded(void **state)
{
    (void)state;
    uint8_t bytes[] = {3, 0, 'a', 'b', 'c'};
    struct reader r = reader_over(bytes, sizeof bytes);
    assert_text(reader_text16(&r, 3), "abc");
    assert_ok(reader_end(&r));
    r = reader_over(bytes, sizeof bytes);
    assert_int_equal(reader_text16(&r, 2).len, 0);
    assert_fault(reader_end(&r), BOUNDS);
    r = reader_over(bytes, 4);
    assert_int_equal(reader_text16(&r, 9).len, 0);
    assert_fault(reader_end(&r), BOUNDS);
}

static void writer_never_overruns(void **state)
{
    (void)state;
    uint8_t room[4] = {0};
    struct writer w = writer_over(room, 3);
    writer_u16(&w, 0x0201);
    writer_u32(&w, 7);
    writer_u8(&w, 7); /* would fit, but comes after a failure */
    assert_fault(writer_end(&w), LIMIT);
    assert_int_equal(w.used, 2);
    assert_int_equal(room[2], 0);
}

static void numbers_from_text(void **state)
{
    (void)state;
    uint64_t u;
    int64_t i;
    assert_true(text_to_u64(TEXT("18446744073709551615"), &u) && u == UINT64_MAX);
    assert_false(text_to_u64(TEXT("18446744073709551616"), &u));
    assert_false(text_to_u64(TEXT(""), &u) || text_to_u64(TEXT("1 "), &u));
    assert_true(text_to_i64(TEXT("-9223372036854775808"), &i) && i == INT64_MIN);
    assert_false(text_to_i64(TEXT("9223372036854775808"), &i) || text_to_i64(TEXT("-"), &i));
}

static void utf8_is_strict(void **state)
{
    (void)state;
    assert_true(text_is_utf8(TEXT("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")));
    assert_false(text_is_utf8(TEXT("\xc0\xaf")));         /* too long a form */
    assert_false(text_is_utf8(TEXT("\xed\xa0\x80")));     /* a surrogate */
    assert_false(text_is_utf8(TEXT("\xf4\x90\x80\x80"))); /* over U+10FFFF */
    assert_false(text_is_utf8(TEXT("\xe2\x82")));         /* cut */
}

static void json_escapes(void **state)
{
    (void)state;
    char room[256];
    struct writer w = writer_over(room, sizeof room);
    struct json j = json_over(&w);
    json_open(&j, '{');
    json_member_text(&j, "a", TEXT("\"\\\n\x01\xff\xc3\xa9"));
    json_key(&j, "b");
    json_open(&j, '[');
    json_number(&j, -5);
    json_bool(&j, true);
    json_nothing(&j);
    json_close(&j, ']');
    json_close(&j, '}');
    assert_ok(writer_end(&w));
    assert_text(writer_text(&w),
                "{\"a\":\"\\\"\\\\\\n\\u0001\xef\xbf\xbd\xc3\xa9\",\"b\":[-5,true,null]}");
}

static void arena_is_bounded(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 100000);
    assert_non_null(arena_alloc(&a, 90000, 1));
    assert_null(arena_alloc(&a, 20000, 1));
    assert_null(arena_alloc(&a, SIZE_MAX, 2));
    assert_non_null(arena_alloc(&a, 100, 1));
    heap_fail_at(1);
    arena_done(&a);
    assert_null(heap_alloc(1, 1));
    arena_done(&a);
}

static void ownership_moves(void **state)
{
    (void)state;
    int kept;
    {
        OWN(fd_drop) int dropped = open("/dev/null", O_RDONLY);
        OWN(fd_drop) int taken = dup(dropped);
        kept = fd_take(&taken);
    }
    assert_int_equal(close(kept), 0);
    assert_int_equal(close(kept), -1);
}

static void clock_writes_rfc3339(void **state)
{
    (void)state;
    char out[CLOCK_TEXT];
    assert_string_equal(clock_text(1721365740000000042, out), "2024-07-19T05:09:00.000000042Z");
}

/* The first vector that its authors publish: key 00 01 … 0f, no input. The rest follows from taking
 * an input in one piece or in several being the same. */
static void siphash_is_what_was_published(void **state)
{
    (void)state;
    uint8_t key[SIPHASH_KEY];
    for (uint8_t i = 0; i < SIPHASH_KEY; i++) {
        key[i] = i;
    }
    struct siphash s = siphash_begin(key);
    struct hash128 hash = siphash_end(&s);
    assert_int_equal(hash.low, 0xe6a825ba047f81a3ULL);
    assert_int_equal(hash.high, 0x930255c71472f66dULL);
    struct text bytes = TEXT("0123456789abcdefghijk");
    s = siphash_begin(key);
    siphash_bytes(&s, bytes);
    struct hash128 whole = siphash_end(&s);
    for (size_t cut = 0; cut <= bytes.len; cut++) {
        s = siphash_begin(key);
        siphash_bytes(&s, text_part(bytes, 0, cut));
        siphash_bytes(&s, text_part(bytes, cut, bytes.len));
        hash = siphash_end(&s);
        assert_true(hash.low == whole.low && hash.high == whole.high);
    }
    key[0] = 1;
    s = siphash_begin(key);
    siphash_bytes(&s, bytes);
    assert_true(siphash_end(&s).low != whole.low);
}

static void numbers_for_people(void **state)
{
    (void)state;
    assert_string_equal(COUNT(0), "0");
    assert_string_equal(COUNT(999), "999");
    assert_string_equal(COUNT(1000), "1,000");
    assert_string_equal(COUNT(UINT64_MAX), "18,446,744,073,709,551,615");
    assert_string_equal(COUNTED(1, "match", "matches"), "1 match");
    assert_string_equal(COUNTED(0, "match", "matches"), "0 matches");
    assert_string_equal(COUNTED(1234567, "match", "matches"), "1,234,567 matches");
}

static void quoted_text_draws_nothing(void **state)
{
    (void)state;
    char line[100];
    struct text foreign = TEXT("a\x1b[2J\r\n\xc2\x9b\xe2\x80\xae\xff\xc3\xa9");
    quote_line(line, sizeof line, foreign);
    assert_string_equal(line, "a\\x1b[2J\\x0d\\n\\x9b\\u{202e}\\xff\xc3\xa9");
    char again[100];
    assert_string_equal(quote_line(again, sizeof again, text_of(line)), line);
    char small[6];
    assert_string_equal(quote_line(small, sizeof small, TEXT("abc\x1b")), "abc");
    assert_int_equal(quote_cut(TEXT("a\xe2\x82\xac"), 3), 1);
    assert_int_equal(quote_cut(TEXT("a\xe2\x82\xac"), 4), 4);
    assert_int_equal(quote_cut(TEXT("ab"), 1), 1);
    assert_int_equal(quote_cut(TEXT("\x80\x80\x80"), 2), 2);
}

static void a_file_is_read_whole_or_not(void **state)
{
    (void)state;
    char bytes[6] = "";
    OWN(fd_drop) int file = memfd_create("file", MFD_CLOEXEC);
    assert_int_equal(write(file, "abcde", 5), 5);
    assert_ok(file_read(file, bytes, 5));
    assert_string_equal(bytes, "abcde");
    assert_int_equal(lseek(file, 0, SEEK_CUR), 5);
    assert_ok(file_read(file, bytes, 0));
    assert_fault(file_read(file, bytes, 6), INVALID);
    assert_int_equal(file_read(-1, bytes, 1).sys, EBADF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_says_what_and_where),
        cmocka_unit_test(reader_is_sticky),
        cmocka_unit_test(text_length_is_bounded),
        cmocka_unit_test(writer_never_overruns),
        cmocka_unit_test(numbers_from_text),
        cmocka_unit_test(utf8_is_strict),
        cmocka_unit_test(json_escapes),
        cmocka_unit_test(numbers_for_people),
        cmocka_unit_test(quoted_text_draws_nothing),
        cmocka_unit_test(arena_is_bounded),
        cmocka_unit_test(ownership_moves),
        cmocka_unit_test(a_file_is_read_whole_or_not),
        cmocka_unit_test(clock_writes_rfc3339),
        cmocka_unit_test(siphash_is_what_was_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
