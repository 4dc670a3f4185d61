"""What the integration tests share: a real instance in a home of its own, and TAP output."""
import atexit
import functools
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback


def checksum(data):
    """FNV-1a over words, as docs/formats/pack.md says: a pack that is wrong in itself, and whole."""
    def step(hash_, word):
        return ((hash_ ^ word) * 0x100000001b3) % (1 << 64)

    start, size = 0xcbf29ce484222325, len(data) // 8 * 8
    sums = [start] * 4
    for i, (word,) in enumerate(struct.iter_unpack("<Q", data[:size])):
        sums[i % 4] = step(sums[i % 4], 0 if i == 4 else word)
    return functools.reduce(step, sums, start)


def wait_for(condition, seconds, what):
    """Waits until condition() is true; returns how long it took, in seconds."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > seconds:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.002)
    return time.monotonic() - start


class Instance:
    """One `bulkhead run`, with everything below it, in a scratch home."""

    def __init__(self, build, content="content/content.pack", home=None):
        """`home`: of an instance that left it."""
        self.build = pathlib.Path(build).resolve()
        self.home = home or pathlib.Path(tempfile.mkdtemp(prefix="bulkhead-test-", dir="/run"))
        command = [self.build / "src/ctl/bulkhead", "run", "--json", "--home", self.home]
        if content:
            command += ["--content", self.build / content]
        self.log = open(self.home.with_suffix(".log"), "w+")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT)
        atexit.register(self.stop)
        wait_for(lambda: self.component("courier").get("state") == "running", 20, "start")
        if content:
            wait_for(lambda: self.component("engine").get("state") == "running", 5, "engine")
        parts = {"courier", "engine"} if content else {"courier"}
        wait_for(lambda: parts <= {c["name"] for c in self.status()["clients"]}, 5, "clients")

    def ctl(self, *arguments):
        return subprocess.run([self.build / "src/ctl/bulkhead", *map(str, arguments)], text=True,
                              capture_output=True, env={**os.environ, "BULKHEAD_HOME": str(self.home)})

    def status(self):
        """{} while guard does not answer; its exit code says whether all is well, not whether it spoke."""
        done = self.ctl("status", "--json")
        return json.loads(done.stdout) if done.stdout.startswith("{") else {}

    def component(self, name):
        return next((c for c in self.status().get("components", []) if c["name"] == name), {})

    def guard_pid(self):
        return self.status().get("pid", 0)

    def alerts(self):
        path = self.home / "spool/alerts.jsonl"
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]  # the last one may be on its way

    def stop(self, leave=False):
        """Ctrl-C; returns the exit code. What is left behind fails the test. `leave`: the home for another instance."""
        if not self.process:
            return None
        process, self.process = self.process, None
        process.send_signal(signal.SIGINT)
        code = process.wait(timeout=20)
        self.log.close()
        mounts = pathlib.Path("/proc/mounts").read_text()
        assert str(self.home) not in mounts, "a mount is left behind"
        assert not (self.home / "run/guard.sock").exists(), "the socket is left behind"
        if not leave:
            shutil.rmtree(self.home)
            self.home.with_suffix(".log").unlink(missing_ok=True)
        return code


class Counter:
    """tests/integration/counter beside an instance."""

    def __init__(self, instance, **wanted):
        command = [instance.build / "tests/integration/counter", instance.home]
        for name, value in wanted.items():
            command += ["--" + name, str(value)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"
        time.sleep(0.3)  # guard has the subscription before the first event of the test

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        return json.loads(self.process.communicate(timeout=30)[0])


def main(tests):
    """Runs the tests as TAP; returns the exit code."""
    if os.geteuid() != 0:
        print("Bail out! these tests need root, as Bulkhead does")
        return 1
    print(f"1..{len(tests)}", flush=True)
    failed = 0
    for number, test in enumerate(tests, 1):
        try:
            for line in test() or []:
                print(f"# {line}", flush=True)
            print(f"ok {number} - {test.__name__}", flush=True)
        except Exception:
            failed += 1
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
            print(f"not ok {number} - {test.__name__}", flush=True)
    return 1 if failed else 0
