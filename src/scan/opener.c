#include "scan/opener.h"

#include "base/log.h"
#include "scan/cage.h"

#include <getopt.h>
#include <sysexits.h>
#include <unistd.h>

static bool number(const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
    uint64_t value;
    if (!text_to_u64(text_of(text), &value) || value < least || value > most) {
        return false;
    }
    *out = value;
    return true;
}

static unsigned usual_jobs(void)
{
    long there = sysconf(_SC_NPROCESSORS_ONLN);
    return there < 1 ? 1 : there > OPENER_JOBS ? OPENER_JOBS : (unsigned)there;
}

/* The command line is `bulkhead scan`'s, which has explained what is wrong with it. What getopt
 * says to people who use it by hand names the program. */
static bool parse(int argc, char **argv, struct opener_options *out)
{
    static const struct option options[] = {
        {"max-size", required_argument, NULL, 's'}, {"jobs", required_argument, NULL, 'j'},
        {"time", required_argument, NULL, 't'},     {"one-file-system", no_argument, NULL, 'x'},
        {"check", no_argument, NULL, 'c'},          {0}};
    static char name[] = "bulkhead-scan";
    argv[0] = name;
    uint64_t jobs = usual_jobs();
    uint64_t time_s = POOL_TIME_S;
    struct opener_options o = {.max_size = (uint64_t)OPENER_SIZE_MIB << 20};
    bool good = true;
    for (int c; (c = getopt_long(argc, argv, "+", options, NULL)) != -1;) {
        switch (c) {
        case 's':
            good = good && number(optarg, 0, (uint64_t)OPENER_SIZE_MIB << 20, &o.max_size);
            break;
        case 'j':
            good = good && number(optarg, 1, TALK_SLOTS, &jobs);
            break;
        case 't':
            good = good && number(optarg, 1, 3600, &time_s);
            break;
        case 'x':
            o.one_system = true;
            break;
        case 'c':
            o.check = true;
            break;
        default:
            good = false;
        }
    }
    o.paths = argv + optind;
    o.jobs = (unsigned)jobs;
    o.time_s = (unsigned)time_s;
    *out = o;
    return good && (o.check || optind < argc);
}

int opener_run(int argc, char **argv)
{
    struct opener_options options;
    struct status s = cage_close_from(OPENER_INHERITED);
    if (!status_ok(s)) {
        log_status("cannot start", s);
        return EX_OSERR;
    }
    if (argc == 1) {
        return live_run();
    }
    return parse(argc, argv, &options) ? demand_run(&options) : EX_USAGE;
}
