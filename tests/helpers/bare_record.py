"""A record that depends on nothing."""

from harness.ledger.record import CellInfo, Identity, RunRecord


def record_of(status):
    cell = CellInfo(
        model="m",
        method="M",
        stage="single",
        dataset="d",
        train_modalities=["rgb"],
        test_modality="rgb",
        seed=0,
        profile="smoke",
    )
    identity = Identity(version=1, config={}, data={}, parents={}, code={}, seed=0)
    return RunRecord(key="0" * 64, status=status, cell=cell, identity=identity)
