#!/bin/sh
# Records what a healthy machine does, anew: content/golden/*.jsonl.zst. Makes a Debian 12, boots it in QEMU
# without hardware help, does at its console what tests/golden/scenes say, and thins what was recorded.
#
#   record.sh BUILD [DIR]     BUILD: a Meson build folder; DIR: room of 12 GiB (default: a new one in /var/tmp)
#
# Takes about an hour, needs root, the packages of `tests/setup.sh golden`, and Debian's mirror for the
# machine's packages; the machine itself reaches no network. A DIR that holds the system already is used again.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1
dir=${2:-$(mktemp -d /var/tmp/bulkhead-golden.XXXXXX)}

[ "$(id -u)" = 0 ] || { echo "record: it needs root: debootstrap and chroot do" >&2; exit 77; }
"$here/image.sh" "$build" "$dir" > "$dir/image.log" 2>&1 || { tail -20 "$dir/image.log" >&2; exit 1; }
"$here/machine.py" "$dir" "$dir/raw.zst" "$here"/scenes/*.scene
"$here/thin.py" "$dir/raw.zst" "$here/../../content/golden"
echo "The machine and all it wrote to its console are in $dir"
