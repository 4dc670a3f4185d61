/*
 * bulkhead-scan: asks files whether YARA rules or indicators match.
 *
 * SECURITY: three processes of this binary. The keeper has what it was started with and reads
 * nothing; the opener opens every file and reads none; workers read and parse and can do nothing
 * else. cage.c has what each keeps.
 */
#include "base/log.h"
#include "base/text.h"
#include "scan/cage.h"
#include "scan/keeper.h"
#include "scan/opener.h"
#include "scan/worker.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

static const char help[] =
    "bulkhead-scan is started by bulkhead-guard or `bulkhead scan`, which give it its descriptors.";

/* Whoever starts it without paths is guard, which gives it a socket: a person is told so. */
static bool by_hand(int argc)
{
    struct stat info;
    return argc == 1 && (fstat(SCAN_OUT, &info) != 0 || !S_ISSOCK(info.st_mode));
}

int main(int argc, char **argv)
{
    struct text first = text_of(argc > 1 ? argv[1] : "");
    log_open("bulkhead-scan", LOG_LEVEL_INFO);
    signal(SIGPIPE, SIG_IGN); /* standard error may be a pipe whose reader is gone */
    signal(SIGTSTP, SIG_IGN); /* nor may a terminal stop it */
    signal(SIGTTIN, SIG_IGN);
    signal(SIGTTOU, SIG_IGN);
    if (text_same(first, TEXT("--worker"))) {
        return worker_run();
    }
    if (text_same(first, TEXT("--opener"))) {
        return opener_run(argc - 1, argv + 1);
    }
    if (text_same(first, TEXT("--version")) || text_same(first, TEXT("--help"))) {
        puts(text_same(first, TEXT("--version")) ? "bulkhead-scan " BULKHEAD_VERSION : help);
        return EX_OK;
    }
    if (by_hand(argc)) {
        fprintf(stderr, "%s\n", help);
        return EX_USAGE;
    }
    return keeper_run(argv + 1);
}
