#include "courier/spool.h"

#include "base/file.h"
#include "base/own.h"
#include "courier/cage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    NAME_MAX_BYTES = 32,
    HEAD_MAX = 256, /* of a line: type, numbers and time are in its first 160 bytes */
    CHUNK = 64 * 1024,
    FILE_MODE = 0640, /* command lines may hold secrets; a group may be let in */
};

/* 0 is the one that is written to. */
static const char *file_name(unsigned age, char *out)
{
    if (age == 0) {
        return "alerts.jsonl";
    }
    snprintf(out, NAME_MAX_BYTES, "alerts.jsonl.%u", age);
    return out;
}

struct status spool_adopt(int folder, unsigned files, uint32_t user, uint32_t group)
{
    char name[NAME_MAX_BYTES];
    for (unsigned age = 0; age < files; age++) {
        const char *path = file_name(age, name);
        if (fchownat(folder, path, user, group, AT_SYMLINK_NOFOLLOW) != 0 && errno != ENOENT) {
            FAIL_SYS(errno);
        }
    }
    return OK;
}

/* ── reading what is there ── */

struct scan {
    struct text wanted;  /* empty: nothing */
    bool found;          /* a line starts with it */
    uint64_t whole;      /* bytes up to the end of the last whole line */
    uint64_t last_seq;   /* of that line */
    char head[HEAD_MAX]; /* of the line at hand */
    size_t head_len;
};

static uint64_t seq_of(struct text head)
{
    const struct text key = TEXT("\"seq\":");
    uint64_t seq = 0;
    size_t at = text_find(head, key);
    struct text rest = at == SIZE_MAX ? TEXT("") : text_part(head, at + key.len, SIZE_MAX);
    return text_to_u64(text_part(rest, 0, text_find_byte(rest, ',')), &seq) ? seq : 0;
}

static void end_line(struct scan *scan, uint64_t end)
{
    struct text head = {.ptr = scan->head, .len = scan->head_len};
    scan->last_seq = seq_of(head);
    scan->found = scan->found || (scan->wanted.len && text_starts(head, scan->wanted));
    scan->whole = end;
    scan->head_len = 0;
}

static void scan_chunk(struct scan *scan, const char *chunk, size_t len, uint64_t offset)
{
    for (size_t i = 0; i < len; i++) {
        if (chunk[i] == '\n') {
            end_line(scan, offset + i + 1);
        } else if (scan->head_len < HEAD_MAX) {
            scan->head[scan->head_len++] = chunk[i];
        }
    }
}

static struct status scan_file(int file, struct scan *scan)
{
    char chunk[CHUNK];
    uint64_t offset = 0;
    ssize_t len;
    while ((len = pread(file, chunk, sizeof chunk, (off_t)offset)) > 0) {
        scan_chunk(scan, chunk, (size_t)len, offset);
        offset += (size_t)len;
    }
    if (len < 0) {
        FAIL_SYS(errno);
    }
    return OK;
}

