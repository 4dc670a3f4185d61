#!/bin/sh
# House rules (STYLE.md), a TAP line each; what breaks one stands below it as file:line: words.
set -u
cd "$(dirname "$0")/.." || exit 1

# The headers of sdk/ include one that is generated.
build=build-tidy
for folder in build build-check; do
    [ ! -f "$folder/build.ninja" ] || build=$folder
done
[ -f "$build/build.ninja" ] || meson setup "$build" > /dev/null || exit 1
fields=src/schema/bulkhead/fields.h
ninja -C "$build" "$fields" > /dev/null || exit 1

failed=0
number=0
rule() { # its words, then the command that prints what breaks it
    words=$1
    shift
    number=$((number + 1))
    result=ok
    output=$("$@" 2>&1) || result="not ok" failed=1
    echo "$result $number - $words"
    [ -z "$output" ] || echo "$output" | sed 's/^/# /'
}

echo 1..8
rule "C files are formatted" tests/tidy/format.sh
rule "folders include what lies below them" python3 tests/tidy/layers.py
rule "no banned calls" python3 tests/tidy/calls.py
rule "functions fit a screen" python3 tests/tidy/sizes.py
rule "headers compile alone" python3 tests/tidy/headers.py "$build/src/schema"
rule "every C file is built" python3 tests/tidy/built.py
rule "no paths of one machine, no stray links" python3 tests/tidy/words.py
rule "pages name what is there" python3 tests/tidy/pages.py
exit $failed
