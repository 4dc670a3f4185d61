#include "ctl/types.h"

#include "ctl/suggest.h"

enum { NAME_MAX_BYTES = 64 };

static int add(const char *command, struct text name, uint64_t *out)
{
    char words[NAME_MAX_BYTES];
    struct suggest near = suggest_for(name);
    for (int i = 0; i < BH_EVENT_COUNT; i++) {
        if (text_same(name, text_of(bh_type_name(i)))) {
            *out |= BH_TYPE(i);
            return CTL_OK;
        }
        suggest_offer(&near, bh_type_name(i));
    }
    text_copy(name, words, sizeof words);
    if (near.nearest) {
        return ctl_usage(command, "there is no event type %s; did you mean %s?", words,
                         near.nearest);
    }
    return ctl_usage(command, "there is no event type %s; docs/events.md lists them", words);
}

int types_add(const char *command, struct text list, uint64_t *out)
{
    for (size_t end = 0; end != SIZE_MAX;) {
        end = text_find_byte(list, ',');
        int exit_code = add(command, text_part(list, 0, end), out);
        if (exit_code != CTL_OK) {
            return exit_code;
        }
        list = text_part(list, end == SIZE_MAX ? list.len : end + 1, list.len);
    }
    return CTL_OK;
}
