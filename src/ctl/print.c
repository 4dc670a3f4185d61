#include "ctl/print.h"

#include "ctl/show.h"

#include <inttypes.h>

static char room[BH_JSON_MAX];

_Static_assert(sizeof room >= SHOW_MAX, "one buffer for every format");

struct printer printer_for(enum print_format format)
{
    return (struct printer){.format = format,
                            .colour = format == PRINT_TEXT && term_wants_colour(stdout)};
}

static void print_text(const struct printer *p, const struct bh_event *event)
{
    struct bh_text record = bh_event_record(event);
    struct event opened;
    struct writer out = writer_over(room, sizeof room);
    struct term t = {.out = &out, .colour = p->colour};
    /* libbulkhead checked it already. */
    ENSURE(status_ok(event_open((struct text){record.ptr, record.len}, &opened)));
    show_event(&t, &opened);
    fwrite(room, 1, out.used, stdout);
}

static void print_event(const struct printer *p, const struct bh_event *event)
{
    size_t len = 0;
    switch (p->format) {
    case PRINT_TEXT:
        print_text(p, event);
        return;
    case PRINT_JSON:
        ENSURE(bh_event_json(event, room, sizeof room, &len) == BH_OK);
        break;
    case PRINT_OCSF:
        ENSURE(bh_event_ocsf(event, room, sizeof room, &len) == BH_OK);
        break;
    }
    fwrite(room, 1, len, stdout);
    putchar('\n');
}

/* Programs that read JSON would stumble over a line that is no event: they have the gap in `seq`.
 */
static void print_lost(struct printer *p, const struct bh_client *client)
{
    struct bh_stats stats = {.size = sizeof stats};
    if (bh_client_stats(client, &stats) != BH_OK || stats.lost == p->lost) {
        return;
    }
    uint64_t lost = stats.lost - p->lost;
    p->lost = stats.lost;
    if (p->format != PRINT_TEXT) {
        ctl_error("%" PRIu64 " events lost: this reader was too slow", lost);
        return;
    }
    struct writer out = writer_over(room, sizeof room);
    struct term t = {.out = &out, .colour = p->colour};
    show_lost(&t, lost);
    fwrite(room, 1, out.used, stdout);
}

int printer_drain(struct printer *p, struct bh_client *client)
{
    const struct bh_event *event;
    int result;
    while ((result = bh_client_next(client, &event)) == BH_OK) {
        print_lost(p, client);
        print_event(p, event);
    }
    print_lost(p, client);
    return ctl_print(TEXT("")) ? result : BH_SYSTEM;
}
