#!/usr/bin/env python3
"""`bulkhead record` beside a real instance: what happened is in the file, also after a kill."""
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import bulkhead

BUILD = sys.argv[1]
instance = bulkhead.Instance(BUILD)
folder = pathlib.Path(tempfile.mkdtemp(prefix="bulkhead-record-", dir="/run"))


def start(name, *options):
    command = [instance.build / "src/ctl/bulkhead", "record", "-o", folder / name, "--home", instance.home, *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    bulkhead.wait_for(lambda: (folder / name).exists(), 5, "the recording begins")
    time.sleep(0.3)  # guard has the subscription before the first event of the test
    return process


def run(marker, count):
    for i in range(count):
        subprocess.run(["/bin/true", f"{marker}-{i}"], check=True)


def read(name):
    """Lines as zstdcat gives them; of a cut file what can be read."""
    done = subprocess.run(["zstdcat", folder / name], capture_output=True)
    return [json.loads(line) for line in done.stdout.decode().split("\n")[:-1]]


def markers(lines, marker):
    texts = (line.get("command_line", "") for line in lines if line.get("type") == "process_exec")
    return [text for text in texts if f" {marker}-" in text]


def ctrl_c_ends_a_recording():
    recorder = start("whole.zst", "--types", "process_exec,process_exit")
    run("whole", 100)
    time.sleep(0.2)  # guard publishes within milliseconds
    recorder.send_signal(signal.SIGINT)
    said = recorder.communicate(timeout=10)[1]
    lines = read("whole.zst")
    assert recorder.returncode == 0, said
    assert lines[0]["bulkhead_recording"] == 1 and len(lines[0]["schema"]) == 16, lines[0]
    assert len(markers(lines, "whole")) == 100
    assert {line["type"] for line in lines[1:-1]} == {"process_exec", "process_exit"}
    assert lines[-1]["bulkhead_end"] == {"events": len(lines) - 2, "lost": 0}, lines[-1]
    assert f"{len(lines) - 2:,} events" in said, said
    assert (folder / "whole.zst").stat().st_mode & 0o777 == 0o600
    return [said.strip()]


def a_kill_costs_a_second_at_most():
    recorder = start("killed.zst")
    run("early", 50)
    time.sleep(1.5)
    run("late", 5)
    recorder.kill()
    recorder.wait()
    assert len(markers(read("killed.zst"), "early")) == 50
    matched = instance.ctl("content", "match", instance.build / "content/content.pack", "-e", folder / "killed.zst")
    assert matched.returncode == 0 and "its recorder was killed" in matched.stderr, matched.stderr


def guard_may_die_meanwhile():
    recorder = start("guard.zst", "--types", "process_exec")
    run("before", 20)
    pid = instance.guard_pid()
    subprocess.run(["kill", "-9", str(pid)], check=True)
    run("during", 20)
    bulkhead.wait_for(lambda: instance.guard_pid() not in (0, pid), 10, "guard is back")
    run("after", 20)
    time.sleep(1)
    recorder.send_signal(signal.SIGTERM)
    said = recorder.communicate(timeout=10)[1]
    lines = read("guard.zst")
    for marker in ("before", "during", "after"):
        assert len(markers(lines, marker)) == 20, (marker, said)


def the_past_is_still_there():
    run("past", 10)
    time.sleep(0.2)
    recorder = start("past.zst", "--past", "--for", "1s")
    said = recorder.communicate(timeout=10)[1]
    assert recorder.returncode == 0, said
    assert len(markers(read("past.zst"), "past")) == 10


def what_is_there_is_not_replaced():
    path = folder / "there"
    path.write_text("mine")
    done = instance.ctl("record", "-o", path)
    assert done.returncode == 1 and "it is there already" in done.stderr
    assert path.read_text() == "mine"


def a_rule_comes_from_a_live_event():
    run("seen", 1)
    time.sleep(0.2)
    done = instance.ctl("content", "new", "--last", "process_exec", "-o", folder / "last.yml")
    assert done.returncode == 0, done.stderr
    test = instance.ctl("content", "test", folder / "last.yml", "--tests", folder / "last.jsonl", "--complete")
    assert test.returncode == 0, test.stdout + test.stderr
    event = json.loads((folder / "last.jsonl").read_text().splitlines()[0])["event"]
    done = instance.ctl("content", "new", "--from", event["seq"])
    assert done.returncode == 0 and event["path"] in done.stdout, done.stderr
    done = instance.ctl("content", "new", "--from", 10**15)
    assert done.returncode == 1 and "not in the stream" in done.stderr, done.stderr


def what_rules_cost_is_known():
    def told():
        run("cost", 20)  # the engine says so while it has events
        return instance.status().get("rules")

    bulkhead.wait_for(told, 15, "the engine says what rules cost")
    status = instance.status()
    rules, matching = status["rules"], status["matching"]
    steps = [rule["steps"] for rule in rules]
    assert steps == sorted(steps, reverse=True) and len(rules) <= 32 and steps[0] > 0, rules
    assert sum(steps) <= matching["steps"] and matching["events"] > 0, matching
    assert all(rule["id"] and rule["title"] and rule["runs"] > 0 for rule in rules), rules
    assert rules[0]["title"] in instance.ctl("status").stdout
    live = json.loads(instance.ctl("content", "cost", "--json").stdout)
    assert live["rules"][0]["id"] and live["matching"]["steps"] >= matching["steps"]
    return [f"{matching['steps'] / matching['events']:.0f} steps an event, {len(rules)} rules told"]


def cleanup():
    subprocess.run(["rm", "-rf", folder], check=True)
    assert instance.stop() == 0


sys.exit(bulkhead.main([ctrl_c_ends_a_recording, a_kill_costs_a_second_at_most, guard_may_die_meanwhile,
                        the_past_is_still_there, what_is_there_is_not_replaced, a_rule_comes_from_a_live_event,
                        what_rules_cost_is_known, cleanup]))
