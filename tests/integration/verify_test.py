#!/usr/bin/env python3
"""The real bulkhead-verify in its real cage: what it says, what it may do, when it ends. verify_test.py BUILD"""
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import time

import bulkhead

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import programs
from tap import Tap

BUILD = pathlib.Path(sys.argv[1])
VERIFY = BUILD / "src/verify/bulkhead-verify"
CTL = BUILD / "src/ctl/bulkhead"
PACK = BUILD / "content/content.pack"
SECONDS = 20
tap = Tap()


def ask(pack, *options, program=VERIFY, **keys):
    done = subprocess.run([program, *options], input=pack, capture_output=True, timeout=SECONDS, check=False, **keys)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def repaired(pack):
    pack = bytearray(pack)
    struct.pack_into("<Q", pack, 32, bulkhead.checksum(pack))
    return bytes(pack)


def section(pack, kind):
    """Offset, bytes of an item, items."""
    _, size, offset, count = struct.unpack_from("<IIQQ", pack, 64 + 24 * (kind - 1))
    return offset, size, count


def refuses(pack, words, name, *options):
    code, out, err = ask(pack, *options)
    tap.check(code == 1 and out.startswith("refused: ") and words in out and out.count("\n") == 1 and not err, name,
           f"{code}: {out}{err}")


def small_pack(folder):
    rule = folder / "rule.yml"
    rule.write_text("title: T\nid: the-rule\nlogsource: {category: process_creation}\n"
                    "detection:\n  s: {Image|endswith: /evil, CommandLine|contains: -x}\n  condition: s\n")
    pack = folder / "small.pack"
    subprocess.run([CTL, "content", "build", rule, "-o", pack], check=True, capture_output=True)
    return pack.read_bytes()


def test_answers(pack, small):
    code, out, err = ask(pack)
    tap.check(code == 0 and out.startswith("accepted: ") and "probes" in out and not err, "a pack is accepted",
           f"{code}: {out}{err}")
    code, out, _ = ask(pack, "--json")
    tap.check(code == 0 and json.loads(out)["accepted"] is True, "in JSON, too", out)
    refuses(b"", "header: ", "nothing is refused")
    refuses(small[:-8], "header: the pack was cut", "a cut pack is refused")
    changed = bytearray(small)
    struct.pack_into("<H", changed, 12, struct.unpack_from("<H", small, 12)[0] + 1)
    refuses(repaired(changed), "another schema", "one field more than the schema has is refused")
    refuses(pack, "too long", "a budget of time for one event", "--max-event-cost", "1000")


def probes_section(pack):
    """Probes follow the bytes of the vectors: items of 16 bytes, of one byte, of 8, each there."""
    kinds = struct.unpack_from("<Q", pack, 40)[0]
    for kind in range(kinds, 2, -1):
        three = [section(pack, kind - 2), section(pack, kind - 1), section(pack, kind)]
        if [size for _, size, _ in three] == [16, 1, 8] and all(count for _, _, count in three):
            return three[2]
    raise AssertionError("the pack has no probes")


def test_wildcard(small):
    """A probe that takes the field away shows no more than that it is there."""
    changed = bytearray(small)
    offset, _, _ = probes_section(small)
    struct.pack_into("<I", changed, offset, 0xFFFFFFFF)
    code, out, _ = ask(repaired(changed), "--json")
    answer = json.loads(out)
    tap.check(code == 1 and answer["rule"] == "the-rule" and answer["field"] == "path", "a wildcard is refused by name", out)
    code, out, _ = ask(repaired(changed), "--structure")
    tap.check(code == 0 and out.startswith("accepted: "), "and is whole in its structure", out)
    refuses(small[:-8], "header: the pack was cut", "a cut pack is not", "--structure")


def status_of(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def test_cage():
    """Looked at from outside, while it waits for the rest of a pack."""
    leak = os.open("/etc/passwd", os.O_RDONLY)
    os.set_inheritable(leak, True)
    child = subprocess.Popen([VERIFY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=False)
    end = time.monotonic() + SECONDS
    while status_of(child.pid).get("Seccomp") != "2" and time.monotonic() < end:
        time.sleep(0.01)
    status = status_of(child.pid)
    held = [status["Seccomp"] == "2", status["NoNewPrivs"] == "1", status["CapEff"].strip("0") == ""]
    tap.check(all(held), "it waits in a cage", status)
    if os.geteuid() == 0:
        links = {os.readlink(f"/proc/{child.pid}/ns/{name}") == os.readlink(f"/proc/self/ns/{name}")
                 for name in ("mnt", "net", "ipc")}
        tap.check(set(status["Uid"].split()) != {"0"} and links == {False}, "as nobody else, in namespaces of its own", status)
        fds = sorted(int(fd) for fd in os.listdir(f"/proc/{child.pid}/fd"))
        tap.check(fds == [0, 1, 2, 3, 4], "with no descriptor but its own", fds)
    os.close(leak)
    out, _ = child.communicate(b"x")
    tap.check(child.returncode == 1 and out.startswith(b"refused: "), "and answers when the pack ends", out)


def test_time():
    before = time.monotonic()
    child = subprocess.Popen([VERIFY, "--max-time", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    out = child.stdout.read()
    code = child.wait()
    child.stdin.close()
    took = time.monotonic() - before
    tap.check(code == 1 and b"took too long" in out and took < 5, "a pack that never ends is refused in time", out)
    with open("/dev/zero", "rb") as endless:
        done = subprocess.run([VERIFY], stdin=endless, capture_output=True, timeout=SECONDS, check=False)
    tap.check(done.returncode == 1 and b"--max-size" in done.stdout, "one that is endless, too", done.stdout)


def test_anyone(pack):
    """Who is not root gets the same answer in as much of the cage as there is for him."""
    if os.geteuid() != 0:
        return
    code, out, err = ask(pack, program=programs.for_anyone(BUILD) / "src/verify/bulkhead-verify", cwd="/", user="nobody", group="nogroup",
                         extra_groups=[])
    tap.check(code == 0 and out.startswith("accepted: "), "anyone may ask", f"{code}: {out}{err}")


def test_ctl(small, folder):
    path = folder / "bad.pack"
    path.write_bytes(small[:-8])
    done = subprocess.run([CTL, "content", "verify", path], capture_output=True, text=True, check=False)
    tap.check(done.returncode == 1 and done.stdout.startswith(f"{path}: refused: header: "),
           "the command line hands its answer on", done.stdout + done.stderr)
    done = subprocess.run([VERIFY, "--max-size", "x"], capture_output=True, text=True, check=False)
    tap.check(done.returncode == 2 and "no number" in done.stderr, "a limit that is none", done.stderr)


def test_told_once():
    """A cage that lacks something is told once a command, however often that asks; a drill asks 300 times."""
    if os.geteuid() != 0:
        return
    less = ["setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin"]
    done = subprocess.run([*less, CTL, "drill", "channel-291"], capture_output=True, text=True, check=False)
    tap.check(done.stderr.count("in a cage that lacks: ") == 1, "what a cage lacks is told once", done.stderr[:2000])


with tempfile.TemporaryDirectory() as place:
    small_one = small_pack(pathlib.Path(place))
    own = PACK.read_bytes()
    test_answers(own, small_one)
    test_wildcard(small_one)
    test_cage()
    test_time()
    test_anyone(own)
    test_ctl(small_one, pathlib.Path(place))
    test_told_once()
sys.exit(tap.finish())
