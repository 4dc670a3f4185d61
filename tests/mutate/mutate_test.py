#!/usr/bin/python3
"""Random changes of a pack of many rules: mutate_test.py BUILD [--seconds N] [--count N] [--rules N]

The rules are those of content/rules, made to be many; see pack_mutate.c for what has to hold.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(*command):
    subprocess.run([str(c) for c in command], check=True, stdout=subprocess.DEVNULL)


def main():
    parse = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parse.add_argument("build", type=pathlib.Path)
    parse.add_argument("--seconds", default="30")
    parse.add_argument("--count", default="1000000")
    parse.add_argument("--rules", default="3000")
    parse.add_argument("--seed", default="1")
    parse.add_argument("--from", dest="sources", nargs="*", default=[ROOT / "content/rules"])
    options = parse.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        rules, pack, events = folder / "rules", folder / "pack", folder / "events.jsonl"
        run(ROOT / "bench/mutate.py", options.rules, rules, *options.sources)
        run(options.build / "src/ctl/bulkhead", "content", "build", rules, "-o", pack, "--any-product")
        run(ROOT / "bench/events.py", "derived", 60, rules, events)
        tool = options.build / "tests/mutate/pack_mutate"
        done = subprocess.run([tool, pack, events, options.seconds, options.count, options.seed], check=False)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
