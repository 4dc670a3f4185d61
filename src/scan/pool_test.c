/* The pool against a keeper and workers in small, which do what real ones should never do. */
#include "base/own.h"
#include "base/test.h"
#include "scan/pool.h"
#include "scan/post.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILES = 3, EXIT_BAD_PACK = 78 };

static struct post_packet packet; /* what the last message's texts lie in */

/* ── a worker in small; runs in a child process ── */

struct end {
    uint8_t signal, code;
};

typedef struct end play(int pool, unsigned start);

static void tell(int pool, struct talk_message m)
{
    /* A pool that is gone ends the test by itself. */
    status_ignore(post_send(pool, &m, -1));
}

/* The next message; false: the pool is gone. */
static bool hear(int pool, struct talk_message *out)
{
    return status_ok(post_receive(pool, TALK_OPENER, &packet, out, NULL));
}

static void be_ready(int pool, uint32_t rules)
{
    struct talk_message m;
    while (hear(pool, &m) && m.number != MESSAGE_BEGIN) {
    }
    tell(pool, (struct talk_message){.number = MESSAGE_SOURCE,
                                     .source = {.index = 0, .file = TEXT("a.yar")}});
    tell(pool,
         (struct talk_message){.number = MESSAGE_READY, .ready = {.rules = rules, .sources = 1}});
}

static void say_scanned(int pool, uint32_t matches)
{
    tell(pool, (struct talk_message){.number = MESSAGE_HASH, .hash = {.sha256 = TEXT("abc")}});
    if (matches) {
        tell(pool, (struct talk_message){.number = MESSAGE_MATCH,
                                         .match = {.name = TEXT("rule"), .file = TEXT("a.yar")}});
    }
    tell(pool, (struct talk_message){.number = MESSAGE_VERDICT,
                                     .verdict = {.matches = matches, .bytes = 1}});
}

static struct end works(int pool, unsigned start)
{
    struct talk_message m;
    (void)start;
    be_ready(pool, 4);
    while (hear(pool, &m)) {
        if (m.number == MESSAGE_SCAN) {
            say_scanned(pool, m.scan.first == 0 && m.scan.end == UINT32_MAX);
        }
    }
    return (struct end){0};
}

/* Rule 2 of 4 is bad, alone or among others. */
static struct end dies_of_rule_2(int pool, unsigned start)
{
    struct talk_message m;
    bool off = false;
    (void)start;
    be_ready(pool, 4);
    while (hear(pool, &m)) {
        if (m.number == MESSAGE_RULE) {
            off = !m.rule.on && text_same(m.rule.name, TEXT("two"));
        } else if (m.number == MESSAGE_WHICH) {
            tell(pool, (struct talk_message){
                           .number = MESSAGE_NAMED,
                           .named = {.file = TEXT("a.yar"),
                                     .name = m.which.index == 2 ? TEXT("two") : TEXT("?")}});
        } else if (m.scan.first <= 2 && m.scan.end > 2 && !off) {
            return (struct end){.signal = SIGSEGV};
        } else {
            say_scanned(pool, 0);
        }
    }
    return (struct end){0};
}

/* The first one answers the first file with bytes that are no message. */
static struct end lies_once(int pool, unsigned start)
{
    struct talk_message m;
    be_ready(pool, 4);
    if (start == 0) {
        while (hear(pool, &m) && m.number != MESSAGE_SCAN) {
        }
        send(pool, "\xff\xff\xff", 3, MSG_NOSIGNAL);
        return (struct end){.signal = SIGKILL}; /* as the pool has asked for */
    }
    while (hear(pool, &m)) {
        if (m.number == MESSAGE_SCAN) {
            say_scanned(pool, 0);
        }
    }
    return (struct end){0};
}

