#include "guard/ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

struct status ring_open(int fd, size_t size, struct ring *out)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (consumer == MAP_FAILED) {
        FAIL_SYS(errno);
    }
    void *producer = mmap(NULL, page + 2 * size, PROT_READ, MAP_SHARED, fd, (off_t)page);
    if (producer == MAP_FAILED) {
        int refused = errno;
        munmap(consumer, page);
        FAIL_SYS(refused);
    }
    *out = (struct ring){.consumer = consumer,
                         .producer = producer,
                         .data = (const uint8_t *)producer + page,
                         .size = size};
    return OK;
}

void ring_done(struct ring *r)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (r->consumer) {
        munmap(r->consumer, page);
        munmap((void *)(uintptr_t)r->producer, page + 2 * r->size);
        *r = (struct ring){0};
    }
}

/* Each record has a header of 8 bytes: its length with two flag bits, and a page offset. */
struct status ring_next(struct ring *r, uint64_t *position, struct text *out, uint64_t *out_end)
{
    uint64_t end = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
    while (*position < end) {
        const uint8_t *at = r->data + (*position & (r->size - 1));
        uint32_t header = __atomic_load_n((const uint32_t *)at, __ATOMIC_ACQUIRE);
        uint32_t length = header & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
        uint64_t step = (length + BPF_RINGBUF_HDR_SZ + 7UL) & ~7UL;
        if (header & BPF_RINGBUF_BUSY_BIT) {
            FAIL(AGAIN); /* another CPU is still writing it */
        }
        if (step > end - *position || length > r->size) {
            FAIL(INVALID);
        }
        *position += step;
        if ((header & BPF_RINGBUF_DISCARD_BIT) == 0) {
            *out = (struct text){.ptr = (const char *)at + BPF_RINGBUF_HDR_SZ, .len = length};
            *out_end = *position;
            return OK;
        }
    }
    FAIL(AGAIN);
}

void ring_release(struct ring *r, uint64_t position)
{
    __atomic_store_n(r->consumer, position, __ATOMIC_RELEASE);
}

uint64_t ring_position(const struct ring *r)
{
    return __atomic_load_n(r->consumer, __ATOMIC_RELAXED);
}

uint64_t ring_end(const struct ring *r)
{
    return __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
}
