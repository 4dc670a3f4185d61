#!/bin/sh
# Builds the examples as a vendor would, from the public headers and the shared library alone, and runs
# each against a server that speaks guard's part.
#   examples_test.sh SERVE EXAMPLES LIBRARY-DIR HEADERS GENERATED-HEADERS
set -u
serve=$1 examples=$2 library=$3 headers=$4 generated=$5
scratch=$(mktemp -d)
server=

finish() {
    [ -z "$server" ] || kill "$server" 2> /dev/null
    wait
    rm -rf "$scratch"
}
trap finish EXIT

number=0
report() { # RESULT WHAT
    number=$((number + 1))
    if [ "$1" = 0 ]; then
        echo "ok $number - $2"
    else
        echo "not ok $number - $2"
        sed 's/^/# /' "$scratch/log"
    fi
}

# A program that prints execs: it has to print exactly what was published, and nothing else.
prints_execs() { # PROGRAM
    LD_LIBRARY_PATH=$library timeout 2 "$1" "$home" > "$scratch/out" 2> "$scratch/log"
    cat "$scratch/out" >> "$scratch/log"
    [ "$(grep -c '^4[0-9]* mallory /usr/bin/id --really$' "$scratch/out")" -ge 10 ] &&
        ! grep -qv '^4[0-9]* mallory /usr/bin/id --really$' "$scratch/out"
}

explains_absence() { # PROGRAM
    LD_LIBRARY_PATH=$library "$1" /nonexistent > "$scratch/log" 2>&1
    [ $? = 1 ] && grep -q 'no guard answers at /nonexistent/run/guard.sock' "$scratch/log"
}

echo 1..6
"$serve" > "$scratch/home" &
server=$!
while [ ! -s "$scratch/home" ]; do sleep 0.01; done
home=$(cat "$scratch/home")

cc -std=c11 -Wall -Wextra -Werror "$examples/c/watch.c" -I"$headers" -I"$generated" -L"$library" \
    -lbulkhead -o "$scratch/watch-c" > "$scratch/log" 2>&1
report $? 'the C example builds from the public headers'
prints_execs "$scratch/watch-c"
report $? 'the C example prints what runs'
explains_absence "$scratch/watch-c"
report $? 'the C example says that no guard is there'

rustc --edition 2021 -D warnings "$examples/rust/watch.rs" -L "native=$library" -l dylib=bulkhead \
    -o "$scratch/watch-rust" > "$scratch/log" 2>&1
report $? 'the Rust example builds without a crate'
prints_execs "$scratch/watch-rust"
report $? 'the Rust example prints what runs'
explains_absence "$scratch/watch-rust"
report $? 'the Rust example says that no guard is there'
