"""What runs have right: as their predictions say, read once for many reports, and anew where they changed."""

import json
from dataclasses import replace

import numpy as np
import pytest

from harness.ledger.store import load_predictions, load_record
from reports.cache_folder import read_kept
from reports.ledger import answers as answers_module
from reports.ledger.answers import Files, answers_of, files_of, outcomes_of
from reports.stats.remembered import remembering
from tests.helpers.fake_site import write
from tests.helpers.sound_run import write_run


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "mgr-dark-drawings"


@pytest.fixture
def runs(tmp_path):
    """Folders of runs that predict."""
    made = write(tmp_path, seeds=2, tables=["table2"])
    return sorted(p.parent for p in (made.work_dir / "runs").glob("*/predictions.parquet"))


@pytest.fixture
def files(monkeypatch):
    """Names of the folders whose predictions are read."""
    names = []
    real = answers_module.read_predictions
    monkeypatch.setattr(answers_module, "read_predictions", lambda path: names.append(path.parent.name) or real(path))
    return names


def answers(runs):
    known = {}
    found = [answers_of(run, load_record(run), known) for run in runs]
    return found, known


def said(found):
    return [(a.correct.tolist(), a.hardest, a.test.clips, a.test.subjects, a.test.labels.tolist()) for a in found]


def as_predicted(run):
    """The same from the file alone."""
    table = load_predictions(run).sort_values("clip_id", kind="stable")
    scores, labels = np.stack(table["scores"]).astype(float), table["label"].to_numpy()
    right = np.argmax(scores, axis=1) == labels
    own = scores[np.arange(len(labels)), labels]
    scores[np.arange(len(labels)), labels] = -np.inf
    furthest = np.argsort(own - scores.max(axis=1), kind="stable")[:10]
    clips = list(table["clip_id"])
    hardest = tuple(clips[i] for i in furthest if not right[i])
    return right.tolist(), hardest, tuple(clips), tuple(table["subject"]), labels.tolist()


def test_answers_are_what_the_predictions_say(runs):
    found, known = answers(runs)
    assert said(found) == [as_predicted(run) for run in runs]
    assert len({id(a.test) for a in found}) == len(known) < len(runs)


def test_predictions_are_read_once_for_many_reports(runs, folder, files):
    with remembering():
        first, known = answers(runs)
    assert set(files) == {run.name for run in runs}
    files.clear()
    with remembering():
        again, _ = answers(runs)
    assert said(again) == said(first) and len(files) == len(known) < len(runs)  # the clips of each test set


def test_predictions_that_changed_are_read_anew(runs, folder):
    with remembering():
        answers(runs)
    run, table = runs[0], load_predictions(runs[0])
    table["scores"] = [np.roll(s, 1) for s in table["scores"]]
    record = load_record(run)
    changed, _ = write_run(run.parents[1], record, table, name=run.name[:-13])
    assert changed == run and load_record(run).key == record.key
    with remembering():
        found, _ = answers(runs)
    assert said(found) == [as_predicted(r) for r in runs]


@pytest.mark.parametrize("spoil", ["cut short", "a bit flipped", "a value edited"])
def test_a_damaged_file_is_made_anew(runs, folder, spoil):
    with remembering():
        first, _ = answers(runs)
    (path,) = folder.iterdir()
    sound, content = path.read_bytes(), bytearray(path.read_bytes())
    if spoil == "cut short":
        del content[len(content) // 2 :]
    elif spoil == "a bit flipped":
        content[-8] ^= 1
    else:
        sha256, text = content.decode().split("\n", 1)
        numbers = {key: ["00" * (len(value[0]) // 2)] for key, value in json.loads(text).items()}
        content = f"{sha256}\n{json.dumps(numbers)}".encode()
    path.write_bytes(bytes(content))
    with remembering():
        again, _ = answers(runs)
    assert said(again) == said(first)
    assert json.loads(read_kept(path)).keys() == json.loads(sound.split(b"\n", 1)[1]).keys()


def test_a_run_says_which_files_it_was_tested_on(runs):
    record = load_record(runs[0])
    loader = {"dataset": {"modalities": ["rgb", "depth"]}}
    identity = record.identity.model_copy(update={"config": {"test_dataloader": loader}, "data": {"test": "ab"}})
    assert files_of(record.model_copy(update={"identity": identity})) == Files("depth,rgb", "ab")
    bare = identity.model_copy(update={"config": {"test_dataloader": ["odd"]}, "data": {}})
    assert files_of(record.model_copy(update={"identity": bare})) == Files()


def test_seeds_that_were_tested_on_other_files_are_not_put_together(runs):
    (one, *_), _ = answers(runs)
    seen = [replace(one, files=Files("rgb", content)) for content in ("old", "old", "new", "")]
    assert outcomes_of(seen[:2]).files == Files("rgb", "old")
    assert outcomes_of([seen[0], seen[3]]).correct.shape[0] == 2
    assert "tested on different clips" in outcomes_of([seen[0], seen[2]])
