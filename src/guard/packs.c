/*
 * The packs of this instance: which one is active, which one was before, and where they lie. Guard
 * opens and moves them and never looks into one; of --content's it knows whether it changed.
 *
 *   HOME/content/content.pack             active, once it was loaded; until then --content's
 *   HOME/content/content.pack.previous    the one before: the last that is known to be good
 *   HOME/content/content.pack.next        put there for guard, which takes it away
 *   HOME/content/content.pack.trial       taken, and not accepted yet
 *   HOME/content/content.pack.spare       the active one, on its way to become the one before
 *   HOME/content/content.pack.refused     was active once, and an engine refused it later
 *   HOME/content/content.choice           which of them is active, as choice.h says
 *
 * Every step is one rename, or a link and a rename: killed at any moment, there is a pack under
 * each name that had one. What is active is decided by struct kept, which outlives guard, and where
 * that is gone, by the choice.
 */
#include "base/clock.h"
#include "base/hash.h"
#include "base/own.h"
#include "guard/choice.h"
#include "guard/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

const char *packs_to_load(void)
{
    static const char shipped[] = BULKHEAD_DATA "/content.pack";
    return access(shipped, R_OK) == 0 ? shipped : "PACK";
}

const char *packs_path(const struct guard *g, enum pack_place place, char *room)
{
    static const char *const names[] = {
        [PACK_AT_NONE] = "",
        [PACK_AT_GIVEN] = "",
        [PACK_AT_HOME] = "content/content.pack",
        [PACK_AT_PREVIOUS] = "content/content.pack.previous",
        [PACK_AT_NEXT] = "content/content.pack.next",
        [PACK_AT_TRIAL] = "content/content.pack.trial",
        [PACK_AT_SPARE] = "content/content.pack.spare",
        [PACK_AT_REFUSED] = "content/content.pack.refused",
    };
    if (place == PACK_AT_GIVEN && g->options.content) {
        return g->options.content;
    }
    return names[place][0] ? home_path(&g->home, names[place], room) : "";
}

/* A pipe must not keep guard waiting; what is no file must not reach an engine. Nor may what was
 * put there for guard lead to a file elsewhere, which it would not take away. */
static struct status open_pack(const struct guard *g, enum pack_place place, int *out)
{
    char room[HOME_PATH];
    struct stat is;
    int no_link = place == PACK_AT_TRIAL ? O_NOFOLLOW : 0;
    OWN(fd_drop)
    int fd =
        open(packs_path(g, place, room), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | no_link);
    if (fd < 0 && no_link && errno == ELOOP) {
        FAIL(INVALID);
    }
    if (fd < 0 && errno == ENOENT) {
        FAIL(MISSING);
    }
    if (fd < 0 || fstat(fd, &is) != 0) {
        FAIL_SYS(errno);
    }
    if (!S_ISREG(is.st_mode)) {
        FAIL(INVALID);
    }
    *out = fd_take(&fd);
    return OK;
}

static struct status move_pack(const struct guard *g, enum pack_place from, enum pack_place to)
{
    char from_room[HOME_PATH];
    char to_room[HOME_PATH];
    if (rename(packs_path(g, from, from_room), packs_path(g, to, to_room)) != 0) {
        FAIL_SYS(errno);
    }
    return OK;
}

static bool is_there(const struct guard *g, enum pack_place place)
{
    char room[HOME_PATH];
    return access(packs_path(g, place, room), F_OK) == 0;
}

/* ── the choice ── */

/* As it is now, which is what the next guard compares with. 0: there is none. */
static uint64_t sum_of_given(const struct guard *g)
{
    OWN(fd_drop) int fd = -1;
    return status_ok(open_pack(g, PACK_AT_GIVEN, &fd)) ? choice_sum(fd) : 0;
}

static int write_choice(const struct guard *g, struct choice choice)
{
    char path[HOME_PATH];
    char beside[HOME_PATH];
    choice.bytes = choice.path ? sum_of_given(g) : 0;
    return !status_ok(choice_write(home_path(&g->home, "content/content.choice", path),
                                   home_path(&g->home, "content/content.choice.new", beside),
                                   &choice));
}

/* In a process of its own: guard waits for no disk. It holds nothing that the next guard waits for.
 * One at a time: where one still writes an older choice, another follows when it has ended. */
static void note_choice(struct guard *g)
{
    if (g->choice_pid > 0) {
        g->choice_again = true;
        return;
    }
    g->choice_again = false;
    struct choice choice = {.path = g->kept->content_given,
                            .active = g->kept->active.place,
                            .previous = g->kept->previous.place};
    g->choice_pid = fork();
    if (g->choice_pid == 0) {
        close_range(STDERR_FILENO + 1, ~0U, 0);
        _exit(write_choice(g, choice));
    }
    if (g->choice_pid < 0) {
        packs_on_end(g, -1);
    }
}

