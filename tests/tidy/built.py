#!/usr/bin/env python3
"""No dead files: each .c below src/, tests/, bench/ and examples/ is named by its folder's meson.build."""
import pathlib
import re

import sources

complaints = sources.Complaints()
names = sources.files()
meson = {str(pathlib.PurePath(name).parent): sources.text(name)
         for name in names if pathlib.PurePath(name).name == "meson.build"}
# Examples are built as vendors do it, by the script that tests them.
scripts = "".join(sources.text(name) for name in names if name.startswith("examples/") and name.endswith(".sh"))


def is_built(path):
    if path.parts[0] == "examples" and f"/{path.parent.name}/{path.name}" in scripts:
        return True
    for folder in [path.parent, *path.parent.parents]:
        words = meson.get(str(folder), "")
        relative = str(path.relative_to(folder))
        if f"'{relative}'" in words or f"'{path.name}'" in words:
            return True
        stem = re.fullmatch(r"(.*?)(_test|_fuzz|)\.c", path.name)
        for name, rest in [(path.stem, ".c"), (stem.group(1), stem.group(2) + ".c")]:
            if f"'{name}'" in words and f"+ '{rest}'" in words:
                return True
    return False


for name in names:
    path = pathlib.PurePath(name)
    if path.suffix == ".c" and not is_built(path):
        complaints.say(name, 1, "no meson.build names it: build it or delete it")
for folder in sorted(meson):
    parent, last = str(pathlib.PurePath(folder).parent), pathlib.PurePath(folder).name
    if folder != "." and not re.search(rf"subdir\('{re.escape(last)}'\)", meson.get(parent, "")):
        complaints.say(f"{parent}/meson.build", 1, f"subdir('{last}') is missing: nothing in {folder} is built")
complaints.end()
