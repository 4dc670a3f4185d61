#!/usr/bin/env python3
"""`bulkhead drill channel-291` with everything that a build folder has: drill_test.py BULKHEAD"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import programs
from tap import Tap

BULKHEAD = sys.argv[1]
SECONDS = 60
PROGRAMS = 50
# What each try has to be stopped by, in the order of the variants.
GATES = {1: ["build", "verify", "verify"], 2: ["load"], 3: ["verify"], 4: ["verify", "verify"], 5: ["vectors", "vectors"],
         6: ["run"], 0: ["none needed"]}
tap = Tap()


def drill(*options, program=BULKHEAD, **keys):
    return subprocess.run([program, "drill", *options], capture_output=True, text=True, timeout=SECONDS, check=False,
                          **keys)


def left_behind():
    mounts = pathlib.Path("/proc/mounts").read_text()
    return [str(path) for path in pathlib.Path("/run").glob("bulkhead-drill-*")] + ["mount"] * ("bulkhead-drill" in mounts)


def test_whole():
    done = drill("channel-291", "--json")
    report = json.loads(done.stdout)
    gates = {}
    for attempt in report["tries"]:
        gates.setdefault(attempt["variant"], []).append(attempt["gate"])
    tap.check(done.returncode == 0 and report["passed"] and not done.stderr, "every fault is stopped", done.stdout + done.stderr)
    tap.check(gates == GATES, "each at the earliest gate", gates)
    tap.check(report["left_out"] == [], "nothing is left out", report["left_out"])
    for attempt in report["tries"]:
        live = attempt.get("live")
        if live:
            well = live["seen"] == live["started"] == PROGRAMS and live["guard_lived"] and live["said"]
            tap.check(well, f"{attempt['name']}: the machine works on, events flow, and people are told", live)
    tap.check(not left_behind(), "nothing is left behind", left_behind())
    tap.check(report["ms"] < 20000, f"it took {report['ms']} ms", report["ms"])


def test_words():
    copy = programs.for_anyone(pathlib.Path(BULKHEAD).resolve().parents[2]) / "src/ctl/bulkhead"
    done = drill("channel-291", program=copy, cwd="/", user="nobody", group="nogroup", extra_groups=[])
    tap.check(done.returncode == 0 and "19 July 2024" in done.stdout and "needs root" in done.stdout
           and "\x1b" not in done.stdout, "without root it says what it left out", done.stdout + done.stderr)
    done = drill("channel-292")
    tap.check(done.returncode == 2 and "channel-291" in done.stderr, "there is one drill", done.stderr)


def test_without_verifier():
    copy = programs.for_anyone(pathlib.Path(BULKHEAD).resolve().parents[2])
    (copy / "src/verify/bulkhead-verify").unlink()
    done = drill("channel-291", program=copy / "src/ctl/bulkhead")
    tap.check(done.returncode == 70 and "cannot find bulkhead-verify" in done.stderr and "came through" not in done.stdout,
              "without bulkhead-verify it judges nothing", done.stdout + done.stderr)


def test_changed_root():
    """There the kernel's paths begin with the folder that is the root here."""
    with tempfile.TemporaryDirectory(prefix="drill-root-") as folder:
        command = f"mount --rbind / {folder} && exec chroot {folder} {os.path.realpath(BULKHEAD)} drill channel-291"
        done = subprocess.run(["unshare", "-m", "sh", "-c", command], capture_output=True, text=True, timeout=SECONDS,
                              check=False)
    tap.check(done.returncode == 0 and done.stdout.count("50 of 50 programs seen") == 2, "in a changed root it sees its programs",
           done.stdout + done.stderr)
    tap.check("could not be started" not in done.stdout, "what it quotes is about the fault", done.stdout)


if os.geteuid() != 0:
    print("Bail out! the drill's whole needs root, as guard does")
    sys.exit(1)
test_whole()
test_words()
test_without_verifier()
test_changed_root()
sys.exit(tap.finish())
