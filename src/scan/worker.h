/*
 * worker: the process that parses. It compiles the pack's rules and asks them about one file after
 * another, until the opener goes away or it is ended.
 */
#pragma once

/* Gives the exit code. */
int worker_run(void);
