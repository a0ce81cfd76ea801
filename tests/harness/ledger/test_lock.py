"""Locks of run folders: one holder at a time, none left behind by the dead, nothing written by who lost one."""

import errno
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from harness.ledger import lock as lock_module
from harness.ledger.lock import STALE_S, WATCH_S, LockLost, RunLock
from harness.ledger.store import write_record
from tests.helpers.bare_record import record_of


def claim_file(lock):
    return lock.folder / "lock" / str(lock.number) / "claim.json"


def edit(lock, **changes):
    claim = json.loads(claim_file(lock).read_text())
    claim_file(lock).write_text(json.dumps({**claim, **changes}))


@pytest.fixture
def clock(monkeypatch):
    """The monotonic clock as a list of one number."""
    now = [1000.0]
    monkeypatch.setattr(lock_module.time, "monotonic", lambda: now[0])
    return now


JOIN = """import sys, time
from harness.ledger.lock import RunLock
RunLock(sys.argv[1], int(sys.argv[2])).join(*sys.argv[3:]); """


def joined(lock, *submission):
    """A process that has joined a lock's claim and sleeps."""
    job = subprocess.Popen(
        [
            sys.executable,
            "-c",
            JOIN + "print(flush=True); time.sleep(60)",
            lock.folder,
            str(lock.number),
            *submission,
        ],
        stdout=subprocess.PIPE,
    )
    job.stdout.readline()
    return job


def test_of_two_processes_with_one_submission_one_joins_and_another_one_once_it_is_gone(tmp_path):
    harness = RunLock(tmp_path)
    assert harness.acquire()
    first = joined(harness, "a1b2")
    try:
        with pytest.raises(LockLost, match=f"process {first.pid} on .* runs this job already"):
            RunLock(tmp_path, harness.number).join("a1b2")
        RunLock(tmp_path, harness.number).join("c3d4")  # the next attempt is another submission
    finally:
        first.kill()
        first.wait()
    for _ in range(2):  # a process may join again
        RunLock(tmp_path, harness.number).join("a1b2")
    harness.check()


def test_a_live_claim_is_respected_and_release_frees_it(tmp_path):
    first, second = RunLock(tmp_path), RunLock(tmp_path)
    assert first.acquire() and not second.acquire()
    assert second.holder().processes[0][0] == os.getpid()
    first.release()
    assert second.holder() is None and second.acquire()


def test_a_claim_is_held_while_any_of_its_processes_lives(tmp_path):
    harness = RunLock(tmp_path)
    assert harness.acquire()
    job = joined(harness)
    try:
        processes = json.loads(claim_file(harness).read_text())["processes"]
        assert [p for p, _ in processes] == [os.getpid(), job.pid]
        edit(harness, processes=processes[1:])
        assert not RunLock(tmp_path).acquire()
    finally:
        job.kill()
        job.wait()
    assert harness.is_stale()
    assert RunLock(tmp_path).acquire()


def test_a_claim_from_another_machine_is_joined_without_a_process_of_this_one(tmp_path):
    theirs = RunLock(tmp_path)
    theirs.acquire()
    edit(theirs, host="elsewhere", processes=[[1, 1.0]])
    RunLock(tmp_path, theirs.number).join()
    assert json.loads(claim_file(theirs).read_text())["processes"] == [[1, 1.0]]


def test_a_claim_counts_as_long_as_a_worker_on_another_machine_refreshes_its_lock(tmp_path, clock):
    harness, worker, other = RunLock(tmp_path), RunLock(tmp_path, 1), RunLock(tmp_path)
    harness.acquire()
    worker.join("a1b2")
    below = worker._below["a1b2"]
    edit(below, host="elsewhere")
    edit(harness, processes=[[1, 1.0]])  # the harness is gone, and was never seen there
    assert not other.acquire() and other.holder() is not None
    now = os.stat(claim_file(below)).st_mtime
    os.utime(claim_file(below), (now - STALE_S - 1, now - STALE_S - 1))
    clock[0] += WATCH_S / 2
    worker.refresh()
    assert not other.acquire() and os.stat(claim_file(below)).st_mtime > now - STALE_S
    os.utime(claim_file(below), (now - STALE_S - 1, now - STALE_S - 1))
    assert not other.acquire()
    clock[0] += WATCH_S + 1
    assert other.acquire()


