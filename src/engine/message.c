#include "engine/message.h"

#include <string.h>

/* FIELD_COUNT: nothing. A join is only said when its field has something to say. */
static const struct phrase {
    const char *verb;
    enum field object;
    const char *join;
    enum field other;
} phrases[EVENT_COUNT] = {
    [EVENT_PROCESS_EXEC] = {"ran: ", FIELD_COMMAND_LINE, "; started by ", FIELD_PARENT_PATH},
    [EVENT_PROCESS_FORK] = {"created the process ", FIELD_CHILD_PID, "", FIELD_COUNT},
    [EVENT_PROCESS_EXIT] = {"ended with exit code ", FIELD_EXIT_CODE, ", signal ",
                            FIELD_EXIT_SIGNAL},
    [EVENT_FILE_CREATE] = {"created ", FIELD_TARGET_PATH, " as a link to ", FIELD_SOURCE_PATH},
    [EVENT_FILE_MODIFY] = {"modified ", FIELD_TARGET_PATH, "", FIELD_COUNT},
    [EVENT_FILE_RENAME] = {"renamed to ", FIELD_TARGET_PATH, " what was ", FIELD_SOURCE_PATH},
    [EVENT_FILE_LINK] = {"linked as ", FIELD_TARGET_PATH, " what is ", FIELD_SOURCE_PATH},
    [EVENT_FILE_UNLINK] = {"removed ", FIELD_TARGET_PATH, "", FIELD_COUNT},
    [EVENT_FILE_ATTRIBUTE] = {"changed ", FIELD_TARGET_PATH, ": ", FIELD_ATTRIBUTE},
    [EVENT_FILE_OPEN] = {"opened ", FIELD_TARGET_PATH, "", FIELD_COUNT},
    [EVENT_NETWORK_CONNECT] = {"connected to ", FIELD_DESTINATION_ADDRESS, ":",
                               FIELD_DESTINATION_PORT},
    [EVENT_NETWORK_ACCEPT] = {"accepted a connection from ", FIELD_SOURCE_ADDRESS, ":",
                              FIELD_SOURCE_PORT},
    [EVENT_NETWORK_LISTEN] = {"listens on ", FIELD_DESTINATION_ADDRESS, ":",
                              FIELD_DESTINATION_PORT},
    [EVENT_PROCESS_TRACE] = {"took control of the process ", FIELD_TARGET_PID, ": ",
                             FIELD_TARGET_PROCESS},
    [EVENT_CREDENTIAL_CHANGE] = {"changed its credentials by ", FIELD_OPERATION,
                                 "; its user id was ", FIELD_OLD_UID},
    [EVENT_MODULE_LOAD] = {"loaded the kernel module ", FIELD_MODULE_NAME, "", FIELD_COUNT},
    [EVENT_BPF_LOAD] = {"loaded the eBPF program ", FIELD_PROGRAM_NAME, ", type ",
                        FIELD_PROGRAM_TYPE},
    [EVENT_MOUNT] = {"mounted on ", FIELD_TARGET_PATH, " what is ", FIELD_SOURCE_PATH},
    [EVENT_UNMOUNT] = {"unmounted ", FIELD_TARGET_PATH, "", FIELD_COUNT},
    [EVENT_NAMESPACE_CHANGE] = {"changed its namespaces by ", FIELD_OPERATION, ": ",
                                FIELD_NAMESPACES},
    [EVENT_MEMFD_CREATE] = {"created a file in memory: ", FIELD_TARGET_PATH, "", FIELD_COUNT},
    [EVENT_ALERT] = {"raised an alert: ", FIELD_MESSAGE, "", FIELD_COUNT},
    [EVENT_HEALTH] = {"reported: ", FIELD_MESSAGE, "", FIELD_COUNT},
    [EVENT_RECORDED] = {"was recorded: ", FIELD_COMMAND_LINE, "", FIELD_COUNT},
};

