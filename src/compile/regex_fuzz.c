/*
 * Arbitrary text as an expression, the rest as its subject. Input: flags, length of the expression,
 * the expression, the subject.
 */
#include "base/bytes.h"
#include "base/own.h"
#include "compile/regex.h"
#include "content/match/automaton.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_over(data, size);
    OWN(arena_done) struct arena arena;
    struct regex regex;
    char why[REGEX_WHY];
    unsigned flags = reader_u8(&r) % 8;
    struct text pattern = reader_bytes(&r, reader_u8(&r));
    struct text subject = reader_bytes(&r, reader_left(&r));
    arena_init(&arena, 4 << 20);
    if (!r.bad && status_ok(regex_compile(pattern, flags, &arena, &regex, why))) {
        for (size_t i = 0; i < regex.count; i++) {
            ENSURE(!automaton_check(regex.parts[i].automaton));
            automaton_search(regex.parts[i].automaton, subject);
            automaton_needs(regex.parts[i].automaton, regex.parts[i].factor);
        }
    }
    return 0;
}
