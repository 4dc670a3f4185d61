#include "guard/story.h"

static void put_operation(struct event_builder *b, const struct story *story)
{
    event_put_text(b, FIELD_OPERATION, tell_call(story));
}

/* The file's path, from the kernel where there is one, else as the caller named it. */
static struct text target_path(struct guard *g, const struct seen *seen, bool *cut)
{
    const struct seen_part *path = seen_part(seen, PART_PATH, 0);
    return path ? seen_path(path, g->room[0], cut) : seen_user_path(seen, 0, g->room[0], cut);
}

static void tell_opened(struct guard *g, const struct story *story, enum event_type type)
{
    const struct record *r = &story->seen->record;
    struct event_builder b;
    bool cut;
    struct text path = target_path(g, story->seen, &cut);
    if (!wanted(g, type) || (type == EVENT_FILE_OPEN && !watch_matches(&g->kept->watch, path))) {
        g->filtered++;
        return;
    }
    tell_begin(g, &b);
    event_put_cut(&b, FIELD_TARGET_PATH, path, cut);
    if (seen_part(story->seen, PART_PATH, 0)) {
        event_put_number(&b, FIELD_FILE_INODE, (int64_t)r->numbers[0]);
        event_put_number(&b, FIELD_FILE_DEVICE, (int64_t)r->numbers[1]);
        event_put_number(&b, FIELD_FILE_MODE, (int64_t)r->numbers[2]);
        event_put_number(&b, FIELD_FILE_FLAGS, (int64_t)r->numbers[3]);
    }
    put_operation(&b, story);
    tell(g, &b, type, story);
}

void on_create(struct guard *g, struct story *story)
{
    tell_opened(g, story, EVENT_FILE_CREATE);
}

void on_modify(struct guard *g, struct story *story)
{
    tell_opened(g, story, EVENT_FILE_MODIFY);
}

void on_open(struct guard *g, struct story *story)
{
    tell_opened(g, story, EVENT_FILE_OPEN);
}

/* One name, of which only the path and the operation are known. */
static void tell_name(struct guard *g, const struct story *story, enum event_type type)
{
    struct event_builder b;
    bool cut;
    if (!wanted(g, type)) {
        return;
    }
    struct text path = target_path(g, story->seen, &cut);
    tell_begin(g, &b);
    event_put_cut(&b, FIELD_TARGET_PATH, path, cut);
    put_operation(&b, story);
    tell(g, &b, type, story);
}

void on_unlink(struct guard *g, struct story *story)
{
    tell_name(g, story, EVENT_FILE_UNLINK);
}

void on_make(struct guard *g, struct story *story)
{
    tell_name(g, story, EVENT_FILE_CREATE);
}

void on_truncate(struct guard *g, struct story *story)
{
    tell_name(g, story, EVENT_FILE_MODIFY);
}

static void tell_names(struct guard *g, const struct story *story, enum event_type type)
{
    struct event_builder b;
    bool old_cut;
    bool new_cut;
    if (!wanted(g, type)) {
        return;
    }
    struct text old = seen_user_path(story->seen, 0, g->room[0], &old_cut);
    const struct seen_part *target = seen_part(story->seen, PART_USER_PATH, 0);
    if (type == EVENT_FILE_CREATE &&
        target) { /* what a symbolic link holds is text, and no path yet */
        old = target->bytes;
    }
    struct text new = seen_user_path(story->seen, 1, g->room[1], &new_cut);
    tell_begin(g, &b);
    event_put_cut(&b, FIELD_SOURCE_PATH, old, old_cut);
    event_put_cut(&b, FIELD_TARGET_PATH, new, new_cut);
    if (type == EVENT_FILE_RENAME) {
        event_put_number(&b, FIELD_FLAGS, (int64_t)story->seen->record.numbers[0]);
    }
    put_operation(&b, story);
    tell(g, &b, type, story);
}

void on_rename(struct guard *g, struct story *story)
{
    tell_names(g, story, EVENT_FILE_RENAME);
}

/* A symbolic link is a new file; a hard link is a new name of an old one. */
void on_link(struct guard *g, struct story *story)
{
    tell_names(g, story, story->seen->record.numbers[0] ? EVENT_FILE_CREATE : EVENT_FILE_LINK);
}

void on_attribute(struct guard *g, struct story *story)
{
    static const char *const names[] = {[ATTRIBUTE_MODE] = "mode",
                                        [ATTRIBUTE_OWNER] = "owner",
                                        [ATTRIBUTE_TIME] = "time",
                                        [ATTRIBUTE_XATTR] = "xattr"};
    const struct record *r = &story->seen->record;
    struct event_builder b;
    bool cut;
    if (!wanted(g, EVENT_FILE_ATTRIBUTE) || r->numbers[0] > ATTRIBUTE_XATTR) {
        return;
    }
    struct text path = target_path(g, story->seen, &cut);
    tell_begin(g, &b);
    event_put_cut(&b, FIELD_TARGET_PATH, path, cut);
    event_put_text(&b, FIELD_ATTRIBUTE, text_of(names[r->numbers[0]]));
    /* By name the kernel part knows the mode that was asked for, without the file's type. */
    if (seen_part(story->seen, PART_PATH, 0) || r->numbers[0] == ATTRIBUTE_MODE) {
        event_put_number(&b, FIELD_FILE_MODE, (int64_t)r->numbers[1]);
    }
    put_operation(&b, story);
    tell(g, &b, EVENT_FILE_ATTRIBUTE, story);
}

void on_memfd(struct guard *g, struct story *story)
{
    struct event_builder b;
    bool cut;
    if (!wanted(g, EVENT_MEMFD_CREATE)) {
        return;
    }
    struct text path = target_path(g, story->seen, &cut);
    tell_begin(g, &b);
    event_put_cut(&b, FIELD_TARGET_PATH, path, cut);
    event_put_number(&b, FIELD_FLAGS, (int64_t)story->seen->record.numbers[0]);
    tell(g, &b, EVENT_MEMFD_CREATE, story);
}
