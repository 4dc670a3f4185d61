/*
 * document: one YAML document of a rule file -> an outcome. For sigma.c and links.c alone.
 */
#pragma once

#include "compile/links.h"

struct document {
    struct sigma_options options;
    struct text file;
    struct text text;
    const struct sigma_links *links; /* NULL: correlations are not compiled yet */
    bool circle;                     /* … and this one refers to itself */
    bool too_many;                   /* … and there are more before it than may be */
};

/* Names the outcome first, so that a refusal says which rule it is about. *empty: the document
 * holds nothing. `out->line` is where it begins. */
struct status document_compile(struct job *job, const struct document *d, struct sigma_outcome *out,
                               bool *empty);

/* Turns the status that a rule ended with into words. */
void document_refused(struct status s, const struct job *job, struct sigma_outcome *out);
