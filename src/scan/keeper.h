/*
 * keeper: the process that starts and ends opener and workers. It has the privilege that their
 * cages are made with, and so it looks at nothing: fixed, tiny messages of the opener are all that
 * reaches it. When the opener ends, all end.
 */
#pragma once

/* Runs until the opener ends; gives the exit code of the whole. `arguments` go to the opener and
 * end with a NULL. */
int keeper_run(char *const *arguments);
