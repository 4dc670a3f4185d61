/*
 * content: `bulkhead content …`: builds packs out of rules, and looks into packs.
 */
#pragma once

/* argv[0] is "content". Gives the exit code. */
int content_main(int argc, char **argv);
