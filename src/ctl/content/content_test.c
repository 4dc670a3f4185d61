#include "base/bytes.h"
#include "base/heap.h"
#include "base/own.h"
#include "base/test.h"
#include "ctl/content/content_file.h"
#include "ctl/content/content_lines.h"
#include "ctl/content/content_rules.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/content_test.XXXXXX";

static int enter_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

static void put(const char *path, const char *text)
{
    assert_ok(content_file_replace(path, text_of(text)));
}

static void holds(const char *path, const char *text)
{
    OWN(content_bytes_drop) struct content_bytes bytes = {0};
    assert_ok(content_file_read(path, 1000, &bytes));
    assert_int_equal(bytes.size, strlen(text));
    assert_memory_equal(bytes.data, text, bytes.size);
}

static void files_are_replaced_whole(void **state)
{
    (void)state;
    put("a", "one");
    put("a", "two and three");
    holds("a", "two and three");
}

/* As on a full disk: the write of the new file fails half way. */
static void a_failed_write_keeps_what_was_there(void **state)
{
    (void)state;
    static char large[4096];
    struct rlimit old;
    put("kept", "old");
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){1000, old.rlim_max}), 0);
    struct status s = content_file_replace("kept", (struct text){large, sizeof large});
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_fault(s, SYSTEM);
    holds("kept", "old");
    char beside[64];
    snprintf(beside, sizeof beside, "kept.%ld.tmp", (long)getpid());
    assert_int_equal(access(beside, F_OK), -1);
}

static void only_files_are_read_and_replaced(void **state)
{
    (void)state;
    struct content_bytes bytes;
    put("long", "0123456789");
    assert_int_equal(mkfifo("pipe", 0600), 0);
    assert_fault(content_file_read("pipe", 1000, &bytes), INVALID);
    assert_int_equal(content_file_read(".", 1000, &bytes).sys, EISDIR);
    assert_fault(content_file_read("long", 9, &bytes), LIMIT);
    assert_fault(content_file_read("nowhere", 9, &bytes), SYSTEM);
    assert_fault(content_file_replace("/dev/null", TEXT("x")), INVALID);
    assert_fault(content_file_replace("nowhere/x", TEXT("x")), SYSTEM);
}

static struct status note_path(void *context, const char *path, const char *wrong)
{
    writer_print(context, "%s%s ", path, wrong ? "!" : "");
    return OK;
}

static void rule_files_come_in_order(void **state)
{
    (void)state;
    char room[1000];
    struct writer paths = writer_over(room, sizeof room);
    char *const all[] = {"tree", "named.txt", "none", NULL};
    assert_int_equal(mkdir("tree", 0700) | mkdir("tree/b", 0700), 0);
    put("tree/c.yml", "");
    put("tree/a.yaml", "");
    put("tree/b/z.yml", "");
    put("tree/b/readme.md", "");
    put("named.txt", "");
    assert_int_equal(symlink("..", "tree/b/circle"), 0);
    assert_int_equal(symlink("nowhere", "tree/lost.yml"), 0);
    assert_ok(content_rules_each(all, &paths, note_path));
    assert_text(writer_text(&paths),
                "named.txt none! tree/a.yaml tree/b/circle! tree/b/z.yml tree/c.yml "
                "tree/lost.yml! ");
}

static void lines_have_a_limit(void **state)
{
    (void)state;
    OWN(content_lines_close) struct content_lines lines = {0};
    OWN(heap_drop) char *text = heap_alloc(2 * CONTENT_LINE_MAX, 1);
    struct text line;
    assert_non_null(text);
    memset(text, 'x', 2 * CONTENT_LINE_MAX - 1);
    memcpy(text, "ab\n\n", 4);
    text[4 + CONTENT_LINE_MAX] = '\n';
    text[4 + CONTENT_LINE_MAX + 4] = 0;
    put("lines", text);
    assert_ok(content_lines_open(&lines, "lines"));
    assert_ok(content_lines_next(&lines, &line));
    assert_text(line, "ab");
    assert_ok(content_lines_next(&lines, &line));
    assert_int_equal(line.len, 0);
    assert_fault(content_lines_next(&lines, &line), LIMIT);
    assert_ok(content_lines_next(&lines, &line));
    assert_text(line, "xxx");
    assert_fault(content_lines_next(&lines, &line), CLOSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_replaced_whole),
        cmocka_unit_test(a_failed_write_keeps_what_was_there),
        cmocka_unit_test(only_files_are_read_and_replaced),
        cmocka_unit_test(rule_files_come_in_order),
        cmocka_unit_test(lines_have_a_limit),
    };
    return cmocka_run_group_tests(tests, enter_folder, remove_folder);
}
