#include "base/test.h"
#include "scan/walk.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/walk_test.XXXXXX";

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

static void put(const char *path, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0 && ftruncate(fd, (off_t)size) == 0);
    close(fd);
}

/* What a walk over one path comes to. */
struct seen {
    unsigned files, folders;
    unsigned left_out[OUTCOME_COUNT];
    char last[POOL_PATH];
};

static void walk_over(const char *path, uint64_t max_size, struct seen *out)
{
    static struct walk w;
    static struct target t;
    char *paths[] = {(char *)(uintptr_t)path, NULL};
    struct walk_left_out why;
    *out = (struct seen){0};
    w = walk_begin(paths, max_size, false);
    for (;;) {
        switch (walk_next(&w, &t, &why)) {
        case WALK_FILE:
            out->files++;
            text_copy(text_of(t.path), out->last, sizeof out->last);
            close(t.fd);
            break;
        case WALK_LEFT_OUT:
            out->left_out[why.outcome]++;
            break;
        case WALK_FOLDER:
            out->folders++;
            break;
        case WALK_END:
            walk_end(&w);
            return;
        }
    }
}

static void each_file_is_found_once(void **state)
{
    (void)state;
    static struct seen seen;
    mkdir("a", 0700);
    mkdir("a/b", 0700);
    put("a/b/deep", 1);
    put("a/large", 100);
    put("a/empty", 0);
    walk_over("a", 50, &seen);
    assert_int_equal(seen.files, 2);
    assert_int_equal(seen.folders, 2);
    assert_int_equal(seen.left_out[OUTCOME_TOO_LARGE], 1);
    walk_over("a/b/deep", 50, &seen);
    assert_string_equal(seen.last, "a/b/deep");
    walk_over("a/", 1000, &seen);
    assert_int_equal(seen.files, 3);
    assert_null(strstr(seen.last, "//"));
}

static void only_files_are_opened(void **state)
{
    (void)state;
    static struct seen seen;
    mkdir("b", 0700);
    assert_int_equal(mkfifo("b/fifo", 0600), 0);
    assert_int_equal(symlink(".", "b/circle"), 0);
    assert_int_equal(symlink("/etc/passwd", "b/elsewhere"), 0);
    walk_over("b", 1000, &seen); /* the FIFO has no other end: opening it would wait */
    assert_int_equal(seen.files, 0);
    assert_int_equal(seen.left_out[OUTCOME_NO_FILE], 1);
    assert_int_equal(seen.left_out[OUTCOME_LINK], 2);
    walk_over("/dev/null", 1000, &seen);
    assert_int_equal(seen.left_out[OUTCOME_NO_FILE], 1);
    walk_over("b/missing", 1000, &seen);
    assert_int_equal(seen.left_out[OUTCOME_GONE], 1);
}

/* A path that a person names is followed where it is a link; what lies below never is. */
static void a_named_link_is_followed(void **state)
{
    (void)state;
    static struct seen seen;
    mkdir("c", 0700);
    put("c/file", 1);
    assert_int_equal(symlink("c", "to-c"), 0);
    walk_over("to-c", 1000, &seen);
    assert_int_equal(seen.files, 1);
}

static void the_kernels_own_are_left_out(void **state)
{
    (void)state;
    static struct seen seen;
    walk_over("/proc", 1000, &seen);
    assert_int_equal(seen.folders, 0);
    assert_int_equal(seen.left_out[OUTCOME_KERNEL], 1);
    walk_over("/proc/self/status", 1000, &seen);
    assert_int_equal(seen.left_out[OUTCOME_KERNEL], 1);
}

static void depth_and_length_have_an_end(void **state)
{
    (void)state;
    static struct seen seen;
    mkdir("d", 0700);
    assert_int_equal(chdir("d"), 0);
    for (int i = 0; i < WALK_DEPTH + 10; i++) {
        assert_int_equal(mkdir("x", 0700), 0);
        assert_int_equal(chdir("x"), 0);
    }
    assert_int_equal(chdir(folder), 0);
    walk_over("d", 1000, &seen);
    assert_int_equal(seen.folders, WALK_DEPTH);
    assert_int_equal(seen.left_out[OUTCOME_TOO_DEEP], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_file_is_found_once),
        cmocka_unit_test(only_files_are_opened),
        cmocka_unit_test(a_named_link_is_followed),
        cmocka_unit_test(the_kernels_own_are_left_out),
        cmocka_unit_test(depth_and_length_have_an_end),
    };
    return cmocka_run_group_tests(tests, enter_folder, remove_folder);
}
