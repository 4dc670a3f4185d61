#!/usr/bin/env python3
"""What watching costs: the same storms with nothing, with Bulkhead, and with Debian's auditd.

Each round runs every storm once under every system, in turn; a system's slowdown is the median over
the rounds of its time divided by the time with nothing in the same round, so that a machine whose
speed drifts does not decide. Needs root. Everything that it starts it stops.

    bench/bench.py BUILD [--rounds N] [--out FILE.json]
"""
import argparse
import json
import os
import pathlib
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

STORMS = {"exec": 2000, "open": 200000, "watched open": 100000, "connect": 5000}
TICK = os.sysconf("SC_CLK_TCK")


def run(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, **options).stdout


class Storms:
    """Its own program, file and listener, so that nothing else of the machine is counted."""

    def __init__(self, build, folder):
        self.storm = str(build / "tests/integration/storm")
        self.program = str(folder / "storm-true")
        shutil.copy("/bin/true", self.program)
        self.plain = folder / "plain"
        self.plain.write_text("x")
        self.watched = folder / "watched" / "secret"
        self.watched.parent.mkdir()
        self.watched.write_text("x")

    def seconds(self, name):
        target = {"exec": self.program, "open": str(self.plain), "watched open": str(self.watched),
                  "connect": "0"}[name]
        said = run(self.storm, name.split()[-1], str(STORMS[name]), target)
        return float(said.split()[3])


class Nothing:
    name = "nothing"

    def start(self, storms):
        return self

    def stop(self):
        pass

    def usage(self):
        return {}


class Bulkhead:
    """Guard, engine and courier with the shipped content, and a reader of every event."""
    name = "bulkhead"

    def __init__(self, build):
        self.build = build

    def start(self, storms):
        self.home = tempfile.mkdtemp(prefix="bulkhead-bench-", dir="/run")
        self.guard = subprocess.Popen(
            [self.build / "src/guard/bulkhead-guard", "--home", self.home,
             "--content", self.build / "content/content.pack"], stderr=subprocess.DEVNULL)
        while not os.path.exists(self.home + "/run/guard.sock"):
            time.sleep(0.01)
        self.reader = subprocess.Popen(
            [self.build / "tests/integration/counter", self.home, "--watch", str(storms.watched)],
            stdout=subprocess.PIPE, text=True)
        self.reader.stdout.readline()
        time.sleep(0.5)
        return self

    def pids(self):
        children = pathlib.Path(f"/proc/{self.guard.pid}/task/{self.guard.pid}/children")
        return [self.guard.pid] + [int(pid) for pid in children.read_text().split()]

    def usage(self):
        cpu, pss = 0.0, 0
        for pid in self.pids():
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
            cpu += (int(fields[11]) + int(fields[12])) / TICK
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                pss += int(line.split()[1]) if line.startswith("Pss:") else 0
        return {"cpu_s": cpu, "pss_mib": pss / 1024}

    def stop(self):
        self.reader.send_signal(signal.SIGINT)
        counted = json.loads(self.reader.communicate(timeout=10)[0] or "{}")
        self.guard.terminate()
        self.guard.wait(timeout=20)
        shutil.rmtree(self.home, ignore_errors=True)
        self.counted = counted


