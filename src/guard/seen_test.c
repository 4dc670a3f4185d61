#include "base/test.h"
#include "guard/seen.h"

static uint8_t room[RECORD_MAX];
static char path_room[SEEN_PATH];

/* A record with parts, as the kernel part writes it. */
struct maker {
    struct writer w;
};

static struct maker make(enum record_kind kind)
{
    struct maker m = {.w = writer_over(room, sizeof room)};
    struct record r = {.kind = (uint8_t)kind, .pid = 42};
    writer_bytes(&m.w, (struct text){.ptr = (const char *)&r, .len = sizeof r});
    return m;
}

static void add(struct maker *m, enum part_kind kind, uint8_t flags, struct text bytes)
{
    writer_u16(&m->w, (uint16_t)bytes.len);
    writer_u8(&m->w, (uint8_t)kind);
    writer_u8(&m->w, flags);
    writer_bytes(&m->w, bytes);
}

static struct text made(struct maker *m)
{
    uint32_t size = (uint32_t)m->w.used;
    memcpy(room + offsetof(struct record, size), &size, sizeof size);
    return writer_text(&m->w);
}

static void a_walk_is_turned_round(void **state)
{
    (void)state;
    struct seen seen;
    bool cut;
    struct maker m = make(RECORD_CREATE);
    add(&m, PART_PATH, 0, TEXT("passwd\0etc\0"));
    assert_ok(seen_open(made(&m), &seen));
    assert_text(seen_path(seen_part(&seen, PART_PATH, 0), path_room, &cut), "/etc/passwd");
    assert_false(cut);
}

static void the_root_is_a_slash(void **state)
{
    (void)state;
    struct seen seen;
    bool cut;
    struct maker m = make(RECORD_EXEC);
    add(&m, PART_CWD, 0, TEXT(""));
    assert_ok(seen_open(made(&m), &seen));
    assert_text(seen_path(seen_part(&seen, PART_CWD, 0), path_room, &cut), "/");
}

static void a_memfd_has_no_folder(void **state)
{
    (void)state;
    struct seen seen;
    bool cut;
    struct maker m = make(RECORD_MEMFD);
    add(&m, PART_PATH, PART_DETACHED, TEXT("memfd:x\0"));
    assert_ok(seen_open(made(&m), &seen));
    assert_text(seen_path(seen_part(&seen, PART_PATH, 0), path_room, &cut), "memfd:x");
}

static void assert_joined(struct text base, struct text user, const char *want)
{
    struct seen seen;
    bool cut;
    struct maker m = make(RECORD_UNLINK);
    add(&m, PART_BASE, 0, base);
    add(&m, PART_USER_PATH, 0, user);
    assert_ok(seen_open(made(&m), &seen));
    struct text path = seen_user_path(&seen, 0, path_room, &cut);
    assert_int_equal(path.len, strlen(want));
    assert_memory_equal(path.ptr, want, path.len);
}

static void a_callers_path_is_made_absolute(void **state)
{
    (void)state;
    assert_joined(TEXT(""), TEXT("/a/b"), "/a/b");
    assert_joined(TEXT("q\0tmp\0"), TEXT("x"), "/tmp/q/x");
    assert_joined(TEXT("q\0tmp\0"), TEXT("../y/./z"), "/tmp/y/z");
    assert_joined(TEXT(""), TEXT("//a//../../..//b/"), "/b");
    assert_joined(TEXT("jail\0srv\0"), TEXT("/etc/x"), "/srv/jail/etc/x"); /* a chroot */
    assert_joined(TEXT("jail\0srv\0"), TEXT("/../../etc/x"), "/srv/jail/etc/x");
    assert_joined(TEXT("q\0"), TEXT(""), "/q");
}

static void the_second_name_has_its_own_base(void **state)
{
    (void)state;
    struct seen seen;
    bool cut;
    struct maker m = make(RECORD_RENAME);
    add(&m, PART_BASE, 0, TEXT("a\0"));
    add(&m, PART_USER_PATH, 0, TEXT("old"));
    add(&m, PART_BASE, 0, TEXT("b\0"));
    add(&m, PART_USER_PATH, 0, TEXT("new"));
    assert_ok(seen_open(made(&m), &seen));
    assert_text(seen_user_path(&seen, 1, path_room, &cut), "/b/new");
    assert_text(seen_user_path(&seen, 0, path_room, &cut), "/a/old");
    assert_int_equal(seen_user_path(&seen, 2, path_room, &cut).len, 0);
}

static void too_long_a_path_is_cut_and_says_so(void **state)
{
    (void)state;
    static char user[2 * SEEN_PATH];
    struct seen seen;
    bool cut;
    memset(user, 'a', sizeof user);
    for (size_t i = 0; i < sizeof user; i += 100) {
        user[i] = '/';
    }
    struct maker m = make(RECORD_UNLINK);
    add(&m, PART_BASE, 0, TEXT("some\0folder\0"));
    add(&m, PART_USER_PATH, 0, (struct text){.ptr = user + 1, .len = sizeof user - 1});
    assert_ok(seen_open(made(&m), &seen));
    struct text path = seen_user_path(&seen, 0, path_room, &cut);
    assert_true(cut && path.len <= SEEN_PATH);
}

static void arguments_are_joined(void **state)
{
    (void)state;
    static char arguments[RECORD_ARGUMENTS_MAX];
    struct seen seen;
    struct maker m = make(RECORD_EXEC);
    add(&m, PART_ARGUMENTS, 0, TEXT("sh\0-c\0id -u\0"));
    assert_ok(seen_open(made(&m), &seen));
    assert_text(seen_arguments(seen_part(&seen, PART_ARGUMENTS, 0), arguments), "sh -c id -u");
}

static void no_cut_and_no_flip_leads_outside(void **state)
{
    (void)state;
    struct maker m = make(RECORD_RENAME);
    add(&m, PART_BASE, 0, TEXT("a\0"));
    add(&m, PART_USER_PATH, 0, TEXT("old"));
    struct text record = made(&m);
    for (size_t len = 0; len < record.len; len++) {
        struct seen seen;
        assert_false(status_ok(seen_open(text_part(record, 0, len), &seen)));
    }
    for (size_t bit = 0; bit < record.len * 8; bit++) {
        struct seen seen;
        bool cut;
        room[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (status_ok(seen_open(record, &seen))) {
            seen_user_path(&seen, 0, path_room, &cut);
        }
        room[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_walk_is_turned_round),
        cmocka_unit_test(the_root_is_a_slash),
        cmocka_unit_test(a_memfd_has_no_folder),
        cmocka_unit_test(a_callers_path_is_made_absolute),
        cmocka_unit_test(the_second_name_has_its_own_base),
        cmocka_unit_test(too_long_a_path_is_cut_and_says_so),
        cmocka_unit_test(arguments_are_joined),
        cmocka_unit_test(no_cut_and_no_flip_leads_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
