/*
 * count: numbers as people read them: "1,234", "1 rule", "2 rules".
 */
#pragma once

#include <stdint.h>

enum {
    COUNT_NUMBER = 32, /* bytes that hold any number with its commas */
    COUNT_WORDS = 96,  /* and with the word behind it */
};

/* "18,446,744"; into COUNT_NUMBER bytes. Returns `out`. */
char *count_number(uint64_t number, char *out);

/* "1 rule", "2,000 rules"; into COUNT_WORDS bytes. Returns `out`. */
char *count_words(uint64_t number, const char *one, const char *many, char *out);

/* The same for an argument of printf(): the room lives as long as the block. */
#define COUNTED(number, one, many) count_words((number), (one), (many), (char[COUNT_WORDS]){0})
#define COUNT(number) count_number((number), (char[COUNT_NUMBER]){0})
