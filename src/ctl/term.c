#include "ctl/term.h"

#include "base/quote.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const codes[STYLE_COUNT] = {
    [STYLE_PLAIN] = "",    [STYLE_BOLD] = "1",   [STYLE_DIM] = "2",   [STYLE_RED] = "31",
    [STYLE_YELLOW] = "33", [STYLE_GREEN] = "32", [STYLE_CYAN] = "36", [STYLE_ALARM] = "1;97;41",
};

/* no-color.org: set and not empty means no, whatever else is said. */
bool term_wants_colour(FILE *file)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *kind = getenv("TERM");
    return isatty(fileno(file)) == 1 && !(no_colour && no_colour[0]) &&
           !text_same(text_of(kind), TEXT("dumb"));
}

static void begin(struct term *t, enum style style)
{
    if (t->colour && style != STYLE_PLAIN) {
        writer_print(t->out, "\x1b[%sm", codes[style]);
    }
}

static void end(struct term *t, enum style style)
{
    if (t->colour && style != STYLE_PLAIN) {
        writer_print(t->out, "\x1b[0m");
    }
}

void term_quote(struct term *t, enum style style, struct text quoted, size_t limit)
{
    begin(t, style);
    quote_write(t->out, quoted, limit);
    end(t, style);
}

void term_column(struct term *t, enum style style, struct text quoted, size_t width)
{
    begin(t, style);
    size_t columns = quote_write(t->out, quoted, SIZE_MAX);
    end(t, style);
    for (; columns < width; columns++) {
        writer_u8(t->out, ' ');
    }
}

void term_print(struct term *t, enum style style, const char *format, ...)
{
    char words[400];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(words, sizeof words, format, args);
    va_end(args);
    ENSURE(len >= 0 && (size_t)len < sizeof words);
    begin(t, style);
    writer_bytes(t->out, (struct text){words, (size_t)len});
    end(t, style);
}
