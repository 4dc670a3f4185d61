/*
 * content_command: the subcommands of `bulkhead content`. argv[0] is "content NAME".
 */
#pragma once

#include "ctl/ctl.h"

int content_build(int argc, char **argv);
int content_verify(int argc, char **argv);
int content_match(int argc, char **argv);
int content_explain(int argc, char **argv);
int content_diff(int argc, char **argv);
int content_new(int argc, char **argv);
int content_cost(int argc, char **argv);
int content_replay(int argc, char **argv);
int content_trial(int argc, char **argv); /* "content test" */
int content_load(int argc, char **argv);
int content_rollback(int argc, char **argv);
