#!/usr/bin/env python3
"""Makes the golden recordings out of a raw one: a file for each scene, exact repeats left out.

    thin.py RAW FOLDER      RAW: what `bulkhead record` wrote

Events that differ only in numbers which every run gives anew (pid, time, inode, port …) are repeats: the
first three of a scene stay, so that each distinct behaviour does. So it is with the names of data files in
one folder of a package. What the recording machinery did is
left out. The same raw file makes the same bytes.
"""
import json
import pathlib
import re
import subprocess
import sys

REPEATS = 3
FIRST_SCENE = "boot"
# Nobody can mark the login at which the second scene begins.
LOGIN = "/usr/bin/login"
MARK = "/bin/true golden-scene "
# About Bulkhead itself; a pack gets no such events.
OURS = {"alert", "health"}
HEADER, LOST = '{"bulkhead_recording":', '{"bulkhead_lost":'
# Debian ships files that are named after places where packages come from; those are nobody's business here.
MIRROR = re.compile(r"\bapt\.\w+\.org\b")
HARNESS = "/usr/lib/golden/"
# What another run of the same behaviour has otherwise.
FRESH = {"seq", "type_seq", "time", "process_guid", "pid", "parent_guid", "parent_pid", "child_pid",
         "child_guid", "target_pid", "target_guid", "session", "exe_inode", "file_inode", "source_port",
         "program_id", "container"}
# Names made at random: dpkg's and apt's, compilers' and mktemp's, podman's and systemd's.
RANDOM = re.compile(r"(?<=/)(\d+|[0-9a-f]{12,}|cc[A-Za-z0-9]{6}\.\w+|tmp\.?[A-Za-z0-9_]{6,10})(?=[/ ]|$)|[0-9a-f]{32,}"
                    r"|(?<=[._-])(?=[A-Za-z]*[A-Z0-9])[A-Za-z0-9]{6}(?=[/ ]|$)|\d{4,}")

# Folders that packages fill with data: there the name of a file is no behaviour, its folder is.
BULK = re.compile(r"^((/usr)?/(share|include|lib/(python3[\d.]*|postgresql|x86_64-linux-gnu/perl(-base)?))/(.*/)?)[^/]+$")
# An initramfs is made by handling some thousand kernel modules in the same way.
MODULE = re.compile(r"/lib/modules/[^ ]+")
# An image is unpacked by file: of what is not configuration the uppermost two folders tell enough.
IMAGE = re.compile(r"^(?:/.*/containers/storage/(?:vfs/dir|overlay)/[0-9a-f]+(?:/diff|/merged)?)?"
                   r"(/(?!etc/)[^/]+(?:/[^/]+)?)(?:/.*)?$")


def plain(value):
    return RANDOM.sub("#", MODULE.sub("/lib/modules/#", BULK.sub(r"\1#", value))) if isinstance(value, str) else value


def key_of(event):
    """Everything about an event; of what is fresh in each run, that it is there."""
    event = dict(event)
    unpacks = event.get("command_line", "").startswith("storage-")
    for name in ("target_path", "source_path"):
        if name in event and (unpacks or "/containers/storage/" in event[name]):
            event[name] = IMAGE.sub(r"\1/#", event[name])
    return json.dumps([(name, plain(value)) for name, value in event.items() if name not in FRESH]
                      + sorted(FRESH & event.keys()))


def is_harness(event):
    texts = [event.get(name, "") for name in ("path", "command_line", "parent_command_line", "invoked_path")]
    return any(HARNESS in text for text in texts) or any(MARK in text for text in texts)


def scenes_of(lines):
    """(scene, event) for each event that the machine itself made."""
    scene = FIRST_SCENE
    for line in lines:
        event = json.loads(line)
        if event.get("type", "alert") in OURS:
            continue
        command = event.get("command_line", "")
        if event["type"] == "process_exec" and command.startswith(MARK):
            scene = command[len(MARK):]
        elif scene == FIRST_SCENE and event.get("path") == LOGIN:
            scene = "login"
        if not is_harness(event) and not MIRROR.search(line):
            yield scene, event


def thin(lines):
    """{scene: [event]} and how many there were."""
    kept, seen, total = {}, {}, 0
    for scene, event in scenes_of(lines):
        total += 1
        key = (scene, key_of(event))
        seen[key] = seen.get(key, 0) + 1
        if seen[key] <= REPEATS:
            kept.setdefault(scene, []).append(event)
    return kept, total


def read_raw(path):
    """Header and lines. The machine went off while it recorded: what follows the last frame is noise."""
    unpacked = subprocess.run(["zstd", "-dcq", path], capture_output=True, check=False).stdout
    lines = unpacked.decode().splitlines()
    if not lines or not lines[0].startswith(HEADER):
        raise SystemExit(f"thin: {path} is no recording")
    lost = [line for line in lines if line.startswith(LOST)]
    if lost:
        raise SystemExit(f"thin: the recorder lost events ({lost[0]}): record again")
    return json.loads(lines[0]), lines


def write(path, header, events):
    """A recording as docs/formats/recording.md describes it, in one frame."""
    lines = [header | {"started": events[0]["time"]}, *events]
    lines.append({"bulkhead_end": {"events": len(events), "lost": 0}})
    text = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)
    subprocess.run(["zstd", "-q", "-f", "-19", "--check", "-o", path], input=text.encode(), check=True)
    print(f"{path.name}: {len(events)} events, {len(text)} bytes, {path.stat().st_size} packed")


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 64
    folder = pathlib.Path(arguments[1])
    header, lines = read_raw(arguments[0])
    kept, total = thin(lines)
    for scene, events in kept.items():
        write(folder / f"{scene}.jsonl.zst", header, events)
    print(f"{sum(map(len, kept.values()))} of {total} events kept")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
