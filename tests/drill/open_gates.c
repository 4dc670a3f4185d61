/*
 * For the drill alone, in a program of its own that is installed nowhere: pack_open() and
 * pack_prove() with their gates open. What the verifier refuses is taken as it stands, as far as
 * its table of sections goes, and its test events are not run.
 *
 * The linker puts them in the place of the real ones (--wrap): the product has no such switch.
 */
#include "base/bytes.h"
#include "content/prove/prove.h"

struct status __real_pack_open(struct text bytes, struct pack *out, struct pack_fault *fault);
struct status __wrap_pack_open(struct text bytes, struct pack *out, struct pack_fault *fault);
struct status __wrap_pack_prove(const struct pack *pack, struct pack_fault *fault);

/* Sections where the table says, if they are in the file at all: the drill is about what a rule
 * asks for, not about a table that leads nowhere. */
static struct status take_sections(struct text bytes, struct pack *out)
{
    struct reader r = reader_over(bytes.ptr + PACK_HEADER, bytes.len - PACK_HEADER);
    for (unsigned i = 0; i < PACK_SECTION_COUNT; i++) {
        reader_u32(&r);
        uint32_t size = reader_u32(&r);
        uint64_t offset = reader_u64(&r);
        uint64_t count = reader_u64(&r);
        if (r.bad || offset > bytes.len || size == 0 || count > (bytes.len - offset) / size) {
            FAIL(BOUNDS);
        }
        out->sections[i].at = bytes.ptr + offset;
        out->sections[i].count = count;
    }
    return OK;
}

struct status __wrap_pack_open(struct text bytes, struct pack *out, struct pack_fault *fault)
{
    struct pack pack = {.bytes = bytes};
    if (status_ok(__real_pack_open(bytes, out, fault))) {
        return OK;
    }
    if (bytes.len < PACK_HEADER) {
        FAIL(INVALID);
    }
    TRY(take_sections(bytes, &pack));
    for (size_t i = 0; i < pack_count(&pack, PACK_RULES); i++) {
        pack.types |= pack_rule(&pack, i).types;
    }
    for (unsigned type = 0; type < EVENT_COUNT; type++) {
        pack.cost[type] = PACK_EVENT_COST;
        pack.demand[type] = PACK_EVENT_COST;
        pack.windows_cost[type] = PACK_EVENT_COST;
    }
    *out = pack;
    return OK;
}

struct status __wrap_pack_prove(const struct pack *pack, struct pack_fault *fault)
{
    (void)pack;
    (void)fault;
    return OK;
}
