/*
 * cage_attack: what a process that was taken over would try, one function each.
 *
 * An attack returns true when it got what it wanted. Run as root and uncaged each of them works, or
 * it proves nothing: cage_test.c checks that first. What it aims at is prepared in a scene.
 */
#pragma once

#include "base/status.h"

#include <stdint.h>
#include <sys/types.h>

enum { SCENE_LEAKED = 9, SCENE_HANDLE = 128 };

struct scene {
    pid_t parent;
    const char *secret;        /* in the parent's memory */
    uint16_t tcp_port;         /* where something listens on 127.0.0.1 */
    const char *abstract;      /* name of an abstract UNIX socket where something listens */
    int shared_memory;         /* System V segment that anybody may attach */
    char outside[64];          /* a folder beside the spool that anybody may write to */
    char handle[SCENE_HANDLE]; /* struct file_handle of /etc/passwd */
};

enum {
    ATTACK_SECCOMP = 1, /* only the list of system calls holds it, by design */
    ATTACK_SPOOL = 2,   /* starts from the courier's folder */
    ATTACK_PACK = 4,    /* starts from the pack of an engine or a worker */
    ATTACK_NAMES = 8,   /* asks for names only, which Landlock lets through */
    ATTACK_READS = 32,  /* reads files, which is the opener's work */
    ATTACK_MEMORY = 16, /* held by the limit on memory, which sanitizers cannot have */
};

struct attack {
    const char *name;
    bool (*run)(const struct scene *scene);
    unsigned traits;
};

/* Ends at a NULL name. */
extern const struct attack attacks[];
