#include "base/heap.h"
#include "base/test.h"
#include "guard/processes.h"

enum { SLOTS = 4 };

static _Alignas(8) char memory[SLOTS * PROCESS_SLOT];

static struct processes open_table(void)
{
    struct processes p;
    assert_ok(processes_open(memory, SLOTS, &p));
    return p;
}

static struct processes fresh_table(void)
{
    memset(memory, 0, sizeof memory);
    return open_table();
}

static struct process *come(struct processes *p, uint32_t pid)
{
    struct process *process = processes_claim(p, pid, pid * 1000UL);
    if (process) {
        process_set_texts(process, (struct process_texts){.path = TEXT("/bin/sh"),
                                                          .cwd = TEXT("/"),
                                                          .arguments = TEXT("sh -c id")});
        process_seal(process);
    }
    return process;
}

static struct process *find(struct processes *p, uint32_t pid)
{
    return processes_find(p, process_guid(pid, pid * 1000UL));
}

static void a_reused_pid_is_another_process(void **state)
{
    (void)state;
    assert_int_not_equal(process_guid(7, 1000), process_guid(7, 1001));
    assert_int_not_equal(process_guid(7, 1000), process_guid(8, 1000));
    assert_int_equal(process_guid(7, 1000), process_guid(7, 1000));
}

static void the_oldest_that_ended_gives_way(void **state)
{
    (void)state;
    struct processes p = fresh_table();
    for (uint32_t pid = 1; pid <= SLOTS; pid++) {
        assert_non_null(come(&p, pid));
    }
    assert_null(come(&p, 9)); /* all live */
    assert_int_equal(p.refused, 1);
    assert_true(processes_end(&p, find(&p, 3), 5));
    assert_true(processes_end(&p, find(&p, 1), 6));
    assert_false(processes_end(&p, find(&p, 1), 7)); /* it had ended */
    assert_non_null(find(&p, 3));                    /* and can still be named */
    assert_non_null(come(&p, 10));
    assert_null(find(&p, 3));
    assert_non_null(find(&p, 1));
    assert_int_equal(p.live, 3);
    processes_done(&p);
}

static void a_new_guard_finds_what_was_sealed(void **state)
{
    (void)state;
    struct processes p = fresh_table();
    come(&p, 1);
    come(&p, 2);
    processes_claim(&p, 3, 3000); /* killed here: never sealed */
    processes_end(&p, find(&p, 2), 9);
    processes_done(&p);
    p = open_table();
    assert_text(process_texts(find(&p, 1)).arguments, "sh -c id");
    assert_non_null(find(&p, 2));
    assert_null(find(&p, 3));
    assert_int_equal(p.live, 1);
    assert_non_null(come(&p, 3));
    assert_non_null(come(&p, 4));
    assert_non_null(come(&p, 5)); /* the ended one gives way */
    assert_null(find(&p, 2));
    processes_done(&p);
}

static void garbage_in_memory_is_freed(void **state)
{
    (void)state;
    memset(memory, 0xff, sizeof memory);
    for (size_t i = 0; i < SLOTS; i++) {
        ((struct process *)(memory + i * PROCESS_SLOT))->sealed = 1;
    }
    struct processes p = open_table();
    assert_int_equal(p.live, 0);
    for (uint32_t pid = 1; pid <= SLOTS; pid++) {
        assert_non_null(come(&p, pid));
    }
    processes_done(&p);
}

static void long_texts_are_cut_and_marked(void **state)
{
    (void)state;
    static char longer[PROCESS_TEXT + 1];
    struct processes p = fresh_table();
    struct process *process = processes_claim(&p, 1, 1000);
    struct text text = {.ptr = longer, .len = sizeof longer};
    longer[0] = 'a';
    longer[sizeof longer - 1] = 'z';
    process_set_texts(process,
                      (struct process_texts){.path = text, .cwd = text, .arguments = text});
    struct process_texts t = process_texts(process);
    assert_true(t.path_cut && t.cwd_cut && t.arguments_cut);
    assert_int_equal(t.path.len, PROCESS_PATH_MAX);
    assert_int_equal(t.path.ptr[t.path.len - 1], 'z'); /* the name itself stays */
    assert_int_equal(t.arguments.ptr[0], 'a');
    assert_int_equal(t.cwd.len, PROCESS_CWD_MAX);
    assert_int_equal(t.path.len + t.cwd.len + t.arguments.len, PROCESS_TEXT);
    processes_done(&p);
}

/* Against the simplest model: a list of what must be there. */
static void it_agrees_with_a_list(void **state)
{
    (void)state;
    bool lives[64] = {0};
    unsigned alive = 0;
    uint32_t random = 1;
    struct processes p = fresh_table();
    for (unsigned step = 0; step < 20000; step++) {
        random = random * 1664525 + 1013904223;
        uint32_t pid = 1 + (random >> 16) % 63;
        struct process *process = find(&p, pid);
        assert_true(!lives[pid] || process);
        if (lives[pid]) {
            assert_true(processes_end(&p, process, step));
            lives[pid] = false;
            alive--;
        } else if (!process) {
            assert_int_equal(come(&p, pid) != NULL, alive < SLOTS);
            lives[pid] = alive < SLOTS;
            alive += lives[pid];
        }
        assert_int_equal(p.live, alive);
    }
    processes_done(&p);
}

static void what_lives_is_found_by_pid(void **state)
{
    (void)state;
    struct processes p = fresh_table();
    come(&p, 1);
    come(&p, 2);
    assert_ptr_equal(processes_by_pid(&p, 2), find(&p, 2));
    processes_end(&p, find(&p, 2), 9);
    assert_null(processes_by_pid(&p, 2));
    processes_done(&p);
    p = open_table();
    assert_ptr_equal(processes_by_pid(&p, 1), find(&p, 1));
    assert_null(processes_by_pid(&p, 2));
    processes_done(&p);
}

/* Ends that were lost with their records: who is not named again, and is no newcomer, is gone. */
static void ghosts_are_laid(void **state)
{
    (void)state;
    struct processes p = fresh_table();
    come(&p, 1);
    come(&p, 2);
    come(&p, 3); /* began at 3000 */
    processes_seen(&p, find(&p, 1));
    assert_int_equal(processes_reconcile(&p, 3000, 5000), 1);
    assert_int_equal(p.live, 2);
    assert_null(processes_by_pid(&p, 2));
    assert_non_null(processes_by_pid(&p, 3));
    processes_done(&p);
}

static void no_memory_is_a_status(void **state)
{
    (void)state;
    struct processes p;
    heap_fail_at(1);
    assert_fault(processes_open(memory, SLOTS, &p), MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reused_pid_is_another_process),
        cmocka_unit_test(the_oldest_that_ended_gives_way),
        cmocka_unit_test(a_new_guard_finds_what_was_sealed),
        cmocka_unit_test(garbage_in_memory_is_freed),
        cmocka_unit_test(long_texts_are_cut_and_marked),
        cmocka_unit_test(it_agrees_with_a_list),
        cmocka_unit_test(what_lives_is_found_by_pid),
        cmocka_unit_test(ghosts_are_laid),
        cmocka_unit_test(no_memory_is_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
