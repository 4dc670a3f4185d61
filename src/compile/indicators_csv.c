/*
 * CSV (RFC 4180): columns are known by their names, as MISP, abuse.ch and OpenCTI write them. The
 * names stand in the first row, or in a comment before it.
 */
#include "base/bytes.h"
#include "base/status.h"
#include "compile/indicators.h"

struct row {
    uint32_t line; /* where it begins */
    struct text fields[INDICATORS_COLUMNS_MAX];
    size_t count;
    const char *wrong;
};

struct csv {
    struct text left;
    uint32_t line;
    char separator;
    char room[INDICATORS_ROW_MAX]; /* of the row's fields, quotes undone */
};

/* What a column holds. */
enum column {
    COLUMN_NONE,
    COLUMN_ANY,
    COLUMN_HASH,
    COLUMN_ADDRESS,
    COLUMN_DOMAIN,
    COLUMN_URL,
    COLUMN_PATH,
    COLUMN_TYPE,   /* says what COLUMN_ANY is */
    COLUMN_TO_IDS, /* MISP: not meant for detection where it is 0 */
};

struct header {
    enum column columns[INDICATORS_COLUMNS_MAX];
    size_t count;
    bool known; /* a column with indicators is among them */
};

/* ── rows ── */

static char first_of(struct text t)
{
    return t.len ? t.ptr[0] : 0;
}

/* The next byte of the file, with its line. */
static char take(struct csv *c)
{
    char byte = c->left.ptr[0];
    c->left = text_part(c->left, 1, c->left.len);
    c->line += byte == '\n';
    return byte;
}

static void skip_blanks(struct csv *c)
{
    while (c->separator != '\t' ? first_of(c->left) == ' ' || first_of(c->left) == '\t'
                                : first_of(c->left) == ' ') {
        take(c);
    }
}

/* What stands between quotes, "" being one. */
static const char *quoted(struct csv *c, struct writer *w)
{
    take(c);
    while (c->left.len && !w->full) {
        char byte = take(c);
        if (byte == '"' && first_of(c->left) != '"') {
            return NULL;
        }
        if (byte == '"') {
            take(c);
        }
        writer_u8(w, (uint8_t)byte);
    }
    return w->full ? "the row is too long, or a quote does not end" : "a quote does not end";
}

static bool ends_field(const struct csv *c)
{
    char byte = first_of(c->left);
    return c->left.len == 0 || byte == c->separator || byte == '\n';
}

static const char *read_field(struct csv *c, struct writer *w)
{
    const char *wrong = NULL;
    skip_blanks(c);
    if (first_of(c->left) == '"') {
        wrong = quoted(c, w);
        skip_blanks(c);
        if (first_of(c->left) == '\r') {
            take(c);
        }
        return wrong || ends_field(c) ? wrong : "something stands after a quote";
    }
    while (!ends_field(c) && !w->full) {
        writer_u8(w, (uint8_t)take(c));
    }
    return w->full ? "the row is too long" : NULL;
}

/* A row that is wrong ends with its first line, so that a quote that nobody closed costs a line and
 * not the file. */
static void give_up(struct csv *c, struct text from, struct row *row, const char *wrong)
{
    size_t end = text_find_byte(from, '\n');
    c->left = text_part(from, end == SIZE_MAX ? from.len : end + 1, from.len);
    c->line = row->line + (end != SIZE_MAX);
    row->wrong = wrong;
}

static void read_row(struct csv *c, struct row *row)
{
    struct text from = c->left;
    struct writer w = writer_over(c->room, sizeof c->room);
    *row = (struct row){.line = c->line};
    for (bool more = true; more;) {
        size_t start = w.used;
        const char *wrong = read_field(c, &w);
        if (!wrong && row->count == INDICATORS_COLUMNS_MAX) {
            wrong = "there are too many columns";
        }
        if (wrong) {
            give_up(c, from, row, wrong);
            return;
        }
        row->fields[row->count++] =
            text_trim((struct text){.ptr = c->room + start, .len = w.used - start});
        more = c->left.len > 0 && take(c) == c->separator;
    }
}

static bool is_blank(const struct row *row)
{
    return !row->wrong && row->count == 1 && row->fields[0].len == 0;
}

/* ── columns ── */

static struct text squeezed(struct text name, char *room, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < name.len && used < size; i++) {
        char c = text_fold(name.ptr[i]);
        bool mark = c == ' ' || c == '_' || c == '-' || c == '.' || c == ':' || c == '\'';
        if (!mark) {
            room[used++] = c;
        }
    }
    return (struct text){.ptr = room, .len = used};
}

