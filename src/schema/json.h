/*
 * json: how one value of an event looks in JSON. Shared by the two writers, json.c and ocsf.c; what
 * others call is in event.h.
 */
#pragma once

#include "base/json.h"
#include "schema/event.h"

/* The value itself: GUIDs are 16 hex digits in quotes, absent is null. */
void json_event_value(struct json *j, enum field field, struct value value);

/* "cut":["command_line"], where the event has texts that were cut; nothing otherwise. */
void json_event_cut(struct json *j, const struct event *event);
