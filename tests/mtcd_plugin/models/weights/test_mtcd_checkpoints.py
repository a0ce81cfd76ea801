"""MTCD's checkpoints under MMAction2's own loading, and its stages with starting weights."""

from __future__ import annotations

import pytest
import torch
from mmaction.apis import init_recognizer
from mmengine.config import Config

from mtcd_plugin.engine.hooks.starting_weights_hook import started_state
from tests.helpers import toy
from tests.mtcd_plugin.models.weights.test_starting_weights import trained


def as_config(model: dict) -> Config:
    return Config(dict(default_scope="mmaction", model=model))


def scores(model, data) -> torch.Tensor:
    model.eval()
    inputs = model.data_preprocessor(data)["inputs"]["rgb"]
    with torch.no_grad():
        predicted = model(inputs, data["data_samples"], mode="predict")
    return torch.stack([sample.pred_score.clone() for sample in predicted])


@pytest.fixture
def student(tmp_path):
    """A student as the harness writes it, what it predicts, and a batch."""
    network = toy.build(toy.network(), seed=3)
    file = toy.save(toy.network(), tmp_path / "checkpoint.pth", "student", seed=3)
    data = toy.batch()
    return file, scores(network, data), data


@pytest.mark.parametrize("converter_at_test", [True, False])
def test_a_student_predicts_the_same_under_its_own_config(tmp_path, student, converter_at_test):
    file, wanted, data = student
    if not converter_at_test:
        plain = toy.network(converter=False)
        file = toy.save(plain, tmp_path / "plain.pth", "student", seed=3)
        wanted = scores(toy.build(plain, seed=3), data)
    config = toy.distiller(tmp_path, converter_at_test=converter_at_test)
    model = init_recognizer(as_config(config), file, device="cpu")
    torch.testing.assert_close(scores(model, data), wanted, rtol=0, atol=0)


def test_and_under_a_plain_recognizers(student):
    file, wanted, data = student
    model = init_recognizer(as_config(toy.network()), file, device="cpu")
    torch.testing.assert_close(scores(model, data), wanted, rtol=0, atol=0)


def test_an_assistant_predicts_the_same_under_its_own_config(tmp_path):
    network = toy.network("ProjectedHead")
    file = toy.save(network, tmp_path / "assistant_own.pth", "assistant", seed=4)
    config = toy.distiller(tmp_path, roles=("teacher",), student=network, alpha=0.0, projection=None)
    model = init_recognizer(as_config(config), file, device="cpu")
    data = toy.batch()
    torch.testing.assert_close(scores(model, data), scores(toy.build(network, seed=4), data), rtol=0, atol=0)


def test_under_another_config_nothing_is_loaded(tmp_path, student):
    file = student[0]
    assistant = toy.save(toy.network("ProjectedHead"), tmp_path / "assistant.pth", "assistant")
    wider = toy.network()
    wider["cls_head"]["num_classes"] = 4
    for config, path, message in (
        (toy.network(converter=False), file, "this Recognizer3D: it has .* more, first 'neck"),
        (toy.network("ProjectedHead"), file, "it lacks .* first 'cls_head"),
        (wider, file, r"cls_head.fc_cls.weight is \[3, 6\] there and \[4, 6\] here"),
        (toy.distiller(tmp_path), assistant, "this distiller's student: .*'cls_head.fc_cls|more, first 'cls_head"),
        (
            toy.distiller(tmp_path),
            toy.save(toy.network(converter=False), tmp_path / "n.pth", "student"),
            "lacks .* 'neck",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            init_recognizer(as_config(config), path, device="cpu")


def test_what_the_student_is_given_it_starts_from(tmp_path):
    """At every level, and with ``load_from``; a sweep's students each. Nothing else changes."""
    donor = toy.build(toy.network(), seed=7).state_dict()
    file = tmp_path / "donor.pth"
    torch.save(donor, file)
    weights = dict(type="Pretrained", checkpoint=str(file))
    other = toy.save(toy.network(), tmp_path / "other.pth", "student", seed=8)
    teacher = {}
    for place in ("", "student", "backbone", "both", "load_from", "sweep"):
        config = toy.distiller(tmp_path)
        if place == "load_from":
            config["load_from"] = str(file)
        elif place == "backbone":
            config["student"]["backbone"]["init_cfg"] = weights
        else:
            (config["student"] if place == "student" else config)["init_cfg"] = weights
        if place == "both":  # the outer one comes last, as in MMEngine
            config["student"]["init_cfg"] = [dict(type="Pretrained", checkpoint=other)]
        if place == "sweep":
            config = dict(
                type="FusedSweepDistiller",
                base={k: v for k, v in config.items() if k != "data_preprocessor"},
                points=[dict(alpha=0.5), dict(alpha=0.1)],
                data_preprocessor=config["data_preprocessor"],
            )
            model = toy.build(config)
            students = [point.student for point in model.points]
        else:
            model, (*_, report) = trained(config, tmp_path / (place or "distiller"))
            students = [model.student]
            teacher[place] = model.teachers["teacher"].state_dict()
            assert report["file"] == "donor.pth"
        for student in students:
            own = student.state_dict()
            for name, value in donor.items():
                if place != "backbone" or name.startswith("backbone."):
                    assert torch.equal(own[name], value), f"{place}: {name}"
    first = teacher.pop("")
    assert all(torch.equal(first[k], other[k]) for other in teacher.values() for k in first)


def test_every_student_of_a_sweep_starts_from_load_from(tmp_path):
    donor = toy.build(toy.network(), seed=7).state_dict()
    file = tmp_path / "donor.pth"
    torch.save(donor, file)
    config = toy.distiller(tmp_path)
    preprocessor = config.pop("data_preprocessor")
    points = [dict(alpha=0.5), dict(alpha=0.1)]
    sweep = toy.build(dict(type="FusedSweepDistiller", base=config, points=points, data_preprocessor=preprocessor))
    before = {name: value.clone() for name, value in sweep.state_dict().items()}
    state, reports = started_state(sweep, {"state_dict": donor}, str(file))
    assert [report.where for report in reports] == ["points.0.student", "points.1.student"]
    for name, value in state.items():
        point, _, rest = name.partition(".student.")
        assert torch.equal(value, donor[rest] if point in ("points.0", "points.1") and rest else before[name]), name
