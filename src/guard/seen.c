#include "guard/seen.h"

struct status seen_open(struct text bytes, struct seen *out)
{
    struct reader r = reader_over(bytes.ptr, bytes.len);
    struct seen seen = {0};
    struct text head = reader_bytes(&r, sizeof seen.record);
    if (r.bad) {
        FAIL(BOUNDS);
    }
    memcpy(&seen.record, head.ptr, sizeof seen.record); /* same machine, checked length */
    if (seen.record.size != bytes.len || seen.record.kind >= RECORD_KIND_COUNT) {
        FAIL(INVALID);
    }
    while (reader_left(&r) > 0) {
        if (seen.part_count == SEEN_PARTS) {
            FAIL(LIMIT);
        }
        struct seen_part *part = &seen.parts[seen.part_count++];
        uint16_t length = reader_u16(&r);
        part->kind = reader_u8(&r);
        part->flags = reader_u8(&r);
        part->bytes = reader_bytes(&r, length);
        if (part->kind >= PART_KIND_COUNT) {
            FAIL(INVALID);
        }
    }
    TRY(reader_end(&r));
    seen.record.comm[RECORD_COMM - 1] = 0;
    *out = seen;
    return OK;
}

const struct seen_part *seen_part(const struct seen *seen, enum part_kind kind, unsigned nth)
{
    for (unsigned i = 0; i < seen->part_count; i++) {
        if (seen->parts[i].kind == kind && nth-- == 0) {
            return &seen->parts[i];
        }
    }
    return NULL;
}

/* A path under construction, from the front. */
struct joined {
    char *room;
    size_t used;
    size_t floor; /* ".." climbs no further: the root of a chroot */
    bool cut;
};

static void join_name(struct joined *j, struct text name)
{
    if (name.len == 0 || text_same(name, TEXT("."))) {
        return;
    }
    if (text_same(name, TEXT(".."))) {
        size_t slash = text_find_last((struct text){.ptr = j->room, .len = j->used}, '/');
        j->used = slash == SIZE_MAX || slash < j->floor ? j->floor : slash;
        return;
    }
    if (name.len + 1 > SEEN_PATH - j->used) {
        j->cut = true;
        return;
    }
    j->room[j->used++] = '/';
    memcpy(j->room + j->used, name.ptr, name.len);
    j->used += name.len;
}

/* The last zero-terminated name of `names`, taken off its end. */
static struct text take_last(struct text *names)
{
    struct text rest = text_part(*names, 0, names->len ? names->len - 1 : 0);
    size_t zero = text_find_last(rest, 0);
    size_t from = zero == SIZE_MAX ? 0 : zero + 1;
    *names = text_part(rest, 0, from);
    return text_part(rest, from, rest.len);
}

static void join_walk(struct joined *j, const struct seen_part *part)
{
    struct text names = part->bytes;
    while (names.len > 0) {
        join_name(j, take_last(&names));
    }
    j->cut = j->cut || (part->flags & PART_CUT) != 0;
}

static void join_string(struct joined *j, struct text path)
{
    while (path.len > 0) {
        size_t slash = text_find_byte(path, '/');
        size_t len = slash == SIZE_MAX ? path.len : slash;
        join_name(j, text_part(path, 0, len));
        path = text_part(path, len + 1, path.len);
    }
}

static struct text joined_text(struct joined *j, bool *cut)
{
    if (j->used == 0) {
        j->room[j->used++] = '/';
    }
    *cut = j->cut;
    return (struct text){.ptr = j->room, .len = j->used};
}

struct text seen_path(const struct seen_part *part, char *room, bool *cut)
{
    struct joined j = {.room = room};
    join_walk(&j, part);
    struct text path = joined_text(&j, cut);
    return part->flags & PART_DETACHED ? text_part(path, 1, path.len) : path;
}

struct text seen_user_path(const struct seen *seen, unsigned nth, char *room, bool *cut)
{
    const struct seen_part *user = seen_part(seen, PART_USER_PATH, nth);
    const struct seen_part *base = NULL;
    if (!user) {
        *cut = false;
        return TEXT("");
    }
    /* Its base stands right before it; there is none where the folder's descriptor was bad. */
    if (user > seen->parts && user[-1].kind == PART_BASE) {
        base = user - 1;
    }
    struct joined j = {.room = room, .cut = (user->flags & PART_CUT) != 0};
    if (base) {
        join_walk(&j, base);
        j.floor = text_starts(user->bytes, TEXT("/")) ? j.used : 0;
    }
    join_string(&j, user->bytes);
    return joined_text(&j, cut);
}

struct text seen_arguments(const struct seen_part *part, char *room)
{
    size_t used = part->bytes.len < RECORD_ARGUMENTS_MAX ? part->bytes.len : RECORD_ARGUMENTS_MAX;
    memcpy(room, part->bytes.ptr, used);
    if (used > 0 && room[used - 1] == 0) {
        used--;
    }
    for (size_t i = 0; i < used; i++) {
        room[i] = room[i] ? room[i] : ' ';
    }
    return (struct text){.ptr = room, .len = used};
}
