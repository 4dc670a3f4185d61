#!/usr/bin/env python3
"""`bulkhead scan` over real files: what is found, what is left out, and what a bad rule or file costs."""
import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import bulkhead

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import programs

BUILD = pathlib.Path(sys.argv[1]).resolve()
BULKHEAD = BUILD / "src/ctl/bulkhead"
MARK = b"bulkhead-test-string-that-no-other-file-has"

FINDS = """
rule finds_mark : test harmless {
    meta: author = "Somebody" description = "Our own test string" level = "low"
    strings: $a = "%s"
    condition: $a
}
""" % MARK.decode()
NAMED = 'rule by_name { condition: filename == "named" and extension == "" and filepath contains "/named" }\n'
HANGS = """
rule hangs {
    condition: filesize > 1000000 and for all i in (0..filesize) : (
        for all j in (0..filesize) : (uint8(i) == uint8(j) or true))
}
"""


class Place:
    """A folder for one test, open to other users; and rules beside it."""

    def __init__(self, **rules):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="bulkhead-scan-"))
        self.top.chmod(0o755)
        self.files, self.rules = self.top / "files", self.top / "rules"
        self.files.mkdir()
        self.rules.mkdir()
        for name, text in rules.items():
            (self.rules / f"{name}.yar").write_text(text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.top)

    def put(self, name, data=b"nothing"):
        path = self.files / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def command(self, *arguments, paths=None, program=BULKHEAD):
        return [program, "scan", "--json", "--rules", self.rules, *arguments, *(paths or [self.files])]

    def scan(self, *arguments, paths=None, program=BULKHEAD, **options):
        done = subprocess.run(self.command(*arguments, paths=paths, program=program), capture_output=True, text=True, **options)
        return Result(done.returncode, done.stdout, done.stderr)


class Result:
    def __init__(self, code, out, words):
        self.code, self.words = code, words
        self.lines = [json.loads(line) for line in out.splitlines()]

    def of(self, kind):
        return [line for line in self.lines if line["type"] == kind]

    def summary(self):
        assert self.lines and self.lines[-1]["type"] == "summary", (self.code, self.lines[-3:], self.words)
        return self.lines[-1]


def matches_are_told_with_all_that_is_known():
    with Place(finds=FINDS, named=NAMED) as place:
        data = b"x" * 5000 + MARK + b"y"
        hit = place.put("deep/er/hit", data)
        place.put("named")
        place.put("clean")
        place.put("empty", b"")
        result = place.scan()
        found = {match["rule"]: match for match in result.of("match")}
        assert result.code == 1 and set(found) == {"finds_mark", "by_name"}, result.lines
        match = found["finds_mark"]
        assert match["path"] == str(hit) and match["sha256"] == hashlib.sha256(data).hexdigest()
        assert (match["author"], match["level"], match["tags"]) == ("Somebody", "low", "test,harmless"), match
        assert match["file"] == str(place.rules / "finds.yar") and match["description"] == "Our own test string"
        assert found["by_name"]["level"] == "high"
        summary = result.summary()
        assert (summary["files"], summary["folders"], summary["matches"]) == (4, 3, 2), summary
        hit.unlink()
        (place.files / "named").unlink()
        assert place.scan().code == 0


def people_read_text_and_no_path_can_draw():
    with Place(finds=FINDS) as place:
        place.put("evil\x1b[2J\nforged", MARK)
        done = subprocess.run([BULKHEAD, "scan", "--rules", place.rules, place.files], capture_output=True)
        assert done.returncode == 1 and b"finds_mark" in done.stdout and b"1 match" in done.stdout
        assert b"\x1b" not in done.stdout and b"\nforged" not in done.stdout, done.stdout
        assert b"\r" not in done.stderr, "progress where nobody looks"


