#!/usr/bin/env python3
"""kill -9 of every part, at random moments of a storm: nothing is lost, everything is back at once."""
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import os

import bulkhead

BUILD = pathlib.Path(sys.argv[1]).resolve()
KILLS = int(sys.argv[2]) if len(sys.argv) > 2 else 50
BACK_S = 1.0


class Storm:
    """Execs, opens and connects until it is told to stop; knows how many it made."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bulkhead-kill-"))
        self.program, self.secret = self.folder / "storm-true", self.folder / "secret"
        shutil.copy("/bin/true", self.program)
        self.secret.write_text("x")
        self.made = {"exec": 0, "open": 0}
        self.running = {}

    def turn(self):
        """Starts what is not running; counts what has finished."""
        for kind, count, target in [("exec", 50, self.program), ("open", 2000, self.secret)]:
            process = self.running.get(kind)
            if process and process.poll() is not None:
                assert process.returncode == 0, "the storm itself failed"
                self.made[kind] += count
                process = None
            if not process:
                self.running[kind] = subprocess.Popen(
                    [BUILD / "tests/integration/storm", kind, str(count), str(target)],
                    stdout=subprocess.DEVNULL)

    def finish(self):
        for kind, count in [("exec", 50), ("open", 2000)]:
            assert self.running[kind].wait() == 0
            self.made[kind] += count
        shutil.rmtree(self.folder)


def pids(instance):
    status = instance.status()
    found = {"guard": status.get("pid", 0)}
    for component in status.get("components", []):
        found[component["name"]] = component["pid"]
    return found


def is_back(instance, name, old):
    now = pids(instance)
    return now.get(name, 0) not in (0, old)


def parts_come_back_and_nothing_is_lost():
    storm = Storm()
    instance = bulkhead.Instance(BUILD)
    counter = bulkhead.Counter(instance, exec=storm.program, watch=storm.secret)
    longest = {"guard": 0.0, "engine": 0.0, "courier": 0.0}
    generator = random.Random(7)
    victims = [name for name in longest for _ in range(KILLS)]
    generator.shuffle(victims)
    for name in victims:
        storm.turn()
        time.sleep(generator.uniform(0.0, 0.15))
        victim = pids(instance)[name]
        assert victim, f"{name} does not run"
        os.kill(victim, signal.SIGKILL)
        took = bulkhead.wait_for(lambda: is_back(instance, name, victim), 10, f"{name} back")
        longest[name] = max(longest[name], took)
    storm.finish()
    time.sleep(1.0)
    counted = counter.stop()
    instance.stop()
    assert counted["execs"] == storm.made["exec"], (counted, storm.made)
    assert counted["opens"] == storm.made["open"], (counted, storm.made)
    assert counted["lost"] == counted["gaps"] == counted["doubles"] == 0, counted
    assert max(longest.values()) < BACK_S, longest
    return [f"{KILLS} kills each; longest time away: " +
            ", ".join(f"{n} {t * 1000:.0f} ms" for n, t in longest.items()),
            f"made {storm.made}", f"seen {counted}"]


sys.exit(bulkhead.main([parts_come_back_and_nothing_is_lost]))
