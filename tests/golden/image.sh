#!/bin/sh
# Makes the machine that is recorded: a Debian 12 as an administrator sets one up, in DIR/disk.img, with
# its kernel and initramfs beside it. Everything comes from Debian's own packages and from here.
#
#   image.sh BUILD DIR      BUILD is a Meson build folder; needs root, 6 GiB in DIR, and Debian's mirror
#
# The system is installed from the release alone. What the release's updates and security fixes have newer
# lies in the machine's own file: repository, so that the recorded upgrade is a real one, kernel included.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
mkdir -p "$2"
dir=$(cd "$2" && pwd)
root=$dir/root
cache=$dir/debs
mkdir -p "$cache"

services='openssh-server cron at logrotate rsyslog nginx-light postgresql exim4-daemon-light
    unattended-upgrades needrestart systemd-timesyncd apparmor polkitd dbus-user-session libpam-systemd'
people='sudo man-db manpages vim-tiny less tmux screen curl rsync git python3-venv bash-completion file
    lsof psmisc strace gdb acl zip bzip2 xz-utils zstd openssl gnupg locales nftables'
builders='gcc make libc6-dev autoconf automake'
containers='podman crun uidmap slirp4netns fuse-overlayfs systemd-container'
machine='linux-image-cloud-amd64 initramfs-tools'
bulkhead='libbpf1 libyaml-0-2 libjansson4 libseccomp2 libcap2 libzstd1'
# Not installed yet: the recorded administrator does that.
later='jq tree nano htop redis-server libxml2-utils'

# Runs its words in the root with /proc, and in name spaces of its own, so that nothing stays behind.
inside() {
    unshare --mount --pid --fork --kill-child sh -c '
        mount -t proc proc "$0/proc" && exec chroot "$0" env DEBIAN_FRONTEND=noninteractive LC_ALL=C \
        PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"' "$root" "$@"
}

packages() { # VERB PACKAGE…: apt-get without Recommends; the lists above name what is wanted
    inside apt-get -q -y --no-install-recommends -o Dpkg::Use-Pty=0 "$@"
}

install_system() {
    rm -rf "$root"
    debootstrap --cache-dir="$cache" bookworm "$root"
    printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d" # no service starts in a chroot
    chmod 755 "$root/usr/sbin/policy-rc.d"
    # shellcheck disable=SC2086
    packages install $services $people $builders $containers $machine $bulkhead
}

# What a container is made of: the smallest Debian there is.
install_base() {
    rm -rf "$dir/base"
    debootstrap --variant=minbase --cache-dir="$cache" --include=systemd-sysv,dbus bookworm "$dir/base"
    rm -rf "$dir/base/var/cache/apt/archives" "$dir/base/var/lib/apt/lists" "$dir/base/usr/share/doc"
    echo base > "$dir/base/etc/hostname"
    mkdir -p "$root/var/lib/machines"
    cp -a "$dir/base" "$root/var/lib/machines/base"
    tar -C "$dir/base" -c . > "$root/srv/base.tar"
}

# The upgrade, the packages for later, and some to install again, as a repository in the machine.
fill_repository() {
    release=$(sed -n 's/^deb \([^ ]*\) bookworm main$/\1/p' "$root/etc/apt/sources.list")
    cat > "$root/etc/apt/sources.list.d/newer.list" <<SOURCES
deb $release bookworm-updates main
deb $release-security bookworm-security main
SOURCES
    inside apt-get -q update
    inside apt-get clean
    packages --download-only dist-upgrade
    # shellcheck disable=SC2086
    packages --download-only install $later
    packages --download-only --reinstall install dash cron openssh-server man-db sudo adduser
    mkdir -p "$root/srv/repository"
    mv "$root"/var/cache/apt/archives/*.deb "$root/srv/repository/"
    cp -a "$here/sampled" "$root/srv/sampled"
    inside sh /srv/sampled/build.sh /srv/sampled /srv/repository
    rm -rf "$root/srv/sampled"
    inside sh -c 'cd /srv/repository && apt-ftparchive packages . > Packages'
    rm "$root/etc/apt/sources.list.d/newer.list"
    echo 'deb [trusted=yes] file:/srv/repository ./' > "$root/etc/apt/sources.list"
    rm -rf "$root"/var/lib/apt/lists/*
}

# Generic names: no recording says where it was made.
set_up() {
    echo debian > "$root/etc/hostname"
    echo '127.0.1.1 debian' >> "$root/etc/hosts"
    rm -f "$root/etc/resolv.conf" "$root/usr/sbin/policy-rc.d"
    printf 'auto lo eth0\niface lo inet loopback\niface eth0 inet dhcp\n' > "$root/etc/network/interfaces"
    echo '/dev/vda / ext4 errors=remount-ro 0 1' > "$root/etc/fstab"
    inside systemd-machine-id-setup
    inside sh -c 'echo en_US.UTF-8 UTF-8 > /etc/locale.gen && locale-gen'
    inside useradd -m -s /bin/bash -c Alice alice
    inside useradd -m -s /bin/bash -c Bob -G sudo bob
    inside sh -c 'printf "root:golden\nalice:golden\nbob:golden\n" | chpasswd'
    inside su - alice -c "mkdir -m 700 .ssh && ssh-keygen -q -t ed25519 -C alice@debian -N '' -f .ssh/id_ed25519"
    install -d -m 700 "$root/home/bob/.ssh"
    cp "$root/home/alice/.ssh/id_ed25519.pub" "$root/home/bob/.ssh/authorized_keys"
    inside chown -R bob:bob /home/bob/.ssh
    cp -a "$here/files/project" "$root/home/alice/project"
    inside chown -R alice:alice /home/alice/project
}

install_bulkhead() {
    DESTDIR=$root meson install -C "$build" --no-rebuild > "$dir/install.log"
    mkdir -p "$root/usr/lib/golden"
    install -m 755 "$here/files/ready" "$here/files/recorder" "$root/usr/lib/golden/"
    sed '/^#/d; /^$/d' "$here/../../content/watch.txt" > "$root/usr/lib/golden/watch"
    install -m 644 "$here"/files/*.service "$here"/files/*.target "$root/etc/systemd/system/"
    inside systemctl enable recorded.target
}

make_disk() {
    cp "$root"/boot/vmlinuz-* "$dir/vmlinuz"
    cp "$root"/boot/initrd.img-* "$dir/initrd"
    rm -rf "$root"/var/cache/apt/archives/*.deb "$dir/disk.img"
    truncate -s 8G "$dir/disk.img"
    mke2fs -q -t ext4 -d "$root" "$dir/disk.img"
}

[ -d "$root/srv/repository" ] || { install_system; install_base; fill_repository; set_up; }
install_bulkhead
make_disk
