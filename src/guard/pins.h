/*
 * pins: the bpffs of one instance, and the names in it: link_on_exec, map_events, made_0123….
 */
#pragma once

#include "base/status.h"

#include <stdint.h>

enum { PIN_PATH = 512 };

/* "FOLDER/KIND_NAME" into `room` of PIN_PATH bytes; returns it. */
const char *pin_path(const char *folder, const char *kind, const char *name, char *room);

/* Mounts a bpffs on the folder, where there is none yet. */
struct status pins_mount(const char *folder);

/* Unmounts it; what was pinned there is gone. BUSY never: the mount is detached. */
struct status pins_unmount(const char *folder);

/* Unpins what begins with `prefix`. */
struct status pins_clear(const char *folder, const char *prefix);

/* The last step of loading leaves a mark with the build's digest: what bears none is incomplete. */
struct status pins_mark(const char *folder, uint64_t digest);
bool pins_made_by(const char *folder, uint64_t digest);
