/*
 * print: the client's events on standard output, in the format that was asked for. What was lost is
 * said where it was lost.
 */
#pragma once

#include "ctl/ctl.h"

enum print_format { PRINT_TEXT, PRINT_JSON, PRINT_OCSF };

struct printer {
    enum print_format format;
    bool colour;
    uint64_t lost; /* said so far */
};

/* Colours, where text goes to a terminal. */
struct printer printer_for(enum print_format format);

/* Prints every event that waits. BH_AGAIN: all of them. Other results are the client's; BH_SYSTEM
 * also where standard output is full or gone, which has been said. */
int printer_drain(struct printer *p, struct bh_client *client);
