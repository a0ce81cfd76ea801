"""Top-level keys of a config that nothing reads."""

import inspect
import re
from pathlib import Path

import pytest

from harness.plan.resolve import resolve
from harness.plan.top_level import KNOWN

BASE = "side = 8\nepochs = 5\nmodel = dict(type='Net', size=side)\ntrain_cfg = dict(max_epochs=epochs)\n"


@pytest.fixture
def leaf(tmp_path: Path):
    """Writes a config that inherits from one with helper variables, and returns it."""
    for name, text in {"_base_/net.py": BASE, "_base_/profiles/demo.py": "transforms = dict()\n"}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def write(text: str) -> Path:
        path = tmp_path / "net" / "leaf.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text("_base_ = ['../_base_/net.py']\n" + text)
        return path

    return write


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("train_dataloder = dict(batch_size=2)", "unknown key 'train_dataloder' (near: train_dataloader)"),
        ("optim_wraper = dict(lr=1)", "unknown key 'optim_wraper' (near: optim_wrapper)"),
        ("profile = dict(demo=dict())", "unknown key 'profile' (near: profiles)"),
        ("transforms = dict(Resize=dict(scale=2))", "transforms has no effect outside of profiles"),
        ("model = 'Net'", "model = 'Net'; write model = dict(...)"),
        ("train_dataloader = []", "train_dataloader = []; write train_dataloader = dict(...)"),
        ("profiles = dict(demo=dict(epochs=9))", "profiles.demo: unknown key 'epochs'; choose from "),
    ],
)
def test_a_key_that_is_nearly_another_or_out_of_place_is_refused(leaf, text, words):
    with pytest.raises(ValueError, match=f"leaf.py: {re.escape(words)}") as e:
        resolve(leaf(text), "demo")
    assert "\n" not in str(e.value)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("width = 4\nmodel = dict(width=width)", ""),
        ("model = dict(width=_base_.side)", ""),
        ("train_dataloders = 4\nmodel = dict(width=train_dataloders)", ""),
        ("lr_of_mine = 3", "nothing reads lr_of_mine of leaf.py: without effect"),
        ("runner_type = 'Mine'", "runner_type Mine: without effect, runs have a Runner of their own"),
        (
            "default_hooks = dict(checkpoint=dict(save_best='auto'))",
            "default_hooks.checkpoint.save_best: without effect, the last epoch is the result",
        ),
        ("runner_type = 'Runner'", ""),
        ("epochs = 9", "nothing reads epochs of leaf.py: without effect"),  # the base has used its own
    ],
)
def test_a_helper_variable_is_said_where_no_line_uses_it(leaf, text, note):
    assert resolve(leaf(text), "demo").remark("demo") == note


def test_whatever_the_runner_takes_is_known():
    from mmengine.runner import Runner

    assert set(inspect.signature(Runner.__init__).parameters) - {"self", "cfg"} <= set(KNOWN)
    assert set(re.findall(r"self\.cfg\.get\('([a-z_]+)'", inspect.getsource(Runner))) <= set(KNOWN)
