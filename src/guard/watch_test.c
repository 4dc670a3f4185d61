#include "base/test.h"
#include "guard/users.h"
#include "guard/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void patterns_match_what_they_say(void **state)
{
    (void)state;
    static struct watch w;
    assert_ok(watch_add(&w, 1, TEXT("/etc/shadow")));
    assert_ok(watch_add(&w, 1, TEXT("/root/.ssh/")));
    assert_ok(watch_add(&w, 1, TEXT("*/.aws/credentials")));
    assert_ok(watch_add(&w, 2, TEXT("*/.gnupg/")));
    assert_true(watch_matches(&w, TEXT("/etc/shadow")));
    assert_true(watch_matches(&w, TEXT("/etc/SHADOW"))); /* rules fold, so must what they watch */
    assert_false(watch_matches(&w, TEXT("/etc/shadow-")));
    assert_false(watch_matches(&w, TEXT("/srv/etc/shadow")));
    assert_true(watch_matches(&w, TEXT("/root/.ssh/id_rsa")));
    assert_false(watch_matches(&w, TEXT("/root/.ssh")));
    assert_true(watch_matches(&w, TEXT("/home/a/.aws/credentials")));
    assert_false(watch_matches(&w, TEXT("/home/a/x.aws/credentials")));
    assert_true(watch_matches(&w, TEXT("/home/a/.gnupg/private-keys-v1.d/k")));
    watch_forget(&w, 1);
    assert_false(watch_matches(&w, TEXT("/etc/shadow")));
    assert_true(watch_matches(&w, TEXT("/home/a/.gnupg/x")));
}

static void what_is_no_pattern_is_refused(void **state)
{
    (void)state;
    static struct watch w;
    static char longer[WATCH_PATTERN];
    memset(longer, 'a', sizeof longer);
    longer[0] = '/';
    assert_fault(watch_add(&w, 1, TEXT("")), INVALID);
    assert_fault(watch_add(&w, 1, TEXT("etc/shadow")), INVALID);
    assert_fault(watch_add(&w, 1, TEXT("/")), INVALID);
    assert_fault(watch_add(&w, 1, TEXT("*/")), INVALID);
    assert_fault(watch_add(&w, 1, TEXT("/a*b")), INVALID);
    assert_fault(watch_add(&w, 1, TEXT("/a\0b")), INVALID);
    assert_fault(watch_add(&w, 1, (struct text){longer, sizeof longer}), LIMIT);
    for (unsigned i = 0; i < WATCH_PATTERNS; i++) {
        assert_ok(watch_add(&w, 1, TEXT("/a")));
    }
    assert_fault(watch_add(&w, 1, TEXT("/a")), LIMIT);
}

static void the_last_guards_patterns_stay_for_a_while(void **state)
{
    (void)state;
    static struct watch w;
    assert_ok(watch_add(&w, 1, TEXT("/a")));
    assert_ok(watch_add(&w, 2, TEXT("/b")));
    watch_adopt(&w, 3);
    assert_true(watch_matches(&w, TEXT("/a")) && watch_matches(&w, TEXT("/b")));
    assert_ok(watch_add(&w, 3, TEXT("/a"))); /* its client is back under another number */
    assert_int_equal(w.count, 2);
    watch_settle(&w);
    assert_true(watch_matches(&w, TEXT("/a")));
    assert_false(watch_matches(&w, TEXT("/b")));
    memset(&w, 0xff, sizeof w);
    watch_adopt(&w, 1);
    assert_int_equal(w.count, 0);
}

/* The sieve is for the names that the kernel part will look at. */
static void the_sieve_holds_the_last_names(void **state)
{
    (void)state;
    static struct watch w;
    static __u64 sieve[WATCH_WORDS];
    uint64_t eight = 0;
    assert_ok(watch_add(&w, 1, TEXT("*/.ssh/")));
    watch_sieve(&w, sieve);
    memcpy(&eight, ".ssh", 4);
    uint32_t bit = watch_bit(eight, 4);
    assert_true(sieve[bit / 64] >> bit % 64 & 1);
    memcpy(&eight, ".SSH", 4);
    assert_int_equal(watch_bit(eight, 4), bit);
    unsigned set = 0;
    for (unsigned i = 0; i < WATCH_WORDS; i++) {
        set += (unsigned)__builtin_popcountll(sieve[i]);
    }
    assert_int_equal(set, 1);
    watch_forget(&w, 1);
    watch_sieve(&w, sieve);
    assert_int_equal(sieve[bit / 64], 0);
}

static void users_have_names_or_numbers(void **state)
{
    (void)state;
    static struct users u;
    char path[] = "/tmp/bulkhead-users-XXXXXX";
    char room[USERS_NAME];
    FILE *file = fdopen(mkstemp(path), "w");
    assert_non_null(file);
    fputs("zoe:x:1000:1000::/:/bin/sh\nroot:x:0:0::/:/bin/sh\n:x:5::\nbad\nx:y\nlast:x:7", file);
    fclose(file);
    users_refresh(&u, path);
    assert_text(users_name(&u, 0, room), "root");
    assert_text(users_name(&u, 1000, room), "zoe");
    assert_text(users_name(&u, 7, room), "last");
    assert_text(users_name(&u, 5, room), "5");
    assert_text(users_name(&u, UINT32_MAX, room), "4294967295");
    unlink(path);
    users_refresh(&u, path);
    assert_text(users_name(&u, 0, room), "root"); /* what cannot be read changes nothing */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match_what_they_say),
        cmocka_unit_test(what_is_no_pattern_is_refused),
        cmocka_unit_test(the_last_guards_patterns_stay_for_a_while),
        cmocka_unit_test(the_sieve_holds_the_last_names),
        cmocka_unit_test(users_have_names_or_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
