/*
 * own: ownership by attribute.
 *
 * `OWN(fd_drop) int fd = -1;` releases at the end of the scope; `TAKE(fd)` moves the value out and
 * leaves nothing behind. Whether a function leaks can be seen by reading that function alone.
 */
#pragma once

#define OWN(drop) __attribute__((cleanup(drop)))

/* Moves a pointer out of an owned variable. */
#define TAKE(pointer)                                                                              \
    ({                                                                                             \
        __typeof__(pointer) take_value = (pointer);                                                \
        (pointer) = (__typeof__(pointer))0;                                                        \
        take_value;                                                                                \
    })

/* Closes *fd if it is open (>= 0) and sets it to -1. errno is kept. */
void fd_drop(int *fd);

/* Moves a descriptor out of an owned variable. */
static inline int fd_take(int *fd)
{
    int value = *fd;
    *fd = -1;
    return value;
}
