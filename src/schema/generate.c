/*
 * generate: prints what other files need of events.def. Runs while the product is built.
 *
 *   generate fields       the public header <bulkhead/fields.h>
 *   generate events       the reference page docs/events.md
 *   generate check FILE   fails where FILE is not what `generate events` prints
 */
#include "schema/schema.h"

#include "base/bytes.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

enum { PAGE_MAX = 256 * 1024 };

static char page[PAGE_MAX];
static char there[PAGE_MAX];

/* Fields that every event of a process carries: listed once on the page. */
static const bool is_who[FIELD_COUNT] = {
#define WHO(ID, guarantee_) [FIELD_##ID] = true,
#include "schema/events.def"
};

/* ── <bulkhead/fields.h> ── */

/* The public constant of `name`: BH_FIELD_TARGET_PATH for target_path. */
static void print_constant(struct writer *out, const char *prefix, const char *name)
{
    writer_print(out, "%s", prefix);
    for (const char *c = name; *c; c++) {
        writer_u8(out, (uint8_t)toupper((unsigned char)*c));
    }
}

static void print_enumerator(struct writer *out, const char *prefix, const char *name,
                             unsigned number, const char *prose)
{
    writer_print(out, "    /* %s */\n    ", prose);
    print_constant(out, prefix, name);
    writer_print(out, " = %u,\n", number);
}

/* Numbers are written out: they are the ABI, and a reader should see when one moves. */
static void print_fields(struct writer *out)
{
    writer_print(out, "/*\n"
                      " * fields: the types of events and their fields. Generated from events.def; "
                      "docs/events.md\n"
                      " * says which event carries which field, and how far it can be trusted.\n"
                      " */\n"
                      "#pragma once\n\n"
                      "enum bh_event_type {\n");
    for (unsigned i = 0; i < EVENT_COUNT; i++) {
        const struct event_info *info = event_info((enum event_type)i);
        print_enumerator(out, "BH_EVENT_", info->name, i, info->prose);
    }
    writer_print(out, "    BH_EVENT_COUNT = %u\n};\n\nenum bh_field {\n", EVENT_COUNT);
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        const struct field_info *info = field_info((enum field)i);
        print_enumerator(out, "BH_FIELD_", info->name, i, info->prose);
    }
    writer_print(out, "    BH_FIELD_COUNT = %u\n};\n\n", FIELD_COUNT);
    writer_print(out,
                 "/* Changes whenever a name, a kind, an order or a membership changes. */\n"
                 "#define BH_SCHEMA_HASH 0x%016" PRIx64 "ULL\n",
                 schema_hash());
}

/* ── docs/events.md ── */

static const char *kind_word(enum field_kind kind)
{
    static const char *const words[] = {
        [FIELD_KIND_TEXT] = "text", [FIELD_KIND_NUMBER] = "number",   [FIELD_KIND_BOOL] = "bool",
        [FIELD_KIND_GUID] = "guid", [FIELD_KIND_ADDRESS] = "address",
    };
    return words[kind];
}

static const char *guarantee_word(enum guarantee guarantee)
{
    static const char *const words[] = {
        [GUARANTEE_NONE] = "",
        [GUARANTEE_KERNEL] = "kernel",
        [GUARANTEE_BEST] = "best effort",
        [GUARANTEE_GUARD] = "guard",
    };
    return words[guarantee];
}

/* A table cell of code; empty for the empty name. */
static void print_code_cell(struct writer *out, const char *name)
{
    const char *tick = name[0] ? "`" : "";
    writer_print(out, " %s%s%s |", tick, name, tick);
}

static void print_field_row(struct writer *out, enum field field, const char *guarantee)
{
    const struct field_info *info = field_info(field);
    writer_print(out, "|");
    print_code_cell(out, info->name);
    writer_print(out, " %s%s%s |", kind_word(info->kind), info->unit[0] ? ", " : "", info->unit);
    if (guarantee) {
        writer_print(out, " %s |", guarantee);
    }
    print_code_cell(out, info->sigma);
    print_code_cell(out, info->ocsf);
    writer_print(out, " %s |\n", info->prose);
}

static void print_field_head(struct writer *out)
{
    writer_print(out, "| field | kind | source | Sigma | OCSF | meaning |\n"
                      "| --- | --- | --- | --- | --- | --- |\n");
}

