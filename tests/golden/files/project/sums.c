#include "sums.h"

long sums_of(long count)
{
    long sum = 0;
    for (long i = 1; i <= count; i++) {
        sum += i;
    }
    return sum;
}
