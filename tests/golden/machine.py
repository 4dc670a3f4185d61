#!/usr/bin/env python3
"""Boots the machine of image.sh in QEMU, does at its serial console what the scenes say, and keeps what
its recorder wrote.

    machine.py DIR OUT SCENE...     DIR: disk.img, vmlinuz, initrd; OUT: a recording

A scene is a text file. Each line is typed and waits for the next prompt; `? REGEX` after a line waits
for that instead; `! SECONDS` sets how long the lines below may take; `#` is a comment. Between scenes
the program /bin/true runs with the scene's name, so that thin.py can tell them apart.
"""
import os
import pathlib
import re
import select
import subprocess
import sys
import time

# Emulated without hardware help, and beside others: an hour is an accident, not slowness.
LINE_SECONDS = 600
BOOT_SECONDS = 1800
SETTLE_SECONDS = 120  # what systemd starts after the login prompt
DISK = 128 << 20  # room for the recording
PROMPT = r"@debian:[^\r\n]*[#$] (\x1b\[\?2004h)?$"
MARK = "/bin/true golden-scene"
BLOCK = 1 << 16  # no frame of a recording holds so many zeroes


class Console:
    """The machine's serial console: what it printed, and what is typed."""

    def __init__(self, folder, recording, log):
        command = ["qemu-system-x86_64", "-accel", "tcg", "-smp", "1", "-m", "3072", "-no-reboot",
                   "-display", "none", "-monitor", "none", "-serial", "stdio",
                   # Name and time come from DHCP and the clock; nothing leads out.
                   "-nic", "user,restrict=on,model=virtio-net-pci",
                   "-drive", f"file={folder / 'disk.img'},format=raw,if=virtio,snapshot=on",
                   "-drive", f"file={recording},format=raw,if=virtio,cache=unsafe",
                   "-kernel", folder / "vmlinuz", "-initrd", folder / "initrd",
                   "-append", "root=/dev/vda ro console=ttyS0 net.ifnames=0 quiet"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.log = log
        self.text = ""

    def type(self, line):
        self.text = ""
        os.write(self.process.stdin.fileno(), line.encode() + b"\r")

    def wait(self, pattern, seconds):
        """Until the pattern was printed; False: the machine is off. Too long is an error."""
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.text):
            left = deadline - time.monotonic()
            if left <= 0:
                raise SystemExit(f"machine: no {pattern!r} within {seconds} s; the end was:\n{self.text[-2000:]}")
            if not select.select([self.process.stdout], [], [], left)[0]:
                continue
            read = os.read(self.process.stdout.fileno(), 4096)
            if not read:
                return False
            self.log.write(read)
            self.log.flush()
            self.text = (self.text + read.decode(errors="replace"))[-20000:]
        return True


def steps_of(scene):
    """(line, what is awaited, seconds) for each line of a scene."""
    seconds = LINE_SECONDS
    steps = []
    for line in scene.read_text().splitlines():
        if line.startswith("? "):
            steps[-1] = (steps[-1][0], line[2:], seconds)
        elif line.startswith("! "):
            seconds = int(line[2:])
        elif line and not line.startswith("#"):
            steps.append((line, PROMPT, seconds))
    return steps


def play(console, scene):
    name = scene.stem.split("-", 1)[1]
    start = time.monotonic()
    steps = steps_of(scene)
    # The first scene begins at the login prompt, where no program can be run.
    if console.logged_in:
        console.type(f"{MARK} {name}")
        console.wait(PROMPT, LINE_SECONDS)
    for line, pattern, seconds in steps:
        console.type(line)
        # What was typed comes back first, and may look like what is awaited.
        time.sleep(0.3)
        if not console.wait(pattern, seconds):
            break
    console.logged_in = True
    print(f"machine: {name}: {len(steps)} lines, {time.monotonic() - start:.0f} s", flush=True)


def copy_recording(disk, out):
    """Everything up to the zeroes at the end, a block of which stays: frames too may end in zeroes."""
    whole, zeroes = disk.read_bytes(), bytes(BLOCK)
    blocks = next((n for n in range(0, len(whole), BLOCK) if whole[n:n + BLOCK] == zeroes), len(whole))
    out.write_bytes(whole[:blocks])


def main(arguments):
    if len(arguments) < 3:
        print(__doc__, file=sys.stderr)
        return 64
    folder, out = pathlib.Path(arguments[0]), pathlib.Path(arguments[1])
    recording = folder / "recording.img"
    with open(recording, "wb") as disk:
        disk.truncate(DISK)
    with open(folder / "console.log", "wb") as log:
        console = Console(folder, recording, log)
        console.logged_in = False
        try:
            start = time.monotonic()
            console.wait(r"debian login: $", BOOT_SECONDS)
            print(f"machine: boot: {time.monotonic() - start:.0f} s", flush=True)
            time.sleep(SETTLE_SECONDS)
            for scene in arguments[2:]:
                play(console, pathlib.Path(scene))
            console.process.wait(LINE_SECONDS)
        finally:
            if console.process.poll() is None:
                console.process.kill()
    copy_recording(recording, out)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
