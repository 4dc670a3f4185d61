/*
 * content_words: what the reports of `bulkhead content` share: a rule's level, an event in
 * one line, a page that is printed.
 */
#pragma once

#include "content/pack/pack.h"
#include "ctl/show.h"
#include "schema/event.h"

/* level_rank() of the level that a rule has in effect: one without is medium. */
int content_rule_rank(const struct pack_rule *rule);

/* An event in one line of at most `size` - 1 bytes, without colours or line end, as
 * `bulkhead tail` words it but for the time. Returns `out`, terminated. */
const char *content_event_words(const struct event *event, char *out, size_t size);

/* A page of text for standard output; it is printed whenever it is long enough. */
enum { CONTENT_PAGE = 512 * 1024, CONTENT_QUOTE = 400 };

struct content_page {
    char *room; /* CONTENT_PAGE bytes */
    struct writer out;
    struct term term;
};

/* Colours, where standard output is a terminal and `colour` says so. */
struct status content_page_init(struct content_page *page, bool colour);
void content_page_done(struct content_page *page); /* for OWN() */

/* Prints what is on the page; false, after a complaint: standard output is full or gone. */
bool content_page_print(struct content_page *page);

/* The same once the page is half full: called between entries, which have to be smaller. */
bool content_page_tick(struct content_page *page);
