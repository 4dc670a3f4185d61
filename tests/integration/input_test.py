#!/usr/bin/env python3
"""Bad input gets a clear error and loses nothing."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import bulkhead

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import programs

BUILD = pathlib.Path(sys.argv[1]).resolve()
CTL = BUILD / "src/ctl/bulkhead"
PACK = BUILD / "content/content.pack"
RULE = b"""title: T
id: 6d1f2f6e-6f6e-4a57-9b3c-0d4b7c1b7a11
status: test
logsource: {category: process_creation, product: linux}
detection: {sel: {Image: /bin/evil}, condition: sel}
"""


def ctl(*arguments, **options):
    return subprocess.run([CTL, *map(str, arguments)], capture_output=True, timeout=60, **options)


def ctl_without_root(*arguments):
    program = programs.for_anyone(BUILD) / "src/ctl/bulkhead"
    return subprocess.run([program, *map(str, arguments)], capture_output=True, timeout=60, user=65534, group=65534,
                          cwd="/")


def scratch():
    return pathlib.Path(tempfile.mkdtemp(prefix="bulkhead-input-"))


def a_pack_cut_anywhere_is_refused():
    folder, whole = scratch(), PACK.read_bytes()
    pack = folder / "cut.pack"
    cuts = sorted({0, 1, 7, 8, 63, 64, len(whole) - 1, *range(0, len(whole), max(1, len(whole) // 60))})
    for cut in cuts:
        pack.write_bytes(whole[:cut])
        done = ctl("content", "verify", pack)
        assert done.returncode == 1 and done.stderr.count(b"\n") <= 3, (cut, done)
    shutil.rmtree(folder)
    return [f"{len(cuts)} cuts"]


def a_bad_pack_is_refused_before_anything_starts():
    folder = scratch()
    pack = folder / "bad.pack"
    pack.write_bytes(PACK.read_bytes()[:-8])
    done = ctl("run", "--home", folder / "home", "--content", pack)
    assert done.returncode == 78 and not done.stdout, done
    assert done.stderr.count(b"\n") == 1 and b"bad.pack was refused" in done.stderr, done
    assert not (folder / "home").exists()
    shutil.rmtree(folder)


def an_engine_with_a_bad_pack_is_off_and_says_so():
    """Guard without `bulkhead run`, as a service has it."""
    folder = scratch()
    pack = folder / "bad.pack"
    pack.write_bytes(PACK.read_bytes()[:-8])
    home = pathlib.Path(tempfile.mkdtemp(prefix="bulkhead-test-", dir="/run"))
    guard = subprocess.Popen([BUILD / "src/guard/bulkhead-guard", "--home", home, "--content", pack],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        alerts = home / "spool/alerts.jsonl"
        bulkhead.wait_for(lambda: alerts.exists() and "nothing is detected" in alerts.read_text(), 10, "told")
        assert "content verify" in alerts.read_text(), alerts.read_text()
        done = ctl("status", "--home", home)
        assert done.returncode == 1 and b"given up" in done.stdout, done
    finally:
        guard.send_signal(15)
        guard.wait(timeout=20)
    shutil.rmtree(folder)
    shutil.rmtree(home)


def a_rule_file_that_is_not_utf8_names_file_and_line():
    folder = scratch()
    (folder / "good.yml").write_bytes(RULE)
    (folder / "bad.yml").write_bytes(RULE.replace(b"title: T", b"title: \xff\xfe").replace(b"7a11", b"7a12"))
    done = ctl("content", "build", folder, "-o", folder / "p", "--report", "json")
    rules = json.loads(done.stdout)["rules"]
    assert done.returncode == 1
    assert [r["status"] for r in sorted(rules, key=lambda r: r["file"])] == ["refused", "ok"], rules
    assert any("UTF-8" in r.get("reason", "") for r in rules), rules
    shutil.rmtree(folder)


def a_rule_file_of_100_mb_is_refused_quickly():
    folder = scratch()
    with open(folder / "big.yml", "wb") as big:
        big.write(RULE)
        big.truncate(100 << 20)
    start = time.monotonic()
    done = ctl("content", "build", folder, "-o", folder / "p")
    assert done.returncode == 1 and b"big.yml" in done.stderr + done.stdout, done
    assert time.monotonic() - start < 2
    shutil.rmtree(folder)


def a_full_disk_keeps_the_old_pack():
    folder = scratch()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", folder], check=True)
    try:
        old = folder / "p"
        old.write_bytes(b"old")
        done = ctl("content", "build", pathlib.Path(__file__).parents[2] / "content/rules", "-o", old)
        assert done.returncode == 1 and b"No space left" in done.stderr, done
        assert old.read_bytes() == b"old"
        assert os.listdir(folder) == ["p"]
    finally:
        subprocess.run(["umount", folder], check=True)
    folder.rmdir()


def a_home_on_a_full_disk_says_so():
    folder = scratch()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "nr_inodes=2", "none", folder], check=True)
    try:
        (folder / "x").write_text("")
        done = ctl("run", "--home", folder / "h")
        assert done.returncode != 0 and b"No space left" in done.stderr + done.stdout, done
    finally:
        subprocess.run(["umount", folder], check=True)
    folder.rmdir()


def alerts_wait_for_room_and_none_is_lost():
    """The spool's disk fills up, alerts go on, room appears: every alert is there, once."""
    home = pathlib.Path(tempfile.mkdtemp(prefix="bulkhead-test-", dir="/run"))
    (home / "spool").mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "none", home / "spool"], check=True)
    program = f"/dev/shm/bulkhead-full-{os.getpid()}"
    shutil.copy("/bin/true", program)
    run = subprocess.Popen([CTL, "run", "--home", home, "--content", PACK],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        time.sleep(1.5)
        for _ in range(200):
            subprocess.run([program], check=True)
        bulkhead.wait_for(lambda: os.statvfs(home / "spool").f_bfree == 0, 20, "the disk is full")
        time.sleep(1)
        subprocess.run(["mount", "-o", "remount,size=8m", home / "spool"], check=True)

        def found():
            text = (home / "spool/alerts.jsonl").read_text()
            return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]
        mine = lambda: [a for a in found() if a.get("path") == program]
        bulkhead.wait_for(lambda: len(mine()) >= 200, 20, "the spool catches up")
        assert len({a["seq"] for a in mine()}) == len(mine()) == 200
        told = lambda: any("space" in a.get("message", "").lower() for a in found() if a["type"] == "health")
        bulkhead.wait_for(told, 20, "it was told")
    finally:
        run.send_signal(2)
        said = run.communicate(timeout=20)[0]
        subprocess.run(["umount", home / "spool"], check=True)
        os.unlink(program)
        shutil.rmtree(home)
    assert "space" in said.lower(), said[-500:]


