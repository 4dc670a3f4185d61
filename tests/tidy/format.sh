#!/bin/sh
# Is every C file as clang-format with our .clang-format would write it? Prints where it is not.
set -u
cd "$(dirname "$0")/../.." || exit 1

# Files that are left out, because clang-format 14 …
left_out() {
    case $1 in
    # … breaks columns of tables that are kept by hand
    src/bpf/calls.h | src/bpf/calls.bpf.h | src/bpf/kernel.h | src/bpf/records.h) true ;;
    # … takes an enum that ends behind an X-macro for a continued line
    src/base/status.h | src/compile/modifier.h | src/content/pack/pack.h | src/schema/schema.h) true ;;
    src/wire/client.h) true ;;
    *) false ;;
    esac
}

git ls-files --cached --others --exclude-standard '*.c' '*.h' | sort -u | while read -r file; do
    [ ! -f "$file" ] || left_out "$file" || echo "$file"
done | xargs clang-format --dry-run --Werror 2>&1 | sed -n 's/^\([^:]*:[0-9]*\):.*error: code should.*/\1: not as clang-format writes it/p' |
    sort -u -t: -k1,1 -k2,2n | { ! grep .; }
