#!/bin/sh
# Runs every fuzz target for SECONDS, two at a time: tests/fuzz.sh SECONDS [BUILD]
# What a target finds stays in BUILD/fuzz/TARGET; give that file to the target to see it again.
set -eu
cd "$(dirname "$0")/.."
seconds=$1
build=${2:-build-sanitized}
tests/sanitized.sh "$build" > /dev/null
ninja -C "$build" > /dev/null

one() {
    target=$1
    name=$(basename "$target")
    folder=$build/fuzz/$name
    mkdir -p "$folder/corpus"
    seeds=tests/corpus/fuzz/$name
    [ -d "$seeds" ] || seeds=
    # A pack with one of everything is larger than the 4 KiB that libFuzzer begins with.
    # shellcheck disable=SC2086
    if "$target" -max_total_time="$seconds" -max_len=16384 -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$folder/" "$folder/corpus" $seeds > "$folder/log" 2>&1; then
        runs=$(sed -n 's/.*number_of_executed_units: *//p' "$folder/log")
        echo "ok - $name: $runs runs"
    else
        tail -40 "$folder/log" >&2
        echo "not ok - $name: see $folder"
    fi
}

running=0
for target in $(find "$build" -type f -name '*_fuzz' -perm -u+x | sort); do
    one "$target" &
    running=$((running + 1))
    [ $((running % 2)) -ne 0 ] || wait
done
wait
