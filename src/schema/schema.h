/*
 * schema: what events.def says, as ids, names and sets.
 *
 * Everything here is generated from events.def and constant. schema_hash() changes whenever a name,
 * kind, order or membership changes; a pack built for another schema is refused by it.
 */
#pragma once

#include "base/text.h"

enum field {

#define FIELD(ID, ...) FIELD_##ID,
#include "schema/events.def"
    FIELD_COUNT
};

enum event_type {

#define EVENT(ID, ...) EVENT_##ID,
#include "schema/events.def"
    EVENT_COUNT
};

_Static_assert(FIELD_COUNT < 255, "records name a field in one byte, 255 is kept free");
_Static_assert(EVENT_COUNT <= 64, "sets of event types are 64-bit masks");

enum field_kind {
    FIELD_KIND_TEXT,
    FIELD_KIND_NUMBER,
    FIELD_KIND_BOOL,
    FIELD_KIND_GUID,
    FIELD_KIND_ADDRESS,
};

/* Sigma's log source categories that endpoint events can carry. */
#define SIGMA_CATEGORIES(X)                                                                        \
    X(PROCESS_CREATION, process_creation)                                                          \
    X(PROCESS_TERMINATION, process_termination)                                                    \
    X(FILE_EVENT, file_event)                                                                      \
    X(FILE_CHANGE, file_change)                                                                    \
    X(FILE_RENAME, file_rename)                                                                    \
    X(FILE_DELETE, file_delete)                                                                    \
    X(FILE_ACCESS, file_access)                                                                    \
    X(NETWORK_CONNECTION, network_connection)                                                      \
    X(DRIVER_LOAD, driver_load)

enum sigma_category {

#define SIGMA_CATEGORY_ENUM(ID, name) SIGMA_CATEGORY_##ID,
    SIGMA_CATEGORIES(SIGMA_CATEGORY_ENUM)
#undef SIGMA_CATEGORY_ENUM
        SIGMA_CATEGORY_COUNT
};

enum guarantee { GUARANTEE_NONE, GUARANTEE_KERNEL, GUARANTEE_BEST, GUARANTEE_GUARD };

struct field_info {
    const char *name;
    enum field_kind kind;
    const char *unit;
    const char *sigma;
    const char *ocsf;
    const char *prose;
    bool recorded; /* only recorded events carry it */
};

struct event_info {
    const char *name;
    uint32_t sigma_categories; /* a bit each, 1 << enum sigma_category */
    uint16_t ocsf_class;
    uint16_t ocsf_activity;
    const char *prose;
    bool has_who;
};

/* `field` and `type` must be in range (bugs otherwise): check what comes from outside. */
const struct field_info *field_info(enum field field);
const struct event_info *event_info(enum event_type type);

/* How far a field of an event can be trusted; GUARANTEE_NONE: the event does not carry it. */
enum guarantee field_guarantee(enum event_type type, enum field field);

/* By name. FIELD_COUNT / EVENT_COUNT / SIGMA_CATEGORY_COUNT: there is none. Case-sensitive, as
 * Sigma is. */
enum field field_by_name(struct text name);
enum field field_by_sigma(struct text name);
enum event_type event_type_by_name(struct text name);
enum sigma_category sigma_category_by_name(struct text name);
const char *sigma_category_name(enum sigma_category category);

/* The event types that carry a Sigma category, a bit each; and every type of process events. */
uint64_t event_types_of(enum sigma_category category);

uint64_t schema_hash(void);

/* Sigma's levels, in their order; NULL ends them. */
extern const char *const level_words[];

/* 1 informational … 5 critical; 0: no level. */
unsigned level_rank(struct text level);
