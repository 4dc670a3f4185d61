#include "base/heap.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static unsigned long allocations;
static unsigned long fail_at;

/* Not thread-safe, and need not be: it is set by single-threaded tests only. */
static bool refused(void)
{
    allocations++;
    if (fail_at == 0 || allocations != fail_at) {
        return false;
    }
    fail_at = 0;
    return true;
}

void *heap_alloc(size_t count, size_t size)
{
    return refused() ? NULL : calloc(count ? count : 1, size ? size : 1);
}

void *heap_grow(void *block, size_t count, size_t size)
{
    return refused() ? NULL : reallocarray(block, count ? count : 1, size ? size : 1);
}

void heap_free(void *block)
{
    free(block);
}

void heap_drop(void *slot)
{
    void *block;
    memcpy(&block, slot, sizeof block);
    free(block);
}

void heap_fail_at(unsigned long nth)
{
    fail_at = nth ? allocations + nth : 0;
}

unsigned long heap_count(void)
{
    return allocations;
}
