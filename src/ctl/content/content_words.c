#include "ctl/content/content_words.h"

#include "base/heap.h"
#include "ctl/ctl.h"

int content_rule_rank(const struct pack_rule *rule)
{
    unsigned rank = level_rank(rule->level);
    return (int)(rank ? rank : level_rank(TEXT("medium")));
}

/* An alert is shown as a block: its first line says what it is. */
const char *content_event_words(const struct event *event, char *out, size_t size)
{
    static char room[SHOW_MAX];
    struct writer w = writer_over(room, sizeof room);
    struct term t = {.out = &w};
    show_event(&t, event);
    struct text words = text_trim(writer_text(&w));
    words = text_part(words, 0, text_find_byte(words, '\n'));
    /* The time is that of the recording, and the caller's to tell. */
    size_t space = text_find_byte(words, ' ');
    words = space == SIZE_MAX ? words : text_trim(text_part(words, space, words.len));
    /* Columns are for lines that stand under one another. */
    struct writer squeezed = writer_over(out, size - 1);
    for (size_t i = 0; i < words.len; i++) {
        if (words.ptr[i] != ' ' || words.ptr[i - 1] != ' ') {
            writer_u8(&squeezed, (uint8_t)words.ptr[i]);
        }
    }
    out[squeezed.used] = '\0';
    /* A cut in the middle of a character would be no text. */
    for (size_t len = strlen(out); len > 0 && !text_is_utf8(text_of(out)); len--) {
        out[len - 1] = '\0';
    }
    return out;
}

struct status content_page_init(struct content_page *page, bool colour)
{
    page->room = heap_alloc(CONTENT_PAGE, 1);
    if (!page->room) {
        FAIL(MEMORY);
    }
    page->out = writer_over(page->room, CONTENT_PAGE);
    page->term = (struct term){.out = &page->out, .colour = colour && term_wants_colour(stdout)};
    return OK;
}

void content_page_done(struct content_page *page)
{
    heap_free(page->room);
    page->room = NULL;
}

bool content_page_print(struct content_page *page)
{
    bool printed = ctl_print(writer_text(&page->out));
    page->out = writer_over(page->room, CONTENT_PAGE);
    return printed;
}

bool content_page_tick(struct content_page *page)
{
    return page->out.used < CONTENT_PAGE / 2 || content_page_print(page);
}
