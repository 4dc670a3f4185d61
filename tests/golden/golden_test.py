#!/usr/bin/env python3
"""Runs the shipped pack over the golden recordings and prints TAP: nothing that a healthy machine does
may raise an alert of level medium or above.

    golden_test.py BULKHEAD PACK FOLDER
"""
import collections
import json
import pathlib
import re
import subprocess
import sys

sys.path[:0] = map(str, pathlib.Path(__file__).resolve().parents[:2])
import thin
from tap import Tap

QUIET_LEVELS = {"informational", "low"}
COMMAND_SECONDS = 60
SIZE_MAX = 3 << 19  # bytes of all recordings: each clone carries them
# What each recording has at least, a quarter of what it had when it was made: less is a broken recording.
AT_LEAST = {
    "boot": {
        "file_modify": 296, "file_create": 194, "file_attribute": 118, "file_rename": 116, "process_exit": 42,
        "process_exec": 40, "mount": 31, "process_fork": 22, "credential_change": 22, "file_unlink": 21,
        "file_open": 8, "unmount": 8, "network_connect": 4, "module_load": 3, "namespace_change": 3,
        "network_listen": 2, "bpf_load": 2},
    "login": {
        "file_modify": 138, "file_create": 63, "credential_change": 53, "file_attribute": 47, "process_exit": 46, "process_exec": 43, "file_rename": 35, "process_fork": 31, "file_unlink": 30, "file_open": 24,
        "network_connect": 10, "memfd_create": 2},
    "work": {
        "file_attribute": 628, "file_create": 465, "file_modify": 188, "file_rename": 158, "process_exit": 84,
        "process_exec": 67, "file_unlink": 63, "process_fork": 36, "file_open": 27, "credential_change": 22,
        "mount": 16, "file_link": 14, "unmount": 5, "network_connect": 5, "bpf_load": 2},
    "compile": {
        "process_exit": 164, "process_exec": 153, "file_create": 75, "process_fork": 60, "file_unlink": 52,
        "file_modify": 18, "file_attribute": 16, "file_link": 9, "file_rename": 6, "credential_change": 2,
        "file_open": 2},
    "upgrade": {
        "file_attribute": 1977, "file_modify": 1120, "file_create": 923, "file_unlink": 630, "file_rename": 612,
        "file_link": 499, "process_exit": 490, "process_exec": 427, "process_fork": 208, "credential_change": 15, "file_open": 3, "bpf_load": 2},
    "packages": {
        "file_modify": 554, "file_attribute": 457, "process_exit": 253, "file_create": 230, "process_exec": 221,
        "file_unlink": 174, "process_fork": 154, "file_rename": 139, "file_link": 47, "credential_change": 23,
        "file_open": 11, "mount": 11, "unmount": 3, "bpf_load": 2},
    "container": {
        "file_create": 1137, "file_attribute": 587, "file_modify": 309, "file_unlink": 139, "process_exit": 130,
        "process_exec": 126, "mount": 103, "process_fork": 61, "file_rename": 58, "namespace_change": 28,
        "credential_change": 27, "unmount": 23, "file_open": 12, "module_load": 7, "file_link": 3, "bpf_load": 3, "network_connect": 2},
    "timers": {
        "file_modify": 86, "process_exit": 68, "process_exec": 59, "file_create": 43, "process_fork": 37,
        "file_attribute": 37, "file_unlink": 35, "credential_change": 30, "file_rename": 19, "mount": 16,
        "unmount": 5, "file_open": 2},
    "shutdown": {
        "file_modify": 78, "file_unlink": 28, "process_exit": 17, "process_exec": 11, "file_create": 11,
        "file_attribute": 10, "file_rename": 7, "process_fork": 7, "credential_change": 5},
}
# Of these a recording of an ordinary machine has at least one somewhere.
TYPES = """process_exec process_fork process_exit file_create file_modify file_rename file_link file_unlink
    file_attribute file_open network_connect network_accept network_listen process_trace credential_change
    module_load bpf_load mount unmount namespace_change memfd_create""".split()
