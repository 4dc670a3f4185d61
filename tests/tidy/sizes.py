#!/usr/bin/env python3
"""A function fits a screen, a file a reader's patience."""
import sources

FUNCTION_MAX = 70
FILE_NOTE = 600  # ask yourself whether it is one thing
FILE_MAX = 800

EXCEPTIONS = {
    ("src/bpf/probe.bpf.c", "done"): "one switch, a line for each system call",
}

complaints = sources.Complaints()


def functions(name):
    """(first line, last line, name). clang-format puts the braces of functions, and of nothing else, alone in column 0."""
    head, start, title = 0, 0, ""
    for number, line in enumerate(sources.code(name).splitlines(), 1):
        if line == "{":
            start = head
        elif line == "}" and start:
            yield start, number, title.split("(")[0].split()[-1].lstrip("*")
            start = 0
        elif line and not line[0].isspace() and line[0] not in "#}/" and not start and "(" in line:
            head, title = number, line


for name in sources.files(".c", ".h"):
    lines = sources.text(name).count("\n")
    if lines > FILE_MAX:
        complaints.say(name, lines, f"the file has {lines} lines, more than {FILE_MAX}: it is two things")
    elif lines > FILE_NOTE:
        print(f"note: {name}: {lines} lines: is it one thing?")
    for first, last, function in functions(name):
        length = last - first + 1
        if length > FUNCTION_MAX and (name, function) not in EXCEPTIONS:
            complaints.say(name, first, f"{function}() has {length} lines, more than {FUNCTION_MAX}")
complaints.end()
