#include "ctl/content/rule_trace.h"

#include "base/heap.h"
#include "base/own.h"
#include "content/match/predicate.h"
#include "content/pack/explain.h"

/* What was asked last, oldest first once it is full. */
struct trace {
    struct {
        uint32_t predicate;
        bool holds;
    } steps[TRACE_STEPS];

    size_t asked;
};

/* The product, service or category that the rule wants and the event does not have. */
static bool tell_origin(const char *what, struct text wanted, struct text given, struct writer *out)
{
    if (wanted.len == 0 || text_same(wanted, given)) {
        return false;
    }
    writer_print(out, "it is for %s %.*s, and the event's is %.*s\n", what, TEXT_ARGS(wanted),
                 TEXT_ARGS(given.len ? given : TEXT("none")));
    return true;
}

/* True: the rule's program is not asked at all, and why was told. */
static bool tell_unasked(const struct pack_rule *rule, const struct event *event,
                         struct writer *out)
{
    const char *between = "";
    if (!(rule->types >> event->header.type & 1)) {
        writer_bytes(out, TEXT("it is asked about "));
        for (unsigned i = 0; i < EVENT_COUNT; i++) {
            if (rule->types >> i & 1) {
                writer_print(out, "%s%s", between, event_info((enum event_type)i)->name);
                between = ", ";
            }
        }
        writer_print(out, ", not about %s\n",
                     event_info((enum event_type)event->header.type)->name);
        return true;
    }
    /* As the matcher has it: what does not say so is linux's, and a live event has every category
     * of its type. */
    bool unsaid = event_get(event, FIELD_LOG_PRODUCT).kind == VALUE_ABSENT;
    bool any_category = event->header.type != EVENT_RECORDED &&
                        event_get(event, FIELD_LOG_CATEGORY).kind == VALUE_ABSENT;
    return tell_origin("product", rule->product,
                       unsaid ? TEXT("linux") : event_text(event, FIELD_LOG_PRODUCT), out) ||
           tell_origin("service", rule->service, event_text(event, FIELD_LOG_SERVICE), out) ||
           (!any_category &&
            tell_origin("category", rule->category, event_text(event, FIELD_LOG_CATEGORY), out));
}

static void walk(const struct pack *pack, const struct pack_rule *rule, struct subject *subject,
                 struct trace *trace)
{
    for (uint32_t at = 0; at < rule->node_count;) {
        struct pack_node node = pack_node(pack, rule->first_node + at);
        struct predicate p = pack_predicate(pack, node.predicate);
        bool holds = predicate_holds(&p, subject);
        trace->steps[trace->asked % TRACE_STEPS].predicate = node.predicate;
        trace->steps[trace->asked % TRACE_STEPS].holds = holds;
        trace->asked++;
        /* Forward, or an end, which is beyond every rule: the pack was verified. */
        at = holds ? node.on_true : node.on_false;
    }
}

void rule_trace(const struct pack *pack, size_t rule, const struct event *event, struct writer *out)
{
    OWN(heap_drop) char *folded = heap_alloc(EVENT_MAX, 1);
    struct subject subject = {.event = event, .folded = folded, .budget = UINT64_MAX};
    struct pack_rule r = pack_rule(pack, rule);
    struct trace trace = {0};
    if (!folded || tell_unasked(&r, event, out)) {
        return;
    }
    walk(pack, &r, &subject, &trace);
    size_t from = trace.asked > TRACE_STEPS ? trace.asked - TRACE_STEPS : 0;
    if (from) {
        writer_print(out, "… %zu others, then\n", from);
    }
    for (size_t i = from; i < trace.asked; i++) {
        struct predicate p = pack_predicate(pack, trace.steps[i % TRACE_STEPS].predicate);
        explain_predicate(&p, out);
        writer_print(out, ": %s\n", trace.steps[i % TRACE_STEPS].holds ? "yes" : "no");
    }
}
