/*
 * outcome: what became of a file that was to be scanned, in words for programs and for people.
 *
 * SCANNED is the only good one. SKIP: nothing was wrong, it was left out. FAIL: it should have been
 * scanned and could not be.
 */
#pragma once

#include <stdbool.h>

/* OUTCOME(ID, skipped, name, words) */
#define OUTCOMES(X)                                                                                \
    X(SCANNED, false, "scanned", "it was scanned")                                                 \
    X(NO_FILE, true, "no_file", "it is no regular file")                                           \
    X(LINK, true, "link", "it is a symbolic link")                                                 \
    X(KERNEL, true, "kernel", "it is the kernel's, not on any disk")                               \
    X(OTHER_SYSTEM, true, "other_file_system", "it lies on another file system")                   \
    X(TOO_LARGE, true, "too_large", "it is larger than --max-size")                                \
    X(TOO_DEEP, true, "too_deep", "its path is too long or its folder too deep")                   \
    X(DENIED, false, "denied", "it may not be read")                                               \
    X(GONE, false, "gone", "it is not there")                                                      \
    X(UNREADABLE, false, "unreadable", "it cannot be read")                                        \
    X(CHANGED, false, "changed", "it became shorter while it was read")                            \
    X(TIMED_OUT, false, "timed_out", "scanning it took too long")                                  \
    X(CRASHED, false, "crashed", "the scanner crashed on it")                                      \
    X(MEMORY, false, "memory", "scanning it takes more memory than is permitted")                  \
    X(FAULT, false, "fault", "the scanner gave up on it")

enum outcome {

#define OUTCOME_ENUM(ID, skipped, name, words) OUTCOME_##ID,
    OUTCOMES(OUTCOME_ENUM)
#undef OUTCOME_ENUM
        OUTCOME_COUNT
};

const char *outcome_name(enum outcome outcome);
const char *outcome_words(enum outcome outcome);
bool outcome_skipped(enum outcome outcome); /* left out on purpose */
