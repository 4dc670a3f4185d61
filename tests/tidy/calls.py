#!/usr/bin/env python3
"""Calls that we agreed not to write, and what to write in their place. (Variable arrays: -Wvla.)"""
import re

import sources

BANNED = {
    "strcpy": "text_copy()", "strcat": "writer_text…()", "strncpy": "text_copy()", "strncat": "writer_text…()",
    "stpcpy": "text_copy()", "sprintf": "snprintf() or writer_print()", "vsprintf": "vsnprintf()",
    "gets": "reader", "atoi": "text_to_u64()", "atol": "text_to_u64()", "atoll": "text_to_u64()",
    "atof": "text_to_u64()", "strtok": "text_find_byte()", "alloca": "a fixed room", "popen": "nothing: no shell",
    "system": "posix_spawn() or fork() and exec", "malloc": "heap_alloc()", "calloc": "heap_alloc()",
    "realloc": "heap_grow()", "reallocarray": "heap_grow()", "free": "heap_free()", "strdup": "arena_text()",
    "strndup": "arena_text()", "asprintf": "writer_print()", "vasprintf": "writer_print()", "tmpnam": "mkstemp()",
    "mktemp": "mkstemp()", "setjmp": "a status", "longjmp": "a status",
}

# File (or its end), calls, and why.
EXCEPTIONS = [
    ("src/base/heap.c", {"calloc", "reallocarray", "free"}, "heap is the one way to the allocator"),
    ("src/schema/json_test.c", {"free"}, "jansson allocated it"),
    ("_test.c", {"system"}, "a test's own shell command, made of literals"),
    ("src/sdk/test_guard.c", {"system"}, "a test's own shell command, made of literals"),
    ("tests/integration/cage_scene.c", {"system"}, "a test's own shell command, made of literals"),
    ("tests/integration/storm.c", {"atol"}, "a load generator; its caller is a test"),
]

GOTO = re.compile(r"\bgoto\b")
CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
complaints = sources.Complaints()


def excepted(name, call):
    return any(name.endswith(where) and call in calls for where, calls, _ in EXCEPTIONS)


for name in sources.files(".c", ".h"):
    for number, line in enumerate(sources.code(name).splitlines(), 1):
        if line.lstrip().startswith("#include"):
            continue
        if GOTO.search(line):
            complaints.say(name, number, "goto: return early and let OWN() clean up")
        for call in CALL.findall(line):
            if not excepted(name, call):
                complaints.say(name, number, f"{call}() is not written here: use {BANNED[call]}")
complaints.end()
