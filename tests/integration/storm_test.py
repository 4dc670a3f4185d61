#!/usr/bin/env python3
"""Storms: every event that was made is seen, counted against what the storm says it made."""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import bulkhead

BUILD = pathlib.Path(sys.argv[1]).resolve()
EXECS, OPENS, CONNECTS = 20000, 200000, 20000


def storm(kind, count, target):
    return subprocess.Popen([BUILD / "tests/integration/storm", kind, str(count), str(target)],
                            stdout=subprocess.PIPE, text=True)


def finish(process):
    said = process.communicate(timeout=300)[0]
    assert process.returncode == 0, "the storm itself failed"
    return said.strip()


def listener():
    """A port that takes every connection and lets it go."""
    import socket
    server = socket.create_server(("127.0.0.1", 0), backlog=1024)

    def serve():
        while True:
            try:
                server.accept()[0].close()
            except OSError:
                return
    threading.Thread(target=serve, daemon=True).start()
    return server


def nothing_is_lost_in_a_storm():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bulkhead-storm-"))
    program, secret = folder / "storm-true", folder / "secret"
    shutil.copy("/bin/true", program)
    secret.write_text("x")
    server = listener()
    port = server.getsockname()[1]
    instance = bulkhead.Instance(BUILD)
    counter = bulkhead.Counter(instance, exec=program, watch=secret, port=port)
    said = [finish(s) for s in [storm("exec", EXECS, program), storm("open", OPENS, secret),
                                storm("connect", CONNECTS, port)]]
    time.sleep(1)  # guard looks every 5 ms, and the engine may be a little behind
    counted = counter.stop()
    status = instance.status()
    instance.stop()
    server.close()
    shutil.rmtree(folder)
    assert status["dropped_kernel"] == 0 and status["malformed"] == 0, status
    assert counted["lost"] == counted["gaps"] == counted["doubles"] == 0, counted
    assert counted["execs"] == EXECS, (counted, status)
    assert counted["opens"] == OPENS, (counted, status)
    assert counted["connects"] == CONNECTS, (counted, status)
    assert all(c["lost"] == 0 for c in status["clients"]), status
    return said + [f"seen: {counted}"]


sys.exit(bulkhead.main([nothing_is_lost_in_a_storm]))
