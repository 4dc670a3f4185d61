#include "scan/outcome.h"

static const struct {
    bool skipped;
    const char *name;
    const char *words;
} rows[OUTCOME_COUNT] = {

#define OUTCOME_ROW(ID, skipped, name, words) [OUTCOME_##ID] = {skipped, name, words},
    OUTCOMES(OUTCOME_ROW)
#undef OUTCOME_ROW
};

const char *outcome_name(enum outcome outcome)
{
    return rows[outcome].name;
}

const char *outcome_words(enum outcome outcome)
{
    return rows[outcome].words;
}

bool outcome_skipped(enum outcome outcome)
{
    return rows[outcome].skipped;
}
