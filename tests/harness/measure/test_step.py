"""The student's step that distillation is held against: the same student, and nothing that teaches."""

import tempfile

import torch

from harness.measure.parts import ParentWeights, batch, build, import_named, quietly
from harness.measure.step import ALONE, measure_student_step
from harness.plan.resolve import resolve
from harness.suite import load_benchmark, load_entries
from harness.suite.dotted import set_dotted
from tests.harness.conftest import CONFIGS

ENTRIES = load_entries(CONFIGS, load_benchmark(CONFIGS / "benchmark.yml"))
STUDENT = ENTRIES["mtcd_i3d-r50_mgr-dark-rgb"]


def test_the_student_alone_is_the_same_student():
    with quietly(), tempfile.TemporaryDirectory() as folder:
        config = ParentWeights(ENTRIES, folder).fill(STUDENT, resolve(STUDENT.config, "smoke"))
        import_named(config)
        whole = build(config)
        for key, value in ALONE.items():
            config = set_dotted(config, key, value)
        alone = build(config)
        data = whole.data_preprocessor(batch(config, "train", "rgb", 2), True)
    assert not alone.teachers and len(whole.teachers) == 2
    for name, weight in alone.student.state_dict().items():
        assert torch.equal(weight, whole.student.state_dict()[name]), name
    rgb = {"rgb": data["inputs"]["rgb"]}
    torch.manual_seed(0)
    own = alone.loss(rgb, data["data_samples"])
    torch.manual_seed(0)
    both = whole.loss(data["inputs"], data["data_samples"])
    assert {k for k in own if k.startswith("loss")} == {"loss_cls"}
    assert own["loss_cls"].equal(both["loss_cls"]) and "loss_kd_fusion_rgb" in both


def test_both_steps_are_measured_in_turn():
    found = measure_student_step(STUDENT, ENTRIES, "smoke", clips=2, repeats=3)
    assert found["step_pairs"] == 3 and found["step_clips"] == 2 and found["step_profile"] == "smoke"
    assert found["student_step_s"] > 0 and found["distilled_step_s"] > 0
