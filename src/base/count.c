#include "base/count.h"

#include <inttypes.h>
#include <stdio.h>

enum { THOUSAND = 3 };

char *count_number(uint64_t number, char *out)
{
    char digits[COUNT_NUMBER];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, number);
    char *at = out;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % THOUSAND == 0) {
            *at++ = ',';
        }
        *at++ = digits[i];
    }
    *at = '\0';
    return out;
}

char *count_words(uint64_t number, const char *one, const char *many, char *out)
{
    char digits[COUNT_NUMBER];
    snprintf(out, COUNT_WORDS, "%s %s", count_number(number, digits), number == 1 ? one : many);
    return out;
}
