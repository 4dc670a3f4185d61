#include "scan/waiting.h"

#include "base/hash.h"

struct bh_text waiting_path(const struct bh_event *event)
{
    return bh_event_text(event, bh_event_type(event) == BH_EVENT_PROCESS_EXEC
                                    ? BH_FIELD_PATH
                                    : BH_FIELD_TARGET_PATH);
}

static struct text text_field(const struct bh_event *event, int field)
{
    struct bh_text t = bh_event_text(event, field);
    return (struct text){.ptr = t.ptr, .len = t.len};
}

static struct text path_of(const struct bh_event *event)
{
    struct bh_text path = waiting_path(event);
    return (struct text){.ptr = path.ptr, .len = path.len};
}

/* A script is known by its own name, and by where that leads. */
static bool same_subject(const struct bh_event *a, const struct bh_event *b)
{
    return text_same(path_of(a), path_of(b)) &&
           text_same(text_field(a, BH_FIELD_INVOKED_PATH), text_field(b, BH_FIELD_INVOKED_PATH)) &&
           (bh_event_type(a) != BH_EVENT_PROCESS_EXEC ||
            (bh_event_number(a, BH_FIELD_EXE_INODE) == bh_event_number(b, BH_FIELD_EXE_INODE) &&
             text_same(text_field(a, BH_FIELD_CWD), text_field(b, BH_FIELD_CWD))));
}

/* The hash saves looking at all; it can be forged, so it does not decide. */
static struct waiting_file *find_same(struct waiting *w, const struct bh_event *event,
                                      uint64_t path_hash, bool ran)
{
    unsigned left = w->count;
    for (struct waiting_file *f = w->files; left; f++) {
        if (f->event && f->path_hash == path_hash && (f->due_ns == 0) == ran && !f->busy &&
            f->stage == 0 && same_subject(f->event, event)) {
            return f;
        }
        left -= f->event != NULL;
    }
    return NULL;
}

static struct waiting_file *find_free(struct waiting *w)
{
    for (unsigned i = 0; i < WAITING_MAX; i++) {
        if (!w->files[i].event) {
            return &w->files[i];
        }
    }
    return NULL;
}

void waiting_add(struct waiting *w, const struct bh_event *event, uint64_t due_ns)
{
    uint64_t path_hash = hash_text(path_of(event));
    struct waiting_file *f = find_same(w, event, path_hash, due_ns == 0);
    struct bh_event *copy;
    if (f) {
        f->due_ns = f->due_ns && f->tries < WAITING_TRIES ? due_ns : f->due_ns;
        f->tries++;
        return;
    }
    f = find_free(w);
    if (!f || bh_event_copy(event, &copy) != BH_OK) {
        w->refused++;
        return;
    }
    *f = (struct waiting_file){.event = copy, .due_ns = due_ns, .path_hash = path_hash};
    w->count++;
}

/* Programs before files, and the oldest of each first. */
static bool is_before(const struct waiting_file *a, const struct waiting_file *b)
{
    if ((a->due_ns == 0) != (b->due_ns == 0)) {
        return a->due_ns == 0;
    }
    return bh_event_seq(a->event) < bh_event_seq(b->event);
}

struct waiting_file *waiting_next(struct waiting *w, uint64_t now_ns)
{
    struct waiting_file *best = NULL;
    unsigned left = w->count;
    for (struct waiting_file *f = w->files; left; f++) {
        if (f->event && !f->busy && f->due_ns <= now_ns && (!best || is_before(f, best))) {
            best = f;
        }
        left -= f->event != NULL;
    }
    return best;
}

void waiting_remove(struct waiting *w, struct waiting_file *file)
{
    bh_event_free(file->event);
    *file = (struct waiting_file){0};
    w->count--;
}

void waiting_done(struct waiting *w)
{
    for (unsigned i = 0; i < WAITING_MAX; i++) {
        if (w->files[i].event) {
            waiting_remove(w, &w->files[i]);
        }
    }
}