/* What is no answer to what it was asked: as bad as no message at all. */
static struct end is_ready_again_and_again(int pool, unsigned start)
{
    be_ready(pool, 4);
    if (start == 0) {
        struct talk_message m;
        while (hear(pool, &m) && m.number != MESSAGE_SCAN) {
        }
        tell(pool, (struct talk_message){.number = MESSAGE_READY});
        return (struct end){.signal = SIGKILL};
    }
    struct talk_message m;
    while (hear(pool, &m)) {
        if (m.number == MESSAGE_SCAN) {
            say_scanned(pool, 0);
        }
    }
    return (struct end){0};
}

/* Source 1 ends whoever compiles it. */
static struct end dies_of_source_1(int pool, unsigned start)
{
    struct talk_message m;
    bool skipped = false;
    (void)start;
    while (hear(pool, &m) && m.number != MESSAGE_BEGIN) {
        skipped = skipped || (m.number == MESSAGE_SKIP && m.skip.source == 1);
    }
    tell(pool, (struct talk_message){.number = MESSAGE_SOURCE,
                                     .source = {.index = 1, .file = TEXT("bad.yar")}});
    if (!skipped) {
        return (struct end){.signal = SIGSEGV};
    }
    tell(pool, (struct talk_message){.number = MESSAGE_READY, .ready = {.rules = 1}});
    while (hear(pool, &m)) {
        say_scanned(pool, 0);
    }
    return (struct end){0};
}

static struct end never_begins(int pool, unsigned start)
{
    (void)pool;
    (void)start;
    return (struct end){.code = 1};
}

static struct end refuses_the_pack(int pool, unsigned start)
{
    (void)pool;
    (void)start;
    return (struct end){.code = EXIT_BAD_PACK};
}

/* ── the keeper in small ── */

static void keep(int opener, play *worker)
{
    struct talk_message m;
    for (unsigned starts = 0; status_ok(post_receive(opener, TALK_OPENER, &packet, &m, NULL));) {
        int pair[2];
        if (m.number != MESSAGE_START) {
            continue; /* to end a worker, which has ended */
        }
        struct talk_message started = {.number = MESSAGE_STARTED,
                                       .started = {.slot = m.start.slot}};
        uint8_t slot = m.start.slot;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0 ||
            !status_ok(post_send(opener, &started, pair[0]))) {
            return;
        }
        close(pair[0]);
        struct end end = worker(pair[1], starts++);
        close(pair[1]);
        tell(opener, (struct talk_message){
                         .number = MESSAGE_ENDED,
                         .ended = {.slot = slot, .signal = end.signal, .code = end.code}});
    }
}

/* ── what the pool says ── */

struct heard {
    unsigned next;
    unsigned matches, verdicts, culprits, flaws;
    enum outcome outcomes[FILES];
    char words[64], culprit[64], flaw[64];
};

static enum pool_next next(void *context, struct target *out)
{
    struct heard *h = context;
    if (h->next == FILES) {
        return POOL_END;
    }
    out->fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    out->size = 1;
    out->token = h->next++;
    snprintf(out->path, sizeof out->path, "/file%u", (unsigned)out->token);
    return POOL_FILE;
}

static void on_match(void *context, const struct target *t, struct text sha256,
                     const struct talk_match *match)
{
    struct heard *h = context;
    (void)t;
    assert_text(sha256, "abc");
    assert_text(match->name, "rule");
    h->matches++;
}

static void on_verdict(void *context, const struct target *t, struct text sha256,
                       const struct verdict *v)
{
    struct heard *h = context;
    (void)sha256;
    h->outcomes[t->token] = v->outcome;
    h->verdicts++;
    if (v->words.len) {
        text_copy(v->words, h->words, sizeof h->words);
    }
}

static void on_culprit(void *context, const struct target *t, enum outcome outcome,
                       const struct talk_named *rule, bool off)
{
    struct heard *h = context;
    (void)t;
    assert_int_equal(outcome, OUTCOME_CRASHED);
    assert_int_equal(off, h->culprits + 1 == POOL_STRIKES);
    text_copy(rule->name, h->culprit, sizeof h->culprit);
    h->culprits++;
}

