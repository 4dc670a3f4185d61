/*
 * cage: what the verifier keeps: one descriptor to read from and one to write one line to.
 */
#pragma once

#include "base/cage.h"

enum {
    VERIFY_PACK = 3,
    VERIFY_ANSWER = 4,
    VERIFY_INHERITED = 5,
};

struct cage verify_cage(void);