def a_home_that_is_not_ours_is_refused():
    folder = scratch()
    os.chown(folder, 65534, 65534)
    done = ctl("run", "--home", folder)
    assert done.returncode == 78 and b"another user" in done.stderr + done.stdout, done
    os.chown(folder, 0, 0)
    os.chmod(folder, 0o777)
    done = ctl("run", "--home", folder)
    assert done.returncode == 78 and b"written to by others" in done.stderr + done.stdout, done
    os.chmod(folder, 0o700)
    link = folder.with_suffix(".link")
    link.symlink_to(folder)
    done = ctl("run", "--home", link)
    assert done.returncode == 78 and b"no folder" in done.stderr + done.stdout, done
    link.unlink()
    shutil.rmtree(folder)


def alert_somebody(instance):
    program = f"/dev/shm/bulkhead-one-{os.getpid()}"
    shutil.copy("/bin/true", program)
    subprocess.run([program], check=True)
    os.unlink(program)
    bulkhead.wait_for(lambda: any(a.get("path") == program for a in instance.alerts()), 5, "alert")


def two_instances_on_one_home_are_refused():
    instance = bulkhead.Instance(BUILD)
    alert_somebody(instance)
    done = ctl("run", "--home", instance.home)
    assert done.returncode == 75 and b"another" in (done.stderr + done.stdout).lower(), done
    assert not done.stdout and b"watching this machine" not in done.stderr, done
    assert instance.component("courier")["state"] == "running"
    instance.stop()


