"""What the plan says of the clips that its jobs read, for pages that are written before the first run."""

from __future__ import annotations

from collections.abc import Iterable

from harness.plan.jobs import Job


def synthetic_sets(jobs: Iterable[Job]) -> list[str]:
    """The data sets of which jobs read generated clips."""
    return sorted({job.cell.dataset for job in jobs if job.data is not None and job.data.synthetic})


def clips_of_sets(jobs: list[Job]) -> dict[str, tuple[int, int]]:
    """Classes and subjects of the clips that jobs read, by data set, of those that are not generated."""
    made, classes, subjects = synthetic_sets(jobs), dict[str, int](), dict[str, set[str]]()
    for job in jobs:
        if job.data is not None and job.data.classes and job.cell.dataset not in made:
            classes.setdefault(job.cell.dataset, len(job.data.classes))
            people = subjects.setdefault(job.cell.dataset, set())
            people.update(job.data.train_subjects, job.data.test_subjects)
    return {name: (n, len(subjects[name])) for name, n in sorted(classes.items())}
