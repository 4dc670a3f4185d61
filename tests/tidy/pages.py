#!/usr/bin/env python3
"""The pages are true: links lead somewhere, files that they name exist, limits are those of the code."""
import pathlib
import re

import sources

complaints = sources.Complaints()
names = set(sources.files())
folders = {str(parent) for name in names for parent in pathlib.PurePath(name).parents}
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
NAMED = re.compile(r"`((?:src|docs|tests|bench|content|examples|packaging)/[\w./*-]+)`")
# A row of a table of limits: | what | number | `CONSTANT` in `file` | …
LIMIT = re.compile(r"\|[^|]*\| *([\d,.]+)( KiB| MiB| GiB|)[^|]*\| *`(\w+)` in `([\w./]+)` *\|")
UNITS = {"": 1, " KiB": 1 << 10, " MiB": 1 << 20, " GiB": 1 << 30}


def exists(target):
    target = target.rstrip("/")
    if "*" in target:
        return any(pathlib.PurePath(name).match(target) for name in names)
    return target in names or target in folders


def is_named(page, target):
    """From the top, from src/ as in an #include, or from the page; NAME in capitals stands for any."""
    return (re.search(r"[A-Z]{4,}", target) or exists(target) or exists("src/" + target)
            or exists(resolve(page, target) or "?"))


def resolve(page, target):
    parts = []
    for part in (pathlib.PurePath(page).parent / target).parts:
        if part == "..":
            if not parts:
                return None
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts) or "."


def value(name, constant):
    """What `CONSTANT = …` in an enum, or a #define of it, in a C file comes to; None: it is not there or no plain number."""
    text = sources.code(name)
    found = re.search(rf"\b{constant}\s*=\s*([^,}}]+?)\s*[,}}]", text)
    found = found or re.search(rf"#define {constant} \((.+)\)\n", text)
    expression = re.sub(r"(?<=\d)[uUlL]+\b", "", found.group(1)) if found else ""
    expression = " ".join(expression.split())
    if not re.fullmatch(r"[\d xXa-fA-F()+*<-]+", expression):
        return None
    return eval(expression, {"__builtins__": {}})  # digits and operators alone, see above


for name in sorted(names):
    if not name.endswith(".md"):
        continue
    for number, line in enumerate(sources.text(name).splitlines(), 1):
        for target in LINK.findall(line):
            if "://" not in target and not exists(resolve(name, target) or "?"):
                complaints.say(name, number, f"the link to {target} leads nowhere")
        for target in NAMED.findall(line):
            if not is_named(name, target):
                complaints.say(name, number, f"there is no {target}")
        for written, unit, constant, file in LIMIT.findall(line):
            is_now = value(file, constant) if file in names else None
            if is_now != int(written.replace(",", "")) * UNITS[unit]:
                complaints.say(name, number, f"{constant} in {file} is {is_now}, not {written}{unit}")
complaints.end()