def only_files_are_opened():
    with Place(finds=FINDS) as place:
        place.put("real", MARK)
        os.mkfifo(place.files / "fifo")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(place.files / "socket"))
            os.symlink(".", place.files / "circle")
            os.symlink("real", place.files / "link")
            os.symlink("/etc", place.files / "elsewhere")
            os.mknod(place.files / "null", 0o20666, os.makedev(1, 3))
            result = place.scan("--max-size", "1", timeout=20)
        assert [m["path"] for m in result.of("match")] == [str(place.files / "real")]
        assert result.summary()["skipped"] == {"no_file": 3, "link": 3}, result.summary()
        place.put("large", bytes(1 << 21))
        result = place.scan("--max-size", "1")
        assert [line["reason"] for line in result.of("skipped")] == ["too_large"]
        result = place.scan(paths=["/proc", "/sys", "/proc/kcore", place.files / "missing"], timeout=20)
        reasons = {line["path"]: line["reason"] for line in result.of("skipped") + result.of("failed")}
        assert reasons == {"/proc": "kernel", "/sys": "kernel", "/proc/kcore": reasons["/proc/kcore"],
                           str(place.files / "missing"): "gone"}, reasons
        assert result.code == 1 and result.summary()["files"] == 0


def a_caller_without_privilege_gets_the_same_cages():
    with Place(finds=FINDS) as place:
        place.put("hit", MARK)
        place.put("secret", MARK).chmod(0o600)
        result = place.scan(program=programs.for_anyone(BUILD) / "src/ctl/bulkhead", cwd="/", user="nobody", group="nogroup",
                            extra_groups=[])
        assert result.of("ready")[0].get("cage_lacks", "") == "", result.of("ready")
        assert [m["path"] for m in result.of("match")] == [str(place.files / "hit")]
        assert [(f["path"], f["reason"]) for f in result.of("failed")] == [(str(place.files / "secret"), "denied")]
        assert place.scan().summary()["matches"] == 2, "root sees both"


def ten_thousand_files():
    with Place(finds=FINDS) as place:
        for i in range(10000):
            place.put(f"{i % 100}/{i}", MARK if i % 1000 == 0 else b"%d" % i)
        start = time.monotonic()
        result = place.scan("--jobs", "2")
        took = time.monotonic() - start
        summary = result.summary()
        assert (summary["files"], summary["folders"], summary["matches"]) == (10000, 101, 10), summary
        assert {m["path"] for m in result.of("match")} == {str(place.files / f"{i % 100}/{i}") for i in range(0, 10000, 1000)}
        return [f"10,000 files in {took:.1f} s, two workers"]


def rules_that_do_not_compile_are_named():
    with Place(finds=FINDS, bad='rule good { condition: true }\nrule bad {\n  condition: $nothing\n}\n',
               reads='include "/etc/passwd"\n') as place:
        place.put("hit", MARK)
        result = place.scan()
        errors = {pathlib.Path(e["file"]).name: e for e in result.of("error")}
        assert set(errors) == {"bad.yar", "reads.yar"} and errors["bad.yar"]["line"] in (3, 4), errors
        assert result.code == 1 and result.of("ready")[0]["rules"] == 1
        assert [m["rule"] for m in result.of("match")] == ["finds_mark"]
        (place.rules / "finds.yar").unlink()
        assert place.scan().code == 78
        (place.rules / "bad.yar").unlink()
        (place.rules / "reads.yar").unlink()
        assert place.scan().code == 78


def a_rule_that_hangs_costs_one_verdict():
    """It is named; the other rules are asked about the same file; after three files it is off."""
    with Place(finds=FINDS, hangs=HANGS) as place:
        for i in range(5):
            place.put(f"large{i}", bytes(2 << 20) + MARK)
        place.put("small", MARK)
        start = time.monotonic()
        result = place.scan("--time", "1", "--jobs", "1", timeout=120)
        took = time.monotonic() - start
        failed = result.of("rule_failed")
        assert [(f["rule"], f["reason"], f["off"]) for f in failed] == [
            ("hangs", "timed_out", False), ("hangs", "timed_out", False), ("hangs", "timed_out", True)], failed
        assert len({f["path"] for f in failed}) == 3
        summary = result.summary()
        assert result.code == 1 and summary["files"] == 6 and summary["matches"] == 6, summary
        assert summary["failed"] == {}, summary
        return [f"5 files that hang it, 1 s each at most: {took:.1f} s"]