static enum column column_of(struct text name)
{
    static const struct {
        const char *name; /* in lower case, without marks between words */
        enum column column;
    } names[] = {
        {"indicator", COLUMN_ANY},
        {"indicatorvalue", COLUMN_ANY},
        {"value", COLUMN_ANY},
        {"ioc", COLUMN_ANY},
        {"iocvalue", COLUMN_ANY},
        {"observable", COLUMN_ANY},
        {"observablevalue", COLUMN_ANY},
        {"attributevalue", COLUMN_ANY},
        {"entity", COLUMN_ANY},
        {"hash", COLUMN_HASH},
        {"filehash", COLUMN_HASH},
        {"sha256", COLUMN_HASH},
        {"sha256hash", COLUMN_HASH},
        {"filesha256", COLUMN_HASH},
        {"sha1", COLUMN_HASH},
        {"sha1hash", COLUMN_HASH},
        {"md5", COLUMN_HASH},
        {"md5hash", COLUMN_HASH},
        {"filemd5", COLUMN_HASH},
        {"filesha1", COLUMN_HASH},
        {"ip", COLUMN_ADDRESS},
        {"ips", COLUMN_ADDRESS},
        {"ipaddress", COLUMN_ADDRESS},
        {"ipv4", COLUMN_ADDRESS},
        {"ipv6", COLUMN_ADDRESS},
        {"address", COLUMN_ADDRESS},
        {"dstip", COLUMN_ADDRESS},
        {"destip", COLUMN_ADDRESS},
        {"srcip", COLUMN_ADDRESS},
        {"ipdst", COLUMN_ADDRESS},
        {"ipsrc", COLUMN_ADDRESS},
        {"cidr", COLUMN_ADDRESS},
        {"network", COLUMN_ADDRESS},
        {"domain", COLUMN_DOMAIN},
        {"domainname", COLUMN_DOMAIN},
        {"hostname", COLUMN_DOMAIN},
        {"host", COLUMN_URL},
        {"fqdn", COLUMN_DOMAIN},
        {"url", COLUMN_URL},
        {"uri", COLUMN_URL},
        {"path", COLUMN_PATH},
        {"filepath", COLUMN_PATH},
        {"fullpath", COLUMN_PATH},
        {"type", COLUMN_TYPE},
        {"ioctype", COLUMN_TYPE},
        {"indicatortype", COLUMN_TYPE},
        {"attributetype", COLUMN_TYPE},
        {"observabletype", COLUMN_TYPE},
        {"toids", COLUMN_TO_IDS},
    };

    char room[32];
    struct text plain = squeezed(name, room, sizeof room);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (text_same(plain, text_of(names[i].name))) {
            return names[i].column;
        }
    }
    return COLUMN_NONE;
}

static bool holds_indicators(enum column column)
{
    return column >= COLUMN_ANY && column <= COLUMN_PATH;
}

static struct header header_of(const struct row *row)
{
    struct header h = {.count = row->count};
    for (size_t i = 0; i < row->count; i++) {
        h.columns[i] = column_of(row->fields[i]);
        h.known = h.known || holds_indicators(h.columns[i]);
    }
    return h;
}

/* ── types, as MISP, abuse.ch and OTX name them ── */

static enum indicators_expected type_of(struct text type)
{
    static const struct {
        const char *name;
        enum indicators_expected expected;
    } names[] = {
        {"ip", EXPECTED_ADDRESS},        {"ipv4", EXPECTED_ADDRESS},
        {"ipv6", EXPECTED_ADDRESS},      {"ipdst", EXPECTED_ADDRESS},
        {"ipsrc", EXPECTED_ADDRESS},     {"ipport", EXPECTED_ADDRESS},
        {"ipv4addr", EXPECTED_ADDRESS},  {"ipv6addr", EXPECTED_ADDRESS},
        {"cidr", EXPECTED_ADDRESS},      {"ipaddress", EXPECTED_ADDRESS},
        {"domain", EXPECTED_DOMAIN},     {"hostname", EXPECTED_DOMAIN},
        {"domainname", EXPECTED_DOMAIN}, {"fqdn", EXPECTED_DOMAIN},
        {"url", EXPECTED_URL},           {"uri", EXPECTED_URL},
        {"link", EXPECTED_URL},          {"md5", EXPECTED_HASH},
        {"md5hash", EXPECTED_HASH},      {"sha1", EXPECTED_HASH},
        {"sha1hash", EXPECTED_HASH},     {"sha256", EXPECTED_HASH},
        {"sha256hash", EXPECTED_HASH},   {"hash", EXPECTED_HASH},
        {"filehash", EXPECTED_HASH},     {"filehashmd5", EXPECTED_HASH},
        {"filehashsha1", EXPECTED_HASH}, {"filehashsha256", EXPECTED_HASH},
        {"path", EXPECTED_PATH},         {"filepath", EXPECTED_PATH},
        {"filename", EXPECTED_PATH},     {"", EXPECTED_ANY},
        {"indicator", EXPECTED_ANY},
    };

