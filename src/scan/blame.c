#include "scan/blame.h"

struct blame blame_begin(uint32_t rules)
{
    return (struct blame){.high = rules};
}

static enum blame_step ask(struct blame *b, bool upper)
{
    uint32_t count = b->high - b->low;
    uint32_t middle = b->low + (count + 1) / 2;
    b->upper = upper;
    b->first = upper ? middle : b->low;
    b->end = upper ? b->high : middle;
    return BLAME_ASK;
}

enum blame_step blame_answer(struct blame *b, bool bad)
{
    if (b->first == b->end) { /* without any rule */
        return bad || b->high == 0 ? BLAME_NOBODY : ask(b, false);
    }
    if (!bad) {
        /* Of one rule there is no other half. */
        return b->upper || b->end == b->high ? BLAME_NOBODY : ask(b, true);
    }
    b->low = b->first;
    b->high = b->end;
    if (b->high - b->low == 1) {
        return BLAME_RULE;
    }
    return ask(b, false);
}