def test_a_worker_on_another_machine_that_is_over_says_so(tmp_path):
    harness, worker = RunLock(tmp_path), RunLock(tmp_path, 1)
    harness.acquire()
    worker.join("a1b2")
    edit(worker._below["a1b2"], host="elsewhere")
    edit(harness, processes=[[1, 1.0]])
    assert not RunLock(tmp_path).acquire()
    worker.leave()
    assert RunLock(tmp_path).acquire()


def test_a_reused_process_id_is_told_apart(tmp_path):
    old = RunLock(tmp_path)
    old.acquire()
    edit(old, processes=[[os.getpid(), 1.0]])
    assert RunLock(tmp_path).acquire()


@pytest.mark.parametrize("other", [{"host": "elsewhere"}, {"boot": "another"}, {"pid_namespace": "pid:[1]"}])
def test_a_claim_from_elsewhere_is_void_when_it_is_old_and_was_seen_not_to_be_refreshed(tmp_path, clock, other):
    theirs, ours = RunLock(tmp_path), RunLock(tmp_path)
    theirs.acquire()
    edit(theirs, **other, processes=[[1, 1.0]])
    assert not ours.acquire()
    now = os.stat(claim_file(theirs)).st_mtime
    os.utime(claim_file(theirs), (now - STALE_S - 1, now - STALE_S - 1))
    assert not ours.acquire()  # as after a sleep of the whole machine: it may be refreshed any moment
    clock[0] += WATCH_S / 2
    theirs.refresh()
    clock[0] += WATCH_S / 2 + 1
    assert not ours.acquire()
    os.utime(claim_file(theirs), (now - STALE_S - 1, now - STALE_S - 1))
    assert not ours.acquire()
    clock[0] += WATCH_S + 1
    assert ours.acquire()


def test_a_clock_that_is_set_back_keeps_no_dead_claim(tmp_path, clock):
    theirs, ours = RunLock(tmp_path), RunLock(tmp_path)
    theirs.acquire()
    edit(theirs, host="elsewhere")
    os.utime(claim_file(theirs), (time.time() + 1e6, time.time() + 1e6))
    assert not ours.acquire()
    clock[0] += STALE_S + 1
    assert ours.acquire()


@pytest.mark.parametrize("content", [b"{", b"\x00\xff\xfe", b"[]", b'{"host": 1}', b"[" * 100_000, b""])
def test_a_damaged_claim_is_taken_over(tmp_path, content):
    lock = RunLock(tmp_path)
    lock.acquire()
    claim_file(lock).write_bytes(content)
    assert lock.holder() is None and RunLock(tmp_path).acquire()


def test_a_full_disk_hinders_no_release(tmp_path, monkeypatch):
    lock = RunLock(tmp_path)
    assert lock.acquire()

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.write_text", full)
        patch.setattr("tempfile.mkstemp", full)
        lock.release()
        assert lock.holder() is None and not lock.is_stale()
    assert RunLock(tmp_path).acquire()


def test_numbers_only_grow_and_old_claims_are_removed(tmp_path):
    for number in range(1, 5):
        lock = RunLock(tmp_path)
        assert lock.acquire() and lock.number == number
        assert os.listdir(tmp_path / "lock") == [str(number)]
        lock.release()


