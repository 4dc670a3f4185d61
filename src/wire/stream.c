#include "wire/stream.h"

#include "base/clock.h"

#include <endian.h>

/* The header of a record as the ring's 64-bit words; event.md has it byte by byte. */
enum { WORD_SIZE, WORD_SEQ, WORD_TYPE_SEQ, WORD_TIME, WORD_ORIGIN, WORD_BYTES = sizeof(uint64_t) };

_Static_assert((WORD_ORIGIN + 1) * WORD_BYTES == EVENT_HEADER, "the header's words");

/* A reader that loses this many races with the writer in one call lets its caller do something
 * else. */
enum { TRIES = 64 };

/* Records are read while they may be overwritten, so every word is a relaxed atomic: what was
 * copied is looked at only after `tail` proved it whole. The order of the words among each other is
 * free, so this is as fast as memcpy for records of the usual size. */
static uint64_t word_load(const _Atomic uint64_t *words, uint64_t offset)
{
    return le64toh(atomic_load_explicit(&words[offset / WORD_BYTES], memory_order_relaxed));
}

static void word_store(_Atomic uint64_t *words, uint64_t offset, uint64_t value)
{
    atomic_store_explicit(&words[offset / WORD_BYTES], htole64(value), memory_order_relaxed);
}

static uint32_t size_of(uint64_t first_word)
{
    return (uint32_t)first_word;
}

static uint16_t type_of(uint64_t first_word)
{
    return (uint16_t)(first_word >> 32);
}

/* Could this be the first word of a record, or of filler, with `room` bytes up to the ring's end?
 */
static bool first_word_fits(uint64_t word, uint64_t room)
{
    uint32_t size = size_of(word);
    if (size % WORD_BYTES != 0 || size == 0 || size > room) {
        return false;
    }
    return type_of(word) == STREAM_FILLER ? size == room
                                          : size >= EVENT_HEADER && size <= EVENT_MAX;
}

static uint64_t offset_in(uint64_t size, uint64_t position)
{
    return position & (size - 1);
}

static bool size_is_right(uint64_t size)
{
    return size >= STREAM_SIZE_MIN && size <= STREAM_SIZE_MAX && (size & (size - 1)) == 0;
}

/* ── the writer ── */

static struct stream_writer writer_at(void *memory, uint64_t size)
{
    return (struct stream_writer){
        .page = memory,
        .words = (_Atomic uint64_t *)((uint8_t *)memory + STREAM_PAGE),
        .size = size,
    };
}

struct status stream_make(void *memory, size_t size, struct stream_writer *out)
{
    if (!size_is_right(size)) {
        FAIL(LIMIT);
    }
    struct stream_writer w = writer_at(memory, size);
    *w.page = (struct stream_page){
        .version = STREAM_VERSION,
        .size = size,
        .schema_hash = schema_hash(),
        .boot_real_ns = clock_real_ns() - clock_boot_ns(),
        .made_real_ns = clock_real_ns(),
        .generation = 1,
    };
    /* Last, so that a writer killed in here leaves nothing that could be resumed. */
    atomic_thread_fence(memory_order_release);
    w.page->magic = STREAM_MAGIC;
    *out = w;
    return OK;
}

/* Makes room for `need` bytes after `head`. Tail moves a little further than it must: readers look
 * at it after each record, and its cache line stays with them as long as it does not change. */
static void make_room(struct stream_writer *w, uint64_t head, uint64_t need)
{
    uint64_t tail = atomic_load_explicit(&w->page->tail, memory_order_relaxed);
    if (head + need - tail <= w->size) {
        return;
    }
    uint64_t goal = head + need - w->size + w->size / 64;
    while (tail < goal && tail < head) {
        tail += size_of(word_load(w->words, offset_in(w->size, tail)));
    }
    /* Release: whoever sees this tail sees the head that it stays behind. */
    atomic_store_explicit(&w->page->tail, tail, memory_order_release);
    /* And a reader that sees any word stored from here on sees this tail. */
    atomic_thread_fence(memory_order_release);
}

static void put_words(struct stream_writer *w, uint64_t at, struct text record)
{
    for (size_t i = 0; i < record.len; i += WORD_BYTES) {
        uint64_t word;
        memcpy(&word, record.ptr + i, sizeof word);
        atomic_store_explicit(&w->words[(at + i) / WORD_BYTES], word, memory_order_relaxed);
    }
}

