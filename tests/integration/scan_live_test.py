#!/usr/bin/env python3
"""The scanner beside an engine: programs when they first run, files where they are written."""
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
MARK = b"bulkhead-test-string-that-no-other-file-has"
FINDS = """
rule finds_mark : test {
    meta: author = "Somebody" description = "Our own test string"
    strings: $a = "%s"
    condition: $a
}
rule hangs {
    strings: $b = "bulkhead-makes-this-rule-hang"
    condition: $b and filesize > 1000000 and for all i in (0..filesize) : (
        for all j in (0..filesize) : (uint8(i) == uint8(j) or true))
}
""" % MARK.decode()


class Scene:
    """An instance whose pack has YARA rules beside the product's, and a folder that is watched."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bulkhead-live-", dir="/var/tmp"))
        (self.folder / "rules").mkdir()
        (self.folder / "rules/finds.yar").write_text(FINDS)
        self.pack = self.folder / "live.pack"
        subprocess.run([BUILD / "src/ctl/bulkhead", "content", "build", self.folder / "rules",
                        pathlib.Path(__file__).resolve().parents[2] / "content/rules", "-o", self.pack],
                       check=True, stdout=subprocess.DEVNULL)
        self.instance = bulkhead.Instance(BUILD, content=self.pack)
        bulkhead.wait_for(lambda: any(c["name"] == "scan" for c in self.instance.status()["clients"]), 10, "scanner")
        time.sleep(0.5)  # its rules are compiled, and guard has its subscription

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.instance.stop()
        shutil.rmtree(self.folder)

    def program(self, name, more=b""):
        path = self.folder / name
        shutil.copy("/bin/true", path)
        with open(path, "ab") as file:
            file.write(more)
        return path

    def alerts(self, path=None):
        found = [a for a in self.instance.alerts() if a.get("client") == "scan"]
        return [a for a in found if not path or str(path) in a["message"]]

    def health(self):
        lines = pathlib.Path(self.instance.log.name).read_text().split("\n")[:-1]  # whole ones
        events = [json.loads(line) for line in lines if line.startswith("{")]
        return [e["message"] for e in events if e["type"] == "health" and e.get("component") == "scan"]

    def scan_pid(self):
        return self.instance.component("scan").get("pid", 0)


def without_rules_it_stays_off():
    instance = bulkhead.Instance(BUILD)
    bulkhead.wait_for(lambda: instance.component("scan").get("state") == "off", 10, "off")
    assert instance.component("scan")["restarts"] == 0
    assert instance.ctl("status").returncode == 0, "a part that is off on purpose is no fault"
    instance.stop()


def what_runs_is_scanned():
    with Scene() as scene:
        bad, script, good = scene.program("bad", MARK), scene.folder / "script", scene.program("good")
        script.write_bytes(b"#!/bin/sh\n# " + MARK + b"\n")
        script.chmod(0o755)
        start = time.monotonic()
        subprocess.run([bad], check=True)
        took = bulkhead.wait_for(lambda: any(a["event_type"] == "process_exec" for a in scene.alerts(bad)), 30, "alert")
        subprocess.run([script], check=True)
        bulkhead.wait_for(lambda: any(a["event_type"] == "process_exec" for a in scene.alerts(script)), 30, "script")
        for _ in range(50):
            subprocess.run([good], check=True)
        alert = next(a for a in scene.alerts(bad) if a["event_type"] == "process_exec")
        assert (alert["rule_title"], alert["rule_author"], alert["level"]) == ("finds_mark", "Somebody", "high"), alert
        assert alert["path"] == str(bad) and "finds.yar" in alert["message"], alert
        time.sleep(4)  # what was written is scanned by now too
        assert not scene.alerts(good)
        execs = [a for a in scene.alerts() if a["event_type"] == "process_exec"]
        assert len(execs) == 2, "one alert for each run"
        return [f"from before the fork to the line in the spool: {took * 1000:.0f} ms", f"in all {time.monotonic() - start:.1f} s"]


def what_is_written_is_scanned_when_it_is_quiet():
    with Scene() as scene:
        slow = scene.folder / "slow"
        with open(slow, "wb") as file:
            for _ in range(6):
                file.write(b"x" * 1000)
                file.flush()
                time.sleep(0.7)
            file.write(MARK)
        os.rename(slow, scene.folder / "renamed")
        (scene.folder / "gone").write_bytes(MARK)
        os.unlink(scene.folder / "gone")
        bulkhead.wait_for(lambda: scene.alerts(scene.folder / "renamed"), 40, "alert")
        time.sleep(1)
        assert not scene.alerts(scene.folder / "gone") and not [h for h in scene.health() if "gone" in h]


def killed_it_comes_back_and_nothing_is_lost_or_doubled():
    with Scene() as scene:
        programs = [scene.program(f"bad{i}", MARK) for i in range(20)]
        time.sleep(6)  # the writes are dealt with
        written = len(scene.alerts())
        for number, program in enumerate(programs):
            subprocess.run([program], check=True)
            if number % 5 == 2:
                old = scene.scan_pid()
                os.kill(old, signal.SIGKILL)
                bulkhead.wait_for(lambda: scene.scan_pid() not in (0, old), 10, "back")
        execs = lambda: [a for a in scene.alerts() if a["event_type"] == "process_exec"]
        bulkhead.wait_for(lambda: len(execs()) >= len(programs), 60, "alerts")
        time.sleep(2)
        assert sorted(a["path"] for a in execs()) == sorted(map(str, programs)), [a["path"] for a in execs()]
        assert len(scene.alerts()) - len(execs()) >= written


def what_hangs_it_is_named_and_costs_one_verdict():
    with Scene() as scene:
        slow = scene.program("slow", b"bulkhead-makes-this-rule-hang" + MARK + bytes(2 << 20))
        subprocess.run([slow], check=True)
        bad = scene.program("bad", MARK)
        subprocess.run([bad], check=True)
        bulkhead.wait_for(lambda: scene.alerts(bad), 30, "the other worker goes on")
        bulkhead.wait_for(lambda: [h for h in scene.health() if "rule hangs" in h and "slow" in h], 90, "report")
        bulkhead.wait_for(lambda: scene.alerts(slow), 30, "its other rules are asked")
        assert scene.instance.component("scan")["restarts"] == 0


def it_follows_the_pack():
    """Loaded content reaches the scanner too: with rules it works, without it is off, and no restart is news."""
    with Scene() as scene:
        plain = BUILD / "content/content.pack"
        bad = scene.program("bad", MARK)
        subprocess.run([bad], check=True)
        bulkhead.wait_for(lambda: scene.alerts(bad), 30, "alert")
        assert scene.instance.ctl("content", "load", plain).returncode == 0
        bulkhead.wait_for(lambda: scene.instance.component("scan")["state"] == "off", 20, "off")
        assert scene.instance.ctl("scan", bad).returncode == 78, "the instance has no rules for files"
        subprocess.run(["sh", "-c", "i=0; while [ $i -lt 1500 ]; do /bin/true " + "x" * 20000 + "; i=$((i+1)); done"],
                       check=True)  # the stream goes round: where it was is overwritten
        assert scene.instance.ctl("content", "load", scene.pack).returncode == 0
        bulkhead.wait_for(lambda: scene.instance.component("scan")["state"] == "running", 20, "on")
        found = scene.instance.ctl("scan", "--json", bad)
        assert found.returncode == 1 and '"rule":"finds_mark"' in found.stdout, found
        again = scene.program("again", MARK)
        bulkhead.wait_for(lambda: scene.alerts(again), 30, "alert of a written file")
        assert scene.instance.component("scan")["restarts"] == 0
        assert not [h for h in scene.health() if "stopped" in h], scene.health()
        bulkhead.wait_for(lambda: [h for h in scene.health() if "before its start" in h], 10, "said where it begins")
        assert scene.instance.component("scan")["last_exit"] == ""
        lost = [c["lost"] for c in scene.instance.status()["clients"] if c["name"] == "scan"]
        assert lost == [0], "what came while it was off is not lost"


sys.exit(bulkhead.main([
    without_rules_it_stays_off, what_runs_is_scanned, what_is_written_is_scanned_when_it_is_quiet,
    killed_it_comes_back_and_nothing_is_lost_or_doubled, what_hangs_it_is_named_and_costs_one_verdict,
    it_follows_the_pack]))
