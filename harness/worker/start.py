"""What a training really started from, against what was planned."""

from __future__ import annotations

from typing import Any

from mmengine.runner import Runner

from harness.ledger.record import RunRecord, StartingWeights
from mtcd_plugin.engine.hooks.starting_weights_hook import StartingWeightsHook


def watch_start(runner: Runner) -> None:
    """Give a Runner the hook that loads and reports starting weights, where its config has none."""
    if not any(isinstance(h, StartingWeightsHook) for h in runner.hooks):
        runner.register_hook(StartingWeightsHook())


def record_start(runner: Runner, record: RunRecord) -> None:
    """Complete a record's starting weights with the reports of what was loaded.

    Raises:
        ValueError: planned weights that nothing loaded, or whose content has changed since.
    """
    hook = next(h for h in runner.hooks if isinstance(h, StartingWeightsHook))
    reports = list(hook.reports(runner))
    planned = {w.sha256 for w in record.pretrained}
    record.pretrained = [_completed(w, reports) for w in record.pretrained]
    for extra in {r["sha256"]: r for r in reports if r["sha256"] not in planned}.values():
        record.pretrained.append(StartingWeights(**extra))
        record.notes.append(f"{extra['file']} is named by the network's own code: it is no part of the run's key")


def _completed(planned: StartingWeights, reports: list[dict[str, Any]]) -> StartingWeights:
    fitting = [r for r in reports if r["sha256"] == planned.sha256]
    if fitting:
        if len(fitting) > 1:  # the same file in several places: one report each
            reports.remove(fitting[0])
        return StartingWeights(**{**fitting[0], "where": planned.where})
    if any(r["file"] == planned.file for r in reports):
        raise ValueError(
            f"starting weights {planned.file} ({planned.where}) have changed since the run was planned; plan again"
        )
    if planned.where == "load_from" or ".init_cfg." in planned.where:
        raise ValueError(
            f"starting weights {planned.file} ({planned.where}) were not loaded: nothing in the network takes them"
        )
    return planned  # loaded by the network's own class, or by a stage that checks all of it
