#include "sdk/client.h"

#include "base/clock.h"
#include "base/heap.h"
#include "base/own.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum {
    OPEN_MS = 5000,
    LOOK_EVERY = 64, /* events between two looks at the clock, which costs no system call */
    TEND_MS = 20,    /* between two looks at the channel while events keep coming */
};

/* ── words ── */

const char *bh_error_text(int result)
{
    switch ((enum bh_result)result) {
    case BH_OK:
        return "ok";
    case BH_AGAIN:
        return "nothing to do yet";
    case BH_TIMEOUT:
        return "the time for this ran out";
    case BH_CLOSED:
        return "guard closed the connection";
    case BH_MISSING:
        return "no guard answers there";
    case BH_REFUSED:
        return "guard refused";
    case BH_DENIED:
        return "not permitted";
    case BH_VERSION:
        return "guard and this library speak different versions";
    case BH_ARGUMENT:
        return "an argument is outside what is documented";
    case BH_LIMIT:
        return "a limit was reached";
    case BH_MEMORY:
        return "out of memory";
    case BH_SYSTEM:
        return "the system refused a call";
    case BH_DAMAGED:
        return "what guard sent or shares breaks the protocol";
    }
    return "unknown result";
}

const char *bh_version(void)
{
    return BULKHEAD_VERSION;
}

int client_fail(struct bh_client *c, int result, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(c->error, sizeof c->error, format, args);
    va_end(args);
    return result;
}

int client_fail_sys(struct bh_client *c, const char *what)
{
    return client_fail_status(c, what,
                              (struct status){.fault = FAULT_SYSTEM, .sys = errno, .where = "sdk"});
}

int client_fail_status(struct bh_client *c, const char *what, struct status s)
{
    char words[200];
    client_fail(c, BH_OK, "%s: %s", what, status_plain(s, words, sizeof words));
    switch (s.fault) {
    case FAULT_MEMORY:
        return BH_MEMORY;
    case FAULT_SYSTEM:
        return BH_SYSTEM;
    case FAULT_LIMIT:
        return BH_LIMIT;
    case FAULT_VERSION:
        return BH_VERSION;
    case FAULT_OK:
    case FAULT_INVALID:
    case FAULT_BOUNDS:
    case FAULT_CLOSED:
    case FAULT_AGAIN:
    case FAULT_TIMEOUT:
    case FAULT_DENIED:
    case FAULT_MISSING:
    case FAULT_BUSY:
    case FAULT_UNSUPPORTED:
    case FAULT_OVERTAKEN:
        break;
    }
    return BH_DAMAGED;
}

const char *bh_client_error(const struct bh_client *c)
{
    return c->error;
}

/* ── time ── */

uint64_t wait_deadline(int timeout_ms)
{
    return timeout_ms < 0 ? UINT64_MAX : clock_boot_ns() + (uint64_t)timeout_ms * CLOCK_NS_PER_MS;
}

int wait_left_ms(uint64_t deadline_ns)
{
    uint64_t now_ns = clock_boot_ns();
    if (deadline_ns == UINT64_MAX) {
        return -1;
    }
    uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
    return (int)((left_ns + CLOCK_NS_PER_MS - 1) / CLOCK_NS_PER_MS);
}

/* ── the ring ── */

struct status client_read_from(const void *memory, size_t size, uint64_t position, uint64_t seq,
                               struct stream_reader *out)
{
    struct stream_reader r;
    TRY(stream_open(memory, size, position, &r));
    /* Position 0 comes before event 1; elsewhere 0 means that the number is not known. */
    r.next_seq = seq != 0 || position == 0 ? seq + 1 : 0;
    *out = r;
    return OK;
}

/* Where a client begins that has not read anything yet. */
static struct status open_first(struct bh_client *c, const void *memory, size_t size,
                                const struct wire_welcome *welcome, struct stream_reader *out)
{
    if (c->from == BH_FROM_RESUME) {
        return client_read_from(memory, size, welcome->resume_position, welcome->resume_seq, out);
    }
    return stream_open(memory, size, c->from == BH_FROM_ALL ? 0 : STREAM_FROM_NOW, out);
}

/* The ring that it knows, mapped again, or one that a guard had to make anew. */
static struct status open_again(struct bh_client *c, const void *memory, size_t size,
                                struct stream_reader *out)
{
    const struct stream_page *page = memory;
    struct stream_reader r;
    TRY(stream_open(memory, size, 0, &r));
    bool same = page->made_real_ns == c->made_real_ns && r.head >= c->reader.position;
    if (same) {
        TRY(stream_open(memory, size, c->reader.position, &r));
        r.next_seq = c->reader.next_seq;
    }
    c->stats.rings += !same;
    r.lost = c->reader.lost;
    *out = r;
    return OK;
}

