#!/usr/bin/env python3
"""The first thing that people try: a program run from shared memory is told at once, with its tree."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time

import bulkhead

BUILD = pathlib.Path(sys.argv[1]).resolve()
TRIES = 20
WITHIN_S = 0.1


def new_lines(path):
    """The lines that `bulkhead run` prints, as they come."""
    with open(path) as log:
        while True:
            line = log.readline()
            if line.endswith("\n"):
                yield line
            else:
                time.sleep(0.0005)


def follow(instance):
    """From the moment on at which `bulkhead run` itself is connected."""
    bulkhead.wait_for(lambda: "bulkhead-run" in [c["name"] for c in instance.status()["clients"]], 5, "run")
    return new_lines(instance.log.name)


def is_alert_of(line, program):
    if not line.startswith("{"):
        return False
    event = json.loads(line)
    return event["type"] == "alert" and event.get("path") == program


def a_program_from_shared_memory_alerts_within_100_ms():
    instance = bulkhead.Instance(BUILD)
    lines = follow(instance)
    took = []
    for i in range(TRIES):
        program = f"/dev/shm/bulkhead-alert-{os.getpid()}-{i}"
        shutil.copy("/bin/true", program)
        time.sleep(0.2 if i % 2 else 0.001)  # guard asleep, and guard at work
        start = time.monotonic()
        subprocess.run([program], check=True)
        line = next(line for line in lines if is_alert_of(line, program))
        took.append(time.monotonic() - start)
        os.unlink(program)
        alert = json.loads(line)
        tree = alert["process_tree"].splitlines()
        assert tree[-1] == f"{program}({alert['pid']})", tree
        assert tree[-2].endswith(f"({os.getpid()})"), tree
        assert alert["level"] == "high" and alert["rule_author"] == "Bulkhead", alert
    instance.stop()
    assert max(took) < WITHIN_S, took
    took.sort()
    return [f"{TRIES} tries: median {took[TRIES // 2] * 1000:.1f} ms, longest {took[-1] * 1000:.1f} ms "
            "from before fork to the printed line"]


def alerts_reach_the_spool_once():
    instance = bulkhead.Instance(BUILD)
    program = f"/dev/shm/bulkhead-spool-{os.getpid()}"
    shutil.copy("/bin/true", program)
    for _ in range(50):
        subprocess.run([program], check=True)
    os.unlink(program)
    bulkhead.wait_for(lambda: sum(a.get("path") == program for a in instance.alerts()) >= 50, 5, "spool")
    time.sleep(0.2)
    found = [a for a in instance.alerts() if a.get("path") == program]
    assert len({a["event_seq"] for a in found}) == len(found) == 50
    instance.stop()


def ctrl_c_leaves_nothing_behind():
    before = set(threading.enumerate())
    programs = subprocess.run(["bpftool", "prog", "show"], capture_output=True, text=True).stdout.count("on_call_exit")
    instance = bulkhead.Instance(BUILD)
    home, pids = instance.home, [instance.guard_pid()] + [c["pid"] for c in instance.status()["components"]]
    instance.stop()  # which looks for mounts and the socket
    assert not home.exists()
    assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)
    time.sleep(0.5)  # the kernel frees programs a moment later
    after = subprocess.run(["bpftool", "prog", "show"], capture_output=True, text=True).stdout.count("on_call_exit")
    assert after <= programs, (programs, after)
    assert set(threading.enumerate()) == before


sys.exit(bulkhead.main([a_program_from_shared_memory_alerts_within_100_ms, alerts_reach_the_spool_once,
                        ctrl_c_leaves_nothing_behind]))
