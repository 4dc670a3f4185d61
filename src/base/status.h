/*
 * status: how every function of the product says that it failed.
 *
 * A status is returned by value and must be looked at. TRY hands a failure up unchanged; FAIL and
 * FAIL_SYS make one here. They are the only macros of the project that hide control flow. Output
 * parameters are untouched on failure. Libraries never log a status: the process edge does, once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Every fault with the words a person reads. */
#define FAULTS(X)                                                                                  \
    X(OK, "ok")                                                                                    \
    X(INVALID, "the input is malformed")                                                           \
    X(BOUNDS, "an offset or length points outside its data")                                       \
    X(LIMIT, "a limit of the product was reached")                                                 \
    X(MEMORY, "out of memory")                                                                     \
    X(SYSTEM, "the system refused a call")                                                         \
    X(CLOSED, "the other side closed the connection")                                              \
    X(AGAIN, "nothing to do yet")                                                                  \
    X(TIMEOUT, "the time for this ran out")                                                        \
    X(DENIED, "not permitted")                                                                     \
    X(VERSION, "the two sides speak different versions")                                           \
    X(MISSING, "something that is needed is not there")                                            \
    X(BUSY, "somebody else is using it")                                                           \
    X(UNSUPPORTED, "this machine or this build cannot do that")                                    \
    X(OVERTAKEN, "the reader was too slow and lost records")

enum fault {

#define FAULT_ENUM(name, words) FAULT_##name,
    FAULTS(FAULT_ENUM)
#undef FAULT_ENUM
};

/* Each compiler knows one way to mark a type whose values must be looked at. */
#ifdef __clang__
#define STATUS_LOOKED_AT __attribute__((warn_unused_result))
#else
#define STATUS_LOOKED_AT [[nodiscard]]
#endif

struct STATUS_LOOKED_AT status {
    enum fault fault;  /* FAULT_OK: it worked */
    int sys;           /* errno of the refused call, or 0 */
    const char *where; /* "file:line", a literal; NULL where it worked */
};

#define STATUS_STRING_(x) #x
#define STATUS_STRING(x) STATUS_STRING_(x)
#define STATUS_HERE __FILE_NAME__ ":" STATUS_STRING(__LINE__)
#ifndef __FILE_NAME__
#define __FILE_NAME__ __FILE__
#endif

#define OK ((struct status){.fault = FAULT_OK})

#define FAIL(name)                                                                                 \
    do {                                                                                           \
        return (struct status){.fault = FAULT_##name, .where = STATUS_HERE};                       \
    } while (0)

#define FAIL_SYS(error)                                                                            \
    do {                                                                                           \
        return (struct status){.fault = FAULT_SYSTEM, .sys = (error), .where = STATUS_HERE};       \
    } while (0)

#define TRY(call)                                                                                  \
    do {                                                                                           \
        struct status try_status = (call);                                                         \
        if (__builtin_expect(try_status.fault != FAULT_OK, 0)) {                                   \
            return try_status;                                                                     \
        }                                                                                          \
    } while (0)

static inline bool status_ok(struct status s)
{
    return s.fault == FAULT_OK;
}

/* The caller looked, and goes on whatever it says. Say why beside the call. */
static inline void status_ignore(struct status s)
{
    (void)s;
}

/* Enum name ("BOUNDS") and words ("an offset …") of a fault; never NULL. */
const char *fault_name(enum fault fault);
const char *fault_words(enum fault fault);

/* Writes "the system refused a call: No such file or directory (policy.c:41)" into `out`.
 * Always terminates; cuts what does not fit. Returns `out`. */
const char *status_text(struct status s, char *out, size_t out_size);

/* The same for what a person can put right: "No such file or directory", "it is a folder", without
 * our words and places. Anything else is as status_text() writes it. */
const char *status_plain(struct status s, char *out, size_t out_size);

/* An assertion about our own code, always on. Bad input is a status, never this. */
void bug(const char *what, const char *where) __attribute__((noreturn));
#define ENSURE(condition)                                                                          \
    do {                                                                                           \
        if (__builtin_expect(!(condition), 0)) {                                                   \
            bug(#condition, STATUS_HERE);                                                          \
        }                                                                                          \
    } while (0)
