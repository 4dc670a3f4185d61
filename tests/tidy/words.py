#!/usr/bin/env python3
"""Nothing committed knows the machine that it was written on; links lead where we say."""
import pathlib
import re

import sources

# Folders that every machine has: only below them is a path somebody's own.
COMMON = {"home", "root", "tmp", "usr", "opt", "srv", "var", "mnt", "media", "run", "build", "src", "dev", "etc"}
# Where documents and comments may point to. Test data names what attackers use: it is left out.
HOSTS = {"attack.mitre.org", "github.com", "www.kernel.org", "docs.kernel.org", "www.rfc-editor.org", "www.w3.org",
         "json.schemastore.org", "schema.ocsf.io", "sigmahq.io", "yaml.org", "www.gnu.org"}
DATA = ("content/", "tests/content/", "tests/corpus/", "tests/golden/scenes/")

complaints = sources.Complaints()
own = [str(sources.ROOT)]
first = sources.ROOT.parts[1] if len(sources.ROOT.parts) > 2 else ""
if first and first not in COMMON:
    own.append(f"/{first}/")
own_path = re.compile("|".join(rf"(?<![\w.]){re.escape(path)}" for path in own))
link = re.compile(r"https?://([\w.-]+)")

for name in sources.files():
    raw = (sources.ROOT / name).read_bytes()
    if b"\0" in raw:
        continue
    for number, line in enumerate(raw.decode(errors="replace").splitlines(), 1):
        found = own_path.search(line)
        if found:
            complaints.say(name, number, f"{found.group()} is a path of this machine")
        if name.startswith(DATA) or pathlib.PurePath(name).name.endswith(("_test.c", "_test.sh", "LICENSE")):
            continue
        for host in link.findall(line):
            if host not in HOSTS:
                complaints.say(name, number, f"{host} is not among the hosts that we point to (tests/tidy/words.py)")
complaints.end()
