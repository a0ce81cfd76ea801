"""What an earlier attempt left in a job's folder."""

import numpy as np

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
    for name in (".run.json.a1", ".progress.json.b2", ".predictions.parquet.77", ".job.json.c3"):
        (tmp_path / name).touch()
    kept = {".claim.json.other.12", "run.json", "progress.json", "job.json"}
    for name in kept:
        (tmp_path / name).touch()
    remove_unfinished(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == kept
