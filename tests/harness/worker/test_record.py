"""What a worker leaves behind."""

import torch

from harness.ledger.record import CellInfo
from harness.worker.record import publish_weights


def test_equal_weights_give_equal_files(tmp_path):
    cell = CellInfo(
        model="m",
        method="M",
        stage="single",
        dataset="d",
        train_modalities=["rgb"],
        test_modality="rgb",
        seed=0,
        profile="p",
    )
    full = {"meta": {"epoch": 3}, "state_dict": {"fc.weight": torch.arange(6.0).reshape(2, 3)}, "optimizer": {"lr": 1}}
    for name in ("a", "b"):
        publish_weights(full, tmp_path / name / "checkpoint.pth", "0" * 64, cell, lambda: None)
    first, second = ((tmp_path / name / "checkpoint.pth").read_bytes() for name in ("a", "b"))
    assert first == second
    read = torch.load(tmp_path / "a" / "checkpoint.pth", weights_only=True)
    assert set(read) == {"meta", "state_dict"} and read["state_dict"]["fc.weight"].equal(
        full["state_dict"]["fc.weight"]
    )
