"""What was measured of one run, by names that say the unit."""

from __future__ import annotations

from harness.ledger.record import RunRecord

METRICS = {
    "top1_percent": "top-1 accuracy on the test split",
    "top5_percent": "top-5 accuracy",
    "mean_class_percent": "accuracy per class, averaged over classes",
    "parameters": "of the network that predicts",
    "multiply_adds": "of one view",
    "train_seconds": "training of the run's own stage",
    "test_seconds": "testing",
    "total_seconds": "all of the run",
    "peak_memory_bytes": "the most that was in use",
}


def numbers(record: RunRecord) -> dict[str, float]:
    """The ``METRICS`` that a record has, then what its stage measured besides, under the stage's own names."""
    m, c = record.metrics, record.cost
    found = {
        "top1_percent": None if m is None else 100 * m.top1,
        "top5_percent": None if m is None else 100 * m.top5,
        "mean_class_percent": None if m is None else 100 * m.mean_class,
        "parameters": c.params,
        "multiply_adds": c.flops,
        "train_seconds": c.train_seconds,
        "test_seconds": c.test_seconds,
        "total_seconds": c.total_seconds,
        "peak_memory_bytes": c.peak_memory_bytes,
    }
    return {k: float(v) for k, v in found.items() if v is not None} | dict(sorted(record.measurements.items()))