static void on_flaw(void *context, const struct talk_flaw *flaw)
{
    struct heard *h = context;
    text_copy(flaw->file, h->flaw, sizeof h->flaw);
    h->flaws++;
}

static bool on_ready(void *context, const struct talk_ready *ready)
{
    (void)context;
    return ready->rules > 0;
}

static void on_tick(void *context)
{
    (void)context;
}

/* Runs the pool over FILES files with such workers. */
static struct status run(play *worker, struct heard *out)
{
    int pair[2];
    *out = (struct heard){0};
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    pid_t keeper = fork();
    if (keeper == 0) {
        close(pair[0]);
        keep(pair[1], worker);
        _exit(0);
    }
    close(pair[1]);
    struct pool_options options = {.keeper = pair[0], .jobs = 1, .time_s = 5};
    struct pool_source source = {.context = out,
                                 .fd = -1,
                                 .next = next,
                                 .on_match = on_match,
                                 .on_verdict = on_verdict,
                                 .on_culprit = on_culprit,
                                 .on_flaw = on_flaw,
                                 .on_ready = on_ready,
                                 .on_tick = on_tick};
    struct status s = pool_run(&options, &source);
    close(pair[0]);
    kill(keeper, SIGKILL);
    waitpid(keeper, NULL, 0);
    return s;
}

/* ── tests ── */

static void files_are_scanned(void **state)
{
    (void)state;
    struct heard heard;
    assert_ok(run(works, &heard));
    assert_int_equal(heard.verdicts, FILES);
    assert_int_equal(heard.matches, FILES);
    assert_int_equal(heard.outcomes[0], OUTCOME_SCANNED);
}

static void the_rule_that_kills_is_found_and_left_out(void **state)
{
    (void)state;
    struct heard heard;
    assert_ok(run(dies_of_rule_2, &heard));
    assert_string_equal(heard.culprit, "two");
    assert_int_equal(heard.culprits, FILES);
    assert_int_equal(heard.verdicts, FILES);
    for (unsigned i = 0; i < FILES; i++) {
        assert_int_equal(heard.outcomes[i], OUTCOME_SCANNED);
    }
}

static void a_worker_that_breaks_the_rules_costs_one_verdict(void **state)
{
    (void)state;
    play *const liars[] = {lies_once, is_ready_again_and_again};
    for (unsigned i = 0; i < sizeof liars / sizeof *liars; i++) {
        struct heard heard;
        assert_ok(run(liars[i], &heard));
        assert_int_equal(heard.outcomes[0], OUTCOME_CRASHED);
        assert_string_equal(heard.words, "SIGKILL");
        assert_int_equal(heard.outcomes[1], OUTCOME_SCANNED);
        assert_int_equal(heard.outcomes[2], OUTCOME_SCANNED);
        assert_int_equal(heard.culprits, 0);
    }
}

static void a_source_that_kills_the_compiler_is_left_out(void **state)
{
    (void)state;
    struct heard heard;
    assert_ok(run(dies_of_source_1, &heard));
    assert_int_equal(heard.flaws, 1);
    assert_string_equal(heard.flaw, "bad.yar");
    assert_int_equal(heard.verdicts, FILES);
}

static void workers_that_never_begin_end_the_scan(void **state)
{
    (void)state;
    struct heard heard;
    assert_fault(run(never_begins, &heard), UNSUPPORTED);
    assert_fault(run(refuses_the_pack, &heard), INVALID);
    assert_int_equal(heard.verdicts, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_scanned),
        cmocka_unit_test(the_rule_that_kills_is_found_and_left_out),
        cmocka_unit_test(a_worker_that_breaks_the_rules_costs_one_verdict),
        cmocka_unit_test(a_source_that_kills_the_compiler_is_left_out),
        cmocka_unit_test(workers_that_never_begin_end_the_scan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
