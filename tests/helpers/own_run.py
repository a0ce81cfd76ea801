"""A run of somebody's own method on recordings of their own, beside the runs of a fake site."""

from pathlib import Path

from harness.ledger.record import CellInfo, DataInfo
from tests.helpers.fake_ledger import fake_predictions, fake_record, save

OWN = "own_mgr-dark-rgb"


def save_own_run(work_dir: Path, stage: str) -> None:
    """Write the record and the predictions of ``OWN``, trained on one person and tested on another, into a ledger."""
    cell = CellInfo(
        model=OWN,
        method="own",
        stage=stage,
        dataset="mgr_dark",
        train_modalities=["rgb"],
        test_modality="rgb",
        seed=0,
        profile="demo",
    )
    record = fake_record(cell, synthetic=False)
    data = DataInfo(**{**record.data.model_dump(), "train_subjects": ["me"], "test_subjects": ["you"]})
    table = fake_predictions("mgr_dark", 1.0, 0, OWN, 1).assign(subject="you")
    save(work_dir, record.model_copy(update={"data": data}), table)
