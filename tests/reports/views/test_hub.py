"""Results for the Hugging Face Hub: real data at profile paper whose repository is named, and nothing else."""

import json
from types import SimpleNamespace

import pytest
import yaml
from pydantic import ValidationError

from harness.suite.benchmark import Hub
from reports import build
from reports.views.runs.hub import _entry
from tests.helpers.fake_site import write
from tests.helpers.html_tree import parse


def site(folder, synthetic, profile="paper", **hub):
    made = write(folder, seeds=2, tables=["table3"], synthetic=synthetic, profile=profile)
    sets = {k: d.model_copy(update={"hub": hub.get(k)}) for k, d in made.benchmark.datasets.items()}
    build(made.work_dir, made.site, made.benchmark.model_copy(update={"datasets": sets}), made.entries)
    return made


def test_a_file_for_each_cell_on_real_data_in_the_form_that_the_hub_asks_for(tmp_path):
    made = site(tmp_path, False, nvgesture=Hub(repository="someone/nvgesture", task="rgb"))
    folder = made.site / "downloads" / "eval_results"
    (entry,) = yaml.safe_load((folder / "plain_nvgesture-rgb.yaml").read_text())
    assert set(entry) == {"dataset", "value", "date", "notes"} and isinstance(entry["date"], str)
    assert entry["dataset"] == {"id": "someone/nvgesture", "task_id": "rgb"}
    runs = [json.loads(p.read_text()) for p in (made.work_dir / "runs").glob("plain_nvgesture-rgb-s*-*/run.json")]
    assert entry["value"] == pytest.approx(100 * sum(r["metrics"]["top1"] for r in runs) / 2, abs=1e-3)
    assert "mean over 2 seeds" in entry["notes"] and "profile paper" in entry["notes"]
    links = [a.attrs["href"] for a in parse(made.site / "runs.html").all("a")]
    assert "downloads/eval_results/plain_nvgesture-rgb.yaml" in links


def test_none_of_synthetic_data_of_another_profile_or_without_a_repository(tmp_path):
    fake = site(tmp_path / "a", True, nvgesture=Hub(repository="someone/nvgesture", task="rgb"))
    assert not (fake.site / "downloads" / "eval_results").exists()
    assert not (site(tmp_path / "b", False).site / "downloads" / "eval_results").exists()
    small = site(tmp_path / "c", False, "demo", nvgesture=Hub(repository="someone/nvgesture", task="rgb"))
    assert not (small.site / "downloads" / "eval_results").exists()


def test_a_repository_has_an_owner():
    with pytest.raises(ValidationError, match="repository"):
        Hub(repository="nvgesture", task="rgb")


def test_seeds_of_several_commits_name_all_of_them():
    runs = [SimpleNamespace(commit=c * 40, finished="2024") for c in "aab"]
    cell = SimpleNamespace(id="plain", test_modality="rgb", train_modalities=["rgb"])
    result = SimpleNamespace(runs=[SimpleNamespace(cell=cell)], done=runs, older=False, top1=(0.5, 0.1))
    entry = _entry(SimpleNamespace(profile="paper"), result, "someone/nvgesture", "rgb")
    assert f"commits {'a' * 12}, {'b' * 12}" in entry["notes"]
