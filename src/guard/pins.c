#include "guard/pins.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

const char *pin_path(const char *folder, const char *kind, const char *name, char *room)
{
    int length = snprintf(room, PIN_PATH, "%s/%s_%s", folder, kind, name);
    ENSURE(length > 0 && length < PIN_PATH);
    return room;
}

struct status pins_mount(const char *folder)
{
    struct statfs fs;
    if (statfs(folder, &fs) != 0) {
        FAIL_SYS(errno);
    }
    if (fs.f_type == BPF_FS_MAGIC) {
        return OK;
    }
    if (mount("bulkhead", folder, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") != 0) {
        FAIL_SYS(errno);
    }
    return OK;
}

struct status pins_unmount(const char *folder)
{
    if (umount2(folder, MNT_DETACH) != 0 && errno != EINVAL) {
        FAIL_SYS(errno);
    }
    return OK;
}

/* Kernels with preloaded iterators put maps.debug and progs.debug into every bpffs: not ours. */
static bool is_ours(const char *name, const char *prefix)
{
    return name[0] != '.' && !strstr(name, ".debug") && strncmp(name, prefix, strlen(prefix)) == 0;
}

struct status pins_clear(const char *folder, const char *prefix)
{
    DIR *all = opendir(folder);
    if (!all) {
        FAIL_SYS(errno);
    }
    int refused = 0;
    for (struct dirent *entry; (entry = readdir(all));) {
        int flags = entry->d_type == DT_DIR ? AT_REMOVEDIR : 0;
        if (is_ours(entry->d_name, prefix) && unlinkat(dirfd(all), entry->d_name, flags) != 0) {
            refused = errno;
        }
    }
    closedir(all);
    if (refused) {
        FAIL_SYS(refused);
    }
    return OK;
}

/* A bpffs holds no plain files: the mark is an empty folder. */
static void mark_path(const char *folder, uint64_t digest, char *room)
{
    char name[24];
    snprintf(name, sizeof name, "%016llx", (unsigned long long)digest);
    pin_path(folder, "made", name, room);
}

struct status pins_mark(const char *folder, uint64_t digest)
{
    char path[PIN_PATH];
    TRY(pins_clear(folder, "made"));
    mark_path(folder, digest, path);
    if (mkdir(path, 0700) != 0) {
        FAIL_SYS(errno);
    }
    return OK;
}

bool pins_made_by(const char *folder, uint64_t digest)
{
    char path[PIN_PATH];
    mark_path(folder, digest, path);
    return access(path, F_OK) == 0;
}
