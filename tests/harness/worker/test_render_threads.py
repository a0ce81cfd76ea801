"""Renderings on several threads: the same store, bit for bit, whatever their number."""

import json
import threading

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.dataset import pseudo_collate
from mmengine.runner import Runner
from torch.utils.data import DataLoader, Dataset

import mtcd_plugin.register  # noqa: F401
from harness.ledger.judge import sha256_of_rendered
from harness.worker.render_threads import BatchesAhead, RenderThreadsHook
from mtcd_plugin.formats.clip_store import INDEX

WAIT_S = 60.0  # for another thread, where a broken one would keep the test for ever


@pytest.fixture(autouse=True)
def _threads_as_before():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


class Clips(Dataset):
    """Dark clips of noise, each large enough for torch to share the sum of its pixels among threads."""

    def __len__(self):
        return 9

    def __getitem__(self, i):
        if i >= len(self):
            raise IndexError(i)
        frames = np.random.default_rng(i).integers(0, 60, (1, 3, 16 + i, 64, 64), dtype=np.uint8)
        return {"inputs": torch.from_numpy(frames), "data_samples": ActionDataSample(metainfo={"clip_id": f"c{8 - i}"})}


def render(folder, threads, watch=lambda: None, **arguments):
    """The rendering of all clips by MMEngine's Runner; ``watch`` is called in each step."""
    model = dict(type="TrivialTranslator", kind="random", pre_enhance="stretch")
    model = MODELS.build({**model, "generator": dict(type="ResNetGenerator", channels=4, blocks=1)})
    step = model.test_step
    model.test_step = lambda data: watch() or step(data)
    metric = dict(type="PseudoInfraredStore", output_dir=str(folder / "store"), strips=2)
    loader = DataLoader(Clips(), batch_size=2, collate_fn=pseudo_collate)
    runner = Runner(
        model, work_dir=str(folder / "mm"), test_dataloader=loader, test_cfg={}, test_evaluator=[metric],
        experiment_name=folder.parent.name + folder.name, default_scope="mmaction", log_level="ERROR",
    )  # fmt: skip
    runner.register_hook(RenderThreadsHook(**arguments), priority="LOWEST")
    torch.set_num_threads(threads)
    return runner.test(), sha256_of_rendered(folder)


def test_a_rendering_is_the_same_with_any_number_of_threads(tmp_path):
    folders = {threads: tmp_path / str(threads) for threads in (1, 2, 3)}
    found = [render(folder, threads) for threads, folder in folders.items()]
    assert found[0] == found[1] == found[2] and "pseudo_ir/flicker" in found[0][0]
    order = json.loads((folders[2] / "store" / INDEX).read_text())["clips"]
    assert list(order) == [f"c{i}" for i in range(8, -1, -1)], "that of the loader"


def test_threads_take_a_batch_each(tmp_path):
    """The second and the third of five batches are in work at once, or their barrier breaks."""
    barrier, seen = threading.Barrier(2), []

    def watch():
        seen.append((threading.current_thread().name, torch.get_num_threads()))
        if len(seen) in (2, 3):
            barrier.wait(WAIT_S)

    render(tmp_path / "run", 2, watch)
    names, threads = zip(*seen, strict=True)
    assert len(seen) == 5 and set(names) == {"render_0", "render_1"} and set(threads) == {1}


@pytest.mark.parametrize("reason", ["one thread", "one by one", "autocast", "a network of others"])
def test_one_batch_at_a_time_where_it_must_be(tmp_path, reason, monkeypatch):
    seen = []
    if reason == "a network of others":
        monkeypatch.setattr(MODELS.get("TrivialTranslator"), "__module__", "my_plugin.translator")
    with torch.autocast("cpu", torch.bfloat16, enabled=reason == "autocast"):
        render(
            tmp_path / "run",
            1 if reason == "one thread" else 2,
            lambda: seen.append((threading.current_thread(), torch.get_num_threads())),
            one_by_one=reason == "one by one",
        )
    assert set(seen) == {(threading.main_thread(), 1)} and len(seen) == 5


def test_the_first_batch_is_alone_and_the_next_have_begun_when_one_is_given():
    drawn = []
    batches = iter(BatchesAhead((drawn.append(i) or i for i in range(6)), abs, threads=2))
    assert next(batches) == 0 and drawn == [0]
    assert next(batches) == 1 and drawn == [0, 1, 2, 3]  # two in work, one to come
    assert [*batches] == [2, 3, 4, 5] == drawn[2:]


def test_batches_keep_their_order_and_their_errors():
    def step(batch):
        if batch == 3:
            raise ValueError("batch 3 is damaged")
        return [10 * batch]

    ahead = BatchesAhead(range(6), step, threads=3)
    results = map(ahead.test_step, ahead)
    assert [next(results) for _ in range(3)] == [[0], [10], [20]] and len(ahead) == 6
    with pytest.raises(ValueError, match="batch 3 is damaged"):
        next(results)
    assert ahead.test_step(5) == [50], "what was not given is computed"
