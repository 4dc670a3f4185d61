#include "ctl/content/live_costs.h"

enum { TITLE_SHOWN = 120, PERCENT = 100, NS_PER_US = 1000 };

void live_costs_show(struct term *t, const json_t *answer, size_t most)
{
    const json_t *all = json_object_get(answer, "matching");
    int64_t events = ctl_member_number(all, "events");
    int64_t steps = ctl_member_number(all, "steps");
    char runs[SHOW_COUNT];
    char matches[SHOW_COUNT];
    char count[SHOW_COUNT];
    size_t i;
    json_t *rule;
    if (steps <= 0 || events <= 0) {
        return;
    }
    term_print(t, STYLE_BOLD, "  %7s%14s%10s  costliest rules", "cost", "runs", "matches");
    term_print(t, STYLE_DIM, " (all together %.2f µs an event, %s events)\n",
               (double)steps / (double)events / NS_PER_US, show_count(events, count));
    json_array_foreach(json_object_get(answer, "rules"), i, rule)
    {
        if (i >= most) {
            break;
        }
        double share = (double)ctl_member_number(rule, "steps") / (double)steps;
        term_print(t, STYLE_PLAIN, "  %5.1f %%%14s%10s  ", PERCENT * share,
                   show_count(ctl_member_number(rule, "runs"), runs),
                   show_count(ctl_member_number(rule, "matches"), matches));
        term_quote(t, STYLE_PLAIN, ctl_member_text(rule, "title"), TITLE_SHOWN);
        term_print(t, STYLE_PLAIN, "\n");
    }
}
