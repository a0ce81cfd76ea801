"""What an earlier attempt left in a job's folder."""

import os
import socket
import subprocess

import numpy as np
import pytest

from harness import claims
from harness.run_folder import remove_unfinished
from mtcd_plugin.formats.clip_store import ClipStoreWriter


def test_a_killed_rendering_leaves_nothing_to_the_next_attempt(tmp_path):
    (tmp_path / "log.txt").write_text("kept")
    killed = ClipStoreWriter(tmp_path / "store", "ir", (8, 8))
    killed.add("clip", np.zeros((2, 8, 8, 1), np.uint8))  # and never closed
    assert len(list(tmp_path.iterdir())) == 2
    remove_unfinished(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["log.txt"]


def test_half_written_files_go_and_those_of_a_rival_for_the_claim_stay(tmp_path):
    host, gone = socket.gethostname(), subprocess.Popen(["true"])
    gone.wait()
    abandoned = f".claim.json.{host}.{gone.pid}"  # of a process that was killed before it was a claim
    for name in (".run.json.a1", ".progress.json.b2", ".predictions.parquet.77", ".job.json.c3", abandoned):
        (tmp_path / name).touch()
    kept = {".claim.json.other.12", f".claim.json.{host}.{os.getpid()}", "run.json", "progress.json", "job.json"}
    for name in kept:
        (tmp_path / name).touch()
    remove_unfinished(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == kept


def test_a_claim_handed_over_by_a_process_that_is_killed_meanwhile_is_told_apart(tmp_path, monkeypatch):
    claims.take(tmp_path)

    def killed(*paths):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("harness.claims.os.replace", killed)
        with pytest.raises(KeyboardInterrupt):
            claims.hand_over(tmp_path, os.getpid())
    (left,) = tmp_path.glob(".claim.json.*")
    assert not claims.is_abandoned(left)  # this process lives
    assert left.name.endswith(f".{os.getpid()}") and claims.read(tmp_path) is not None
    claims.hand_over(tmp_path, os.getpid())
    assert not list(tmp_path.glob(".claim.json.*"))
