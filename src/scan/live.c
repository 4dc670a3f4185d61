#include "scan/opener.h"

#include <sysexits.h>

int live_run(void)
{
    return EX_UNAVAILABLE;
}