void packs_on_end(struct guard *g, int status)
{
    g->choice_pid = 0;
    if (status != 0) {
        publish_health(g, "high", "guard", 1,
                       "Which content is active could not be written to %s/content: after a clean "
                       "end or a start of the machine another may be active.",
                       g->home.root);
    }
    if (g->choice_again) {
        note_choice(g);
    }
}

/* Whether --content is what it was when the choice was made; if so, its places. */
static bool was_chosen(const struct guard *g, uint64_t given, struct choice *out)
{
    char room[HOME_PATH];
    struct choice c = {0};
    struct status s = choice_read(home_path(&g->home, "content/content.choice", room), &c);
    bool known =
        (c.active == PACK_AT_GIVEN || c.active == PACK_AT_HOME) && c.previous <= PACK_AT_PREVIOUS;
    if (!status_ok(s) || !known || c.path != given || c.bytes != sum_of_given(g) ||
        !is_there(g, (enum pack_place)c.active)) {
        return false;
    }
    *out = c;
    return true;
}

/* ── at the start ── */

/* What the last guard left says which pack is active; but a --content that is another than it was
 * given, or has changed since, is what the owner wants now. */
static void choose(struct guard *g)
{
    char room[HOME_PATH];
    struct kept *k = g->kept;
    uint64_t given = g->options.content ? hash_text(text_of(g->options.content)) : 0;
    bool known = k->active.place == PACK_AT_HOME || k->active.place == PACK_AT_GIVEN;
    if (known && k->content_given == given) {
        return;
    }
    struct choice choice;
    k->content_given = given;
    if (given && was_chosen(g, given, &choice)) {
        k->active = (struct pack_note){.place = choice.active};
        k->previous = (struct pack_note){.place = choice.previous};
        return;
    }
    k->active = (struct pack_note){.place = given ? PACK_AT_GIVEN : PACK_AT_HOME};
    k->previous = (struct pack_note){
        .place = given && is_there(g, PACK_AT_HOME) ? PACK_AT_HOME : PACK_AT_PREVIOUS};
    note_choice(g);
    if (k->previous.place == PACK_AT_HOME) {
        publish_health(
            g, "medium", "engine", 1,
            "The content that was loaded (%s) is not active, as --content is another than it was: "
            "`bulkhead content rollback` goes back to it.",
            packs_path(g, PACK_AT_HOME, room));
    }
}

void packs_open(struct guard *g)
{
    char room[HOME_PATH];
    char words[256];
    choose(g);
    remove(packs_path(g, PACK_AT_TRIAL, room)); /* of a guard that was killed meanwhile */
    struct status s = open_pack(g, g->kept->active.place, &g->active_fd);
    if (!status_ok(open_pack(g, g->kept->previous.place, &g->previous_fd))) {
        g->kept->previous = (struct pack_note){0};
    }
    if (status_ok(s)) {
        return;
    }
    if (s.fault != FAULT_MISSING || g->kept->active.place == PACK_AT_GIVEN) {
        publish_health(g, "critical", "engine", 1, "The content %s cannot be opened: %s.",
                       packs_path(g, g->kept->active.place, room),
                       status_text(s, words, sizeof words));
    }
    if (!packs_fall_back(g)) {
        g->kept->active = (struct pack_note){0};
    } else {
        publish_health(g, "critical", "engine", 1, "The previous content is active in its place.");
    }
}

/* ── another pack ── */

/* Taken away before it is opened: whoever puts another one there must not exchange what is then
 * active by another file than was proven. */
struct status packs_take(struct guard *g, enum pack_place *out_place, int *out)
{
    struct status s = move_pack(g, PACK_AT_NEXT, PACK_AT_TRIAL);
    if (s.fault == FAULT_SYSTEM && s.sys == ENOENT) {
        FAIL(MISSING);
    }
    TRY(s);
    s = open_pack(g, PACK_AT_TRIAL, out);
    if (!status_ok(s)) {
        status_ignore(move_pack(g, PACK_AT_TRIAL, PACK_AT_NEXT)); /* no pack, and not ours */
        return s;
    }
    *out_place = PACK_AT_TRIAL;
    return OK;
}

struct status packs_take_again(struct guard *g, enum pack_place *out_place, int *out)
{
    enum pack_place place = g->kept->active.place;
    if (place == PACK_AT_NONE) {
        place = g->options.content ? PACK_AT_GIVEN : PACK_AT_HOME;
    }
    TRY(open_pack(g, place, out));
    *out_place = place;
    return OK;
}

