#!/bin/sh
# Builds two versions of a Debian package that does what packages do: a user, a service, a timer, a
# cron job, a log to rotate, a configuration file, an alternative.
#
#   build.sh SOURCE OUT
set -eu
source=$1
out=$2
work=$(mktemp -d)
for version in 1.0 1.1; do
    root=$work/sampled-$version
    mkdir -p "$root/DEBIAN" "$root/usr/bin" "$root/usr/lib/sampled" "$root/lib/systemd/system" \
        "$root/etc/cron.daily" "$root/etc/logrotate.d" "$root/etc/sampled" "$root/usr/share/man/man1"
    sed "s/@VERSION@/$version/" "$source/control" > "$root/DEBIAN/control"
    for script in preinst postinst prerm postrm; do
        install -m 755 "$source/$script" "$root/DEBIAN/$script"
    done
    printf '/etc/cron.daily/sampled\n/etc/logrotate.d/sampled\n/etc/sampled/sampled.conf\n' > "$root/DEBIAN/conffiles"
    install -m 755 "$source/sampled" "$root/usr/lib/sampled/sampled-$version"
    install -m 644 "$source/sampled.service" "$source/sampled.timer" "$root/lib/systemd/system/"
    sed -i "s/@VERSION@/$version/" "$root/lib/systemd/system/sampled.service"
    install -m 755 "$source/cron.daily" "$root/etc/cron.daily/sampled"
    install -m 644 "$source/logrotate" "$root/etc/logrotate.d/sampled"
    echo "interval=$version" > "$root/etc/sampled/sampled.conf"
    printf '.TH SAMPLED 1\n.SH NAME\nsampled \\- a package to upgrade (%s)\n' "$version" \
        | gzip -9n > "$root/usr/share/man/man1/sampled.1.gz"
    dpkg-deb --root-owner-group -b "$root" "$out" > /dev/null
done
rm -rf "$work"