static int take_ring(struct bh_client *c, void *memory, size_t size,
                     const struct wire_welcome *welcome)
{
    struct stream_reader reader;
    struct status s = c->memory ? open_again(c, memory, size, &reader)
                                : open_first(c, memory, size, welcome, &reader);
    if (!status_ok(s)) {
        munmap(memory, size);
        return client_fail_status(c, "guard's ring cannot be read", s);
    }
    if (c->memory) {
        munmap(c->memory, c->memory_size);
        c->stats.reconnects++;
    }
    c->memory = memory;
    c->memory_size = size;
    c->made_real_ns = reader.page->made_real_ns;
    c->reader = reader;
    c->turn_position = welcome->resume_position;
    return BH_OK;
}

int client_map(struct bh_client *c, int fd, const struct wire_welcome *welcome)
{
    struct stat is;
    if (welcome->ring_size < STREAM_SIZE_MIN || welcome->ring_size > STREAM_SIZE_MAX) {
        return client_fail(c, BH_DAMAGED, "guard's ring has an impossible size");
    }
    size_t size = stream_memory(welcome->ring_size);
    /* Reading beyond the end of a file would be a fatal signal. */
    if (fstat(fd, &is) != 0 || (S_ISREG(is.st_mode) && (uint64_t)is.st_size < size)) {
        return client_fail(c, BH_DAMAGED, "guard's ring is shorter than it says");
    }
    void *memory = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        return client_fail_sys(c, "guard's ring cannot be mapped");
    }
    return take_ring(c, memory, size, welcome);
}

/* ── a client's life ── */

/* Reads a struct whose caller may know less or more members of it than we do: what is missing is
 * zero, and what we do not know has to be; what we do is read in any case. */