class Auditd:
    """The same events as audit rules: every exec and connect, and one watched file."""
    name = "auditd"

    def start(self, storms):
        self.was_running = subprocess.run(["pidof", "auditd"], stdout=subprocess.DEVNULL).returncode == 0
        if not self.was_running:
            os.makedirs("/var/log/audit", exist_ok=True)
            self.daemon = subprocess.Popen(["auditd", "-n", "-s", "nochange"], stdout=subprocess.DEVNULL,
                                           stderr=subprocess.DEVNULL)
            time.sleep(0.5)
        self.rules = [["-b", "8192"], ["-e", "1"],
                      ["-a", "always,exit", "-F", "arch=b64", "-S", "execve"],
                      ["-a", "always,exit", "-F", "arch=b64", "-S", "connect"],
                      ["-w", str(storms.watched), "-p", "rwa"]]
        for rule in self.rules:
            run("auditctl", *rule)
        return self

    def usage(self):
        return {}

    def stop(self):
        status = run("auditctl", "-s")
        self.lost = int(next(line.split()[1] for line in status.splitlines() if line.startswith("lost")))
        run("auditctl", "-D")
        run("auditctl", "-e", "0")
        if not self.was_running:
            self.daemon.terminate()
            self.daemon.wait(timeout=10)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=pathlib.Path)
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("bench: it needs root, as Bulkhead does")
    systems = [Nothing(), Bulkhead(arguments.build.resolve())]
    if shutil.which("auditctl") and subprocess.run(["auditctl", "-s"], capture_output=True).returncode == 0:
        systems.append(Auditd())
    else:
        print("auditd does not run here: left out")
    if subprocess.run(["sysdig", "-n", "1"], capture_output=True, timeout=20).returncode != 0 \
            if shutil.which("sysdig") else True:
        print("sysdig does not run here (it has no driver for this kernel): left out")
    times = {s.name: {storm: [] for storm in STORMS} for s in systems}
    notes = {}
    # Not below /tmp: there each run of the program would be an alert, and that is not what an exec costs.
    with tempfile.TemporaryDirectory(prefix="bulkhead-bench-", dir="/usr/local/lib") as folder:
        storms = Storms(arguments.build.resolve(), pathlib.Path(folder))
        for round_number in range(arguments.rounds):
            for system in systems:
                system.start(storms)
                before = system.usage()
                for storm in STORMS:
                    times[system.name][storm].append(storms.seconds(storm))
                time.sleep(0.3)
                after = system.usage()
                system.stop()
                if after:
                    notes.setdefault("cpu_s", []).append(after["cpu_s"] - before["cpu_s"])
                    notes.setdefault("pss_mib", []).append(after["pss_mib"])
                    notes["counted"] = system.counted
                if hasattr(system, "lost"):
                    notes.setdefault("auditd_lost", []).append(system.lost)
            print(f"round {round_number + 1} of {arguments.rounds} done", file=sys.stderr, flush=True)
    report(systems, times, notes, arguments)


def report(systems, times, notes, arguments):
    ratios = {}
    print(f"\n{time.strftime('%Y-%m-%d')}, {platform.release()}, {os.cpu_count()} CPUs, "
          f"{arguments.rounds} rounds; slowdown against nothing, median (lowest to highest)\n")
    print("| storm | nothing, µs each | " + " | ".join(s.name for s in systems[1:]) + " |")
    print("| --- | --- |" + " --- |" * (len(systems) - 1))
    for storm, count in STORMS.items():
        base = times["nothing"][storm]
        row = f"| {storm} × {count:,} | {statistics.median(base) / count * 1e6:.2f} |"
        for system in systems[1:]:
            each = [a / b for a, b in zip(times[system.name][storm], base)]
            ratios.setdefault(system.name, {})[storm] = each
            row += (f" {(statistics.median(each) - 1) * 100:+.1f} % "
                    f"({(min(each) - 1) * 100:+.1f} to {(max(each) - 1) * 100:+.1f}) |")
        print(row)
    events = notes.get("counted", {}).get("events", 0)
    if events:
        cpu = statistics.median(notes["cpu_s"])
        print(f"\nBulkhead: {events:,} events a round, {notes['counted'].get('lost', 0)} lost; "
              f"CPU of all its processes {cpu / events * 1e6:.2f} s a million events; "
              f"memory {max(notes['pss_mib']):.1f} MiB (PSS of guard, engine and courier).")
    if "auditd_lost" in notes:
        print(f"auditd: {notes['auditd_lost'][-1]:,} records lost by its own count.")
    if arguments.out:
        arguments.out.write_text(json.dumps({"times": times, "ratios": ratios, "notes": notes}, indent=1))


main()
