#include "content/pack/yara.h"

#include "base/bytes.h"
#include "content/pack/load.h"

enum { YARA_ITEM = 8 };

const char *yara_check(struct pack_yara source)
{
    if (source.file.len == 0 || source.file.len > PACK_YARA_NAME) {
        return "its name is empty or too long";
    }
    if (!text_is_utf8(source.file) || text_find_byte(source.file, 0) != SIZE_MAX) {
        return "its name is not UTF-8";
    }
    if (source.source.len == 0 || source.source.len > PACK_YARA_SOURCE) {
        return "the source is empty or too large";
    }
    /* The compiler takes a terminated string: what stood behind a zero would be lost unseen. */
    if (text_find_byte(source.source, 0) != SIZE_MAX) {
        return "the source holds a zero byte";
    }
    return NULL;
}

struct status encode_yara(struct encoder *e, const struct pack_yara *sources, size_t count)
{
    size_t end = 0;
    for (size_t i = 0; i < count; i++) {
        uint8_t room[YARA_ITEM];
        struct writer w = writer_over(room, sizeof room);
        uint32_t name;
        end += sources[i].source.len;
        TRY(encode_text(e, sources[i].file, &name));
        writer_u32(&w, name);
        writer_u32(&w, (uint32_t)end);
        TRY(encode_bytes(e, PACK_YARA, writer_text(&w)));
        TRY(encode_bytes(e, PACK_YARA_SOURCES, sources[i].source));
    }
    return OK;
}

/* Clamped, so that even a pack that somebody changes after it was opened is not left. */
struct pack_yara pack_yara(const struct pack *pack, size_t index)
{
    ENSURE(index < pack->sections[PACK_YARA].count);
    const char *at = pack->sections[PACK_YARA].at + index * YARA_ITEM;
    struct text all = {.ptr = pack->sections[PACK_YARA_SOURCES].at,
                       .len = pack->sections[PACK_YARA_SOURCES].count};
    size_t from = index ? load_u32(at - YARA_ITEM + 4) : 0;
    size_t to = load_u32(at + 4);
    return (struct pack_yara){.file = pack_text(pack, load_u32(at)),
                              .source = text_part(all, from, to > from ? to - from : 0)};
}

struct status check_yara(struct check *c)
{
    size_t from = 0;
    size_t bytes = c->pack.sections[PACK_YARA_SOURCES].count;
    struct text before = TEXT("");
    if (pack_count(&c->pack, PACK_YARA) > PACK_YARA_MAX || bytes > PACK_YARA_BYTES) {
        return check_exceeds(c, PACK_YARA, PACK_WHOLE, "there are too many sources");
    }
    for (size_t i = 0; i < pack_count(&c->pack, PACK_YARA); i++) {
        size_t to = load_u32(c->pack.sections[PACK_YARA].at + i * YARA_ITEM + 4);
        if (to < from || to > bytes) {
            return check_refuse(c, PACK_YARA, i, "it ends where it cannot");
        }
        struct pack_yara source = pack_yara(&c->pack, i);
        const char *wrong = yara_check(source);
        if (!wrong && i && pack_id_order(before, source.file) >= 0) {
            wrong = "the sources are not in the order of their names";
        }
        if (wrong) {
            return check_refuse(c, PACK_YARA, i, wrong);
        }
        check_use(c, CHECK_TEXTS, load_u32(c->pack.sections[PACK_YARA].at + i * YARA_ITEM));
        before = source.file;
        from = to;
    }
    return from == bytes
               ? OK
               : check_refuse(c, PACK_YARA_SOURCES, PACK_WHOLE, "bytes that belong to nothing");
}