struct status spool_has(const struct spool *spool, struct text head, bool *out)
{
    char name[NAME_MAX_BYTES];
    struct scan scan = {.wanted = text_part(head, 0, HEAD_MAX - 1)};
    for (unsigned age = 0; age < spool->limits.files && !scan.found; age++) {
        OWN(fd_drop)
        int file = openat(spool->folder, file_name(age, name), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (file >= 0) {
            TRY(scan_file(file, &scan));
            scan.head_len = 0;
        }
    }
    *out = scan.found;
    return OK;
}

/* ── files ── */

/* To the number that the cage permits writing to. */
static struct status move_to_place(int *file)
{
    if (dup3(*file, COURIER_FILE, O_CLOEXEC) < 0) {
        FAIL_SYS(errno);
    }
    fd_drop(file);
    *file = COURIER_FILE;
    return OK;
}

/* A name counts only when its folder is on disk. */
static struct status sync_folder(const struct spool *spool)
{
    OWN(fd_drop) int folder = openat(spool->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0 || fsync(folder) != 0) {
        FAIL_SYS(errno);
    }
    return OK;
}

static bool is_there(const struct spool *spool, const char *name)
{
    struct stat info;
    return fstatat(spool->folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Eldest first and from the first gap on, so that neither a crash in between nor a second try after
 * a failure loses a file but the one that had to go. */
static struct status put_aside(struct spool *spool)
{
    char from[NAME_MAX_BYTES], to[NAME_MAX_BYTES];
    unsigned last = 1;
    fd_drop(&spool->file);
    while (last < spool->limits.files - 1 && is_there(spool, file_name(last, to))) {
        last++;
    }
    for (unsigned age = last; age > 0; age--) {
        const char *younger = file_name(age - 1, from);
        if (renameat(spool->folder, younger, spool->folder, file_name(age, to)) != 0) {
            FAIL_SYS(errno);
        }
    }
    return OK;
}

/* What stands under the name already could not be opened, and must not be lost either. */
static struct status make_file(struct spool *spool)
{
    char name[NAME_MAX_BYTES];
    const char *path = file_name(0, name);
    if (is_there(spool, path)) {
        TRY(put_aside(spool));
    }
    OWN(fd_drop)
    int file =
        openat(spool->folder, path, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    if (file < 0) {
        FAIL_SYS(errno);
    }
    TRY(move_to_place(&file));
    spool->file = fd_take(&file);
    spool->size = 0;
    spool->torn = false;
    spool->renamed = true;
    return OK;
}

/* MISSING: it is not there, or is nothing that lines can be appended to. */
static struct status open_newest(const struct spool *spool, int *out)
{
    char name[NAME_MAX_BYTES];
    OWN(fd_drop)
    int file =
        openat(spool->folder, file_name(0, name), O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
    struct stat info;
    if (file < 0 || fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) {
        FAIL(MISSING);
    }
    TRY(move_to_place(&file));
    *out = fd_take(&file);
    return OK;
}

static struct status last_seq_of_older(const struct spool *spool, uint64_t *out)
{
    char name[NAME_MAX_BYTES];
    struct scan scan = {0};
    OWN(fd_drop)
    int file = openat(spool->folder, file_name(1, name), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (file >= 0) {
        TRY(scan_file(file, &scan));
    }
    *out = scan.last_seq;
    return OK;
}

struct status spool_open(int folder, struct spool_limits limits, struct spool *out)
{
    struct spool spool = {.folder = folder, .file = -1, .limits = limits};
    struct scan scan = {0};
    OWN(fd_drop) int file = -1;
    ENSURE(limits.files >= 2 && limits.file_bytes > 0);
    if (status_ok(open_newest(&spool, &file))) {
        TRY(scan_file(file, &scan));
        spool.torn = true; /* the next append finds out */
    }
    if (scan.last_seq == 0) {
        TRY(last_seq_of_older(&spool, &scan.last_seq));
    }
    spool.file = fd_take(&file);
    spool.size = scan.whole;
    spool.last_seq = scan.last_seq;
    *out = spool;
    return OK;
}

void spool_close(struct spool *spool)
{
    fd_drop(&spool->file);
}

/* ── writing ── */

/* Makes the file ready for a line of `len` bytes. */
static struct status make_ready(struct spool *spool, size_t len)
{
    if (spool->file >= 0 && spool->torn) {
        if (ftruncate(spool->file, (off_t)spool->size) != 0) {
            FAIL_SYS(errno);
        }
        spool->torn = false;
    }
    if (spool->file >= 0 && spool->size > 0 && spool->size + len > spool->limits.file_bytes) {
        TRY(spool_sync(spool));
        TRY(put_aside(spool));
    }
    return spool->file < 0 ? make_file(spool) : OK;
}

struct status spool_append(struct spool *spool, struct text line)
{
    ENSURE(line.len > 0 && line.ptr[line.len - 1] == '\n');
    TRY(make_ready(spool, line.len));
    spool->torn = true;
    TRY(file_write(spool->file, line));
    spool->torn = false;
    spool->size += line.len;
    spool->unsynced = true;
    return OK;
}

struct status spool_sync(struct spool *spool)
{
    if (!spool->unsynced) {
        return OK;
    }
    if (fdatasync(spool->file) != 0) {
        FAIL_SYS(errno);
    }
    if (spool->renamed) {
        TRY(sync_folder(spool));
    }
    spool->renamed = false;
    spool->unsynced = false;
    return OK;
}

struct status spool_look(struct spool *spool, bool *out_moved)
{
    char name[NAME_MAX_BYTES];
    struct stat ours, named;
    if (spool->file < 0) {
        *out_moved = false;
        return OK;
    }
    if (fstat(spool->file, &ours) != 0) {
        FAIL_SYS(errno);
    }
    bool moved = fstatat(spool->folder, file_name(0, name), &named, AT_SYMLINK_NOFOLLOW) != 0 ||
                 named.st_ino != ours.st_ino || named.st_dev != ours.st_dev;
    if (moved) {
        TRY(spool_sync(spool));
        fd_drop(&spool->file);
    }
    *out_moved = moved;
    return OK;
}
