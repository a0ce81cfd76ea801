"""Whether a config leaves behind what its stage is declared to."""

from __future__ import annotations

from typing import Any

from harness.suite import Entry

WRITES = "ClipPredictions"


def check_outputs(entry: Entry, config: dict[str, Any], profile: str) -> None:
    """Raise ValueError where a config would not leave behind at a profile what its stage is declared to.

    One that classifies and has no predictions would have no accuracy; one that renders and writes no store would be
    missed by the stages that read it.
    """
    where = f"{entry.config}: at profile {profile}"
    found = config.get("test_evaluator") or []
    evaluators = found if isinstance(found, (list, tuple)) else [found]
    if config.get("train_cfg") is not None and "trains" not in entry.role.does:
        raise ValueError(
            f"{where} it has a train_cfg, but the metafile's Stages do not say that a {entry.stage} trains"
        )
    writes_store = any(isinstance(e, dict) and "output_dir" in e for e in evaluators)
    if entry.renders and not writes_store:
        raise ValueError(f"{where} no test_evaluator has an output_dir: a {entry.stage} renders a store of clips")
    if writes_store and not entry.renders:
        raise ValueError(
            f"{where} test_evaluator has output_dir, but the metafile's Stages do not say that a {entry.stage} renders"
        )
    if not entry.classifies:
        return
    if gone := [key for key in ("test_dataloader", "test_cfg") if config.get(key) is None]:
        raise ValueError(f"{where} there is no {gone[0]}: a {entry.stage} is tested, or it has no accuracy")
    if not any(isinstance(e, dict) and e.get("type") == WRITES for e in evaluators):
        raise ValueError(
            f"{where} test_evaluator has no {WRITES}, from which the accuracy of a {entry.stage} is counted; "
            f"add dict(type='{WRITES}') to its list"
        )
