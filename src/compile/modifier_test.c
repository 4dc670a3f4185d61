#include "base/test.h"
#include "compile/modifier.h"

static struct arena arena;

static struct status read_key(const char *key, struct job *job, struct modified *out)
{
    struct yaml_node node = {.kind = YAML_TEXT, .line = 7, .text = text_of(key)};
    *job = (struct job){.arena = &arena};
    return modifier_read(job, &node, out);
}

static void keys_are_taken_apart(void **state)
{
    (void)state;
    struct job job;
    struct modified m;
    assert_ok(read_key("Image", &job, &m));
    assert_text(m.field, "Image");
    assert_int_equal(m.modifiers, 0);
    assert_ok(read_key("CommandLine|utf16|base64offset|contains|all", &job, &m));
    assert_text(m.field, "CommandLine");
    assert_int_equal(m.modifiers, M(UTF16) | M(BASE64OFFSET) | M(CONTAINS) | M(ALL));
    assert_ok(read_key("|re|all", &job, &m));
    assert_int_equal(m.field.len, 0);
}

static void refused(const char *key, const char *words)
{
    struct job job;
    struct modified m = {.modifiers = 99};
    assert_fault(read_key(key, &job, &m), INVALID);
    assert_int_equal(job.refusal.class, REFUSAL_MODIFIER);
    assert_int_equal(job.refusal.line, 7);
    if (!strstr(job.refusal.words, words)) {
        fail_msg("%s: %s", key, job.refusal.words);
    }
    assert_int_equal(m.modifiers, 99);
}

static void what_means_nothing_is_refused(void **state)
{
    (void)state;
    refused("A|", "no modifier");
    refused("A||all", "no modifier");
    refused("A|Contains", "there is no modifier 'Contains'");
    refused("A|all|all", "twice");
    refused("A|contains|startswith", "together");
    refused("A|all|re", "before");
    refused("A|neq|re", "before");
    refused("A|i", "after 're'");
    refused("A|cidr|contains", "together");
    refused("A|exists|neq", "together");
    refused("A|gt|lt", "together");
    refused("A|gt|hour", "before");
    refused("A|hour|day", "together");
    refused("A|contains|fieldref", "before");
    refused("A|startswith|base64", "before");
    refused("A|base64|wide", "before");
    refused("A|utf16le", "needs 'base64'");
    refused("A|windash|base64", "together");
    refused("A|re|cased", "together");
}

/* add() asks only the newcomer whom it goes with: that is enough if the table is symmetrical. */
static void company_is_mutual(void **state)
{
    (void)state;
    for (unsigned a = 0; a < MODIFIER_COUNT; a++) {
        for (unsigned b = 0; b < MODIFIER_COUNT; b++) {
            bool there = modifier_company((enum modifier)a) >> b & 1;
            bool back = modifier_company((enum modifier)b) >> a & 1;
            if (a != b && there != back) {
                fail_msg("%s and %s disagree", modifier_name((enum modifier)a),
                         modifier_name((enum modifier)b));
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_taken_apart),
        cmocka_unit_test(what_means_nothing_is_refused),
        cmocka_unit_test(company_is_mutual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