static bool adopt(void *known, size_t known_size, const void *given, size_t given_size)
{
    const uint8_t *bytes = given;
    memcpy(known, given, given_size < known_size ? given_size : known_size);
    for (size_t i = known_size; i < given_size; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

static bool name_is_right(const char *name)
{
    static const char permitted[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "0123456789._-";
    size_t len = name ? strlen(name) : 0;
    return len > 0 && len <= CLIENT_NAME && strspn(name, permitted) == len;
}

static int take_options(struct bh_client *c, const struct bh_options *o)
{
    struct text token = text_of(o->token);
    if (!name_is_right(o->name)) {
        return client_fail(c, BH_ARGUMENT, "a name has 1 to %d bytes of a-z A-Z 0-9 . _ -",
                           CLIENT_NAME);
    }
    if (token.len > CLIENT_TOKEN || o->from < BH_FROM_NOW || o->from > BH_FROM_ALL ||
        (o->flags & ~(unsigned)(BH_MANUAL_ACKNOWLEDGE | BH_STANDBY)) != 0) {
        return client_fail(c, BH_ARGUMENT, "token, from or flags are not as bulkhead.h says");
    }
    text_copy(text_of(o->name), c->name, sizeof c->name);
    text_copy(token, c->token, sizeof c->token);
    c->from = o->from;
    c->manual = (o->flags & BH_MANUAL_ACKNOWLEDGE) != 0;
    c->turn = o->flags & BH_STANDBY ? TURN_STANDBY : TURN_MINE;
    c->stats.rings = 1;
    if (o->socket > 0) {
        return BH_OK;
    }
    struct status s = home_open(o->home, &c->home);
    return status_ok(s) ? BH_OK : client_fail_status(c, "the home's path is not usable", s);
}

static int greet(struct bh_client *c)
{
    uint64_t deadline_ns = wait_deadline(OPEN_MS);
    int result = channel_begin(c);
    while ((result == BH_OK || result == BH_AGAIN) && c->channel.phase == CHANNEL_GREETING) {
        result = channel_pump(c, wait_left_ms(deadline_ns));
    }
    result = result == BH_AGAIN ? BH_OK : result;
    if (result == BH_TIMEOUT) {
        return client_fail(c, result, "guard did not answer within %d seconds", OPEN_MS / 1000);
    }
    return result == BH_OK && c->channel.phase != CHANNEL_OPEN ? c->channel.ended : result;
}

static void client_drop(struct bh_client **c)
{
    if (*c) {
        channel_done(*c);
        if ((*c)->memory) {
            munmap((*c)->memory, (*c)->memory_size);
        }
        path_list_done(&(*c)->watches);
        path_list_done(&(*c)->mutes.programs);
        path_list_done(&(*c)->mutes.targets);
        heap_free(*c);
    }
}

static int open_with(const struct bh_options *o, int *socket, struct bh_client *c)
{
    c->channel.poll = c->channel.timer = c->channel.wake = c->channel.syslog = -1;
    c->channel.socket = -1;
    int result = take_options(c, o);
    result = result == BH_OK ? channel_init(c, fd_take(socket)) : result;
    return result == BH_OK ? greet(c) : result;
}

int bh_client_open(const struct bh_options *options, struct bh_client **out)
{
    struct bh_options o = {0};
    bool known = adopt(&o, sizeof o, options, options->size);
    OWN(fd_drop) int socket = o.socket > 0 ? o.socket : -1;
    if (!known) {
        return BH_ARGUMENT;
    }
    OWN(client_drop) struct bh_client *c = heap_alloc(1, sizeof *c);
    int result = c ? open_with(&o, &socket, c) : BH_MEMORY;
    if (result == BH_OK) {
        *out = TAKE(c);
    } else if (o.error && o.error_size > 0) {
        const char *words = c && c->error[0] ? c->error : bh_error_text(result);
        text_copy(text_of(words), o.error, o.error_size);
    }
    return result;
}

void bh_client_close(struct bh_client *c)
{
    if (c && c->channel.phase == CHANNEL_OPEN) {
        channel_progress(c);
    }
    client_drop(&c);
}

int bh_client_fd(const struct bh_client *c)
{
    return c->channel.poll;
}

/* ── reading ── */

/* Everything before the reader's place is dealt with, unless the caller still holds an event. */
static void settle(struct bh_client *c)
{
    if (!c->outstanding) {
        c->done_position = c->reader.position;
        c->done_seq = c->reader.next_seq ? c->reader.next_seq - 1 : 0;
    }
}

/* While events keep coming the channel has its turn all the same. */
static void look_at_clock(struct bh_client *c)
{
    if (++c->since_look < LOOK_EVERY) {
        return;
    }
    c->since_look = 0;
    uint64_t now_ns = clock_boot_ns();
    if (now_ns - c->tended_ns >= (uint64_t)TEND_MS * CLOCK_NS_PER_MS) {
        c->tended_ns = now_ns;
        channel_pump(c, 0);
    }
}

static bool wants_type(const struct bh_client *c, struct text record)
{
    struct reader r = reader_over(record.ptr, record.len);
    reader_u32(&r);
    uint16_t type = reader_u16(&r);
    return type >= EVENT_COUNT || (c->types >> type & 1) != 0;
}

bool client_accepts(struct bh_client *c, struct text record)
{
    c->event.rehearsed = false;
    if (!wants_type(c, record)) {
        return false;
    }
    if (!status_ok(event_open(record, &c->event.event))) {
        c->stats.unknown++;
        return false;
    }
    if (mute_covers(&c->mutes, &c->event.event)) {
        c->stats.muted++;
        return false;
    }
    return true;
}

/* What waits in the ring first; the channel is looked at only when nothing does. */
int bh_client_next(struct bh_client *c, const struct bh_event **out)
{
    bool tended = false;
    c->outstanding = c->outstanding && c->manual;
    while (true) {
        struct text record;
        if (c->turn < TURN_MINE) {
            return client_fail(c, BH_ARGUMENT, "opened with BH_STANDBY: bh_client_begin() first");
        }
        settle(c);
        c->past_read = true;
        if (c->turn == TURN_OVER) {
            return client_fail(c, BH_CLOSED, "guard asked this client to end");
        }
        struct status s = stream_next(&c->reader, c->record, &record);
        if (status_ok(s)) {
            look_at_clock(c);
            if (client_accepts(c, record)) {
                c->outstanding = true;
                c->stats.events++;
                *out = &c->event;
                return BH_OK;
            }
        } else if (s.fault != FAULT_AGAIN) {
            return client_fail_status(c, "guard's ring is damaged", s);
        } else if (tended) {
            return c->channel.phase == CHANNEL_ENDED ? BH_CLOSED : BH_AGAIN;
        } else {
            channel_pump(c, 0);
            tended = true;
        }
    }
}

int bh_client_wait(struct bh_client *c, int timeout_ms)
{
    uint64_t deadline_ns = wait_deadline(timeout_ms);
    int result = BH_OK;
    while (result == BH_OK && c->turn != TURN_OVER && stream_lag(&c->reader) == 0) {
        result = c->channel.phase == CHANNEL_ENDED ? BH_CLOSED
                                                   : channel_pump(c, wait_left_ms(deadline_ns));
    }
    if (c->turn == TURN_OVER) {
        return client_fail(c, BH_CLOSED, "guard asked this client to end");
    }
    /* Whose signal handler ran wants to look at what it set. */
    return result == BH_AGAIN ? BH_OK : result;
}

int bh_client_acknowledge(struct bh_client *c)
{
    if (!c->manual) {
        return client_fail(c, BH_ARGUMENT, "opened without BH_MANUAL_ACKNOWLEDGE");
    }
    c->outstanding = false;
    settle(c);
    return BH_OK;
}

int bh_client_stats(const struct bh_client *c, struct bh_stats *out)
{
    struct bh_stats now = c->stats;
    now.size = out->size;
    now.lost = c->reader.lost;
    now.position = c->reader.position;
    now.lag = stream_lag(&c->reader);
    now.connected = c->channel.phase == CHANNEL_OPEN;
    if (out->size < sizeof out->size) {
        return BH_ARGUMENT;
    }
    memcpy(out, &now, out->size < sizeof now ? out->size : sizeof now);
    return BH_OK;
}
