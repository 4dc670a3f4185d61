#include "scan/rules.h"

#include "base/heap.h"
#include "base/own.h"

#include <string.h>

/* A source of a pack is not terminated, and libyara takes strings. */
struct source {
    char *file;
    char *text;
};

struct compile {
    YR_COMPILER *compiler;
    const struct rules_listener *listener;
    struct text file; /* which is being compiled */
    bool mute;        /* its flaws were told */
};

static void compiler_drop(YR_COMPILER **compiler)
{
    if (*compiler) {
        yr_compiler_destroy(*compiler);
    }
}

static void on_message(int level, const char *file, int line, const YR_RULE *rule,
                       const char *words, void *context)
{
    (void)file; /* always the source at hand: nothing is included */
    (void)rule;
    const struct compile *c = context;
    struct talk_flaw flaw = {.warning = level != YARA_ERROR_LEVEL_ERROR,
                             .line = line > 0 ? (uint32_t)line : 1,
                             .file = c->file,
                             .words = text_part(text_of(words), 0, 512)};
    if (!c->mute) {
        c->listener->on_flaw(c->listener->context, &flaw);
    }
}

static struct status begin(struct compile *c)
{
    if (yr_compiler_create(&c->compiler) != ERROR_SUCCESS) {
        FAIL(MEMORY);
    }
    yr_compiler_set_callback(c->compiler, on_message, c);
    yr_compiler_set_include_callback(c->compiler, NULL, NULL, NULL);
    int error = ERROR_SUCCESS;
#define DEFINE(name)                                                                               \
    error = error ? error : yr_compiler_define_string_variable(c->compiler, #name, "");
    RULES_VARIABLES(DEFINE)
#undef DEFINE
    if (error != ERROR_SUCCESS) {
        FAIL(MEMORY);
    }
    return OK;
}

static char *terminated(struct text t)
{
    char *copy = heap_alloc(t.len + 1, 1);
    if (copy) {
        memmove(copy, t.ptr, t.len);
    }
    return copy;
}

/* False: the source has an error, which was told; the compiler is of no use any more. */
static struct status add(struct compile *c, const struct pack_yara *source, bool *out)
{
    OWN(heap_drop) char *file = terminated(source->file);
    OWN(heap_drop) char *text = terminated(source->source);
    if (!file || !text) {
        FAIL(MEMORY);
    }
    c->file = source->file;
    *out = yr_compiler_add_string(c->compiler, text, file) == 0;
    return OK;
}

/* By itself, in a compiler that is then thrown away. */
static struct status try_alone(const struct pack_yara *source,
                               const struct rules_listener *listener, bool *out)
{
    OWN(compiler_drop) YR_COMPILER *compiler = NULL;
    struct compile c = {.listener = listener};
    struct status s = begin(&c);
    compiler = c.compiler;
    TRY(s);
    return add(&c, source, out);
}

/* libyara cannot go on after an error. So each source is tried alone, which is when its flaws are
 * told, and then those that are good are compiled together: twice the time, and one bad source
 * costs none but itself. */
static struct status add_all(struct compile *c, const struct pack *pack, const bool *skipped,
                             uint32_t *out_refused)
{
    uint32_t refused = 0;
    for (uint32_t i = 0; i < pack_count(pack, PACK_YARA); i++) {
        struct pack_yara source = pack_yara(pack, i);
        bool good = false;
        if (!skipped[i]) {
            c->listener->on_source(c->listener->context, i, source.file);
            TRY(try_alone(&source, c->listener, &good));
        }
        if (good) {
            TRY(add(c, &source, &good));
        }
        refused += !good;
    }
    *out_refused = refused;
    return OK;
}

struct status rules_compile(const struct pack *pack, const bool *skipped,
                            const struct rules_listener *listener, struct rules *out)
{
    OWN(compiler_drop) YR_COMPILER *compiler = NULL;
    struct compile c = {.listener = listener, .mute = true};
    struct rules rules = {0};
    const YR_RULE *rule;
    struct status s = begin(&c);
    compiler = c.compiler;
    TRY(s);
    TRY(add_all(&c, pack, skipped, &rules.refused));
    if (yr_compiler_get_rules(compiler, &rules.compiled) != ERROR_SUCCESS) {
        FAIL(MEMORY);
    }
    yr_rules_foreach(rules.compiled, rule)
    {
        rules.count++;
    }
    rules.end = UINT32_MAX;
    rules.off = heap_alloc(rules.count + 1, sizeof *rules.off);
    if (!rules.off) {
        FAIL(MEMORY);
    }
    *out = rules;
    return OK;
}

void rules_free(struct rules *rules)
{
    if (rules->compiled) {
        yr_rules_destroy(rules->compiled);
    }
    heap_free(rules->off);
    *rules = (struct rules){0};
}

static int ignore(YR_SCAN_CONTEXT *context, int message, void *data, void *user)
{
    (void)context;
    (void)message;
    (void)data;
    (void)user;
    return CALLBACK_CONTINUE;
}

/* The module "magic" opens its database when it is first asked, which no worker can. */
struct status rules_warm_up(void)
{
    static const char source[] = "import \"magic\" rule warm { condition: magic.type() == \"\" }";
    OWN(compiler_drop) YR_COMPILER *compiler = NULL;
    YR_RULES *rules;
    if (yr_initialize() != ERROR_SUCCESS || yr_compiler_create(&compiler) != ERROR_SUCCESS) {
        FAIL(MEMORY);
    }
    /* A libyara without this module has nothing to warm up. */
    if (yr_compiler_add_string(compiler, source, NULL) != 0) {
        return OK;
    }
    if (yr_compiler_get_rules(compiler, &rules) != ERROR_SUCCESS) {
        FAIL(MEMORY);
    }
    int error = yr_rules_scan_mem(rules, (const uint8_t *)"warm", 4, 0, ignore, NULL, 10);
    yr_rules_destroy(rules);
    if (error != ERROR_SUCCESS) {
        FAIL(UNSUPPORTED);
    }
    return OK;
}

/* libyara has one flag for "off", and we two reasons. */
static void set(const struct rules *rules, uint32_t index, YR_RULE *rule)
{
    if (index >= rules->first && index < rules->end && !rules->off[index]) {
        yr_rule_enable(rule);
    } else {
        yr_rule_disable(rule);
    }
}

void rules_choose(struct rules *rules, uint32_t first, uint32_t end)
{
    YR_RULE *rule;
    uint32_t index = 0;
    if (rules->first == first && rules->end == end) {
        return;
    }
    rules->first = first;
    rules->end = end;
    yr_rules_foreach(rules->compiled, rule)
    {
        set(rules, index++, rule);
    }
}

bool rules_switch(struct rules *rules, struct text file, struct text name, bool on)
{
    YR_RULE *rule;
    uint32_t index = 0;
    yr_rules_foreach(rules->compiled, rule)
    {
        if (text_same(text_of(rule->identifier), name) &&
            text_same(text_of(rule->ns->name), file)) {
            rules->off[index] = !on;
            set(rules, index, rule);
            return true;
        }
        index++;
    }
    return false;
}

struct text rules_meta(const YR_RULE *rule, const char *name)
{
    const YR_META *meta;
    struct text found = TEXT("");
    yr_rule_metas_foreach(rule, meta)
    {
        if (meta->type == META_TYPE_STRING &&
            text_same_folded(text_of(meta->identifier), text_of(name))) {
            found = text_of(meta->string);
        }
    }
    return found;
}
