#include "courier/system_log.h"

#include "base/clock.h"
#include "base/own.h"
#include "courier/cage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum {
    RETRY_S = 10,   /* a log daemon that restarts is back by then */
    ANSWER_MS = 200 /* guard's answer; alerts wait meanwhile */
};

static int severity(struct bh_text level)
{
    static const struct {
        const char *level;
        int severity;
    } table[] = {
        {"critical", LOG_CRIT},
        {"high", LOG_ERR},
        {"medium", LOG_WARNING},
        {"low", LOG_NOTICE},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (level.len == strlen(table[i].level) &&
            memcmp(level.ptr, table[i].level, level.len) == 0) {
            return table[i].severity;
        }
    }
    return LOG_INFO;
}

/* "Nov 21 10:02:03": local time, as RFC 3164 asks. main() had the time zone read before the cage.
 */
static void local_time(uint64_t real_ns, char *out, size_t size)
{
    time_t seconds = (time_t)(real_ns / CLOCK_NS_PER_S);
    struct tm local;
    localtime_r(&seconds, &local);
    strftime(out, size, "%b %e %H:%M:%S", &local);
}

#define FIELD_ARGS(event, field)                                                                   \
    (int)bh_event_text(event, field).len, bh_event_text(event, field).ptr

size_t system_log_line(const struct bh_event *event, char out[SYSTEM_LOG_LINE])
{
    char when[32];
    bool alert = bh_event_type(event) == BH_EVENT_ALERT;
    local_time(bh_event_time(event), when, sizeof when);
    /* Facility authpriv: command lines may hold secrets, and its file is not for everybody. */
    int priority = LOG_AUTHPRIV | severity(bh_event_text(event, BH_FIELD_LEVEL));
    int subject = alert ? BH_FIELD_RULE_TITLE : BH_FIELD_COMPONENT;
    snprintf(out, SYSTEM_LOG_LINE, "<%d>%s bulkhead[%d]: %s %.*s: %.*s: %.*s", priority, when,
             getpid(), alert ? "alert" : "health", FIELD_ARGS(event, BH_FIELD_LEVEL),
             FIELD_ARGS(event, subject), FIELD_ARGS(event, BH_FIELD_MESSAGE));
    size_t len = strlen(out);
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)out[i] < ' ' || out[i] == 0x7f) {
            out[i] = '?'; /* what an attacker named must not begin a line of its own */
        }
    }
    return len;
}

static bool reconnect(struct bh_client *client)
{
    OWN(fd_drop) int fd = -1;
    return bh_client_syslog(client, ANSWER_MS, &fd) == BH_OK &&
           dup3(fd, COURIER_SYSLOG, O_CLOEXEC) >= 0;
}

void system_log_send(struct system_log *log, struct bh_client *client, const struct bh_event *event,
                     uint64_t now_ns)
{
    char line[SYSTEM_LOG_LINE];
    size_t len = system_log_line(event, line);
    bool sent = send(COURIER_SYSLOG, line, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
    bool busy = !sent && (errno == EAGAIN || errno == ENOBUFS);
    if (!sent && !busy && now_ns >= log->retry_ns) {
        log->retry_ns = now_ns + RETRY_S * (uint64_t)CLOCK_NS_PER_S;
        sent =
            reconnect(client) && send(COURIER_SYSLOG, line, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
    }
    log->left_out = sent ? 0 : log->left_out + 1;
}
