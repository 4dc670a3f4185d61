#include "guard/rule_costs.h"

#include "base/status.h"

static uint16_t keep(struct text t, char *room, size_t size)
{
    struct writer w = writer_over(room, size);
    writer_bytes(&w, text_part(t, 0, size));
    return (uint16_t)w.used;
}

/* Rows come in order, the first one last seen makes room for fewer than before. */
struct status rule_costs_take(struct rule_costs *c, const struct wire_rule_cost *m)
{
    if (m->nth >= m->count || m->count > RULE_COSTS || m->nth > c->count) {
        FAIL(INVALID);
    }
    struct rule_cost *row = &c->rules[m->nth];
    row->runs = m->runs;
    row->matches = m->matches;
    row->steps = m->steps;
    row->id_len = keep(m->rule_id, row->id, sizeof row->id);
    row->title_len = keep(m->rule_title, row->title, sizeof row->title);
    c->events = m->all_events;
    c->steps = m->all_steps;
    c->count = m->nth + 1U > c->count || c->count > m->count ? m->nth + 1U : c->count;
    return OK;
}

static int64_t clamp(uint64_t count)
{
    return count > INT64_MAX ? INT64_MAX : (int64_t)count;
}

void rule_costs_write(const struct rule_costs *c, struct json *j)
{
    json_key(j, "matching");
    json_open(j, '{');
    json_member_number(j, "events", clamp(c->events));
    json_member_number(j, "steps", clamp(c->steps));
    json_close(j, '}');
    json_key(j, "rules");
    json_open(j, '[');
    for (unsigned i = 0; i < c->count; i++) {
        const struct rule_cost *row = &c->rules[i];
        json_open(j, '{');
        json_member_text(j, "id", (struct text){row->id, row->id_len});
        json_member_text(j, "title", (struct text){row->title, row->title_len});
        json_member_number(j, "runs", clamp(row->runs));
        json_member_number(j, "steps", clamp(row->steps));
        json_member_number(j, "matches", clamp(row->matches));
        json_close(j, '}');
    }
    json_close(j, ']');
}
