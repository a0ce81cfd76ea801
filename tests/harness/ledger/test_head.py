"""Heads of records: what status and verify go by without the records in memory."""

import json
import weakref

import pytest

from harness.ledger import store
from harness.ledger.identity import run_key
from harness.ledger.store import load_heads
from harness.ledger.verdicts import verdicts_of
from harness.ledger.verify import verify_ledger
from harness.plan.workspace import open_workspace
from tests.harness.conftest import small_configs, tiny_data  # noqa: F401
from tests.harness.ledger.test_judge import CLIPS, record
from tests.helpers.sound_run import write_run


@pytest.fixture(autouse=True)
def fresh():
    verdicts_of.cache_clear()


def test_a_head_says_what_the_record_says(tmp_path):
    _, r = write_run(tmp_path, record(), CLIPS)
    for _ in range(2):  # from the record, then from what was kept of it
        (head,) = (head for _, head in load_heads(tmp_path)[0].values())
        said = (head.key, head.status, head.model, head.seed, head.profile, head.parents, head.seconds)
        assert said == (
            r.key,
            r.status,
            r.cell.model,
            r.cell.seed,
            r.cell.profile,
            r.identity.parents,
            r.cost.total_seconds,
        )
        verdicts_of.cache_clear()


def test_what_did_not_change_is_not_read_again_and_what_did_is(tmp_path, monkeypatch):
    folder, _ = write_run(tmp_path, record(), CLIPS)
    load_heads(tmp_path)
    verdicts_of.cache_clear()
    read = []
    real = store.read_record
    monkeypatch.setattr(store, "read_record", lambda path: read.append(path) or real(path))
    assert len(load_heads(tmp_path)[0]) == 1 and read == []
    (folder / "run.json").write_text((folder / "run.json").read_text().replace('"done"', '"failed"'))
    records, rejected = load_heads(tmp_path)
    assert not records and len(rejected) == 1 and read == [folder]


@pytest.mark.parametrize("damage", [None, {}, {"key": 1}, [], "x"])
def test_a_damaged_head_is_made_anew(tmp_path, damage):
    _, written = write_run(tmp_path, record(), CLIPS)
    load_heads(tmp_path)
    path = tmp_path / "verdicts.json"
    kept = json.loads(path.read_text())
    kept["runs"] = {name: [stamp, problems, damage] for name, (stamp, problems, _) in kept["runs"].items()}
    path.write_text(json.dumps(kept))
    verdicts_of.cache_clear()
    assert list(load_heads(tmp_path)[0]) == [written.key]


@pytest.mark.parametrize("look", [load_heads, verify_ledger])
def test_records_are_in_memory_one_at_a_time(tmp_path, monkeypatch, look):
    for i in range(6):
        write_run(tmp_path, record(f"toy{i}"), CLIPS)
    made, most = [], []
    real = store.read_record

    def counted(folder):
        found = real(folder)
        made.append(weakref.ref(found))
        most.append(sum(r() is not None for r in made))
        return found

    monkeypatch.setattr(store, "read_record", counted)
    kept = look(tmp_path)
    assert kept and len(made) == 6 and max(most) <= 2  # the next is read while the last still has its name


def test_no_seed_of_a_config_has_a_copy_of_it(small_configs, tiny_data):  # noqa: F811
    plan = open_workspace(small_configs, "smoke", tiny_data, None, 3).plan
    by_model = {}
    for job in plan.jobs.values():
        by_model.setdefault((job.cell.model, job.cell.variant), []).append(job.identity)
    several = [found for found in by_model.values() if len(found) > 1]
    assert several and all(x.config is found[0].config and x.code is found[0].code for found in several for x in found)
    assert all(run_key(job.identity) == key for key, job in plan.jobs.items())
