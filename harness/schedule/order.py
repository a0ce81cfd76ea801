"""In which order jobs start: what most work waits for comes first, so that no slot is idle at the end."""

from __future__ import annotations

from collections.abc import Mapping

from harness.plan.jobs import Job

RENDER_SHARE = 0.25  # of the time of a training, where nothing tells how long a rendering takes


def longest_chain_first(jobs: Mapping[str, Job], seconds: Mapping[str, float]) -> dict[str, Job]:
    """Jobs in the order of the time from their start to the end of the longest chain of jobs that wait for them.

    Equal ones stay in their order. Parents stand before their children as before.

    Args:
        jobs: by key, parents before children.
        seconds: that jobs should take, by key. Jobs that are not there take the mean of those that are, renderings a
            quarter of it.
    """
    mean = sum(seconds.values()) / len(seconds) if seconds else 1.0
    chain = {k: seconds.get(k, mean * (RENDER_SHARE if job.kind == "render" else 1.0)) for k, job in jobs.items()}
    after = dict.fromkeys(jobs, 0.0)  # the longest chain of children
    for key in reversed(list(jobs)):
        chain[key] += after[key]
        for parent in jobs[key].parents.values():
            if parent in after:
                after[parent] = max(after[parent], chain[key])
    return dict(sorted(jobs.items(), key=lambda item: -chain[item[0]]))