/* A writer alone would leave out what does not fit; here as much as fits is of use. */
static void say(struct writer *w, struct text words)
{
    writer_bytes(w, text_part(words, 0, w->size - w->used));
}

static void say_number(struct writer *w, int64_t number)
{
    char digits[24];
    struct writer d = writer_over(digits, sizeof digits);
    writer_print(&d, "%lld", (long long)number);
    say(w, writer_text(&d));
}

/* 2001:db8::1 is written [2001:db8::1], since a port may follow. */
static void say_value(struct writer *w, enum field field, struct value value)
{
    if (value.kind == VALUE_NUMBER || value.kind == VALUE_BOOL) {
        say_number(w, value.number);
        return;
    }
    bool brackets = field_info(field)->kind == FIELD_KIND_ADDRESS &&
                    text_find_byte(value.text, ':') != SIZE_MAX;
    say(w, brackets ? TEXT("[") : TEXT(""));
    say(w, value.text);
    say(w, brackets ? TEXT("]") : TEXT(""));
}

static void say_field(struct writer *w, const struct event *event, const char *lead,
                      enum field field)
{
    struct value value = field == FIELD_COUNT ? (struct value){0} : event_get(event, field);
    bool words = value.kind == VALUE_TEXT && value.text.len > 0;
    if (words || value.kind == VALUE_NUMBER || value.kind == VALUE_BOOL) {
        say(w, text_of(lead));
        say_value(w, field, value);
    }
}

static void say_who(struct writer *w, const struct event *event)
{
    struct text path = event_text(event, FIELD_PATH);
    say(w, path.len ? path : event_text(event, FIELD_COMM));
    say(w, TEXT(" ("));
    say_field(w, event, "pid ", FIELD_PID);
    say_field(w, event, ", ", FIELD_USER);
    say(w, TEXT("): "));
}

static void say_refusal(struct writer *w, const struct event *event)
{
    int64_t error = event_number(event, FIELD_ERROR);
    if (error != 0) {
        say(w, TEXT(" (refused: "));
        say(w, text_of(strerrordesc_np((int)error) ?: "unknown error"));
        say(w, TEXT(")"));
    }
}

/* Control characters that a watched process chose become '?'. */
static struct text harmless(struct writer *w)
{
    for (size_t i = 0; i < w->used; i++) {
        if (w->start[i] < ' ' || w->start[i] == 0x7f) {
            w->start[i] = '?';
        }
    }
    return writer_text(w);
}

struct text message_write(const struct event *event, char *out)
{
    struct writer w = writer_over(out, MESSAGE_MAX);
    const struct phrase *phrase = &phrases[event->header.type];
    say_who(&w, event);
    say(&w, text_of(phrase->verb));
    say_field(&w, event, "", phrase->object);
    say_field(&w, event, phrase->join, phrase->other);
    say_refusal(&w, event);
    return harmless(&w);
}

struct text message_listed(struct text message, struct text list, struct text entry, char *out)
{
    enum { LIST_MAX = 64, ENTRY_MAX = 128 };

    struct writer w = writer_over(out, MESSAGE_MAX);
    say(&w, text_part(message, 0, MESSAGE_MAX - LIST_MAX - ENTRY_MAX - 16));
    say(&w, TEXT("; "));
    say(&w, text_part(list, 0, LIST_MAX));
    say(&w, TEXT(" lists "));
    say(&w, text_part(entry, 0, ENTRY_MAX));
    return harmless(&w);
}

struct text message_write_hit(const struct pack *pack, const struct correlation_hit *hit,
                              const struct event *event, struct text last, char *out)
{
    char room[EXPLAIN_HIT_MAX];
    struct writer why = writer_over(room, sizeof room);
    struct writer w = writer_over(out, MESSAGE_MAX);
    explain_hit(pack, hit, event, &why);
    /* Who did it last is said in any case. */
    say(&w, text_part(writer_text(&why), 0, MESSAGE_MAX / 2));
    say(&w, TEXT("; the last: "));
    say(&w, last);
    return harmless(&w);
}
