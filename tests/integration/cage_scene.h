/*
 * cage_scene: a machine in small for the attacks of cage_attack.h, and a process in the position
 * that guard puts its workers in. Runs as root; everything is in one folder under /tmp.
 */
#pragma once

#include "cage_attack.h"

enum scene_cage { SCENE_ENGINE, SCENE_COURIER, SCENE_WORKER, SCENE_OPENER, SCENE_CAGES };

struct stage {
    struct scene scene;
    char folder[64];
    int spool;
    int pack;
    int leaked;
    int guard[2];  /* socket pair: guard's end, the worker's */
    int syslog[2]; /* likewise */
    int terminal[2];
    char *words; /* a page shared with workers: why a cage could not be entered */
};

struct status stage_open(struct stage *out);
void stage_close(struct stage *stage);

/* In a child: descriptors as guard leaves them, and some that it forgot. */
struct status stage_position(const struct stage *stage, enum scene_cage cage);
