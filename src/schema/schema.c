#include "schema/schema.h"

#include "base/hash.h"
#include "base/status.h"

#define SIGMA(category) (1U << SIGMA_CATEGORY_##category)

static const struct field_info fields[FIELD_COUNT] = {
#define FIELD_ROW(ID, name_, kind_, unit_, sigma_, ocsf_, prose_, recorded_)                       \
    [FIELD_##ID] = {.name = #name_,                                                                \
                    .kind = FIELD_KIND_##kind_,                                                    \
                    .unit = unit_,                                                                 \
                    .sigma = sigma_,                                                               \
                    .ocsf = ocsf_,                                                                 \
                    .prose = prose_,                                                               \
                    .recorded = recorded_},
#define FIELD(...) FIELD_ROW(__VA_ARGS__, false)
#define RECORDED_FIELD(...) FIELD_ROW(__VA_ARGS__, true)
#include "schema/events.def"
#undef FIELD_ROW
};

/* Alerts carry the process they are about; health events and recordings need none. */
static const struct event_info events[EVENT_COUNT] = {
#define EVENT(ID, name_, sigma_, class_, activity_, prose_)                                        \
    [EVENT_##ID] = {.name = #name_,                                                                \
                    .sigma_categories = sigma_,                                                    \
                    .ocsf_class = class_,                                                          \
                    .ocsf_activity = activity_,                                                    \
                    .prose = prose_,                                                               \
                    .has_who = EVENT_##ID != EVENT_HEALTH && EVENT_##ID != EVENT_RECORDED},
#include "schema/events.def"
};

static const uint8_t who[FIELD_COUNT] = {
#define WHO(ID, guarantee_) [FIELD_##ID] = GUARANTEE_##guarantee_,
#include "schema/events.def"
};

static const uint8_t own[EVENT_COUNT][FIELD_COUNT] = {
#define HAS(TYPE, ID, guarantee_) [EVENT_##TYPE][FIELD_##ID] = GUARANTEE_##guarantee_,
#include "schema/events.def"
};

static const char *const categories[SIGMA_CATEGORY_COUNT] = {
#define CATEGORY_NAME(ID, name) [SIGMA_CATEGORY_##ID] = #name,
    SIGMA_CATEGORIES(CATEGORY_NAME)
#undef CATEGORY_NAME
};

const struct field_info *field_info(enum field field)
{
    ENSURE((unsigned)field < FIELD_COUNT);
    return &fields[field];
}

const struct event_info *event_info(enum event_type type)
{
    ENSURE((unsigned)type < EVENT_COUNT);
    return &events[type];
}

enum guarantee field_guarantee(enum event_type type, enum field field)
{
    const struct event_info *info = event_info(type);
    ENSURE((unsigned)field < FIELD_COUNT);
    return own[type][field] ? own[type][field] : info->has_who ? who[field] : GUARANTEE_NONE;
}

/* Linear searches: names are looked up by tools and at load, never for each event. */
enum field field_by_name(struct text name)
{
    unsigned i = 0;
    while (i < FIELD_COUNT && !text_same(name, text_of(fields[i].name))) {
        i++;
    }
    return (enum field)i;
}

enum field field_by_sigma(struct text name)
{
    unsigned i = name.len ? 0 : FIELD_COUNT;
    while (i < FIELD_COUNT && !text_same(name, text_of(fields[i].sigma))) {
        i++;
    }
    return (enum field)i;
}

enum event_type event_type_by_name(struct text name)
{
    unsigned i = 0;
    while (i < EVENT_COUNT && !text_same(name, text_of(events[i].name))) {
        i++;
    }
    return (enum event_type)i;
}

enum sigma_category sigma_category_by_name(struct text name)
{
    unsigned i = 0;
    while (i < SIGMA_CATEGORY_COUNT && !text_same(name, text_of(categories[i]))) {
        i++;
    }
    return (enum sigma_category)i;
}

const char *sigma_category_name(enum sigma_category category)
{
    ENSURE((unsigned)category < SIGMA_CATEGORY_COUNT);
    return categories[category];
}

uint64_t event_types_of(enum sigma_category category)
{
    uint64_t types = 0;
    for (unsigned i = 0; i < EVENT_COUNT; i++) {
        types |= (uint64_t)(events[i].sigma_categories >> category & 1) << i;
    }
    return types;
}

/* Over the text of the tables, so that a name, a kind, an order or a membership changes it; prose
 * does not. */
uint64_t schema_hash(void)
{
    uint64_t hash = HASH_START;
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        hash = hash_bytes(hash, fields[i].name, strlen(fields[i].name) + 1);
        hash = hash_bytes(hash, fields[i].sigma, strlen(fields[i].sigma) + 1);
        hash = hash_bytes(hash, &(uint8_t){(uint8_t)fields[i].kind}, 1);
    }
    for (unsigned i = 0; i < EVENT_COUNT; i++) {
        hash = hash_bytes(hash, events[i].name, strlen(events[i].name) + 1);
        hash = hash_bytes(hash, &events[i].sigma_categories, sizeof events[i].sigma_categories);
    }
    hash = hash_bytes(hash, who, sizeof who);
    return hash_bytes(hash, own, sizeof own);
}

const char *const level_words[] = {"informational", "low", "medium", "high", "critical", NULL};

unsigned level_rank(struct text level)
{
    for (unsigned i = 0; level_words[i]; i++) {
        if (text_same(level, text_of(level_words[i]))) {
            return i + 1;
        }
    }
    return 0;
}
