#include "ctl/content/yara_files.h"

#include "base/own.h"
#include "content/pack/yara.h"
#include "ctl/content/content_file.h"
#include "ctl/ctl.h"
#include "ctl/scanner.h"

#include <stdio.h>

enum { WHY = 200 };

bool yara_files_named(const char *path)
{
    return text_ends(text_of(path), TEXT(".yar")) || text_ends(text_of(path), TEXT(".yara"));
}

static struct status refuse(char *why, const char *words)
{
    snprintf(why, WHY, "%s", words);
    FAIL(INVALID);
}

struct status yara_files_read(struct yara_files *files, const char *path, char *why)
{
    OWN(content_bytes_drop) struct content_bytes bytes = {0};
    char words[WHY];
    struct status s = content_file_read(path, PACK_YARA_SOURCE, &bytes);
    if (s.fault == FAULT_LIMIT) {
        snprintf(words, sizeof words, "a file of YARA rules has at most %d MiB",
                 PACK_YARA_SOURCE >> 20);
        return refuse(why, words);
    }
    if (s.fault != FAULT_OK && s.fault != FAULT_MEMORY) {
        return refuse(why, s.fault == FAULT_INVALID ? "this is no file"
                                                    : status_plain(s, words, sizeof words));
    }
    TRY(s);
    struct yara_file file = {0};
    struct yara_file *items = arena_push(files->arena, files->items, files->count, &files->capacity,
                                         sizeof *files->items);
    if (!items) {
        FAIL(MEMORY);
    }
    files->items = items;
    TRY(arena_text(files->arena, text_of(path), &file.path));
    TRY(arena_text(files->arena, content_text(&bytes), &file.source));
    files->items[files->count++] = file;
    return OK;
}

static struct status note(struct yara_files *files, struct yara_file *file, uint32_t line,
                          struct text why)
{
    if (file->line == 0) {
        TRY(arena_text(files->arena, why, &file->why));
        file->line = line ? line : 1;
    }
    return OK;
}

struct status yara_files_pack(struct yara_files *files, struct text *out)
{
    struct builder *builder;
    char why[160];
    TRY(builder_new(files->arena, &builder));
    for (size_t i = 0; i < files->count; i++) {
        struct yara_file *file = &files->items[i];
        struct status s = builder_add_yara(builder, file->path, file->source, why);
        if (s.fault == FAULT_MEMORY) {
            return s;
        }
        if (!status_ok(s)) {
            TRY(note(files, file, 1, text_of(why)));
        }
    }
    return builder_finish(builder, out);
}

void yara_files_note(struct yara_files *files, const json_t *line)
{
    struct text path = ctl_member_text(line, "file");
    for (size_t i = 0; i < files->count; i++) {
        if (text_same(files->items[i].path, path)) {
            /* Without memory the first words are lost, and not that there is an error. */
            struct status s =
                note(files, &files->items[i], (uint32_t)ctl_member_number(line, "line"),
                     ctl_member_text(line, "words"));
            files->items[i].line = status_ok(s) ? files->items[i].line : 1;
        }
    }
}

static void on_line(void *context, const json_t *line)
{
    if (text_same(ctl_member_text(line, "type"), TEXT("error"))) {
        yara_files_note(context, line);
    }
}

struct status yara_files_check(struct yara_files *files)
{
    static char check[] = "--check";
    char *arguments[] = {check, NULL};
    struct scanner_listener listener = {.context = files, .on_line = on_line};
    struct text pack;
    int exit_code;
    TRY(yara_files_pack(files, &pack));
    TRY(scanner_run(pack, arguments, &listener, &exit_code));
    if (exit_code != 0) {
        FAIL(INVALID);
    }
    return OK;
}
