/*
 * links: the rules of a build by id and name, and the correlations that refer to them.
 *
 * A correlation may stand before what it refers to, or in another file: all files are read first
 * (sigma.h), then sigma_links_next() gives the correlations, those that are referred to before
 * those that refer to them.
 *
 *     while (sigma_next(&file, &outcome)) {
 *         bool taken = outcome.ok && !outcome.waits && status_ok(builder_add(…));
 *         TRY(sigma_links_add(&links, &outcome, taken));
 *     }
 *     …
 *     while (sigma_links_next(&links, &outcome)) {
 *         sigma_links_settle(&links, outcome.ok && status_ok(builder_add(…)));
 *     }
 */
#pragma once

#include "compile/sigma.h"
#include "content/pack/pool.h"

/* Correlations of a build: their windows have 16 MiB (pack.h), where some 1,900 fit. Finding an
 * order of so many takes a second at worst. */
enum { LINKS_WAITING_MAX = 4096 };

enum link_state {
    LINK_TAKEN,   /* in the pack */
    LINK_REFUSED, /* not there, and will not be */
    LINK_WAITS,   /* a correlation that was not given yet */
};

struct link {
    enum link_state state;
    struct text id;
    struct text name;
    uint64_t types; /* of events at which it can match */
    bool foreign;   /* as in struct job */
    struct text file;
    struct text source; /* LINK_WAITS: its document … */
    uint32_t line;      /* … which begins here */
    const struct text *references;
    size_t reference_count;
    size_t settled;     /* of these, from the first on, do not wait any more */
    uint32_t same_id;   /* the next link with this id, + 1; 0: none */
    uint32_t same_name; /* likewise */
};

/* The links of one text: numbers, + 1; 0: none. */
struct link_chain {
    uint32_t first, last;
};

/* Which links have an id, or a name: looking through all of them for each reference of each would
 * take a day for a file of 8 MiB. */
struct link_index {
    struct pool texts;
    struct link_chain *chains; /* of each text */
    size_t capacity;
};

struct sigma_links {
    struct sigma_options options;
    struct arena *arena;
    struct link *items;
    size_t count;
    size_t capacity;
    struct link_index ids;
    struct link_index names;
    uint32_t *waiting; /* the correlations; those from `first_waiting` on may not be given yet */
    size_t waiting_count;
    size_t waiting_capacity;
    size_t first_waiting;
    size_t given;      /* the one that sigma_links_next() gave last */
    struct arena work; /* of that one */
};

/* All that it keeps comes from `arena`. */
void sigma_links_init(struct sigma_links *l, struct sigma_options options, struct arena *arena);
void sigma_links_done(struct sigma_links *l);

/* Notes an outcome of sigma_next(), refused ones too. `taken`: the rule is in the pack. MEMORY. */
struct status sigma_links_add(struct sigma_links *l, const struct sigma_outcome *outcome,
                              bool taken);

/* The next correlation, compiled or refused; false: there is none. `out` lives until the next call.
 */
bool sigma_links_next(struct sigma_links *l, struct sigma_outcome *out);

/* Was the one that was given last taken into the pack? */
void sigma_links_settle(struct sigma_links *l, bool taken);

/* The rule that an id or a name means. *out is NULL where there is none; REFERENCE: several have
 * the name. */
struct status sigma_links_find(const struct sigma_links *l, struct job *job, uint32_t line,
                               struct text reference, const struct link **out);
