#include "scan/walk.h"

#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

enum { OPEN_FILE = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY };

/* Numbers that linux/magic.h of Debian 12 lacks. */
enum { CONFIGFS_NUMBER = 0x62656570, MQUEUE_NUMBER = 0x19800202, FUSECTL_NUMBER = 0x65735543 };

/* ── one file ── */

static bool is_kernels(int fd)
{
    static const unsigned long numbers[] = {
        PROC_SUPER_MAGIC, SYSFS_MAGIC,      CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, DEBUGFS_MAGIC,
        TRACEFS_MAGIC,    SECURITYFS_MAGIC, SELINUX_MAGIC,      SMACK_MAGIC,         PSTOREFS_MAGIC,
        EFIVARFS_MAGIC,   BPF_FS_MAGIC,     BINFMTFS_MAGIC,     DEVPTS_SUPER_MAGIC,  NSFS_MAGIC,
        CONFIGFS_NUMBER,  MQUEUE_NUMBER,    FUSECTL_NUMBER,
    };
    struct statfs fs;
    if (fstatfs(fd, &fs) != 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if ((unsigned long)fs.f_type == numbers[i]) {
            return true;
        }
    }
    return false;
}

static enum walk_found leave_out(enum outcome outcome, int error, struct walk_left_out *why)
{
    *why = (struct walk_left_out){.outcome = outcome, .error = error};
    return WALK_LEFT_OUT;
}

static enum walk_found refused(int error, struct walk_left_out *why)
{
    bool denied = error == EACCES || error == EPERM;
    bool gone = error == ENOENT || error == ENOTDIR || error == ESTALE;
    return leave_out(denied           ? OUTCOME_DENIED
                     : gone           ? OUTCOME_GONE
                     : error == ELOOP ? OUTCOME_LINK
                                      : OUTCOME_UNREADABLE,
                     error, why);
}

/* Reading leaves no trace in the access time where the caller owns the file; nobody else may ask.
 */
static int open_quietly(int folder, const char *name, int flags)
{
    int fd = openat(folder, name, flags | O_NOATIME);
    return fd < 0 && errno == EPERM ? openat(folder, name, flags) : fd;
}

static enum walk_found look(const struct stat *info, uint64_t max_size, struct walk_left_out *why)
{
    if (S_ISLNK(info->st_mode)) {
        return leave_out(OUTCOME_LINK, 0, why);
    }
    if (!S_ISREG(info->st_mode)) {
        return leave_out(OUTCOME_NO_FILE, 0, why);
    }
    if ((uint64_t)info->st_size > max_size) {
        return leave_out(OUTCOME_TOO_LARGE, 0, why);
    }
    return WALK_FILE;
}

/* Looked at before it is opened, and again after: it may have been exchanged in between. */
enum walk_found walk_open(int folder, const char *name, uint64_t max_size, bool follow, int *out_fd,
                          uint64_t *out_size, struct walk_left_out *why)
{
    struct stat info;
    int nofollow = follow ? 0 : AT_SYMLINK_NOFOLLOW;
    if (fstatat(folder, name, &info, nofollow | AT_NO_AUTOMOUNT) != 0) {
        return refused(errno, why);
    }
    enum walk_found found = look(&info, max_size, why);
    if (found != WALK_FILE) {
        return found;
    }
    OWN(fd_drop) int fd = open_quietly(folder, name, OPEN_FILE | (follow ? 0 : O_NOFOLLOW));
    if (fd < 0 || fstat(fd, &info) != 0) {
        return refused(errno, why);
    }
    found = look(&info, max_size, why);
    if (found != WALK_FILE) {
        return found;
    }
    if (is_kernels(fd)) {
        return leave_out(OUTCOME_KERNEL, 0, why);
    }
    *out_size = (uint64_t)info.st_size;
    *out_fd = fd_take(&fd);
    return WALK_FILE;
}

/* ── folders ── */

