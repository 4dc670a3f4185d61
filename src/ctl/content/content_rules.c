#include "ctl/content/content_rules.h"

#include "base/own.h"
#include "base/text.h"

#include <errno.h>
#include <fts.h>
#include <string.h>

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void fts_drop(FTS **fts)
{
    if (*fts) {
        fts_close(*fts);
    }
}

bool content_is_list(struct text path, bool named)
{
    static const struct {
        const char *ending;
        bool named; /* only where somebody named the file */
    } endings[] = {{".ioc.txt", false},   {".ioc.csv", false}, {".ioc.json", false},
                   {".stix.json", false}, {".txt", true},      {".csv", true},
                   {".json", true},       {".stix", true}};

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        if ((named || !endings[i].named) && text_ends(path, text_of(endings[i].ending))) {
            return true;
        }
    }
    return false;
}

static bool is_rule_file(const FTSENT *entry)
{
    struct text name = text_of(entry->fts_name);
    return entry->fts_level == FTS_ROOTLEVEL || text_ends(name, TEXT(".yml")) ||
           text_ends(name, TEXT(".yaml")) || content_is_list(name, false) ||
           text_ends(name, TEXT(".yar")) || text_ends(name, TEXT(".yara"));
}

struct status content_rules_each(char *const *paths, void *context,
                                 struct status (*on_file)(void *context, const char *path,
                                                          const char *wrong))
{
    /* Links are followed, circles noticed. */
    OWN(fts_drop) FTS *fts = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    if (!fts) {
        FAIL_SYS(errno);
    }
    for (FTSENT *entry = fts_read(fts); entry; entry = fts_read(fts)) {
        switch (entry->fts_info) {
        case FTS_F:
        case FTS_DEFAULT:
            if (is_rule_file(entry)) {
                TRY(on_file(context, entry->fts_path, NULL));
            }
            break;
        case FTS_DNR:
        case FTS_ERR:
        case FTS_NS:
        case FTS_SLNONE:
            TRY(on_file(context, entry->fts_path,
                        entry->fts_errno ? strerror(entry->fts_errno) : "the link leads nowhere"));
            break;
        case FTS_DC:
            TRY(on_file(context, entry->fts_path, "the folder holds itself"));
            break;
        default:
            break; /* a folder, before and after what it holds */
        }
        errno = 0;
    }
    if (errno) {
        FAIL_SYS(errno);
    }
    return OK;
}
