#!/bin/sh
# Configures a build with clang, its sanitizers and the fuzz targets: tests/sanitized.sh FOLDER
set -eu
[ -f "$1/build.ninja" ] || CC=clang meson setup "$1" -Db_sanitize=address,undefined \
    -Db_lundef=false -Dfuzz=true