/* The numbers trail the head that made their record visible. */
static void keep_numbers(struct stream_writer *w, uint64_t at)
{
    uint64_t origin = word_load(w->words, at + WORD_ORIGIN * WORD_BYTES);
    uint16_t type = type_of(word_load(w->words, at));
    atomic_store_explicit(&w->page->seq, word_load(w->words, at + WORD_SEQ * WORD_BYTES),
                          memory_order_release);
    atomic_store_explicit(&w->page->type_seq[type],
                          word_load(w->words, at + WORD_TYPE_SEQ * WORD_BYTES),
                          memory_order_release);
    if (origin) {
        w->last_origin = origin;
        atomic_store_explicit(&w->page->origin, origin, memory_order_release);
    }
}

uint64_t stream_publish(struct stream_writer *w, struct text record)
{
    uint64_t first;
    ENSURE(record.len >= EVENT_HEADER);
    memcpy(&first, record.ptr, sizeof first);
    first = le64toh(first);
    ENSURE(size_of(first) == record.len && first_word_fits(first, EVENT_MAX));
    ENSURE(type_of(first) < EVENT_COUNT);

    uint64_t head = atomic_load_explicit(&w->page->head, memory_order_relaxed);
    uint64_t at = offset_in(w->size, head);
    uint64_t filler = w->size - at < record.len ? w->size - at : 0;
    make_room(w, head, filler + record.len);
    if (filler) {
        word_store(w->words, at, filler | (uint64_t)STREAM_FILLER << 32);
        at = 0;
    }
    uint64_t seq = atomic_load_explicit(&w->page->seq, memory_order_relaxed) + 1;
    uint64_t type_seq =
        atomic_load_explicit(&w->page->type_seq[type_of(first)], memory_order_relaxed) + 1;
    put_words(w, at, record);
    word_store(w->words, at + WORD_SEQ * WORD_BYTES, seq);
    word_store(w->words, at + WORD_TYPE_SEQ * WORD_BYTES, type_seq);
    /* Filler and record appear at once; a writer killed before this line has published nothing. */
    atomic_store_explicit(&w->page->head, head + filler + record.len, memory_order_release);
    keep_numbers(w, at);
    return seq;
}

void stream_leave(struct stream_writer *w)
{
    atomic_fetch_add(&w->page->generation, 1);
}

/* ── after a kill ── */

/* `out` is the ring's size, read once: a client does not trust what can change under it. */
static struct status page_check(const struct stream_page *page, size_t memory_size, uint64_t *out)
{
    if (memory_size < stream_memory(STREAM_SIZE_MIN) || page->magic != STREAM_MAGIC) {
        FAIL(INVALID);
    }
    if (page->version != STREAM_VERSION) {
        FAIL(VERSION);
    }
    uint64_t size = atomic_load(&page->size);
    if (!size_is_right(size) || memory_size < stream_memory(size)) {
        FAIL(INVALID);
    }
    *out = size;
    return OK;
}

/* One record of the walk: it must follow the one before, and its numbers are kept. */
static struct status resume_record(struct stream_writer *w, uint64_t at, uint64_t *next_seq)
{
    uint64_t first = word_load(w->words, at);
    uint64_t seq = word_load(w->words, at + WORD_SEQ * WORD_BYTES);
    if (type_of(first) >= EVENT_COUNT || (*next_seq && seq != *next_seq)) {
        FAIL(INVALID);
    }
    if (seq >= atomic_load(&w->page->seq)) {
        keep_numbers(w, at);
    }
    *next_seq = seq + 1;
    return OK;
}

/* Every store above happens before or after a head that says what is whole, so the walk from tail
 * to head finds everything. Only the last record can be missing from the page's numbers. */
static struct status resume_walk(struct stream_writer *w, uint64_t tail, uint64_t head)
{
    uint64_t next_seq = 0;
    while (tail < head) {
        uint64_t at = offset_in(w->size, tail);
        uint64_t first = word_load(w->words, at);
        if (!first_word_fits(first, w->size - at) || size_of(first) > head - tail) {
            FAIL(INVALID);
        }
        if (type_of(first) != STREAM_FILLER) {
            TRY(resume_record(w, at, &next_seq));
        }
        tail += size_of(first);
    }
    return OK;
}

