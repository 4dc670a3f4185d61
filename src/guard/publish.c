#include "bpf/calls.h"
#include "guard/story.h"

struct text tell_call(const struct story *story)
{
    static const char *const names[] = {[CALL_NONE] = "",
#define CALL_NAME(NAME, name, x86_64, i386) [CALL_##NAME] = #name,
                                        CALLS(CALL_NAME)
#undef CALL_NAME
    };
    unsigned call = story->seen->record.call;
    return text_of(call < CALL_COUNT ? names[call] : "");
}

void tell_begin(struct guard *g, struct event_builder *b)
{
    event_begin(b, g->record, sizeof g->record);
}

void tell(struct guard *g, struct event_builder *b, enum event_type type, const struct story *story)
{
    put_who(g, b, story->seen, story->process);
    publish_event(g, b, type, story->seen->record.time_ns, story->origin);
}

typedef void handler(struct guard *g, struct story *story);

static handler *const handlers[RECORD_KIND_COUNT] = {
    [RECORD_EXEC] = on_exec,
    [RECORD_FORK] = on_fork,
    [RECORD_EXIT] = on_ended,
    [RECORD_CREATE] = on_create,
    [RECORD_MODIFY] = on_modify,
    [RECORD_OPEN] = on_open,
    [RECORD_RENAME] = on_rename,
    [RECORD_LINK] = on_link,
    [RECORD_UNLINK] = on_unlink,
    [RECORD_MAKE] = on_make,
    [RECORD_TRUNCATE] = on_truncate,
    [RECORD_ATTRIBUTE] = on_attribute,
    [RECORD_CONNECT] = on_connect,
    [RECORD_ACCEPT] = on_accept,
    [RECORD_LISTEN] = on_listen,
    [RECORD_TRACE] = on_trace,
    [RECORD_CREDENTIAL] = on_credential,
    [RECORD_MODULE] = on_module,
    [RECORD_BPF] = on_bpf,
    [RECORD_MOUNT] = on_mount,
    [RECORD_UNMOUNT] = on_unmount,
    [RECORD_NAMESPACE] = on_namespace,
    [RECORD_MEMFD] = on_memfd,
    [RECORD_PROCESS] = on_scanned,
};

void publish_record(struct guard *g, struct text bytes, uint64_t origin)
{
    struct seen seen;
    if (!status_ok(seen_open(bytes, &seen))) {
        g->malformed++; /* shown in the status: it means a bug of ours */
        return;
    }
    struct story story = {
        .seen = &seen,
        .process =
            processes_find(&g->processes, process_guid(seen.record.pid, seen.record.start_ns)),
        .origin = origin,
    };
    handlers[seen.record.kind](g, &story);
}

void publish_scanned(void *guard, struct text bytes)
{
    publish_record(guard, bytes, 0);
}
