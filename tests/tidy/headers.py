#!/usr/bin/env python3
"""Every header is included once and compiles alone: headers.py FOLDER-WITH-bulkhead/fields.h"""
import concurrent.futures
import subprocess
import sys

import sources

COMMON = ["-fsyntax-only", "-x", "c", "-std=gnu17", "-Wall", "-Wextra", "-Werror", "-Isrc"]
USER = ["gcc", *COMMON, "-D_GNU_SOURCE", '-DBULKHEAD_VERSION="0"', "-Isrc/sdk/include", "-I" + sys.argv[1]]
# The kernel's own structures are declared by hand there, so neither compiles as the other.
KERNEL = ["clang", *COMMON, "-target", "bpf", "-D__TARGET_ARCH_x86", "-O2", "-g", "-Wno-unused-parameter",
          "-Wno-unused-function", "-Wno-unused-const-variable"]


def compilers(name):
    if not name.startswith("src/bpf/"):
        return [USER]
    shared = name in ("src/bpf/records.h", "src/bpf/calls.h")
    return [USER, KERNEL] if shared else [KERNEL]


def refused(job):
    name, compiler = job
    header = name.removeprefix("src/sdk/include/").removeprefix("src/")
    quoted = f"<{header}>" if name.startswith("src/sdk/include/") else f'"{header}"'
    # records.h takes its types from kernel.h there, as its only includer has them.
    before = '#include "bpf/kernel.h"\n' if compiler is KERNEL else ""
    done = subprocess.run([*compiler, "-I.", "-"], input=f"{before}#include {quoted}\n", text=True,
                          cwd=sources.ROOT, capture_output=True)
    return next((line for line in done.stderr.splitlines() if "error" in line), None)


complaints = sources.Complaints()
headers = sources.files(".h")
for name in headers:
    if "#pragma once" not in sources.text(name):
        complaints.say(name, 1, "it has no #pragma once")
jobs = [(name, compiler) for name in headers for compiler in compilers(name)]
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    for (name, compiler), words in zip(jobs, pool.map(refused, jobs)):
        if words:
            complaints.say(name, 1, f"it does not compile alone with {compiler[0]}: {words}")
complaints.end()
