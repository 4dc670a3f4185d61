#include "base/test.h"
#include "wire/home.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[64];
static char path[128]; /* a home in it that is not there yet */
static char why[HOME_PATH];
static char room[HOME_PATH];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/home_test_XXXXXX");
    bool made = mkdtemp(folder) != NULL;
    snprintf(path, sizeof path, "%s/home", folder);
    return made ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static unsigned mode_of(const char *file)
{
    struct stat is;
    assert_int_equal(lstat(file, &is), 0);
    return is.st_mode & 07777;
}

static struct home home_at(const char *root)
{
    struct home home;
    assert_ok(home_open(root, &home));
    return home;
}

static void paths_are_under_the_root(void **state)
{
    (void)state;
    struct sockaddr_un address;
    struct home home = home_at("/srv/b//");
    assert_string_equal(home.root, "/srv/b");
    assert_string_equal(home_path(&home, "run/lock", room), "/srv/b/run/lock");
    assert_ok(home_socket(&home, &address));
    assert_string_equal(address.sun_path, "/srv/b/run/guard.sock");
}

static void the_environment_gives_the_default(void **state)
{
    (void)state;
    unsetenv("BULKHEAD_HOME");
    assert_string_equal(home_at(NULL).root, "/var/lib/bulkhead");
    setenv("BULKHEAD_HOME", "/srv/other", 1);
    assert_string_equal(home_at(NULL).root, "/srv/other");
    assert_string_equal(home_at("/srv/given").root, "/srv/given");
    unsetenv("BULKHEAD_HOME");
}

static void a_relative_home_is_below_the_current_folder(void **state)
{
    (void)state;
    char here[HOME_PATH];
    assert_int_equal(chdir(folder), 0);
    assert_non_null(getcwd(here, sizeof here));
    struct home home = home_at("home");
    assert_string_equal(home.root, path);
    assert_int_equal(chdir("/"), 0);
}

/* The socket's name must fit into sun_path, whatever else would still fit. */
static void a_long_home_is_refused(void **state)
{
    (void)state;
    struct home home;
    struct sockaddr_un address;
    char name[HOME_PATH];
    size_t longest = 0;
    for (size_t len = 1; len < sizeof name; len++) {
        memset(name, 'x', len);
        name[0] = '/';
        name[len] = 0;
        struct status s = home_open(name, &home);
        if (status_ok(s)) {
            assert_ok(home_socket(&home, &address));
            longest = len;
        } else {
            assert_int_equal(s.fault, FAULT_LIMIT);
        }
    }
    assert_true(longest > 80 && longest + sizeof "/run/guard.sock" <= sizeof address.sun_path);
}

static void folders_are_made_with_their_modes(void **state)
{
    (void)state;
    struct home home = home_at(path);
    assert_ok(home_make(&home, why));
    assert_int_equal(mode_of(home.root), 0755);
    assert_int_equal(mode_of(home_path(&home, "run", room)), 0755);
    assert_int_equal(mode_of(home_path(&home, "spool", room)), 0700);
    assert_int_equal(mode_of(home_path(&home, "content", room)), 0700);
    assert_int_equal(mode_of(home_path(&home, "run/bpf", room)), 0700);
    assert_int_equal(mode_of(home_path(&home, "run/mem", room)), 0700);
    assert_ok(home_make(&home, why));
}

static void assert_denied(const struct home *home, const char *words)
{
    assert_fault(home_make(home, why), DENIED);
    assert_non_null(strstr(why, home->root));
    assert_non_null(strstr(why, words));
}

static void a_folder_that_others_write_to_is_refused(void **state)
{
    (void)state;
    struct home home = home_at(path);
    assert_ok(home_make(&home, why));
    assert_int_equal(chmod(home_path(&home, "run", room), 0775), 0);
    assert_denied(&home, "/run can be written to by others");
    assert_int_equal(chmod(room, 0755), 0);
    assert_int_equal(chmod(home_path(&home, "content", room), 0720), 0);
    assert_denied(&home, "/content can be written to by others");
    assert_int_equal(chmod(room, 0700), 0);
    assert_int_equal(chmod(home.root, 01777), 0);
    assert_denied(&home, "can be written to by others");
}

static void a_link_or_a_file_is_refused(void **state)
{
    (void)state;
    struct home home = home_at(path);
    assert_int_equal(symlink("/tmp", path), 0);
    assert_denied(&home, "is no folder");
    assert_int_equal(unlink(path), 0);
    fclose(fopen(path, "w"));
    assert_denied(&home, "is no folder");
}

static void a_folder_of_somebody_else_is_refused(void **state)
{
    (void)state;
    struct home home = home_at(path);
    if (geteuid() != 0) {
        fail_msg("giving a folder away needs root");
    }
    assert_ok(home_make(&home, why));
    assert_int_equal(chown(home_path(&home, "run", room), 12345, 0), 0);
    assert_denied(&home, "/run belongs to another user");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_under_the_root),
        cmocka_unit_test(the_environment_gives_the_default),
        cmocka_unit_test_setup_teardown(a_relative_home_is_below_the_current_folder, make_folder,
                                        remove_folder),
        cmocka_unit_test(a_long_home_is_refused),
        cmocka_unit_test_setup_teardown(folders_are_made_with_their_modes, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_folder_that_others_write_to_is_refused, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_link_or_a_file_is_refused, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_folder_of_somebody_else_is_refused, make_folder,
                                        remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