    char room[32];
    struct text plain = squeezed(type, room, sizeof room);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (text_same(plain, text_of(names[i].name))) {
            return names[i].expected;
        }
    }
    return EXPECTED_NOTHING;
}

static struct status typed(struct indicators *in, uint32_t line, struct text type,
                           struct text value)
{
    enum indicators_expected expected = type_of(type);
    if (expected == EXPECTED_NOTHING) {
        indicators_skip(in, line, "no list holds the type '%.*s'", SHORT_ARGS(type));
        return OK;
    }
    if (expected == EXPECTED_PATH && first_of(value) != '/') {
        indicators_skip(in, line, "'%.*s' is a name without folder: events carry whole paths",
                        SHORT_ARGS(value));
        return OK;
    }
    return indicators_value(in, line, value, expected);
}

/* MISP's "filename|sha256": both halves of type and value. What is no indicator by itself, a port
 * or a name, is only the other half's company. */
static struct status composite(struct indicators *in, uint32_t line, struct text type,
                               struct text value)
{
    size_t type_bar = text_find_byte(type, '|');
    size_t bar = text_find_last(value, '|');
    if (type_bar == SIZE_MAX || bar == SIZE_MAX) {
        return typed(in, line, type_bar == SIZE_MAX ? type : text_part(type, 0, type_bar), value);
    }
    bool found = false;
    for (unsigned half = 0; half < 2; half++) {
        struct text t =
            half ? text_part(type, type_bar + 1, type.len) : text_part(type, 0, type_bar);
        struct text v = half ? text_part(value, bar + 1, value.len) : text_part(value, 0, bar);
        enum indicators_expected expected = type_of(t);
        bool fits = expected != EXPECTED_NOTHING && expected != EXPECTED_PATH;
        fits = fits || (expected == EXPECTED_PATH && first_of(v) == '/');
        if (fits) {
            TRY(indicators_value(in, line, v, expected));
        }
        found = found || fits;
    }
    if (!found) {
        indicators_skip(in, line, "no list holds the type '%.*s'", SHORT_ARGS(type));
    }
    return OK;
}

/* ── data ── */

static struct text field_of(const struct header *h, const struct row *row, enum column column)
{
    for (size_t i = 0; i < h->count && i < row->count; i++) {
        if (h->columns[i] == column) {
            return row->fields[i];
        }
    }
    return TEXT("");
}

static enum indicators_expected expected_of(enum column column)
{
    static const enum indicators_expected expected[] = {[COLUMN_HASH] = EXPECTED_HASH,
                                                        [COLUMN_ADDRESS] = EXPECTED_ADDRESS,
                                                        [COLUMN_DOMAIN] = EXPECTED_DOMAIN,
                                                        [COLUMN_URL] = EXPECTED_URL,
                                                        [COLUMN_PATH] = EXPECTED_PATH};

    return column < sizeof expected / sizeof *expected ? expected[column] : EXPECTED_ANY;
}

static bool is_nothing(struct text t)
{
    return t.len == 0 || text_same(t, TEXT("-")) || text_same_folded(t, TEXT("n/a")) ||
           text_same_folded(t, TEXT("none")) || text_same_folded(t, TEXT("null"));
}

static struct status read_data(struct indicators *in, const struct header *h, const struct row *row)
{
    struct text type = field_of(h, row, COLUMN_TYPE);
    struct text to_ids = field_of(h, row, COLUMN_TO_IDS);
    bool found = false;
    if (text_same(to_ids, TEXT("0")) || text_same_folded(to_ids, TEXT("false"))) {
        indicators_skip(in, row->line, "it is not meant for detection: to_ids is 0");
        return OK;
    }
    for (size_t i = 0; i < h->count && i < row->count; i++) {
        if (!holds_indicators(h->columns[i]) || is_nothing(row->fields[i])) {
            continue;
        }
        found = true;
        TRY(h->columns[i] == COLUMN_ANY
                ? composite(in, row->line, type, row->fields[i])
                : indicators_value(in, row->line, row->fields[i], expected_of(h->columns[i])));
    }
    if (!found) {
        indicators_refuse(in, REFUSAL_CSV, row->line, "the row has no indicator in its columns");
    }
    return OK;
}

