#include "base/own.h"

#include <errno.h>
#include <unistd.h>

void fd_drop(int *fd)
{
    if (*fd >= 0) {
        int saved = errno;
        close(*fd);
        errno = saved;
        *fd = -1;
    }
}