static enum walk_found enter(struct walk *w, int folder, const char *name, bool top,
                             struct walk_left_out *why)
{
    struct stat info;
    if (w->depth == WALK_DEPTH) {
        return leave_out(OUTCOME_TOO_DEEP, 0, why);
    }
    int flags = O_DIRECTORY | OPEN_FILE | (top ? 0 : O_NOFOLLOW);
    OWN(fd_drop) int fd = openat(folder, name, flags);
    if (fd < 0 || fstat(fd, &info) != 0) {
        return refused(errno, why);
    }
    w->start = top ? info.st_dev : w->start;
    if (w->one_system && info.st_dev != w->start) {
        return leave_out(OUTCOME_OTHER_SYSTEM, 0, why);
    }
    bool new_system = w->depth == 0 || info.st_dev != w->levels[w->depth - 1].device;
    if (new_system && is_kernels(fd)) {
        return leave_out(OUTCOME_KERNEL, 0, why);
    }
    DIR *dir = fdopendir(fd);
    if (!dir) {
        return refused(errno, why);
    }
    fd_take(&fd);
    w->levels[w->depth++] =
        (struct walk_level){.dir = dir, .device = info.st_dev, .path_len = strlen(w->path)};
    return WALK_FOLDER;
}

static void leave(struct walk *w)
{
    closedir(w->levels[--w->depth].dir);
}

/* A folder, or a file, or neither. */
static enum walk_found visit(struct walk *w, int folder, const char *name, bool top,
                             struct target *out, struct walk_left_out *why)
{
    struct stat info;
    int follow = top ? 0 : AT_SYMLINK_NOFOLLOW;
    if (fstatat(folder, name, &info, follow | AT_NO_AUTOMOUNT) != 0) {
        return refused(errno, why);
    }
    if (S_ISDIR(info.st_mode)) {
        return enter(w, folder, name, top, why);
    }
    enum walk_found found = walk_open(folder, name, w->max_size, top, &out->fd, &out->size, why);
    if (found == WALK_FILE) {
        text_copy(text_of(w->path), out->path, sizeof out->path);
    }
    return found;
}

static enum walk_found next_path(struct walk *w, struct target *out, struct walk_left_out *why)
{
    const char *path = *w->paths++;
    if (strlen(path) >= sizeof w->path) {
        text_copy(text_of(path), w->path, sizeof w->path);
        return leave_out(OUTCOME_TOO_DEEP, 0, why);
    }
    text_copy(text_of(path), w->path, sizeof w->path);
    return visit(w, AT_FDCWD, path, true, out, why);
}

static enum walk_found next_entry(struct walk *w, const struct dirent *entry, struct target *out,
                                  struct walk_left_out *why)
{
    const struct walk_level *at = &w->levels[w->depth - 1];
    bool slash = at->path_len && w->path[at->path_len - 1] == '/';
    int len = snprintf(w->path + at->path_len, sizeof w->path - at->path_len, "%s%s",
                       slash ? "" : "/", entry->d_name);
    if (at->path_len + (size_t)len >= sizeof w->path) {
        return leave_out(OUTCOME_TOO_DEEP, 0, why);
    }
    return visit(w, dirfd(at->dir), entry->d_name, false, out, why);
}

struct walk walk_begin(char *const *paths, uint64_t max_size, bool one_system)
{
    return (struct walk){.paths = paths, .max_size = max_size, .one_system = one_system};
}

enum walk_found walk_next(struct walk *w, struct target *out, struct walk_left_out *why)
{
    while (w->depth > 0) {
        errno = 0;
        const struct dirent *entry = readdir(w->levels[w->depth - 1].dir);
        if (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)) {
            continue;
        }
        if (entry) {
            return next_entry(w, entry, out, why);
        }
        int error = errno;
        w->path[w->levels[w->depth - 1].path_len] = 0;
        leave(w);
        if (error) {
            return leave_out(OUTCOME_UNREADABLE, error, why);
        }
    }
    return *w->paths ? next_path(w, out, why) : WALK_END;
}

void walk_end(struct walk *w)
{
    while (w->depth > 0) {
        leave(w);
    }
}