def test_a_zombie_holds_nothing(tmp_path):
    child = os.fork()
    if child == 0:
        os._exit(0)
    try:
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)  # over, but not reaped
        lock = RunLock(tmp_path)
        lock.acquire()
        edit(lock, processes=[[child, 1.0]])
        assert lock.is_stale() and RunLock(tmp_path).acquire()
    finally:
        os.waitpid(child, 0)


def test_a_clock_that_jumps_voids_no_claim(tmp_path, monkeypatch):
    """psutil derives a process's start from the clock; a claim must not."""
    import psutil

    assert RunLock(tmp_path).acquire()
    real = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: real(self) + 3600)
    monkeypatch.setattr("time.time", lambda: 1e9)
    assert not RunLock(tmp_path).acquire()


def taken_over(tmp_path):
    """A lock that its holder still believes in, and that of who took the folder over."""
    old, new = RunLock(tmp_path), RunLock(tmp_path)
    old.acquire()
    edit(old, processes=[[os.getpid(), 1.0]])
    assert new.acquire()
    return old, new


def test_who_lost_a_lock_can_neither_write_a_record_nor_release_or_join_or_refresh(tmp_path):
    old, new = taken_over(tmp_path)
    record = record_of("failed")
    write_record(tmp_path, record_of("done"), new.check)
    for act in (
        lambda: write_record(tmp_path, record, old.check),
        old.check,
        old.refresh,
        old.join,
    ):
        with pytest.raises(LockLost, match="taken over"):
            act()
    old.release()
    assert not RunLock(tmp_path).acquire()  # the other's claim stands
    assert json.loads((tmp_path / "run.json").read_text())["status"] == "done"
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_a_claimant_that_looked_long_ago_withdraws(tmp_path, monkeypatch):
    """It saw claim 1 void, slept, and finds number 2 free again: removed by the holder of number 3."""
    slow = RunLock(tmp_path)
    first = RunLock(tmp_path)
    first.acquire()
    first.release()
    real, seen = RunLock._highest, []

    def stale(lock):
        if lock is slow and not seen:
            seen.append(real(lock))
            for _ in range(2):
                fast = RunLock(tmp_path)
                assert fast.acquire()
                if fast.number == 2:
                    fast.release()
            return seen[0]
        return real(lock)

    monkeypatch.setattr(RunLock, "_highest", stale)
    assert not slow.acquire() and seen == [1]
    assert os.listdir(tmp_path / "lock") == ["3"]


def test_a_rename_that_succeeded_and_was_reported_as_failed_counts(tmp_path, monkeypatch):
    """A network file system that repeats a request finds that it was carried out already."""
    real = os.rename

    def twice(a, b):
        real(a, b)
        real(a, b)

    monkeypatch.setattr(lock_module.os, "rename", twice)
    assert RunLock(tmp_path).acquire()


STRESS = """
import os, random, sys, time
from pathlib import Path
from harness.ledger.lock import RunLock
root, seed, wanted = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
draw, got = random.Random(seed), 0
while got < wanted:
    folder = root / str(draw.randrange(3))
    lock = RunLock(folder)
    if not lock.acquire():
        continue
    got += 1
    try:
        os.close(os.open(folder / "inside", os.O_CREAT | os.O_EXCL))  # a second holder finds it
    except FileExistsError:
        print("two holders", flush=True)
    time.sleep(draw.random() / 2000)
    os.unlink(folder / "inside")
    if draw.random() < 0.1:  # forgets its claim as if it had been killed
        for claim in folder.glob(f"lock/{lock.number}/claim.json"):
            claim.write_text(claim.read_text().replace(f"[{os.getpid()},", "[999999999,"))
    else:
        lock.release()
print(got)
"""


def test_of_many_claimants_one_holds_it_at_a_time(tmp_path):
    racers = [
        subprocess.Popen([sys.executable, "-c", STRESS, tmp_path, str(i), "60"], stdout=subprocess.PIPE, text=True)
        for i in range(6)
    ]
    assert [r.communicate()[0] for r in racers] == ["60\n"] * 6  # nobody said "two holders", nobody starved


