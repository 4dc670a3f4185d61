#!/usr/bin/env python3
"""The dependency rule: base <- schema, wire <- content, compile <- processes (ARCHITECTURE.md)."""
import re

import sources

# What a folder of src/ may include beside itself.
MAY = {
    "base": set(),
    "schema": {"base"},
    "wire": {"base", "schema"},
    "content": {"base", "schema"},
    "compile": {"base", "schema", "content"},
    "rollout": {"base", "schema"},
    "trust": {"base", "schema"},
    "bpf": set(),
    "sdk": {"base", "schema", "wire"},
    "guard": {"base", "schema", "wire", "bpf"},
    # These reach events through <bulkhead/…> alone, as a vendor does; schema is what a record means.
    "engine": {"base", "schema", "content"},
    "courier": {"base", "schema"},
    "scan": {"base", "schema", "content"},
    "verify": {"base", "schema", "content"},
    "ctl": {"base", "schema", "content", "compile"},
}
PUBLIC = {"sdk", "engine", "courier", "scan", "verify", "ctl"}  # who may include <bulkhead/…>
PORTABLE = {"base", "schema", "wire", "content", "compile", "rollout", "trust"}

# Headers that other systems do not have.
LINUX = re.compile(
    r"<(linux/|asm/|bpf/|seccomp\.h|sys/(auxv|capability|epoll|eventfd|fanotify|inotify|mount|pidfd|prctl|"
    r"ptrace|random|sendfile|signalfd|syscall|timerfd|vfs|xattr)\.h|sched\.h|byteswap\.h|error\.h)")

EXCEPTIONS = {
    ("src/ctl/ctl.c", '"wire/home.h"'): "where an instance lies, not what happens in it",
    ("src/wire/stream_kill_test.c", "<sys/ptrace.h>"): "steps a writer, to kill it at each store",
}


def complaint(name, folder, what):
    inner = what[1:-1]
    if what[0] == "<":
        if inner.startswith("bulkhead/") and folder not in PUBLIC:
            return f"{folder} may not include the public API: it is below it"
        if folder in PORTABLE and LINUX.match(what) and not name.endswith("/os_linux.c"):
            return f"{what} is Linux's alone: in a portable folder it belongs into os_linux.c"
        return None
    if "/" not in inner:
        generated = inner.endswith(".skel.h")
        return None if generated else f"write {what} from src/ on: \"{folder}/{inner}\""
    other = inner.split("/")[0]
    if other != folder and other not in MAY.get(folder, set()):
        return f"{folder} may not include {what}"
    return None


complaints = sources.Complaints()
used = set()
for name in sources.files(".c", ".h"):
    parts = name.split("/")
    for line, what in sources.includes(name):
        if parts[0] == "examples" and len(parts) > 2:  # what lies in examples/ itself tests them
            if what[0] == '"' or what.startswith("<bulkhead/") and "/" in what[10:-1]:
                complaints.say(name, line, f"an example may include nothing that a vendor has not: {what}")
            continue
        if parts[0] != "src":
            continue
        if parts[1] not in MAY:
            complaints.say(name, line, f"tests/tidy/layers.py does not know the folder {parts[1]}")
            continue
        words = complaint(name, parts[1], what)
        if words and (name, what) in EXCEPTIONS:
            used.add((name, what))
        elif words:
            complaints.say(name, line, words)
for name, what in sorted(EXCEPTIONS.keys() - used):
    complaints.say("tests/tidy/layers.py", 1, f"the exception of {what} in {name} is not needed any more")
complaints.end()