/* Without names: the column that holds a hash, an address or a URL in the first row. */
static struct header guess(const struct row *row)
{
    struct header h = {.count = row->count};
    char room[INDICATOR_ROOM];
    struct indicator_key key;
    for (size_t i = 0; i < row->count && !h.known; i++) {
        struct text t = row->fields[i];
        h.known = indicator_key_hash(t, room, &key) || indicator_key_network(t, room, &key) ||
                  text_find(t, TEXT("://")) != SIZE_MAX ||
                  (row->count == 1 && indicator_key_domain(t, room, &key));
        h.columns[i] = h.known ? COLUMN_ANY : COLUMN_NONE;
    }
    return h;
}

/* ── the file ── */

struct reading {
    struct csv csv;
    struct csv comment; /* names of columns that may be in one */
    struct header header;
    bool data; /* a row was read */
};

/* The separator of a line that names columns: that of which it has most. */
static char separator_of(struct text line)
{
    static const char candidates[] = {',', ';', '\t'};
    char best = ',';
    size_t most = 0;
    for (size_t i = 0; i < sizeof candidates; i++) {
        size_t count = 0;
        for (size_t k = 0; k < line.len; k++) {
            count += line.ptr[k] == candidates[i];
        }
        best = count > most ? candidates[i] : best;
        most = count > most ? count : most;
    }
    return best;
}

/* abuse.ch names its columns in a comment: two names at least, that prose has not by chance. */
static struct status read_comment(struct indicators *in, struct reading *r, uint32_t line,
                                  struct text comment)
{
    struct row row;
    if (r->data) {
        return OK;
    }
    r->comment.left = text_part(comment, 0, INDICATORS_ROW_MAX);
    r->comment.line = line;
    r->comment.separator = separator_of(comment);
    read_row(&r->comment, &row);
    struct header h = header_of(&row);
    if (!row.wrong && h.known && h.count > 1) {
        r->header = h;
        r->csv.separator = r->comment.separator;
        return OK;
    }
    return indicators_meta(in, line, comment);
}

static struct text line_of(struct text t)
{
    return text_part(t, 0, text_find_byte(t, '\n'));
}

static struct status read_first(struct indicators *in, struct reading *r, const struct row *row)
{
    struct header named = header_of(row);
    r->data = true;
    if (r->header.known) {
        return named.known && named.count == r->header.count ? OK : read_data(in, &r->header, row);
    }
    r->header = named.known ? named : guess(row);
    if (!r->header.known) {
        indicators_refuse(in, REFUSAL_CSV, row->line,
                          "no column has a name that is known: indicator, ip, domain, sha256 …");
        r->csv.left = TEXT("");
        return OK;
    }
    return named.known ? OK : read_data(in, &r->header, row);
}

static struct status read_line(struct indicators *in, struct reading *r)
{
    struct row row;
    struct text line = text_trim(line_of(r->csv.left));
    if (first_of(line) == '#') {
        TRY(read_comment(in, r, r->csv.line, text_part(line, 1, line.len)));
        size_t end = text_find_byte(r->csv.left, '\n');
        r->csv.left =
            text_part(r->csv.left, end == SIZE_MAX ? r->csv.left.len : end + 1, r->csv.left.len);
        r->csv.line++;
        return OK;
    }
    if (!r->data && !r->header.known) {
        r->csv.separator = separator_of(line);
    }
    read_row(&r->csv, &row);
    if (is_blank(&row)) {
        return OK;
    }
    if (row.wrong) {
        indicators_refuse(in, REFUSAL_CSV, row.line, "%s", row.wrong);
        return OK;
    }
    return r->data ? read_data(in, &r->header, &row) : read_first(in, r, &row);
}

struct status indicators_read_csv(struct indicators *in, struct text bytes)
{
    struct reading *r = arena_alloc(in->arena, 1, sizeof *r);
    if (!r) {
        FAIL(MEMORY);
    }
    r->csv = (struct csv){.left = bytes, .line = 1, .separator = ','};
    while (r->csv.left.len) {
        TRY(read_line(in, r));
    }
    return OK;
}
