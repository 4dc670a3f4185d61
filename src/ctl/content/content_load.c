/*
 * content load, content rollback: other content for the instance that runs. The pack is proven
 * here, so that most mistakes cost nobody anything; then guard has a second engine prove it in its
 * cage, and only what that engine accepts replaces the active one.
 */
#include "base/clock.h"
#include "base/count.h"
#include "base/own.h"
#include "content/pack/pack.h"
#include "ctl/content/content_command.h"
#include "ctl/content/content_file.h"
#include "ctl/content/content_proof.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

static const char load_help[] =
    "Usage: bulkhead content load PACK [--json] [--home DIR]\n"
    "\n"
    "Makes PACK the active content of the Bulkhead that runs. It is proven here and again by the\n"
    "engine that will run it; the old content works until then, and goes on where the new one is\n"
    "refused. No event is missed or matched twice. The content before is kept for `rollback`.\n"
    "\n"
    "  --json      one JSON object\n"
    "  --home DIR  the instance (default: $BULKHEAD_HOME or /var/lib/bulkhead)\n"
    "\n"
    "Exit codes: 0 it is active, 1 refused, 2 wrong usage, 69 no Bulkhead answers, 77 not "
    "permitted.\n";

static const char rollback_help[] =
    "Usage: bulkhead content rollback [--json] [--home DIR]\n"
    "\n"
    "Makes the content active that was before the present one; again, and the present one is "
    "back.\n"
    "\n"
    "  --json      one JSON object\n"
    "  --home DIR  the instance (default: $BULKHEAD_HOME or /var/lib/bulkhead)\n"
    "\n"
    "Exit codes: 0 it is active, 1 refused, 2 wrong usage, 69 no Bulkhead answers, 77 not "
    "permitted.\n";

/* Guard gives the new engine 10 s and the old one 2, and kills whoever takes longer. */
enum { LOAD_MS = 30000 };

static int print_json(const struct bh_loaded *l)
{
    OWN(ctl_json_drop)
    json_t *answer =
        json_pack("{s:b, s:s, s:I, s:I, s:I, s:I, s:I, s:s}", "loaded", l->ok, "digest", l->digest,
                  "rules", (json_int_t)l->rules, "old_events", (json_int_t)l->old_events,
                  "last_seq", (json_int_t)l->last_seq, "took_ms", (json_int_t)l->took_ms, "gap_us",
                  (json_int_t)l->gap_us, "why", l->why);
    return answer ? ctl_print_json(answer) : CTL_INTERNAL;
}

static int print(const struct bh_loaded *l, bool json)
{
    int printed = json ? print_json(l) : CTL_OK;
    if (!l->ok) {
        ctl_error("refused: %s; the old content goes on", l->why);
        return CTL_FAULT;
    }
    if (!json) {
        printf("loaded: %s (%s); %s matched by the old pack up to seq %" PRIu64
               ", by the new one from %" PRIu64 "; took %s ms, %s µs between the two\n",
               COUNTED(l->rules, "rule", "rules"), l->digest,
               COUNTED(l->old_events, "event", "events"), l->last_seq, l->last_seq + 1,
               COUNT(l->took_ms), COUNT(l->gap_us));
        return ctl_print(TEXT("")) ? CTL_OK : CTL_FAULT;
    }
    return printed;
}

static int ask(struct bh_client *client, enum bh_load what, struct bh_loaded *out)
{
    int result = bh_client_load(client, what, LOAD_MS, out);
    if (result == BH_OK) {
        return CTL_OK;
    }
    const char *words = bh_client_error(client);
    ctl_error("guard gave no answer, so it is not known which content is active: %s. `bulkhead "
              "status` tells",
              words[0] ? words : bh_error_text(result));
    return CTL_INTERNAL;
}

static int denied_or_fault(int error)
{
    return error == EACCES || error == EPERM ? CTL_DENIED : CTL_FAULT;
}

/* Of two that load at once, the second would put its pack in the place of the first's before guard
 * takes that away: one at a time, until *lock is closed. */
