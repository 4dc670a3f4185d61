"""The product, through its real command: rules and events in, matches out. And rules as YAML."""

import json
import pathlib
import re
import subprocess

COMMAND_SECONDS = 300
PLAIN = re.compile(r"[a-z][a-z_]{0,20}\Z")
RESERVED = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}


class Failed(Exception):
    """The command itself went wrong."""


class TooMuch(Failed):
    """The rules together are over the product's budget for one event."""


def scalar(value):
    """YAML for a value, in the way of quoting that its text chooses."""
    if value is None or isinstance(value, (bool, int, float)):
        return json.dumps(value)
    if PLAIN.match(value) and value not in RESERVED:
        return value
    if value.isprintable() and len(value) % 3:
        return "'" + value.replace("'", "''") + "'"
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() or c == " " else f"\\U{ord(c):08x}" for c in quoted)


def emit(value, indent=0):
    """A block of YAML: maps and lists of scalars, of each other."""
    pad = " " * indent
    lines = []
    entries = value.items() if isinstance(value, dict) else [(None, v) for v in value]
    for key, inner in entries:
        head = pad + ("-" if key is None else scalar(key) + ":")
        if isinstance(inner, (dict, list)) and inner:
            lines += [head, emit(inner, indent + 4).rstrip("\n")]
        else:
            lines.append(head + " " + (json.dumps(inner) if inner in ({}, []) else scalar(inner)))
    return "\n".join(lines) + "\n"


class Product:
    """`bulkhead content` of a build folder, working in a folder of its own."""

    def __init__(self, build, folder):
        self.command = pathlib.Path(build) / "src/ctl/bulkhead"
        self.folder = pathlib.Path(folder)
        self.pack = self.folder / "pack"

    def run(self, *arguments):
        return subprocess.run(
            [self.command, "content", *arguments],
            capture_output=True,
            encoding="utf-8",
            timeout=COMMAND_SECONDS,
            check=False,
        )

    def build(self, texts):
        """For each text None, or why it was refused."""
        names = []
        for number, text in enumerate(texts):
            path = self.folder / f"{number}.yml"
            path.write_text(text, encoding="utf-8")
            names.append(str(path))
        self.pack.unlink(missing_ok=True)
        done = self.run("build", *names, "-o", self.pack, "--any-product", "--report", "json")
        try:
            report = json.loads(done.stdout)["rules"]
        except (ValueError, KeyError) as wrong:
            raise Failed(f"content build, exit code {done.returncode}: {done.stderr}") from wrong
        refusals = {name: None for name in names}
        for rule in report:
            if rule["status"] != "ok":
                refusals[rule["file"]] = f"{rule['class']}: {rule['reason']}"
        return list(refusals.values())

    def match(self, lines):
        """For each event line the sorted ids of the rules that match."""
        found = [[] for _ in lines]
        if not self.pack.exists():
            return found
        path = self.folder / "events.jsonl"
        with path.open("w", encoding="utf-8") as out:
            for line in lines:
                out.write(json.dumps(line, ensure_ascii=len(line["fields"]) % 2 == 0) + "\n")
        done = self.run("match", self.pack, "--events", path, "--names", "sigma", "--format", "json")
        if "would take too long" in done.stderr:
            raise TooMuch(done.stderr)
        if done.returncode != 0:
            raise Failed(f"content match, exit code {done.returncode}: {done.stderr}")
        for line in done.stdout.splitlines():
            match = json.loads(line)
            found[match["line"] - 1].append(match["rule"])
        return [sorted(ids) for ids in found]

    def decide(self, texts, lines):
        """`match` for all of these rules, which are valid: in as many packs as the budget wants."""
        self.build(texts)
        try:
            return self.match(lines)
        except TooMuch:
            if len(texts) == 1:
                raise
        half = len(texts) // 2
        parts = self.decide(texts[:half], lines), self.decide(texts[half:], lines)
        return [sorted(a + b) for a, b in zip(*parts)]
