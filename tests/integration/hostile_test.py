#!/usr/bin/env python3
"""Hostile clients: whatever arrives at guard's socket costs its sender the connection and nobody else anything."""
import os
import pathlib
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

import bulkhead

BUILD = pathlib.Path(sys.argv[1]).resolve()
HELLO, SUBSCRIBE, WATCH, PROGRESS, ALERT, REPORT, ASK, WANT_SYSLOG = 1, 4, 5, 6, 7, 8, 9, 11
READY, BEGIN, FINISH, LOAD, LOADED = 20, 21, 22, 23, 24


def text(value):
    return struct.pack("<I", len(value)) + value


def hello(name=b"hostile", low=1, high=1):
    return struct.pack("<HHHQ", HELLO, low, high, 0) + text(name) + text(b"")


def connect(instance, greet=True):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.settimeout(5)
    client.connect(str(instance.home / "run/guard.sock"))
    if greet:
        client.send(hello())
        assert socket.recv_fds(client, 65536, 4)[0][:2] == b"\x02\x00"
    return client


def is_cut_off(client):
    """Everything that still comes, up to the end."""
    try:
        while True:
            if client.recv(65536) == b"":
                return True
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


def still_well(instance, pid):
    program = f"/dev/shm/bulkhead-hostile-{os.getpid()}-{random.randrange(1 << 30)}"
    shutil.copy("/bin/true", program)
    subprocess.run([program], check=True)
    os.unlink(program)
    bulkhead.wait_for(lambda: any(a.get("path") == program for a in instance.alerts()), 5, "detection")
    assert instance.guard_pid() == pid, "guard was restarted"


def violations_end_the_connection():
    instance = bulkhead.Instance(BUILD)
    pid = instance.guard_pid()
    far = (1 << 64) - 2
    bad = {
        "no hello": (False, struct.pack("<HQ", SUBSCRIBE, 1)),
        "a component's name": (False, hello(b"engine")),
        "another version": (False, hello(low=2, high=3)),
        "no name": (False, hello(b"")),
        "hello twice": (True, hello()),
        "an unknown number": (True, struct.pack("<H", 99)),
        "a message of guard's": (True, struct.pack("<HB", 10, 0) + text(b"{}")),
        "a short packet": (True, struct.pack("<HI", SUBSCRIBE, 1)),
        "a long packet": (True, struct.pack("<HQB", SUBSCRIBE, 1, 1)),
        "too long a text": (True, struct.pack("<H", WATCH) + text(b"/" * 5000)),
        "a packet over the limit": (True, bytes(100000)),
        "the courier's message": (True, struct.pack("<HI", WANT_SYSLOG, 1)),
        "the engine's message": (True, struct.pack("<HI", READY, 1) + text(b"00")),
        "the engine's message before hello": (False, struct.pack("<HI", READY, 1) + text(b"00")),
        "guard's word to the engine": (True, struct.pack("<HQQ", BEGIN, 0, 0)),
        "another of guard's words": (True, struct.pack("<HI", FINISH, 0)),
        "a load before hello": (False, struct.pack("<HB", LOAD, 0)),
        "a load of what is not": (True, struct.pack("<HB", LOAD, 2)),
        "a position that was never written": (True, struct.pack("<HQQQQ", PROGRESS, far, 0, 0, 0)),
        "a number that was never given": (True, struct.pack("<HQQQQ", PROGRESS, 0, 0, 0, far)),
        "an alert about no event": (True, struct.pack("<HQQQHH", ALERT, far, 0, 0, 0, 0) + text(b"") * 6),
        "an event type that is none": (True, struct.pack("<HQQQHH", ALERT, 1, 0, 0, 60, 0) + text(b"") * 6),
        "a question that is none": (True, struct.pack("<HQ", ASK, 0) + text(b"nonsense")),
    }
    for name, (greet, packet) in bad.items():
        with connect(instance, greet) as client:
            client.send(packet)
            assert is_cut_off(client), name
    still_well(instance, pid)
    instance.stop()
    return [f"{len(bad)} violations"]