def a_rule_that_takes_all_memory_costs_one_verdict():
    """Its strings are searched for even while it is off: whole files of rules are tried then."""
    strings = "\n".join(f'$s{i} = "{"a" * (4 + i)}"' for i in range(40))
    with Place(finds=FINDS, eats=f"rule eats {{ strings: {strings} condition: all of them }}",
               more="rule more { condition: false } rule never { condition: false }") as place:
        place.put("as", b"a" * 3000000 + MARK)
        place.put("other", MARK)
        result = place.scan("--jobs", "1", timeout=120)
        failed = result.of("rule_failed")
        assert [f["rule"] for f in failed] == ["eats"] and failed[0]["reason"] in ("memory", "timed_out"), result.lines
        assert result.summary()["files"] == 2 and result.summary()["matches"] == 2, result.summary()


def children(pid, role):
    """Pids below this one whose command line has the role."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            status = (path / "status").read_text()
            words = (path / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"PPid:\t{pid}\n" in status and role in words:
            found.append(int(path.name))
    return found


def keeper_of(process):
    for _ in range(500):
        found = children(process.pid, b"bulkhead-scan")
        if found:
            return found[0]
        time.sleep(0.01)
    raise AssertionError("no scanner was started")


def a_worker_that_dies_costs_one_verdict():
    with Place(hangs=HANGS, finds=FINDS) as place:
        place.put("large", bytes(2 << 20) + MARK)
        others = [place.put(f"other{i}", MARK) for i in range(20)]
        process = subprocess.Popen(place.command("--time", "600", "--jobs", "1"), stdout=subprocess.PIPE, text=True)
        keeper = keeper_of(process)
        time.sleep(1.5)  # by now it hangs on the large file
        worker = children(keeper, b"--worker")
        assert len(worker) == 1, worker
        os.kill(worker[0], signal.SIGKILL)
        out, _ = process.communicate(timeout=180)
        result = Result(process.returncode, out, "")
        # What killed it is looked for, and not found: the rule is slow, and does not crash.
        assert [(f["path"], f["reason"], f["detail"]) for f in result.of("failed")] == [
            (str(place.files / "large"), "crashed", "SIGKILL")], result.lines
        assert result.of("rule_failed") == [] and result.summary()["files"] == 20, result.lines
        assert {m["path"] for m in result.of("match")} == set(map(str, others))


def a_death_that_no_rule_explains_is_the_files():
    with Place(finds=FINDS) as place:
        place.put("large", bytes(250 << 20))
        place.put("other", MARK)
        process = subprocess.Popen(place.command("--jobs", "1"), stdout=subprocess.PIPE, text=True)
        keeper = keeper_of(process)
        for _ in range(2000):
            busy = [w for w in children(keeper, b"--worker") if resident(w) > 100 << 20]
            if busy:
                os.kill(busy[0], signal.SIGKILL)
                break
            time.sleep(0.002)
        out, _ = process.communicate(timeout=180)
        result = Result(process.returncode, out, "")
        assert [(f["path"], f["reason"], f["detail"]) for f in result.of("failed")] == [
            (str(place.files / "large"), "crashed", "SIGKILL")], result.lines
        assert result.summary()["files"] == 1 and result.summary()["matches"] == 1


def resident(pid):
    try:
        return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
    except (OSError, IndexError):
        return 0


def each_process_has_what_it_needs_and_no_more():
    with Place(hangs=HANGS) as place:
        place.put("large", bytes(2 << 20))
        process = subprocess.Popen(place.command("--time", "600", "--jobs", "1"), stdout=subprocess.DEVNULL)
        keeper = keeper_of(process)
        bulkhead.wait_for(lambda: children(keeper, b"--worker"), 5, "worker")
        time.sleep(0.5)
        worker, opener = children(keeper, b"--worker")[0], children(keeper, b"--opener")[0]
        for pid, capabilities in [(worker, 0), (opener, 1 << 2)]:  # CAP_DAC_READ_SEARCH
            status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
            assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == capabilities, (pid, status["CapEff"])
            assert int(status["CapBnd"], 16) == 0 and status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", status
            assert status["Uid"].split()[0] not in ("0", str(os.getuid())), status["Uid"]
            assert os.readlink(f"/proc/{pid}/ns/net") != os.readlink("/proc/self/ns/net")
        assert os.listdir(f"/proc/{worker}/root") == [], "a worker sees files"
        held = {os.readlink(f"/proc/{worker}/fd/{fd}") for fd in os.listdir(f"/proc/{worker}/fd")}
        assert not any(str(place.rules) in name for name in held), held
        process.terminate()
        process.wait(timeout=10)
        bulkhead.wait_for(lambda: not pathlib.Path(f"/proc/{keeper}").exists(), 5, "end of the scanner")
        assert not any(pathlib.Path(f"/proc/{pid}").exists() for pid in (worker, opener)), "left behind"


def packs_carry_rules():
    with Place(finds=FINDS) as place:
        hit = place.put("hit", MARK)
        packs = [place.top / name for name in ("one.pack", "two.pack")]
        for pack in packs:
            subprocess.run([BULKHEAD, "content", "build", place.rules, "-o", pack], check=True, stdout=subprocess.DEVNULL)
        assert packs[0].read_bytes() == packs[1].read_bytes()
        done = subprocess.run([BULKHEAD, "scan", "--json", "--rules", packs[0], place.files], capture_output=True, text=True)
        assert [m["path"] for m in Result(done.returncode, done.stdout, "").of("match")] == [str(hit)]
        (place.rules / "bad.yar").write_text("rule bad { condition: }")
        done = subprocess.run([BULKHEAD, "content", "build", place.rules, "-o", packs[1], "--report", "json"],
                              capture_output=True, text=True)
        report = {pathlib.Path(r["file"]).name: r for r in json.loads(done.stdout)["rules"]}
        assert done.returncode == 1 and report["finds.yar"]["status"] == "ok", report
        assert report["bad.yar"]["status"] == "refused" and report["bad.yar"]["class"] == "yara", report


def lists_of_hashes_are_asked():
    with Place(finds=FINDS) as place:
        bad = place.put("bad", b"a program that somebody knows")
        place.put("other", MARK)
        digest = hashlib.sha256(bad.read_bytes()).hexdigest()
        (place.rules / "known.ioc.txt").write_text(f"# title: Known programs\n# author: Somebody\n# level: critical\n{digest}\n")
        pack = place.top / "hashes.pack"
        subprocess.run([BULKHEAD, "content", "build", place.rules, "-o", pack], check=True, stdout=subprocess.DEVNULL)
        done = subprocess.run([BULKHEAD, "scan", "--json", "--rules", pack, place.files], capture_output=True, text=True)
        result = Result(done.returncode, done.stdout, "")
        found = {m["kind"]: m for m in result.of("match")}
        assert done.returncode == 1 and found["indicator"]["path"] == str(bad), result.lines
        assert (found["indicator"]["level"], found["indicator"]["author"]) == ("critical", "Somebody"), found
        assert found["yara"]["path"] == str(place.files / "other")
        (place.rules / "finds.yar").unlink()  # lists alone will do
        subprocess.run([BULKHEAD, "content", "build", place.rules, "-o", pack], check=True, stdout=subprocess.DEVNULL)
        done = subprocess.run([BULKHEAD, "scan", "--json", "--rules", pack, place.files], capture_output=True, text=True)
        assert [m["path"] for m in Result(done.returncode, done.stdout, "").of("match")] == [str(bad)]


sys.exit(bulkhead.main([
    matches_are_told_with_all_that_is_known, people_read_text_and_no_path_can_draw, only_files_are_opened,
    a_caller_without_privilege_gets_the_same_cages, ten_thousand_files, rules_that_do_not_compile_are_named,
    a_rule_that_hangs_costs_one_verdict, a_rule_that_takes_all_memory_costs_one_verdict, a_worker_that_dies_costs_one_verdict,
    a_death_that_no_rule_explains_is_the_files, each_process_has_what_it_needs_and_no_more, packs_carry_rules,
    lists_of_hashes_are_asked]))
