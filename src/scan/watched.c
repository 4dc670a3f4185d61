#include "scan/watched.h"

/* Prefixes. Not /usr and /var as a whole: package managers and data bases write there all day, and
 * what is put there to run is scanned when it does. */
static const char *const places[] = {
    "/tmp/",
    "/var/tmp/",
    "/dev/shm/",
    "/run/user/",
    "/home/",
    "/root/",
    "/usr/local/",
    "/opt/",
    "/srv/",
    "/var/www/",
    "/etc/cron",
    "/etc/init.d/",
    "/etc/ld.so",
    "/etc/profile",
    "/etc/systemd/",
    "/boot/",
    "/var/spool/cron/",
    "/usr/bin/",
    "/usr/lib/systemd/",
    "/usr/sbin/",
};

bool watched_place(struct text path)
{
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (text_starts(path, text_of(places[i]))) {
            return true;
        }
    }
    return false;
}