struct status packs_take_previous(struct guard *g, enum pack_place *out_place, int *out)
{
    if (g->previous_fd < 0) {
        FAIL(MISSING);
    }
    int fd = fcntl(g->previous_fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) {
        FAIL_SYS(errno);
    }
    *out_place = g->kept->previous.place;
    *out = fd;
    return OK;
}

void packs_give_up(struct guard *g, enum pack_place place)
{
    char room[HOME_PATH];
    if (place == PACK_AT_TRIAL) {
        unlink(packs_path(g, PACK_AT_TRIAL, room));
    }
}

/* ── another pack is active ── */

/* The home's pack gets a second name, so that there is one under the first at any moment. */
static struct status install_trial(const struct guard *g, bool keep)
{
    char from[HOME_PATH];
    char to[HOME_PATH];
    if (keep && is_there(g, PACK_AT_HOME)) {
        unlink(packs_path(g, PACK_AT_SPARE, to));
        if (link(packs_path(g, PACK_AT_HOME, from), to) != 0) {
            FAIL_SYS(errno);
        }
        TRY(move_pack(g, PACK_AT_SPARE, PACK_AT_PREVIOUS));
    }
    return move_pack(g, PACK_AT_TRIAL, PACK_AT_HOME);
}

/* They change places, so that one can go forth again. */
static struct status install_previous(const struct guard *g)
{
    char from[HOME_PATH];
    char to[HOME_PATH];
    if (!is_there(g, PACK_AT_HOME)) {
        return move_pack(g, PACK_AT_PREVIOUS, PACK_AT_HOME);
    }
    if (renameat2(AT_FDCWD, packs_path(g, PACK_AT_PREVIOUS, from), AT_FDCWD,
                  packs_path(g, PACK_AT_HOME, to), RENAME_EXCHANGE) != 0) {
        FAIL_SYS(errno);
    }
    return OK;
}

/* The same pack again must not push out the one before it. */
static bool is_same(const struct kept *k, const struct pack_note *note)
{
    return note->digest[0] && text_same(text_of(note->digest), text_of(k->active.digest)) &&
           k->previous.place != PACK_AT_HOME;
}

void packs_install(struct guard *g, enum pack_place place, const struct pack_note *note, int *fd)
{
    char words[256];
    struct kept *k = g->kept;
    struct pack_note old = k->active;
    struct status s = OK;
    bool keep = !is_same(k, note);
    bool moved = place == PACK_AT_TRIAL || place == PACK_AT_PREVIOUS;
    if (moved) {
        s = place == PACK_AT_TRIAL ? install_trial(g, keep) : install_previous(g);
        old.place = old.place == PACK_AT_HOME ? (uint32_t)PACK_AT_PREVIOUS : old.place;
    } else if (place == old.place) {
        old.place = PACK_AT_NONE; /* another file has its name now */
    }
    k->active = *note;
    k->active.place = (uint32_t)(!status_ok(s) ? PACK_AT_NONE : moved ? PACK_AT_HOME : place);
    k->active.since_ns = clock_real_ns();
    if (keep) {
        k->previous = old;
        fd_drop(&g->previous_fd);
        g->previous_fd = fd_take(&g->active_fd);
    }
    fd_drop(&g->active_fd);
    g->active_fd = fd_take(fd);
    if (status_ok(s)) {
        note_choice(g);
    } else {
        publish_health(g, "critical", "guard", 1,
                       "The new content works, but could not be kept in %s/content: %s. After the "
                       "next start of guard the old one works again.",
                       g->home.root, status_text(s, words, sizeof words));
    }
}

/* What a failed move leaves is found again at the next start: nothing works differently now. */
bool packs_fall_back(struct guard *g)
{
    struct kept *k = g->kept;
    if (g->previous_fd < 0) {
        return false;
    }
    if (k->active.place != PACK_AT_GIVEN && k->previous.place != PACK_AT_HOME &&
        is_there(g, PACK_AT_HOME)) {
        status_ignore(move_pack(g, PACK_AT_HOME, PACK_AT_REFUSED));
    }
    if (k->previous.place == PACK_AT_PREVIOUS) {
        status_ignore(move_pack(g, PACK_AT_PREVIOUS, PACK_AT_HOME));
        k->previous.place = PACK_AT_HOME;
    }
    k->active = k->previous;
    k->active.since_ns = clock_real_ns();
    k->previous = (struct pack_note){0};
    fd_drop(&g->active_fd);
    g->active_fd = fd_take(&g->previous_fd);
    note_choice(g);
    return true;
}
