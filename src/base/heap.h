/*
 * heap: the only way to the C allocator, so that a test can refuse the n-th allocation.
 *
 * Guard allocates only while it starts. Memory is always zeroed. All sizes are in bytes.
 */
#pragma once

#include <stddef.h>

/* Zeroed memory for `count` items of `size` bytes, or NULL (also when the product overflows). */
void *heap_alloc(size_t count, size_t size) __attribute__((malloc));

/* Grows or shrinks `block` to `count` items of `size`; what is new is not zeroed. NULL: refused,
 * and `block` is as it was. */
void *heap_grow(void *block, size_t count, size_t size);

/* Frees; NULL is fine. */
void heap_free(void *block);

/* For OWN(): frees *(void **)slot. */
void heap_drop(void *slot);

/* Tests only: the `nth` allocation from now (1 = the next) fails, once; 0 turns it off.
 * heap_count() is the number of allocations so far. */
void heap_fail_at(unsigned long nth);
unsigned long heap_count(void);