def garbage_harms_nobody():
    instance = bulkhead.Instance(BUILD)
    pid = instance.guard_pid()
    generator = random.Random(1)
    packets = 0
    for _ in range(400):
        with connect(instance, generator.random() < 0.8) as client:
            try:
                while True:
                    number = generator.choice([*range(1, 31), generator.randrange(65536)])
                    body = bytes(generator.randrange(256) for _ in range(generator.choice([0, 4, 8, 32, 34, 60, 300])))
                    client.send(struct.pack("<H", number) + body)
                    packets += 1
                    if packets % 50 == 0:
                        break
            except (BrokenPipeError, ConnectionResetError):
                pass
    still_well(instance, pid)
    instance.stop()
    return [f"{packets} packets over 400 connections"]


def the_table_of_clients_can_be_full():
    instance = bulkhead.Instance(BUILD)
    pid = instance.guard_pid()
    clients = []
    for _ in range(40):
        try:
            clients.append(connect(instance))
        except (ConnectionError, AssertionError, TimeoutError):
            break
    assert len(clients) >= 10
    engine = int(subprocess.run(["pgrep", "-P", str(pid), "-f", "bulkhead-engine"],
                                capture_output=True, text=True).stdout)
    os.kill(engine, signal.SIGKILL)  # it finds its place again
    time.sleep(1)
    for client in clients:
        client.close()
    time.sleep(0.2)
    still_well(instance, pid)
    instance.stop()
    return [f"{len(clients)} clients at once"]


def names_beyond_the_places_begin_now():
    """Places in the stream are kept for 16 names, our parts' among them; others are welcome and may not resume."""
    instance = bulkhead.Instance(BUILD)
    pid = instance.guard_pid()
    from_now, places = (1 << 64) - 1, 0
    for i in range(40):
        with connect(instance, greet=False) as client:
            client.send(hello(f"name-{i}".encode()))
            answer = socket.recv_fds(client, 65536, 4)[0]
            number, _, _, _, resume, _, _ = struct.unpack("<HHQQQIQ", answer)
            assert number == 2, answer
            places += resume != from_now
            assert (resume != from_now) == (places == i + 1), f"name {i}: {resume}"
    assert 10 <= places <= 14, places
    engine = int(subprocess.run(["pgrep", "-P", str(pid), "-f", "bulkhead-engine"],
                                capture_output=True, text=True).stdout)
    os.kill(engine, signal.SIGKILL)  # its own place is still its own
    still_well(instance, pid)
    instance.stop()
    return [f"{places} places for others"]


def a_client_that_never_reads_is_cut_off():
    instance = bulkhead.Instance(BUILD)
    pid = instance.guard_pid()
    client = connect(instance)
    try:
        for _ in range(3000):
            client.send(struct.pack("<HQ", ASK, 1) + text(b"tree"))
    except (BrokenPipeError, ConnectionResetError, TimeoutError):
        pass
    still_well(instance, pid)
    client.close()
    instance.stop()


FALSE_ENGINE = """#!/usr/bin/python3 -I
import pathlib, socket, sys, time
guard = socket.socket(fileno=3)
guard.setblocking(True)
for packet in eval(pathlib.Path(__file__).with_name("packets").read_text()):
    if packet:
        guard.send(packet)
    elif not guard.recv(65536):
        break
while guard.recv(65536):
    pass
time.sleep(0.3)  # one that lived so long is started again at once
"""


