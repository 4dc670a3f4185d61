#!/bin/sh
# Every benchmark, one after another: bench/run.sh BUILD
set -eu
build=$1
"$build"/bench/stream_bench 2>/dev/null || "$build"/src/wire/stream_bench
exec python3 "$(dirname "$0")"/bench.py "$build"
