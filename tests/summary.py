#!/usr/bin/env python3
"""Sums up a check: summary.py STEPS TESTLOG.json… prints "N passed, N failed" and exits 1 on a failure.

STEPS holds "ok - …" and "not ok - …" lines. Of a TAP test each line counts, of another the whole.
"""
import json
import pathlib
import sys


def tap_counts(text):
    lines = [line.strip() for line in text.splitlines()]
    return (sum(line.startswith("ok ") for line in lines),
            sum(line.startswith("not ok ") for line in lines))


passed, failed = 0, 0
for name in sys.argv[1:]:
    path = pathlib.Path(name)
    if not path.exists():
        continue
    if path.suffix != ".json":
        good, bad = tap_counts(path.read_text())
        passed, failed = passed + good, failed + bad
        continue
    for line in path.read_text().splitlines():
        test = json.loads(line)
        good, bad = tap_counts(test.get("stdout") or "")
        whole = test["result"] in ("OK", "EXPECTEDFAIL")
        if good + bad == 0:
            good, bad = int(whole), int(not whole)
        elif not whole and bad == 0:
            bad = 1  # it crashed or timed out after its last line
        passed, failed = passed + good, failed + bad
        if not whole:
            print(f"failed: {test['name']} ({test['result']})")
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed or not passed else 0)
