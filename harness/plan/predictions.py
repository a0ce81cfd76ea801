"""Whether a config writes down what its accuracy is counted from."""

from __future__ import annotations

from typing import Any

from harness.suite import CLASSIFYING, Entry

WRITES = "ClipPredictions"


def check_predictions(entry: Entry, config: dict[str, Any], profile: str) -> None:
    """Raise ValueError for an entry that predicts a class and would have no predictions at a profile, so no
    accuracy.
    """
    if entry.stage not in CLASSIFYING:
        return
    where = f"{entry.config}: at profile {profile}"
    if gone := [key for key in ("test_dataloader", "test_cfg") if config.get(key) is None]:
        raise ValueError(f"{where} there is no {gone[0]}: a {entry.stage} is tested, or it has no accuracy")
    found = config.get("test_evaluator") or []
    evaluators = found if isinstance(found, (list, tuple)) else [found]
    if not any(isinstance(e, dict) and e.get("type") == WRITES for e in evaluators):
        raise ValueError(
            f"{where} test_evaluator has no {WRITES}, from which the accuracy of a {entry.stage} is counted; "
            f"add dict(type='{WRITES}') to its list"
        )
