#include "base/test.h"
#include "ctl/suggest.h"

static const char *nearest(const char *typed)
{
    static const char *const words[] = {"run", "status", "tail", "tree", "doctor", "process_exec"};
    struct suggest s = suggest_for(text_of(typed));
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        suggest_offer(&s, words[i]);
    }
    return s.nearest ? s.nearest : "";
}

static void typos_find_their_word(void **state)
{
    (void)state;
    assert_string_equal(nearest("stauts"), "status"); /* swapped */
    assert_string_equal(nearest("statu"), "status");  /* left out */
    assert_string_equal(nearest("treee"), "tree");    /* doubled */
    assert_string_equal(nearest("doktor"), "doctor"); /* replaced */
    assert_string_equal(nearest("proces-exec"), "process_exec");
}

static void other_words_find_none(void **state)
{
    (void)state;
    assert_string_equal(nearest("xyz"), "");
    assert_string_equal(nearest(""), "");
    assert_string_equal(nearest("statistics"), "");
    assert_string_equal(nearest("a word that is much longer than any of ours is"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(typos_find_their_word),
        cmocka_unit_test(other_words_find_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
