/*
 * test: what every unit test includes: cmocka and the headers that it wants, and assertions on
 * status.
 */
#pragma once

#include "base/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define assert_ok(call)                                                                            \
    do {                                                                                           \
        struct status assert_status = (call);                                                      \
        char assert_words[256];                                                                    \
        if (!status_ok(assert_status)) {                                                           \
            fail_msg("%s", status_text(assert_status, assert_words, sizeof assert_words));         \
        }                                                                                          \
    } while (0)

#define assert_fault(call, name) assert_string_equal(fault_name((call).fault), #name)

#define assert_text(slice, literal)                                                                \
    do {                                                                                           \
        struct text assert_slice = (slice);                                                        \
        assert_int_equal(assert_slice.len, sizeof(literal) - 1);                                   \
        assert_memory_equal(assert_slice.ptr, literal, sizeof(literal) - 1);                       \
    } while (0)