# Every event line begins with its type; notes about the recording do not.
TYPE = re.compile(r'\{"type":"(\w+)"')
# What would tell where a recording was made. Addresses are QEMU's, the machine's own and its containers'.
FOREIGN = re.compile(r"https?://(?!localhost|127\.0\.0\.1|example\.com)[\w.-]*|BEGIN [A-Z ]*KEY|golden-two")


def read_lines(path):
    done = subprocess.run(["zstd", "-dcq", path], capture_output=True, timeout=COMMAND_SECONDS, check=True)
    return done.stdout.decode().splitlines()


def check_counts(name, lines):
    counts = collections.Counter(found[1] for line in lines if (found := TYPE.match(line)))
    return counts, [
        f"{name}: {counts[type]} of {type}, expected {least} at least"
        for type, least in AT_LEAST[name].items()
        if counts[type] < least
    ]


def check_alerts(bulkhead, pack, name, lines):
    """Complaints about each alert, and how many there were of a level that people are not called for."""
    done = subprocess.run(
        [bulkhead, "content", "match", pack, "--events", "-", "--format", "json"],
        input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False)
    complaints = [] if done.returncode == 0 else [f"{name}: exit code {done.returncode}: {done.stderr.strip()[:200]}"]
    found = [json.loads(line) for line in done.stdout.splitlines()]
    for alert in found:
        if alert["level"] not in QUIET_LEVELS:
            event = json.loads(lines[alert["line"] - 1])
            what = event.get("target_path") or event.get("command_line", "")
            complaints.append(f"{name}:{alert['line']}: {alert['level']}: {alert['title']}: {event.get('path')}: {what[:100]}")
    return sum(alert["level"] in QUIET_LEVELS for alert in found), complaints


def check_words(name, lines):
    return [f"{name}:{n}: {found.group()}" for n, line in enumerate(lines, 1) if (found := FOREIGN.search(line))]


def check_thin():
    """Repeats go, what differs stays, scenes are told apart, the machinery is left out."""
    def exec_of(command, pid, path="/usr/bin/x"):
        return json.dumps({"type": "process_exec", "seq": pid, "pid": pid, "path": path, "command_line": command})
    raw = [exec_of("x", pid) for pid in range(1, 10)] + [exec_of("y", 10), exec_of("x", 11, "/usr/bin/login")]
    raw += [exec_of(thin.MARK + "work", 12), exec_of("x", 13), exec_of("/bin/sh /usr/lib/golden/ready", 14), '{"bulkhead_end":{}}']
    kept, total = thin.thin(raw)
    got = {scene: [event["pid"] for event in events] for scene, events in kept.items()}
    wanted = {"boot": [1, 2, 3, 10], "login": [11], "work": [13]}
    return [] if (got, total) == (wanted, 12) else [f"{got} of {total}, expected {wanted} of 12"]


def main(arguments):
    if len(arguments) != 3:
        print(__doc__, file=sys.stderr)
        return 64
    bulkhead, pack, folder = arguments[0], arguments[1], pathlib.Path(arguments[2])
    files = {path.name.split(".")[0]: path for path in sorted(folder.glob("*.jsonl.zst"))}
    tap = Tap()
    tap.result("thinning keeps each behaviour", check_thin())
    tap.result("every recording is there", sorted(AT_LEAST.keys() ^ files.keys()))
    size = sum(path.stat().st_size for path in files.values())
    tap.result(f"recordings have {size} bytes", [] if 0 < size <= SIZE_MAX else [f"at most {SIZE_MAX}"])
    every = collections.Counter()
    for name, path in files.items():
        lines = read_lines(path)
        counts, complaints = check_counts(name, lines)
        every += counts
        tap.result(f"{name} is whole", complaints)
        tap.result(f"{name} tells nothing of where it was made", check_words(name, lines))
        low, complaints = check_alerts(bulkhead, pack, name, lines)
        tap.result(f"{name}: {counts.total()} events are quiet, {low} low alerts", complaints)
    tap.result(f"{every.total()} events are of every type", [type for type in TYPES if not every[type]])
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