def two_instances_side_by_side_see_the_same():
    first, second = bulkhead.Instance(BUILD), bulkhead.Instance(BUILD)
    program = f"/dev/shm/bulkhead-two-{os.getpid()}"
    shutil.copy("/bin/true", program)
    subprocess.run([program], check=True)
    os.unlink(program)
    for instance in (first, second):
        bulkhead.wait_for(lambda: any(a.get("path") == program for a in instance.alerts()), 5, "alert")
    first.stop()
    assert second.component("engine")["state"] == "running"
    second.stop()


def status_and_doctor_say_how_it_is():
    instance = bulkhead.Instance(BUILD)
    done = instance.ctl("status")
    assert done.returncode == 0 and "all is well" in done.stdout, done
    done = instance.ctl("doctor")
    assert done.returncode == ("✗" in done.stdout), done  # 1 where this machine lacks something
    assert "· enforcement" in done.stdout and "✓ process table" in done.stdout, "what guard found"
    assert " cgroup 2 " in done.stdout and " cage of the engine " in done.stdout, "and the machine, and the parts"
    assert max(map(len, done.stdout.splitlines())) <= 80, done.stdout
    stranger = ctl_without_root("doctor", "--home", instance.home)
    assert b"try again with sudo" in stranger.stderr, stranger
    assert "? root".encode() in stranger.stdout and b"need root" in stranger.stdout, stranger
    thread = next(c.parent.name for c in pathlib.Path("/proc").glob("[0-9]*/comm") if c.read_text() == "ksoftirqd/0\n")
    assert f"ksoftirqd/0({thread})" in instance.ctl("tree", thread).stdout, "a slash in a name is no folder"
    bulkhead.wait_for(lambda: "off: the content has no rules for files" in instance.ctl("status").stdout, 10, "why off")
    os.kill(instance.component("courier")["pid"], 9)
    bulkhead.wait_for(lambda: instance.component("courier").get("restarts") == 1, 5, "restart")
    bulkhead.wait_for(lambda: instance.component("courier").get("state") == "running", 5, "back")
    done = instance.ctl("status")
    assert done.returncode == 0 and "all is well" not in done.stdout and "1 restart" in done.stdout, done
    stop_and_overrun(instance)
    instance.stop()


def stop_and_overrun(instance):
    """The engine is held until the stream has gone round once: what it lost is nobody's all is well."""
    engine = instance.component("engine")["pid"]
    os.kill(engine, 19)
    try:
        subprocess.run(["sh", "-c", "i=0; while [ $i -lt 1500 ]; do /bin/true " + "x" * 20000 +
                        "; i=$((i+1)); done"], check=True)
    finally:
        os.kill(engine, 18)
    lost = lambda: next((c["lost"] for c in instance.status()["clients"] if c["name"] == "engine"), 0)
    bulkhead.wait_for(lambda: lost() > 0, 10, "loss")
    done = instance.ctl("status")
    assert done.returncode == 1 and "look at what is marked" in done.stdout, done


def without_root_it_says_what_to_do():
    done = ctl_without_root("run", "--home", "/tmp/none")
    assert done.returncode == 77 and b"root" in done.stderr, done


sys.exit(bulkhead.main([
    a_pack_cut_anywhere_is_refused, a_bad_pack_is_refused_before_anything_starts, an_engine_with_a_bad_pack_is_off_and_says_so,
    a_rule_file_that_is_not_utf8_names_file_and_line, a_rule_file_of_100_mb_is_refused_quickly,
    a_full_disk_keeps_the_old_pack, a_home_on_a_full_disk_says_so, alerts_wait_for_room_and_none_is_lost,
    a_home_that_is_not_ours_is_refused, two_instances_on_one_home_are_refused,
    two_instances_side_by_side_see_the_same, status_and_doctor_say_how_it_is, without_root_it_says_what_to_do]))
