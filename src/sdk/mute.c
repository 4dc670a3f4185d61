#include "sdk/client.h"

#include "base/heap.h"

static bool has_path(const struct path_list *list, const char *path)
{
    bool found = false;
    for (unsigned i = 0; i < list->count && !found; i++) {
        found = strcmp(list->paths[i], path) == 0;
    }
    return found;
}

/* Many rules name the same files: a path takes one place however often it is asked for. */
int path_list_add(struct path_list *list, const char *path)
{
    size_t len = path ? strlen(path) : 0;
    if (len && has_path(list, path)) {
        return BH_OK;
    }
    if (len == 0 || len > CLIENT_PATH || list->count == CLIENT_PATHS) {
        return len == 0 ? BH_ARGUMENT : BH_LIMIT;
    }
    char *copy = heap_alloc(len + 1, 1);
    if (!copy) {
        return BH_MEMORY;
    }
    text_copy(text_of(path), copy, len + 1);
    list->paths[list->count++] = copy;
    return BH_OK;
}

void path_list_done(struct path_list *list)
{
    for (unsigned i = 0; i < list->count; i++) {
        heap_free(list->paths[i]);
    }
    *list = (struct path_list){0};
}

static bool begins_with_any(const struct path_list *list, struct text path)
{
    for (unsigned i = 0; i < list->count; i++) {
        if (text_starts(path, text_of(list->paths[i]))) {
            return true;
        }
    }
    return false;
}

/* Where `guid` is, or belongs. */
static unsigned find_guid(const struct mutes *m, uint64_t guid)
{
    unsigned low = 0;
    unsigned high = m->guid_count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (m->guids[middle] < guid) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool has_guid(const struct mutes *m, uint64_t guid)
{
    unsigned at = find_guid(m, guid);
    return at < m->guid_count && m->guids[at] == guid;
}

/* Alerts pass: who mutes a noisy program does not mean to miss what is said about it. */
bool mute_covers(const struct mutes *m, const struct event *event)
{
    if (event->header.type == EVENT_ALERT) {
        return false;
    }
    return (m->guid_count > 0 && has_guid(m, (uint64_t)event_number(event, FIELD_PROCESS_GUID))) ||
           begins_with_any(&m->programs, event_text(event, FIELD_PATH)) ||
           begins_with_any(&m->targets, event_text(event, FIELD_TARGET_PATH));
}

int bh_client_mute_process(struct bh_client *c, uint64_t guid)
{
    struct mutes *m = &c->mutes;
    if (has_guid(m, guid)) {
        return BH_OK;
    }
    if (m->guid_count == CLIENT_GUIDS) {
        return client_fail(c, BH_LIMIT, "%d processes are muted already", CLIENT_GUIDS);
    }
    unsigned at = find_guid(m, guid);
    for (unsigned i = m->guid_count; i > at; i--) {
        m->guids[i] = m->guids[i - 1];
    }
    m->guids[at] = guid;
    m->guid_count++;
    return BH_OK;
}

static int mute_in(struct bh_client *c, struct path_list *list, const char *prefix)
{
    int result = path_list_add(list, prefix);
    return result == BH_OK
               ? result
               : client_fail(c, result, "a path cannot be muted: %s", bh_error_text(result));
}

int bh_client_mute_path(struct bh_client *c, const char *prefix)
{
    return mute_in(c, &c->mutes.programs, prefix);
}

int bh_client_mute_target(struct bh_client *c, const char *prefix)
{
    return mute_in(c, &c->mutes.targets, prefix);
}
