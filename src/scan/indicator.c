#include "scan/indicator.h"

#include "content/indicator/indicator.h"

uint32_t scan_hash_lists(const struct pack *pack)
{
    uint32_t lists = 0;
    for (uint32_t i = 0; i < pack_count(pack, PACK_INDICATOR_ENDS); i++) {
        lists += indicator_kind(pack_list(pack, i)) == INDICATOR_HASH;
    }
    return lists;
}

static bool digit(char c, uint8_t *out)
{
    bool decimal = c >= '0' && c <= '9';
    *out = (uint8_t)(decimal ? c - '0' : c - 'a' + 10);
    return decimal || (c >= 'a' && c <= 'f');
}

static bool parse(struct text hex, uint8_t out[SCAN_SHA256])
{
    for (size_t i = 0; i < SCAN_SHA256; i++) {
        uint8_t high = 0;
        uint8_t low = 0;
        if (hex.len != 2 * SCAN_SHA256 || !digit(hex.ptr[2 * i], &high) ||
            !digit(hex.ptr[2 * i + 1], &low)) {
            return false;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool scan_on_hash(const struct pack *pack, struct text sha256, struct talk_match *out)
{
    uint8_t bytes[SCAN_SHA256];
    size_t index = SIZE_MAX;
    if (!parse(sha256, bytes) || !indicator_has_hash(pack, bytes, &index)) {
        return false;
    }
    struct talk_match match = {
        .indicator = 1, .name = TEXT("A hash on a list"), .level = TEXT("high")};
    if (index != SIZE_MAX) {
        struct pack_rule rule = pack_rule(pack, index);
        match.file = text_part(rule.file, 0, 1024);
        match.name = text_part(rule.title, 0, 256);
        match.author = text_part(rule.author, 0, 256);
        match.description = text_part(rule.description, 0, 512);
        match.level = rule.level.len ? text_part(rule.level, 0, 16) : match.level;
        match.tags = text_part(rule.tags, 0, 512);
    }
    *out = match;
    return true;
}
