#include "bpf/calls.h"
#include "guard/story.h"

void on_trace(struct guard *g, struct story *story)
{
    static const char *const names[] = {[TRACE_TRACEME] = "traceme",
                                        [TRACE_ATTACH] = "attach",
                                        [TRACE_SEIZE] = "seize",
                                        [TRACE_VM_WRITE] = "process_vm_writev"};
    const struct record *r = &story->seen->record;
    struct event_builder b;
    if (!wanted(g, EVENT_PROCESS_TRACE) || r->numbers[0] > TRACE_VM_WRITE) {
        return;
    }
    tell_begin(g, &b);
    event_put_text(&b, FIELD_OPERATION, text_of(names[r->numbers[0]]));
    event_put_number(&b, FIELD_TARGET_PID, (int64_t)r->numbers[1]);
    /* By pid alone: the living one of that number is meant. */
    const struct process *target = processes_by_pid(&g->processes, (uint32_t)r->numbers[1]);
    if (target) {
        struct process_texts t = process_texts(target);
        event_put_number(&b, FIELD_TARGET_GUID, (int64_t)target->guid);
        event_put_cut(&b, FIELD_TARGET_PROCESS, t.path, t.path_cut);
    }
    tell(g, &b, EVENT_PROCESS_TRACE, story);
}

/* Calls that changed nothing are no change: daemons set what they have all the time. */
void on_credential(struct guard *g, struct story *story)
{
    const struct record *r = &story->seen->record;
    struct process *p = story->process;
    struct event_builder b;
    bool changed = !p || p->uid != r->uid || p->euid != r->euid || p->gid != r->gid ||
                   p->egid != r->egid || r->call == CALL_CAPSET;
    if (!changed) {
        g->filtered++;
        return;
    }
    if (wanted(g, EVENT_CREDENTIAL_CHANGE)) {
        tell_begin(g, &b);
        event_put_text(&b, FIELD_OPERATION, tell_call(story));
        if (p) {
            event_put_number(&b, FIELD_OLD_UID, p->euid);
        }
        event_put_number(&b, FIELD_CAPABILITIES, (int64_t)r->numbers[0]);
        tell(g, &b, EVENT_CREDENTIAL_CHANGE, story);
    }
    if (p) {
        story_subject(p, r);
    }
}

static void put_name(struct event_builder *b, enum field field, const struct seen *seen,
                     unsigned nth)
{
    const struct seen_part *name = seen_part(seen, PART_NAME, nth);
    if (name) {
        event_put_cut(b, field, name->bytes, (name->flags & PART_CUT) != 0);
    }
}

void on_module(struct guard *g, struct story *story)
{
    struct event_builder b;
    if (wanted(g, EVENT_MODULE_LOAD)) {
        tell_begin(g, &b);
        put_name(&b, FIELD_MODULE_NAME, story->seen, 0);
        event_put_text(&b, FIELD_OPERATION, tell_call(story));
        tell(g, &b, EVENT_MODULE_LOAD, story);
    }
}

void on_bpf(struct guard *g, struct story *story)
{
    const struct record *r = &story->seen->record;
    struct event_builder b;
    if (!wanted(g, EVENT_BPF_LOAD)) {
        return;
    }
    tell_begin(g, &b);
    put_name(&b, FIELD_PROGRAM_NAME, story->seen, 0);
    if (r->error == 0) {
        event_put_number(&b, FIELD_PROGRAM_TYPE, (int64_t)r->numbers[0]);
        event_put_number(&b, FIELD_PROGRAM_ID, (int64_t)r->numbers[1]);
    }
    tell(g, &b, EVENT_BPF_LOAD, story);
}

void on_mount(struct guard *g, struct story *story)
{
    struct event_builder b;
    bool cut;
    if (!wanted(g, EVENT_MOUNT)) {
        return;
    }
    struct text path = seen_user_path(story->seen, 0, g->room[0], &cut);
    tell_begin(g, &b);
    event_put_cut(&b, FIELD_TARGET_PATH, path, cut);
    put_name(&b, FIELD_SOURCE_PATH, story->seen, 0);
    put_name(&b, FIELD_FS_TYPE, story->seen, 1);
    event_put_number(&b, FIELD_FLAGS, (int64_t)story->seen->record.numbers[0]);
    event_put_text(&b, FIELD_OPERATION, tell_call(story));
    tell(g, &b, EVENT_MOUNT, story);
}

void on_unmount(struct guard *g, struct story *story)
{
    struct event_builder b;
    bool cut;
    if (!wanted(g, EVENT_UNMOUNT)) {
        return;
    }
    struct text path = seen_user_path(story->seen, 0, g->room[0], &cut);
    tell_begin(g, &b);
    event_put_cut(&b, FIELD_TARGET_PATH, path, cut);
    event_put_number(&b, FIELD_FLAGS, (int64_t)story->seen->record.numbers[0]);
    tell(g, &b, EVENT_UNMOUNT, story);
}
