/*
 * bulkhead-engine: runs the rules of a pack over the event stream.
 */
#include "base/log.h"
#include "base/own.h"
#include "engine/cage.h"
#include "engine/content.h"
#include "engine/evaluate.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    /* The stream's 30,000 events take a tenth of a second, or a minute if they are made for it:
     * guard waits for ten. */
    REHEARSE_MS = 4000,
    /* What came while it waited for its turn. Nobody looks at new events meanwhile, of which the
     * stream holds 30,000. */
    CATCH_UP_MS = 1000,
};

static struct status connect_to_guard(struct bh_client **out)
{
    char why[256] = "";
    struct bh_options options = BH_OPTIONS("engine");
    options.socket = ENGINE_SOCKET;
    options.from = BH_FROM_RESUME;
    options.flags = BH_STANDBY;
    options.error = why;
    options.error_size = sizeof why;
    if (bh_client_open(&options, out) != BH_OK) {
        log_error("cannot speak to guard: %s", why);
        FAIL(CLOSED);
    }
    return OK;
}

static struct status enter_cage(struct bh_client *client)
{
    char words[160], message[256];
    struct cage cage = engine_cage();
    uint32_t missing;
    TRY(cage_enter(&cage, &missing));
    if (missing) {
        snprintf(message, sizeof message, "The engine's cage lacks: %s.",
                 cage_missing(missing, words, sizeof words));
        log_warning("%s", message);
        bh_client_report(client, "medium", message);
    }
    return OK;
}

static bool pack_is_bad(struct status s)
{
    return s.fault == FAULT_INVALID || s.fault == FAULT_BOUNDS || s.fault == FAULT_LIMIT ||
           s.fault == FAULT_VERSION;
}

static struct status open_content(size_t size, struct bh_client *client, struct content *out)
{
    char why[CONTENT_WHY], message[CONTENT_WHY + 64];
    struct status s = content_open(ENGINE_PACK, size, why, out);
    if (pack_is_bad(s)) {
        snprintf(message, sizeof message, "The content was refused: %s.", why);
        log_error("%s", message);
        bh_client_report(client, "critical", message);
    }
    return s;
}

/* Another engine may be at work until guard says that it is our turn. CLOSED: it never will be. */
static struct status begin(const struct content *content, struct bh_client *client)
{
    char digest[CONTENT_DIGEST];
    struct rehearsal before = {0};
    struct bh_ready ready = {.size = sizeof ready,
                             .rules = (uint32_t)pack_count(&content->pack, PACK_RULES),
                             .digest = content_digest(content, digest)};
    evaluate_rehearse(content, client, REHEARSE_MS, &before);
    int result = bh_client_begin(client, &ready, -1);
    if (result == BH_OK) {
        evaluate_rehearse(content, client, CATCH_UP_MS, &before); /* however long it waited */
        evaluate_tell(content, client, &before);
        return OK;
    }
    if (result == BH_CLOSED) {
        FAIL(CLOSED);
    }
    log_error("guard does not let this engine begin: %s", bh_client_error(client));
    FAIL(INVALID);
}

/* EX_CONFIG tells guard that another engine would not like the pack better. */
static int work(struct bh_client *client)
{
    size_t size = 0;
    struct content content = {0};
    struct status s = content_size(ENGINE_PACK, &size);
    s = status_ok(s) ? enter_cage(client) : s;
    if (!status_ok(s)) {
        log_status("cannot enter the cage", s);
        return EX_OSERR;
    }
    s = open_content(size, client, &content);
    if (!status_ok(s)) {
        log_status("cannot open the content", s);
        return pack_is_bad(s) ? EX_CONFIG : EX_OSERR;
    }
    close(ENGINE_PACK);
    evaluate_subscribe(&content.pack, client);
    s = begin(&content, client);
    s = status_ok(s) ? evaluate_run(&content, client) : s;
    content_close(&content);
    return status_ok(s) || s.fault == FAULT_CLOSED ? EX_OK : EX_SOFTWARE;
}

static const char help[] =
    "bulkhead-engine is started by bulkhead-guard, which gives it its descriptors.";

static bool by_hand(void)
{
    struct stat info;
    return fstat(ENGINE_SOCKET, &info) != 0 || !S_ISSOCK(info.st_mode);
}

int main(int argc, char **argv)
{
    struct bh_client *client;
    log_open("bulkhead-engine", LOG_LEVEL_INFO);
    if (argc > 1) {
        bool version = strcmp(argv[1], "--version") == 0;
        puts(version ? "bulkhead-engine " BULKHEAD_VERSION : help);
        return version || strcmp(argv[1], "--help") == 0 ? EX_OK : EX_USAGE;
    }
    if (by_hand()) {
        fprintf(stderr, "%s\n", help);
        return EX_USAGE;
    }
    signal(SIGPIPE, SIG_IGN); /* standard error may be a pipe whose reader is gone */
    signal(SIGTSTP, SIG_IGN); /* nor may a terminal stop it */
    signal(SIGTTIN, SIG_IGN);
    signal(SIGTTOU, SIG_IGN);
    struct status s = cage_close_from(ENGINE_INHERITED);
    s = status_ok(s) ? connect_to_guard(&client) : s;
    if (!status_ok(s)) {
        log_status("cannot start", s);
        return EX_OSERR;
    }
    int exit_code = work(client);
    bh_client_close(client);
    return exit_code;
}
