#!/bin/sh
# Installs the Debian packages that the named purposes need, where they are missing.
set -eu

build='gcc make clang llvm bpftool libbpf-dev linux-libc-dev meson ninja-build pkg-config
       libcap-dev libseccomp-dev libyaml-dev libjansson-dev libcmocka-dev libpcre2-dev libzstd-dev
       libc6-dev libyara-dev nettle-dev'
check='clang-format zstd libclang-rt-14-dev rustc python3 python3-yaml git procps iproute2 util-linux
       libvectorscan-dev'
bench='zstd auditd sysdig hyperfine libvectorscan-dev python3 python3-yaml'
golden='qemu-system-x86 debootstrap e2fsprogs util-linux zstd python3'

wanted=
for purpose in "$@"; do
    case $purpose in
    build) wanted="$wanted $build" ;;
    check) wanted="$wanted $check" ;;
    bench) wanted="$wanted $bench" ;;
    golden) wanted="$wanted $golden" ;;
    *) echo "setup: there is no purpose \"$purpose\": build, check, bench, golden" >&2; exit 64 ;;
    esac
done

missing=
for package in $wanted; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "Installing what is missing:$missing"
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
if [ -n "$sudo" ] && ! command -v sudo > /dev/null; then
    echo "setup: it needs root to install packages. As root: apt-get install$missing" >&2
    exit 77
fi
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -q
# shellcheck disable=SC2086
$sudo apt-get install -q -y --no-install-recommends $missing
