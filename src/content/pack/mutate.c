#include "content/pack/mutate.h"

#include "base/bytes.h"
#include "base/xorshift.h"

static size_t below(uint64_t *state, size_t limit)
{
    return limit ? (size_t)(xorshift(state) % limit) : 0;
}

static uint64_t number_at(const uint8_t *data, size_t size, size_t at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes && at + i < size; i++) {
        value |= (uint64_t)data[at + i] << 8 * i;
    }
    return value;
}

/* A place in a section, at the start of one of its items; the table may be broken already. */
static size_t place_in_section(const uint8_t *data, size_t size, uint64_t *state, size_t *item)
{
    size_t entry = PACK_HEADER + PACK_SECTION * below(state, PACK_SECTION_COUNT);
    size_t bytes = number_at(data, size, entry + 4, 4);
    size_t offset = number_at(data, size, entry + 8, 8);
    size_t count = number_at(data, size, entry + 16, 8);
    *item = bytes && bytes <= MUTATION_MAX ? bytes : 8;
    if (offset >= size) {
        return below(state, size);
    }
    size_t room = (size - offset) / *item;
    return offset + *item * below(state, count < room ? count : room);
}

static size_t choose_place(const uint8_t *data, size_t size, uint64_t *state, size_t *item)
{
    *item = 8;
    switch (below(state, 8)) {
    case 0:
        return below(state, PACK_HEADER + PACK_SECTION * PACK_SECTION_COUNT);
    case 1:
    case 2:
        return below(state, size);
    default:
        return place_in_section(data, size, state, item);
    }
}

/* Little-endian numbers that are wrong by one, or at an edge. */
static void change_number(uint8_t *at, size_t bytes, uint64_t *state)
{
    static const uint64_t edges[] = {0, 1, UINT64_MAX, 0x7f, 0x80, 0xffff, 0x7fffffff, 0x80000000};
    uint64_t value = number_at(at, bytes, 0, bytes);
    switch (below(state, 3)) {
    case 0:
        value += 1 + below(state, 4);
        break;
    case 1:
        value -= 1 + below(state, 4);
        break;
    default:
        value = edges[below(state, sizeof edges / sizeof *edges)];
    }
    for (size_t i = 0; i < bytes; i++) {
        at[i] = (uint8_t)(value >> 8 * i);
    }
}

static void change(uint8_t *data, size_t size, const struct mutation *m, uint64_t *state)
{
    uint8_t *at = data + m->at;
    size_t inside = below(state, m->len);
    switch (below(state, 6)) {
    case 0:
        at[inside] ^= (uint8_t)(1U << below(state, 8));
        break;
    case 1:
        at[inside] = (uint8_t)xorshift(state);
        break;
    case 2:
        change_number(at + inside / 4 * 4, m->len - inside / 4 * 4 < 4 ? 1 : 4, state);
        break;
    case 3:
        change_number(at + inside / 2 * 2, m->len - inside / 2 * 2 < 2 ? 1 : 2, state);
        break;
    case 4: /* another item of the same kind, mostly */
        memmove(at, data + below(state, size / m->len) * m->len, m->len);
        break;
    default:
        memmove(at, m->at >= m->len ? at - m->len : data + size - m->len, m->len);
    }
}

void mutate(uint8_t *data, size_t size, uint64_t *state, struct mutation *out)
{
    size_t item;
    out->at = choose_place(data, size, state, &item);
    out->at = out->at < size ? out->at : size - 1;
    out->len = item < size - out->at ? item : size - out->at;
    memcpy(out->before, data + out->at, out->len);
    change(data, size, out, state);
}

void mutate_undo(uint8_t *data, const struct mutation *m)
{
    memcpy(data + m->at, m->before, m->len);
}

void mutate_repair(uint8_t *data, size_t size)
{
    struct writer total = writer_over(data + 16, 8);
    writer_u64(&total, size);
    struct writer sum = writer_over(data + PACK_CHECKSUM_AT, 8);
    writer_u64(&sum, pack_checksum((struct text){(const char *)data, size}));
}