struct status stream_resume(void *memory, size_t memory_size, struct stream_writer *out)
{
    struct stream_page *page = memory;
    uint64_t size;
    TRY(page_check(page, memory_size, &size));
    if (page->schema_hash != schema_hash()) {
        FAIL(VERSION);
    }
    struct stream_writer w = writer_at(memory, size);
    uint64_t head = atomic_load(&page->head);
    uint64_t tail = atomic_load(&page->tail);
    if (tail > head || head - tail > w.size || (head | tail) % WORD_BYTES != 0) {
        FAIL(INVALID);
    }
    w.last_origin = atomic_load(&page->origin);
    TRY(resume_walk(&w, tail, head));
    uint64_t generation = atomic_load(&page->generation);
    atomic_store(&page->generation, generation + (generation & 1 ? 2 : 1));
    *out = w;
    return OK;
}

/* ── readers ── */

struct status stream_open(const void *memory, size_t memory_size, uint64_t position,
                          struct stream_reader *out)
{
    const struct stream_page *page = memory;
    uint64_t size;
    TRY(page_check(page, memory_size, &size));
    struct stream_reader r = {
        .page = page,
        .words = (const _Atomic uint64_t *)((const uint8_t *)memory + STREAM_PAGE),
        .size = size,
        .head = atomic_load(&page->head),
    };
    uint64_t tail = atomic_load(&page->tail);
    r.position = position < tail ? tail : position > r.head ? r.head : position;
    *out = r;
    return OK;
}

/* Copies the record at `at`; `first` is its first word as it was checked. */
static struct text copy_words(const struct stream_reader *r, uint64_t at, uint64_t first,
                              void *buffer)
{
    uint8_t *to = buffer;
    uint64_t word = htole64(first);
    memcpy(to, &word, sizeof word);
    for (uint32_t i = WORD_BYTES; i < size_of(first); i += WORD_BYTES) {
        word = atomic_load_explicit(&r->words[(at + i) / WORD_BYTES], memory_order_relaxed);
        memcpy(to + i, &word, sizeof word);
    }
    return (struct text){.ptr = buffer, .len = size_of(first)};
}

/* Everything loaded before this call was whole if tail is not past `position`; else on to the tail.
 */
static bool was_overtaken(struct stream_reader *r)
{
    atomic_thread_fence(memory_order_acquire);
    uint64_t tail = atomic_load_explicit(&r->page->tail, memory_order_acquire);
    bool overtaken = tail > r->position;
    r->position = overtaken ? tail : r->position;
    return overtaken;
}

/* Steps over the record that was copied. */
static struct status count_record(struct stream_reader *r, struct text record)
{
    uint64_t seq;
    memcpy(&seq, record.ptr + WORD_SEQ * WORD_BYTES, sizeof seq);
    seq = le64toh(seq);
    if (seq < r->next_seq) {
        FAIL(INVALID);
    }
    r->lost += r->next_seq ? seq - r->next_seq : 0;
    r->next_seq = seq + 1;
    r->position += record.len;
    return OK;
}

struct status stream_next(struct stream_reader *r, void *buffer, struct text *out)
{
    for (unsigned i = 0; i < TRIES; i++) {
        if (r->position >= r->head) {
            r->head = atomic_load_explicit(&r->page->head, memory_order_acquire);
        }
        if (r->position == r->head) {
            FAIL(AGAIN);
        }
        if (r->position > r->head) {
            FAIL(INVALID);
        }
        uint64_t at = offset_in(r->size, r->position);
        uint64_t first = word_load(r->words, at);
        bool fits = first_word_fits(first, r->size - at);
        bool filler = type_of(first) == STREAM_FILLER;
        struct text record = fits && !filler ? copy_words(r, at, first, buffer) : TEXT("");
        if (was_overtaken(r)) {
            continue;
        }
        if (!fits || size_of(first) > r->head - r->position) {
            FAIL(INVALID);
        }
        if (!filler) {
            TRY(count_record(r, record));
            *out = record;
            return OK;
        }
        r->position += size_of(first);
    }
    FAIL(AGAIN);
}

uint64_t stream_lag(const struct stream_reader *r)
{
    uint64_t head = atomic_load_explicit(&r->page->head, memory_order_relaxed);
    return head > r->position ? head - r->position : 0;
}
