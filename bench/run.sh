#!/bin/sh
# Every benchmark, one after another: bench/run.sh BUILD. CORPUS names a folder with more rules.
set -eu
build=$1
here=$(dirname "$0")
"$build"/bench/stream_bench 2>/dev/null || "$build"/src/wire/stream_bench
"$build"/bench/indicator_bench
"$here"/match.py "$build" ${CORPUS:+--corpus "$CORPUS"}
exec python3 "$here"/bench.py "$build"