static void print_intro(struct writer *out)
{
    static const char *const legend =
        "**Kinds.** *text*: bytes, mostly UTF-8, at most 32,768; what is longer is cut, and marked "
        "as\n"
        "cut. *number*: signed 64 bits. *bool*: true or false. *guid*: 64 bits, shown as 16 "
        "hexadecimal\n"
        "digits. *address*: an IPv4 or IPv6 address in canonical text (RFC 5952).\n\n"
        "**Sources.** *kernel*: read from kernel memory where the subject can no longer change "
        "it.\n"
        "*best effort*: read from the caller's memory, or looked up later; right unless somebody "
        "races.\n"
        "*guard*: added by bulkhead-guard.\n\n"
        "Sigma rules may use the names under *Sigma* and those under *field*.\n\n";
    writer_print(out,
                 "# Events\n\n"
                 "What Bulkhead sees. Generated from `src/schema/events.def`; do not edit.\n"
                 "Schema `%016" PRIx64 "`: %d types of events, %d fields.\n\n",
                 schema_hash(), EVENT_COUNT, FIELD_COUNT);
    writer_bytes(out, text_of(legend));
}

static void print_who(struct writer *out)
{
    writer_print(out, "## Who: carried by every event of a process\n\n");
    print_field_head(out);
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        if (is_who[i]) {
            enum guarantee guarantee = field_guarantee(EVENT_PROCESS_EXEC, (enum field)i);
            print_field_row(out, (enum field)i, guarantee_word(guarantee));
        }
    }
    writer_print(out, "\n## Types\n");
}

static void print_categories(struct writer *out, const struct event_info *info)
{
    const char *between = "Sigma category: ";
    for (unsigned i = 0; i < SIGMA_CATEGORY_COUNT; i++) {
        if (info->sigma_categories >> i & 1) {
            writer_print(out, "%s`%s`", between, sigma_category_name((enum sigma_category)i));
            between = ", ";
        }
    }
    writer_print(out, "%s", info->sigma_categories ? ". " : "");
    if (info->ocsf_class) {
        writer_print(out, "OCSF class %u, activity %u. ", info->ocsf_class, info->ocsf_activity);
    }
    writer_print(out, "%s\n\n", info->has_who ? "Carries who." : "Carries no who.");
}

static void print_type(struct writer *out, enum event_type type)
{
    const struct event_info *info = event_info(type);
    bool head = false;
    writer_print(out, "\n### %s\n\n%s\n\n", info->name, info->prose);
    print_categories(out, info);
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        enum guarantee guarantee = field_guarantee(type, (enum field)i);
        if (guarantee == GUARANTEE_NONE || (info->has_who && is_who[i])) {
            continue;
        }
        if (!head) {
            print_field_head(out);
            head = true;
        }
        print_field_row(out, (enum field)i, guarantee_word(guarantee));
    }
}

static void print_events(struct writer *out)
{
    print_intro(out);
    print_who(out);
    for (unsigned i = 0; i < EVENT_COUNT; i++) {
        print_type(out, (enum event_type)i);
    }
    writer_print(out,
                 "\n## Only in recorded events\n\n"
                 "| field | kind | Sigma | OCSF | meaning |\n| --- | --- | --- | --- | --- |\n");
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        if (field_info((enum field)i)->recorded) {
            print_field_row(out, (enum field)i, NULL);
        }
    }
}

/* ── the command ── */

static int check(struct text wanted, const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t len = file ? fread(there, 1, sizeof there, file) : 0;
    if (file) {
        fclose(file);
    }
    if (text_same(wanted, (struct text){there, len})) {
        return 0;
    }
    fprintf(stderr,
            "generate: %s is not what events.def says.\n"
            "Write it anew: BUILD/src/schema/generate events > docs/events.md\n",
            path);
    return 1;
}

int main(int argc, char **argv)
{
    struct text what = text_of(argc > 1 ? argv[1] : NULL);
    struct writer out = writer_over(page, sizeof page);
    bool checks = argc == 3 && text_same(what, TEXT("check"));
    if (argc == 2 && text_same(what, TEXT("fields"))) {
        print_fields(&out);
    } else if (checks || (argc == 2 && text_same(what, TEXT("events")))) {
        print_events(&out);
    } else {
        fprintf(stderr, "usage: generate fields | events | check FILE\n");
        return 2;
    }
    ENSURE(status_ok(writer_end(&out)));
    if (checks) {
        return check(writer_text(&out), argv[2]);
    }
    return fwrite(page, 1, out.used, stdout) == out.used && fflush(stdout) == 0 ? 0 : 1;
}
