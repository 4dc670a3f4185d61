#!/usr/bin/python3
"""Events to measure with: bench/events.py KIND COUNT RULES OUT RECORDING... [--seed S]

    ordinary     process events of the recordings, as they were
    golden       the same; of thinned recordings, so that what is rare and long is there more often
    derived      made of what the rules in the folder RULES look for: each is near some rule
    adversarial  command lines of 32 KiB made to be slow: what rules look for again and again, what
                 begins so and ends otherwise, one letter, dashes, and bytes that no filter can skip

Lines in Sigma's names, or as recorded. Deterministic.
"""

import argparse
import json
import pathlib
import random
import subprocess

import yaml

from mutate import texts_of

LONG = 32 * 1024 - 64  # bytes: a text of an event ends at 32 KiB
FIELDS = ["CommandLine", "Image", "ParentImage", "ParentCommandLine", "CurrentDirectory", "User"]


def is_process(event):
    return event.get("type") == "process_exec" or event.get("category") == "process_creation"


def recorded(paths):
    for path in paths:
        command = ["zstdcat", "-f", path]  # files that are not packed go through as they are
        text = subprocess.run(command, capture_output=True, check=True).stdout.decode()
        for line in text.splitlines():
            event = json.loads(line)
            if is_process(event):
                event.pop("product", None)  # rules to measure with have none
                yield event


def literals(folder):
    """Field: texts, wildcards and escapes taken away; keys without a plain text are left out."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found = {}
    files = sorted(pathlib.Path(folder).glob("*.yml"))
    for rule in yaml.load_all("".join(f.read_text(encoding="utf-8") for f in files), loader):
        for key, text in texts_of(rule["detection"]):
            field, *modifiers = key.split("|")
            if field in FIELDS and not {"re", "cidr", "fieldref", "base64offset"} & set(modifiers):
                found.setdefault(field, []).append(text.replace("*", "x").replace("\\\\", "\\"))
    return found


def event(**fields):
    return {"category": "process_creation", "fields": fields}


def derived(rng, found):
    while True:
        fields = {}
        for field in FIELDS:
            texts = found.get(field, ["x"])
            if field.endswith("CommandLine"):
                fields[field] = " ".join(rng.choice(texts) for _ in range(rng.randint(1, 5)))
            else:
                fields[field] = rng.choice(["", "C:\\Windows", "/usr/bin"]) + rng.choice(texts)
        yield event(**fields)


def fill(rng, texts, change):
    out = ""
    while len(out) < LONG:
        out += change(rng.choice(texts))
    return out[:LONG]


def adversarial(rng, found):
    texts = [t for t in found.get("CommandLine", ["abcd"]) if len(t) >= 3]
    names = found.get("Image", ["x"])
    shapes = [
        lambda: fill(rng, texts, lambda t: t),
        lambda: fill(rng, texts, lambda t: t + " "),
        lambda: fill(rng, texts, lambda t: t[:-1] + "~"),
        lambda: fill(rng, texts, lambda t: t[: len(t) // 2 + 2]),
        lambda: fill(rng, texts, lambda t: "x" + t[1:]),
        lambda: fill(rng, rng.sample(texts, 3), lambda t: t),
        lambda: rng.choice("ae0 ") * LONG,
        lambda: "-" * LONG,
        lambda: " -/" * (LONG // 3),
        lambda: "".join(rng.choice("abcdefghijklmnopqrstuvwxyz -/.\\") for _ in range(LONG)),
        lambda: "\u2013" * (LONG // 3),
        lambda: "A" * (LONG // 2) + "=" * 8 + "a1B2" * 4000,
    ]
    while True:
        for make in shapes:
            line = make()
            yield event(Image=rng.choice(names), CommandLine=line.encode()[:LONG].decode(errors="ignore"))


def main():
    parse = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parse.add_argument("kind", choices=["ordinary", "golden", "derived", "adversarial"])
    parse.add_argument("count", type=int)
    parse.add_argument("rules", help="a folder")
    parse.add_argument("out", type=pathlib.Path)
    parse.add_argument("recordings", nargs="*")
    parse.add_argument("--seed", default="1")
    options = parse.parse_args()
    rng = random.Random(f"{options.kind}:{options.seed}")
    if options.kind in ("ordinary", "golden"):
        made = list(recorded(options.recordings))
        rng.shuffle(made)
    else:
        made = {"derived": derived, "adversarial": adversarial}[options.kind](rng, literals(options.rules))
    with options.out.open("w", encoding="utf-8") as out:
        for _, line in zip(range(options.count), made):
            out.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
