/*
 * memory: what has to outlive guard without touching a disk: the event stream and guard's own
 * tables.
 *
 * Files in a tmpfs of this instance (run/mem), reserved in full when they are made, so that a later
 * store can never meet a full file system. Clients get the stream read-only, by a descriptor that
 * cannot be mapped for writing. (An mmapable eBPF map would do for guard, but the kernel cannot map
 * one read-only from a read-only descriptor: docs/decisions/0003-shared-memory.md.)
 */
#pragma once

#include "base/status.h"

struct memory {
    void *bytes;
    size_t size;
};

/* Maps FOLDER/NAME of `size` bytes for reading and writing; makes it, zeroed, where it is missing
 * or of another size. The folder's tmpfs is mounted where it is not. */
struct status memory_open(const char *folder, const char *name, size_t size, struct memory *out);
void memory_close(struct memory *m);

/* A read-only descriptor of it, for clients. */
struct status memory_share(const char *folder, const char *name, int *out);

/* Unmounts: everything in it is gone once nobody maps it. */
struct status memory_remove(const char *folder);
