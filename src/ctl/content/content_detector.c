#include "ctl/content/content_detector.h"

#include "base/count.h"
#include "ctl/ctl.h"

#include <inttypes.h>
#include <unistd.h>

struct status content_detector_new(const struct pack *pack, struct detector **out)
{
    struct correlate_settings settings = {.memory = PACK_WINDOW_MEMORY};
    /* Without a key recordings that were made for it would only be slow. */
    (void)!getentropy(settings.key, sizeof settings.key);
    return detector_new(pack, settings, out);
}

void content_tell_fault(const struct pack *pack, size_t rule, const char *what)
{
    ctl_error("rule %.*s is switched off: %s", TEXT_ARGS(pack_rule(pack, rule).id), what);
}

void content_tell_lossy(const struct pack *pack, size_t rule, uint64_t events)
{
    ctl_error("the window of rule %.*s is full: %s dropped from it too early",
              TEXT_ARGS(pack_rule(pack, rule).id), COUNTED(events, "event was", "events were"));
}
