#!/bin/sh
# Reads the finished binaries for what meson.build asked of compiler and linker: tests/hardening.sh BUILD
# Every program and library that BUILD would install is held to it, a TAP line for each property.
set -u
build=${1:?which build folder?}
number=0
failed=0

result() { # ok | "not ok", words
    number=$((number + 1))
    [ "$1" = ok ] || failed=1
    echo "$1 $number - $2"
}

# Words, text, extended regular expression that has to be in it, or with '!' must not be.
expect() {
    case $3 in
    '!'*) echo "$2" | grep -Eq -- "${3#!}" && result "not ok" "$1" || result ok "$1" ;;
    *) echo "$2" | grep -Eq -- "$3" && result ok "$1" || result "not ok" "$1" ;;
    esac
}

check() {
    name=$(basename "$1")
    header=$(readelf -hW "$1")
    segments=$(readelf -lW "$1")
    dynamic=$(readelf -dW "$1")
    symbols=$(readelf -sW --dyn-syms "$1")
    expect "$name: position independent" "$header" 'Type: +DYN'
    case $name in
    lib*)
        start=bh_version
        expect "$name: exports bh_ names alone" "$(exports "$1")" '!^[^b]|^b[^h]|^bh[^_]'
        ;;
    *)
        start=main
        expect "$name: is a PIE" "$dynamic" 'FLAGS_1.* PIE'
        ;;
    esac
    expect "$name: relocations are read-only (RELRO)" "$segments" 'GNU_RELRO'
    expect "$name: symbols are bound at the start" "$dynamic" 'BIND_NOW|FLAGS_1.* NOW'
    expect "$name: the stack cannot run" "$segments" 'GNU_STACK .* RW '
    expect "$name: no segment is writable and runs" "$segments" '!LOAD .* RWE '
    expect "$name: functions guard their stack" "$symbols" '__stack_chk_fail'
    expect "$name: calls of the C library are checked (FORTIFY)" "$symbols" '__[a-z]+_chk'
    # The code, not the note about it: Debian 12's start files bear none, so the linker leaves it out.
    expect "$name: jumps land where they may (CET)" \
        "$(objdump -d --no-show-raw-insn --disassemble=$start "$1")" 'endbr64'
    expect "$name: no search path of its own" "$dynamic" '!R(UN)?PATH'
    expect "$name: code is not relocated" "$dynamic" '!TEXTREL'
}

exports() {
    nm -D --defined-only "$1" | awk '$2 != "A" { print $3 }' | sed 's/@.*//'
}

installed() {
    meson introspect --installed "$build" |
        python3 -c 'import json, sys; print("\n".join(sorted(json.load(sys.stdin))))'
}

found=0
for file in $(installed); do
    case $file in
    *.a) continue ;;
    /*) ;;
    *) continue ;; # a link that installing makes
    esac
    if [ ! -e "$file" ]; then
        result "not ok" "$(basename "$file") is built"
    elif [ ! -L "$file" ] && [ "$(head -c 4 "$file" | tail -c 3)" = ELF ]; then
        found=$((found + 1))
        check "$file"
    fi
done
[ $found -gt 0 ] || result "not ok" "there is a binary to look at in $build"
echo "1..$number"
exit $failed
