#!/bin/sh
# Every test, in about 20 minutes on two cores. The last line: N passed, N failed.
#
#   CHECK_FUZZ_SECONDS   for each fuzz target (60)
#   CHECK_ONLY           some of: units sanitized fuzz tidy hardening integration kernels
set -u
cd "$(dirname "$0")/.." || exit 1
only=${CHECK_ONLY:-units sanitized fuzz tidy hardening integration}
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo

has() { case " $only " in *" $1 "*) true ;; *) false ;; esac; }
say() { printf '\n── %s ──\n' "$1"; }

configure() { # folder, then meson's options
    folder=$1
    shift
    [ -f "$folder/build.ninja" ] || meson setup "$folder" "$@" > "$log/configure" 2>&1 || {
        tail -20 "$log/configure"
        return 1
    }
}

# One step that passes or fails as a whole: its name, then its command.
step() {
    name=$1
    shift
    if "$@" > "$log/step" 2>&1; then
        echo "ok - $name" | tee -a "$log/steps"
    else
        cat "$log/step"
        echo "not ok - $name" | tee -a "$log/steps"
    fi
}

# Meson's tests of a build folder; what they said in full is in its meson-logs.
suite() { # folder, then options of meson test
    folder=$1
    shift
    $sudo meson test -C "$folder" --no-rebuild --print-errorlogs "$@"
    cp "$folder/meson-logs/testlog.json" "$log/$(basename "$folder")-$(date +%s%N).json"
}

if has units || has integration || has hardening; then
    say "build, with warnings as errors"
    step "gcc configures" configure build-check -Dwerror=true --prefix /usr
    step "gcc builds" ninja -C build-check
fi
if has units; then
    say "unit tests"
    suite build-check --no-suite integration
fi
if has sanitized || has fuzz; then
    say "build with clang's address and undefined-behaviour sanitizers"
    step "clang configures" tests/sanitized.sh build-sanitized
    step "clang builds" ninja -C build-sanitized
fi
if has sanitized; then
    say "unit tests under the sanitizers"
    suite build-sanitized --no-suite integration --timeout-multiplier 5
fi
if has tidy; then
    say "house rules"
    step "tidy" tests/tidy.sh
fi
if has hardening; then
    say "hardening of the finished binaries"
    step "hardening" tests/hardening.sh build-check
fi
if has fuzz; then
    say "fuzzing, ${CHECK_FUZZ_SECONDS:-60} seconds a target"
    tests/fuzz.sh "${CHECK_FUZZ_SECONDS:-60}" build-sanitized | tee -a "$log/steps"
fi
if has integration; then
    say "the real thing"
    suite build-check --suite integration
fi

say "sum"
python3 tests/summary.py "$log/steps" "$log"/*.json
