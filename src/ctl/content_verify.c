#include "base/own.h"
#include "content/indicator.h"
#include "ctl/content_command.h"
#include "ctl/content_pack.h"

#include <inttypes.h>
#include <stdio.h>

static const char help[] =
    "Usage: bulkhead content verify PACK [--json]\n"
    "\n"
    "Proves a pack: every offset, length, type and jump, and what it may cost at worst. It is the\n"
    "same proof that the engine asks for before it runs one.\n"
    "\n"
    "Exit codes: 0 accepted, 1 refused, 2 wrong usage.\n";

static uint64_t worst_cost(const struct pack *pack)
{
    uint64_t worst = 0;
    for (unsigned i = 0; i < EVENT_COUNT; i++) {
        worst = pack->cost[i] > worst ? pack->cost[i] : worst;
    }
    return worst;
}

static size_t indicators(const struct pack *pack)
{
    size_t count = 0;
    for (uint32_t i = 0; i < pack_count(pack, PACK_INDICATOR_ENDS); i++) {
        count += indicator_count(pack_list(pack, i));
    }
    return count;
}

static int print(const char *path, const struct pack *pack, bool json)
{
    size_t rules = pack_count(pack, PACK_RULES);
    size_t predicates = pack_count(pack, PACK_PREDICATES);
    size_t correlations = pack_count(pack, PACK_CORRELATIONS);
    size_t lists = pack_count(pack, PACK_INDICATOR_ENDS);
    if (json) {
        printf("{\"accepted\":true,\"bytes\":%zu,\"rules\":%zu,\"predicates\":%zu,"
               "\"correlations\":%zu,\"lists\":%zu,\"indicators\":%zu,\"worst_cost\":%" PRIu64
               "}\n",
               pack->bytes.len, rules, predicates, correlations, lists, indicators(pack),
               worst_cost(pack));
    } else {
        printf("%s: accepted: %zu bytes, %zu rules, %zu predicates, %zu correlations; at worst "
               "%" PRIu64 " steps for one event\n",
               path, pack->bytes.len, rules, predicates, correlations, worst_cost(pack));
        if (lists) {
            printf("%s: %zu indicators in %zu lists, each found where it is looked for\n", path,
                   indicators(pack), lists);
        }
    }
    return ctl_print(TEXT("")) ? CTL_OK : CTL_FAULT;
}

int content_verify(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
    OWN(content_pack_drop) struct content_pack pack = {0};
    bool json = false;
    for (int c; (c = getopt_long(argc, argv, ":h", options, NULL)) != -1;) {
        switch (c) {
        case 'j':
            json = true;
            break;
        case 'h':
            return ctl_help(help);
        default:
            return ctl_bad_option(argc, argv, c);
        }
    }
    if (optind != argc - 1) {
        return ctl_usage(argv[0], "%s: name one pack", argv[0]);
    }
    if (!content_pack_open(argv[optind], &pack)) {
        return CTL_FAULT;
    }
    return print(argv[optind], &pack.pack, json);
}
