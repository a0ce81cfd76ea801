"""What pages are told while jobs run."""

from harness.schedule.run import teller
from harness.schedule.task import Status
from tests.helpers.toy_jobs import toy_job


def test_jobs_in_the_queue_of_an_engine_are_still_to_come(tmp_path):
    a, b, c, d = (toy_job(name) for name in "abcd")
    jobs = {job.key: job for job in (a, b, c, d)}
    folders = {job.key: tmp_path / job.name for job in (a, b, c)}
    folders[a.key].mkdir()
    (folders[a.key] / "progress.json").write_text("{}")
    status = Status(total=4, running=folders, beside={c.key: a.key}, waiting=(d.key,))
    told = []
    for queued in (True, False):
        teller(jobs, lambda *said: told.append(said), queued)(status)
    assert told == [(0, 0, ("a", "c"), ("b", "d")), (0, 0, ("a", "b", "c"), ("d",))]
