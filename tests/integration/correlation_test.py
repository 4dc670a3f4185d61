#!/usr/bin/env python3
"""Correlations on live events: who did it last is told, and what one engine knew the next one knows."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import bulkhead

BUILD = pathlib.Path(sys.argv[1]).resolve()
PROGRAM = f"/tmp/bulkhead-correlation-{os.getpid()}"
RULES = {
    "many.yml": """
title: Three within a minute
id: many
author: Ann
level: high
correlation:
    type: event_count
    rules: [one]
    group-by: [Image]
    timespan: 1m
    condition: {gte: 3}
""",
    "one.yml": f"""
title: One
name: one
id: one
logsource: {{category: process_creation, product: linux}}
detection: {{s: {{Image: {PROGRAM}}}, condition: s}}
---
title: Another rule about the same
id: plain
logsource: {{category: process_creation, product: linux}}
detection: {{s: {{Image|endswith: {PROGRAM}}}, condition: s}}
""",
}


def make_pack(folder):
    for name, text in RULES.items():
        (folder / name).write_text(text)
    pack = folder / "some.pack"
    subprocess.run([BUILD / "src/ctl/bulkhead", "content", "build", folder, "-o", pack], check=True, stdout=subprocess.DEVNULL)
    return pack


def raised(instance, rule):
    return [a for a in instance.alerts() if a.get("rule_id") == rule]


def run_and_wait(instance, times):
    """Every run matches the rule that is no correlation, so its alerts say when all was looked at."""
    wanted = len(raised(instance, "plain")) + times
    for _ in range(times):
        subprocess.run([PROGRAM], check=True)
    bulkhead.wait_for(lambda: len(raised(instance, "plain")) >= wanted, 5, "alerts")


def a_correlation_fires_and_outlives_its_engine():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bulkhead-test-"))
    shutil.copy("/bin/true", PROGRAM)
    pack = make_pack(folder)
    instance = bulkhead.Instance(BUILD, pack)
    run_and_wait(instance, 4)
    bulkhead.wait_for(lambda: len(raised(instance, "many")) == 2, 5, "the correlation")
    alert = raised(instance, "many")[0]
    assert alert["message"].startswith(f"3 events within 1m for path={PROGRAM}; the last: {PROGRAM} (pid "), alert
    assert alert["rule_author"] == "Ann" and alert["level"] == "high", alert
    assert raised(instance, "one") == []

    # Killed between two events that add up, and exchanged for one with the same rules.
    for times in [1, 2]:
        engine = instance.component("engine")["pid"]
        if times == 1:
            os.kill(engine, signal.SIGKILL)
        else:
            assert instance.ctl("content", "load", pack).returncode == 0
        bulkhead.wait_for(lambda: instance.component("engine").get("pid") not in (0, None, engine), 5, "another engine")
        run_and_wait(instance, 1)
        bulkhead.wait_for(lambda: len(raised(instance, "many")) == 2 + times, 5, "the correlation")
    assert len(raised(instance, "plain")) == 6  # nothing was lost or doubled
    assert len({a["event_seq"] for a in raised(instance, "many")}) == 4
    told = [line for line in pathlib.Path(instance.log.name).read_text().splitlines() if "events before; what" in line]
    assert len(told) >= 3 and json.loads(told[0])["type"] == "health", told
    instance.stop()
    shutil.rmtree(folder)
    os.unlink(PROGRAM)


sys.exit(bulkhead.main([a_correlation_fires_and_outlives_its_engine]))
