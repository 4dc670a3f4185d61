#include "sums.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    printf("%ld\n", sums_of(argc > 1 ? strtol(argv[1], NULL, 10) : 100));
    return 0;
}