static int take_turn(const char *home, int *lock)
{
    char folder[PATH_MAX];
    if (snprintf(folder, sizeof folder, "%s/content", home) >= PATH_MAX) {
        ctl_error("the home's path is too long");
        return CTL_FAULT;
    }
    *lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*lock < 0) {
        ctl_error("cannot open %s: %s", folder, strerror(errno));
        return denied_or_fault(errno);
    }
    if (flock(*lock, LOCK_EX | LOCK_NB) != 0) {
        ctl_error("refused: another pack is being loaded: try again in a moment");
        return CTL_FAULT;
    }
    return CTL_OK;
}

/* Into the folder from which guard takes it; on the disk before guard hears of it. */
static int put(const char *home, struct text pack, char *path)
{
    char words[200];
    if (snprintf(path, PATH_MAX, "%s/content/content.pack.next", home) >= PATH_MAX) {
        ctl_error("the home's path is too long");
        return CTL_FAULT;
    }
    struct status s = content_file_replace(path, pack);
    if (!status_ok(s)) {
        ctl_error("cannot write %s: %s", path, status_plain(s, words, sizeof words));
        return denied_or_fault(s.sys);
    }
    return CTL_OK;
}

static int load(const char *pack_path, const struct ctl_options *options)
{
    OWN(content_bytes_drop) struct content_bytes pack = {0};
    OWN(ctl_client_drop) struct bh_client *client = NULL;
    OWN(fd_drop) int lock = -1;
    struct bh_loaded loaded = {.size = sizeof loaded};
    char path[PATH_MAX];
    int exit_code = CTL_OK;
    char words[256];
    struct status s = content_file_read(pack_path, PACK_SIZE_MAX, &pack);
    if (!status_ok(s)) {
        ctl_error("cannot read %s: %s", pack_path, status_plain(s, words, sizeof words));
        return CTL_FAULT;
    }
    if (!content_proof_likely(pack_path, content_text(&pack))) {
        return CTL_FAULT;
    }
    /* What is put before guard is what was proven: these bytes, whatever becomes of the file. */
    if (!content_accepted_bytes(pack_path, content_text(&pack), CTL_FAULT, &exit_code)) {
        return exit_code;
    }
    exit_code = ctl_open(options->home, BH_FROM_NOW, &client);
    exit_code = exit_code == CTL_OK ? take_turn(ctl_home(options->home), &lock) : exit_code;
    exit_code =
        exit_code == CTL_OK ? put(ctl_home(options->home), content_text(&pack), path) : exit_code;
    if (exit_code != CTL_OK) {
        return exit_code;
    }
    exit_code = ask(client, BH_LOAD_NEXT, &loaded);
    if (exit_code != CTL_OK || !loaded.ok) {
        unlink(path); /* guard took it, unless it was busy or is gone */
    } else {
        /* Guard renamed it and does not wait for a disk. */
        status_ignore(content_file_sync_folder(path));
    }
    return exit_code == CTL_OK ? print(&loaded, options->json) : exit_code;
}

int content_load(int argc, char **argv)
{
    struct ctl_options options = {0};
    int exit_code = ctl_options(argc, argv, load_help, &options);
    if (exit_code != CTL_GO_ON) {
        return exit_code;
    }
    if (optind != argc - 1) {
        return ctl_usage(argv[0], "%s: name one pack", argv[0]);
    }
    return load(argv[optind], &options);
}

int content_rollback(int argc, char **argv)
{
    OWN(ctl_client_drop) struct bh_client *client = NULL;
    struct bh_loaded loaded = {.size = sizeof loaded};
    struct ctl_options options = {0};
    int exit_code = ctl_options(argc, argv, rollback_help, &options);
    if (exit_code != CTL_GO_ON) {
        return exit_code;
    }
    if (optind < argc) {
        return ctl_usage(argv[0], "%s takes no argument %s", argv[0], argv[optind]);
    }
    exit_code = ctl_open(options.home, BH_FROM_NOW, &client);
    exit_code = exit_code == CTL_OK ? ask(client, BH_LOAD_PREVIOUS, &loaded) : exit_code;
    return exit_code == CTL_OK ? print(&loaded, options.json) : exit_code;
}