def can_unshare():
    return (
        os.geteuid() == 0
        and subprocess.run(["unshare", "--pid", "--fork", "true"], capture_output=True).returncode == 0
    )


@pytest.mark.skipif(not can_unshare(), reason="needs root and process namespaces")
def test_containers_that_share_a_host_name_do_not_take_each_other_for_dead(tmp_path):
    hold = (
        "import sys, time\nfrom harness.ledger.lock import RunLock\n"
        "print(RunLock(sys.argv[1]).acquire(), flush=True)\ntime.sleep(60)"
    )
    ask = "import sys\nfrom harness.ledger.lock import RunLock\nprint(RunLock(sys.argv[1]).acquire())"
    unshare = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", sys.executable, "-c"]
    holder = subprocess.Popen([*unshare, hold, tmp_path], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline().strip() == "True"
        got = [subprocess.run([*unshare, ask, tmp_path], capture_output=True, text=True).stdout for _ in range(2)]
        assert got == ["False\n"] * 2 and not RunLock(tmp_path).acquire()
    finally:
        holder.kill()
        holder.wait()


def test_a_process_that_slept_while_another_took_over_overwrites_nothing(tmp_path):
    """As a laptop that was closed: its claim is that of another machine to who comes, and old."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom harness.ledger.lock import RunLock\n"
        "from harness.ledger.store import write_record\nfrom harness.ledger.record import RunRecord\n"
        "folder, record = Path(sys.argv[1]), RunRecord.model_validate_json(sys.argv[2])\n"
        "lock = RunLock(folder)\nassert lock.acquire()\nprint(lock.number, flush=True)\nsys.stdin.readline()\n"
        "write_record(folder, record, lock.check)"
    )
    sleepy = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path, record_of("failed").model_dump_json()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    theirs = RunLock(tmp_path, int(sleepy.stdout.readline()))
    os.kill(sleepy.pid, signal.SIGSTOP)
    edit(theirs, processes=[[1, 1.0]])
    ours = RunLock(tmp_path)
    assert ours.acquire()
    write_record(tmp_path, record_of("done"), ours.check)
    os.kill(sleepy.pid, signal.SIGCONT)
    _, err = sleepy.communicate("\n", timeout=600)
    assert sleepy.returncode == 1 and "LockLost" in err
    assert json.loads((tmp_path / "run.json").read_text())["status"] == "done"


def test_claims_that_are_a_link_remove_nothing_elsewhere(tmp_path):
    (tmp_path / "theirs" / ".hidden").mkdir(parents=True)
    (tmp_path / "theirs" / ".hidden" / "key").write_text("precious")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "lock").symlink_to(tmp_path / "theirs")
    with pytest.raises(OSError, match="lock: is a link; nothing is written or removed through it"):
        RunLock(tmp_path / "run").acquire()
    assert [p.name for p in (tmp_path / "theirs").rglob("*")] == [".hidden", "key"]


def test_other_users_may_see_who_holds_a_run(tmp_path):
    before = os.umask(0o027)
    try:
        lock = RunLock(tmp_path)
        assert lock.acquire()
    finally:
        os.umask(before)
    assert claim_file(lock).parent.stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize("error", [PermissionError(errno.EACCES, "no"), OSError(errno.EROFS, "no")])
def test_who_may_only_read_is_told_who_holds_a_run_elsewhere(tmp_path, monkeypatch, error):
    lock = RunLock(tmp_path)
    assert lock.acquire()
    edit(lock, host="elsewhere")

    def refused(**_):
        raise error

    monkeypatch.setattr(lock_module.tempfile, "NamedTemporaryFile", refused)
    assert RunLock(tmp_path).holder().host == "elsewhere"
    long_ago = time.time() - 2 * STALE_S
    os.utime(claim_file(lock), (long_ago, long_ago))
    assert RunLock(tmp_path).holder() is None
