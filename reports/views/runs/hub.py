"""Results for model repositories on the Hugging Face Hub: ``.eval_results/*.yaml``
(https://huggingface.co/docs/hub/eval-results)."""

from __future__ import annotations

import yaml

from reports import format as f
from reports.ledger.context import ReportContext
from reports.ledger.results import Result

PROTOCOL = "paper"  # the profile that has the paper's clips and schedule


def eval_results(context: ReportContext) -> dict[str, str]:
    """Place in the site -> file, for each cell that was measured on a data set of which the benchmark names the Hub's
    repository, at the paper's own profile. Results on synthetic data, or on other clips in its layout, are none of
    that data set and have no file; nor have those of a smaller profile, which follow another protocol."""
    if context.profile != PROTOCOL:
        return {}
    found = {}
    for name, result in context.ledger.results.items():
        dataset = result.runs[0].cell.dataset
        hub = None if context.clips.others_note(dataset) else context.benchmark.datasets[dataset].hub
        if hub is not None and result.done and result.synthetic == () and context.ledger.used_by.get(name):
            place = f"downloads/eval_results/{f.slug(name)}.yaml"
            found[place] = yaml.safe_dump([_entry(context, result, hub.repository, hub.task)], sort_keys=False)
    return found


def _entry(context: ReportContext, result: Result, repository: str, task: str) -> dict[str, object]:
    cell, records = result.runs[0].cell, result.done
    commits = list(dict.fromkeys(f.short_commit(r.commit) for r in records))
    notes = [
        f"top-1 in percent, mean over {f.count(len(records), 'seed')}",
        f"predicts from {f.modalities(cell.test_modality)}, trained on {f.modalities(cell.train_modalities)}",
        f"{cell.id}, profile {context.profile}, commit{'s' * (len(commits) > 1)} {', '.join(commits)}",
        *(["older config, code or data"] if result.older else []),
    ]
    return {
        "dataset": {"id": repository, "task_id": task},
        "value": round(100 * result.top1[0], 4),
        "date": max(r.finished for r in records),
        "notes": "; ".join(notes).replace("\u202f", " "),
    }