def an_engine_has_its_turn_and_no_more():
    """One that was taken over, in its place: it cannot speak of events before its turn, nor call for other content."""
    build = pathlib.Path(tempfile.mkdtemp(prefix="bulkhead-hostile-"))
    for part in ["ctl", "guard", "courier", "engine", "scan", "verify"]:
        (build / "src" / part).mkdir(parents=True)
        shutil.copy(BUILD / f"src/{part}" / ("bulkhead" if part == "ctl" else f"bulkhead-{part}"), build / "src" / part)
    engine, packets = build / "src/engine/bulkhead-engine", build / "src/engine/packets"
    instance = bulkhead.Instance(build, BUILD / "content/content.pack")
    ready = struct.pack("<HI", READY, 1) + text(b"00")
    alert = struct.pack("<HQQQHH", ALERT, 1, 0, 0, 0, 0) + text(b"") * 6
    bad = {
        "progress before its turn": [struct.pack("<HQQQQ", PROGRESS, 0, 0, 0, 0)],
        "an alert before its turn": [alert],
        "a question": [struct.pack("<HQ", ASK, 0) + text(b"status")],
        "progress while it waits": [ready, struct.pack("<HQQQQ", PROGRESS, 0, 0, 0, 0), ready],
        "ready in its turn": [ready, None, ready],
        "other content": [struct.pack("<HB", LOAD, 0)],
        "other content in its turn": [ready, None, struct.pack("<HB", LOAD, 0)],
        "the courier's message in its turn": [ready, None, struct.pack("<HI", WANT_SYSLOG, 1)],
    }
    cut_off = lambda: pathlib.Path(instance.log.name).read_text().count('The client \\"engine\\" was cut off')
    os.rename(engine, build / "engine")
    engine.write_text(FALSE_ENGINE)
    engine.chmod(0o755)
    for number, (name, said) in enumerate(bad.items(), 1):
        packets.write_text(repr([hello(b"engine"), None, *said]))
        if number == 1:
            os.kill(instance.component("engine")["pid"], signal.SIGKILL)
        bulkhead.wait_for(lambda: cut_off() == number, 10, name)
    os.rename(build / "engine", engine)
    bulkhead.wait_for(lambda: "engine" in [c["name"] for c in instance.status()["clients"]], 15, "the engine")
    assert "content.pack" in instance.status()["content"]["path"]
    still_well(instance, instance.guard_pid())
    instance.stop()
    shutil.rmtree(build)
    return [f"{len(bad)} violations"]


def nothing_passes_by_while_the_engine_is_away():
    """No other client wants these events: guard keeps them for the engine all the same."""
    instance = bulkhead.Instance(BUILD)
    program = f"/dev/shm/bulkhead-away-{os.getpid()}"
    shutil.copy("/bin/true", program)
    for _ in range(8):
        bulkhead.wait_for(lambda: instance.component("engine").get("pid", 0), 5, "engine")
        os.kill(instance.component("engine")["pid"], signal.SIGKILL)
        for _ in range(25):
            subprocess.run([program], check=True)
        time.sleep(0.1)
    os.unlink(program)
    mine = lambda: [a for a in instance.alerts() if a.get("path") == program]
    bulkhead.wait_for(lambda: len(mine()) >= 200, 10, "every alert")
    time.sleep(0.5)
    assert len({a["event_seq"] for a in mine()}) == len(mine()) == 200
    instance.stop()


def an_alert_names_the_program_that_it_is_about():
    """…and not what the process has become since."""
    instance = bulkhead.Instance(BUILD)
    program = f"/dev/shm/bulkhead-shell-{os.getpid()}"
    shutil.copy("/bin/sh", program)
    subprocess.run([program, "-c", "exec /bin/true"], check=True)
    os.unlink(program)
    bulkhead.wait_for(lambda: any(a.get("path") == program for a in instance.alerts()), 5, "alert")
    alert = next(a for a in instance.alerts() if a.get("path") == program)
    assert alert["command_line"] == f"{program} -c exec /bin/true", alert
    assert alert["process_tree"].splitlines()[-1].startswith(program), alert
    instance.stop()


sys.exit(bulkhead.main([violations_end_the_connection, garbage_harms_nobody, the_table_of_clients_can_be_full,
                        names_beyond_the_places_begin_now,
                        a_client_that_never_reads_is_cut_off, an_engine_has_its_turn_and_no_more,
                        nothing_passes_by_while_the_engine_is_away,
                        an_alert_names_the_program_that_it_is_about]))
