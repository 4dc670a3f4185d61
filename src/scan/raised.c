#include "scan/raised.h"

#include "base/hash.h"

static uint64_t hash_of(struct bh_text id)
{
    return hash_text((struct text){.ptr = id.ptr, .len = id.len});
}

void raised_note(struct raised *r, const struct bh_event *alert)
{
    struct bh_text client = bh_event_text(alert, BH_FIELD_CLIENT);
    if (!text_same((struct text){.ptr = client.ptr, .len = client.len}, TEXT("scan"))) {
        return;
    }
    unsigned at = r->count++ % RAISED_MAX;
    r->alerts[at].event_seq = (uint64_t)bh_event_number(alert, BH_FIELD_EVENT_SEQ);
    r->alerts[at].rule = hash_of(bh_event_text(alert, BH_FIELD_RULE_ID));
}

bool raised_has(const struct raised *r, uint64_t event_seq, struct bh_text rule_id)
{
    uint64_t rule = hash_of(rule_id);
    unsigned there = r->count < RAISED_MAX ? r->count : RAISED_MAX;
    for (unsigned i = 0; i < there; i++) {
        if (r->alerts[i].event_seq == event_seq && r->alerts[i].rule == rule) {
            return true;
        }
    }
    return false;
}
