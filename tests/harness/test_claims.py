"""Claims: one holder at a time, none left behind by the dead."""

import json
import os
import subprocess
import sys

from harness import claims


def test_a_live_claim_is_respected_and_release_frees_it(tmp_path):
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        assert claims.take(tmp_path) is None
        claims.hand_over(tmp_path, sleeper.pid)
        assert claims.take(tmp_path).pid == sleeper.pid
        claims.release(tmp_path)
        assert claims.take(tmp_path) is None
    finally:
        sleeper.kill()
        sleeper.wait()


def test_the_claim_of_a_dead_process_is_taken_over(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    claims.take(tmp_path)
    claims.hand_over(tmp_path, dead.pid)
    dead.wait()
    assert claims.take(tmp_path) is None
    assert claims.read(tmp_path).pid == os.getpid()


def test_a_reused_process_id_is_told_apart(tmp_path):
    claims.take(tmp_path)
    own = json.loads((tmp_path / "claim.json").read_text())
    (tmp_path / "claim.json").write_text(json.dumps({**own, "started": own["started"] - 1000}))
    assert claims.take(tmp_path) is None


def test_another_host_is_alive_as_long_as_it_refreshes_by_the_file_systems_clock(tmp_path):
    claims.take(tmp_path)
    own = json.loads((tmp_path / "claim.json").read_text())
    (tmp_path / "claim.json").write_text(json.dumps({**own, "host": "elsewhere"}))
    assert claims.take(tmp_path).host == "elsewhere"
    now = os.stat(tmp_path / "claim.json").st_mtime
    os.utime(tmp_path / "claim.json", (now - 1000, now - 1000))
    assert claims.take(tmp_path) is None


def test_a_damaged_claim_is_taken_over(tmp_path):
    (tmp_path / "claim.json").write_text("{")
    assert claims.take(tmp_path) is None


def test_of_many_only_one_gets_it(tmp_path):
    code = (
        "import sys, time, pathlib\nfrom harness import claims\n"
        "print(claims.take(pathlib.Path(sys.argv[1])) is None, flush=True)\ntime.sleep(2)"
    )
    racers = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert sorted(r.communicate()[0].strip() for r in racers) == ["False", "False", "False", "True"]


def test_a_clock_that_jumps_voids_no_claim(tmp_path, monkeypatch):
    """psutil derives a process's start from the clock; a claim must not."""
    import psutil

    assert claims.take(tmp_path) is None
    real = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: real(self) + 3600)
    monkeypatch.setattr("time.time", lambda: 1e9)
    assert claims.take(tmp_path).pid == os.getpid()


def test_a_zombie_holds_nothing(tmp_path):
    child = os.fork()
    if child == 0:
        os._exit(0)
    try:
        claims.take(tmp_path)
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)  # over, but not reaped
        claims.hand_over(tmp_path, child)
        assert claims.is_void(tmp_path)
        assert claims.take(tmp_path) is None
    finally:
        os.waitpid(child, 0)
