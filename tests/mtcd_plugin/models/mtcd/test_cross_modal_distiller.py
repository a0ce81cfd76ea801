"""Eq. 10 and the rules of the stages: gradients, freezing, prediction, checkpoints, missing streams, bad input."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmaction.registry import HOOKS, MODELS
from mmengine.config import Config
from mmengine.optim import OptimWrapper

from harness.worker.hooks import training_notes
from tests.helpers.toy import CHANNELS, batch, build, distiller, network, save


def prepared(model, data=None):
    data = model.data_preprocessor(copy.deepcopy(data or batch()), True)
    return data["inputs"], data["data_samples"]


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def recompute(model, inputs):
    """Unit projections of teacher, assistant, student in numpy [N, T, D], from converted features."""
    out = {}
    networks = {
        "teacher": (model.teachers["teacher"], "ir"),
        "assistant": (model.teachers["assistant"], "pseudo_ir"),
        "student": (model.student, "rgb"),
    }
    for name, (net, stream) in networks.items():
        with torch.no_grad():
            f = net.extract_feat(inputs[stream])[0].numpy()
        project = model.projection if name == "student" else net.cls_head.projection
        x = f.mean(axis=(3, 4)).transpose(0, 2, 1)
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
        x = x * project.norm.weight.detach().numpy() + project.norm.bias.detach().numpy()
        out[name] = unit(x @ project.linear.weight.detach().numpy().T + project.linear.bias.detach().numpy())
    return out


def half_square(a, b):
    return (0.5 * ((a - b) ** 2).sum(-1)).mean(1).mean()


@pytest.mark.parametrize("fusion", ["mean", "sum", "max", "assistant"])
def test_terms_of_equation_10(tmp_path, fusion):
    model = build(distiller(tmp_path, alpha=0.9, beta=0.3, fusion=fusion)).eval()
    inputs, samples = prepared(model)
    losses = model.loss(inputs, samples)
    z = recompute(model, inputs)
    t, a, s = z["teacher"], z["assistant"], z["student"]
    fused = {"mean": (t + a) / 2, "sum": t + a, "max": np.maximum(t, a), "assistant": a}[fusion]
    np.testing.assert_allclose(losses["loss_kd_ir_rgb"].item(), 0.3 * half_square(t, s), rtol=1e-5)
    np.testing.assert_allclose(losses["loss_kd_fusion_rgb"].item(), 0.9 * half_square(fused, s), rtol=1e-5)
    with torch.no_grad():
        logits = model.student(inputs["rgb"], stage="head").numpy()
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    cross_entropy = -np.mean([np.log(p[i, int(x.gt_label)]) for i, x in enumerate(samples)])
    np.testing.assert_allclose(losses["loss_cls"].item(), cross_entropy, rtol=1e-5)
    total, _ = model.parse_losses(losses)
    parts = cross_entropy + 0.3 * half_square(t, s) + 0.9 * half_square(fused, s)
    np.testing.assert_allclose(total.item(), parts, rtol=1e-5)


def test_finite_differences_of_the_total(tmp_path):
    """d total / d weight of the student's converter, in float64, by central differences."""
    model = build(distiller(tmp_path)).double().eval()
    inputs, samples = prepared(model)
    inputs = {k: v.double() for k, v in inputs.items()}

    def total():
        return model.parse_losses(model.loss(inputs, samples))[0]

    weight = model.student.neck.conv.weight
    total().backward()
    for index in [(0, 0), (1, 4), (5, 2)]:
        with torch.no_grad():
            values = []
            for step in (1e-6, -2e-6):
                weight[index] += step
                values.append(total().item())
            weight[index] += 1e-6
        assert weight.grad[index].item() == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-5, abs=1e-9)


def test_only_the_student_learns(tmp_path):
    model = build(distiller(tmp_path)).train()
    assert model.student.training and not any(m.training for t in model.teachers.values() for m in t.modules())
    before = copy.deepcopy(model.teachers.state_dict())
    start = copy.deepcopy(dict(model.student.named_parameters()) | dict(model.projection.named_parameters()))
    optim = OptimWrapper(torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1))
    for seed in range(2):
        model.train_step(batch(seed=seed), optim)
    after = model.teachers.state_dict()
    assert all(torch.equal(before[k], after[k]) for k in before)  # batch norm statistics included
    assert all(p.grad is None for p in model.teachers.parameters())
    learned = dict(model.student.named_parameters()) | dict(model.projection.named_parameters())
    assert all(not torch.equal(v, start[k]) for k, v in learned.items())


def test_without_weights_it_is_the_student_alone(tmp_path):
    """alpha = beta = 0: same initial weights, same step, same random stream (dropout) as a plain recognizer."""
    config = network(dropout=0.5)
    plain = build(config, seed=3).train()
    state = torch.get_rng_state()
    model = build(distiller(tmp_path, student=config, alpha=0.0, beta=0.0), seed=3).train()
    assert torch.equal(state, torch.get_rng_state()) and not model.teachers
    full = build(distiller(tmp_path, student=config), seed=3)
    for name, value in plain.state_dict().items():
        assert torch.equal(value, model.student.state_dict()[name]) and torch.equal(
            value, full.student.state_dict()[name]
        )
    for net, data in ((plain, batch(("rgb",))), (model, batch())):
        data["inputs"] = batch()["inputs"]["rgb"] if net is plain else data["inputs"]
        torch.manual_seed(7)
        net.train_step(data, OptimWrapper(torch.optim.SGD(net.parameters(), lr=0.1)))
    for name, value in plain.state_dict().items():
        assert torch.equal(value, model.student.state_dict()[name])


@pytest.mark.parametrize(
    ("options", "terms", "roles"),
    [
        (dict(alpha=0.0, beta=0.0), set(), []),
        (dict(alpha=0.0), {"loss_kd_ir_rgb"}, ["teacher"]),
        (dict(fusion="assistant"), {"loss_kd_ir_rgb", "loss_kd_fusion_rgb"}, ["teacher", "assistant"]),
        (dict(), {"loss_kd_ir_rgb", "loss_kd_fusion_rgb"}, ["teacher", "assistant"]),
        (dict(beta=0.0, fusion="assistant"), {"loss_kd_fusion_rgb"}, ["assistant"]),
        (dict(alpha=0.0, beta=0.0, logit_weight=1.0), {"loss_kd_logit"}, ["teacher", "assistant"]),
    ],
)
def test_rows_of_table_4(tmp_path, options, terms, roles):
    model = build(distiller(tmp_path, **options))
    losses = model.loss(*prepared(model))
    assert {k for k in losses if k.startswith("loss_")} == terms | {"loss_cls"}
    assert model.roles == roles


def test_prediction_needs_the_student_and_its_modality_alone(tmp_path):
    model = build(distiller(tmp_path)).eval()
    full = [s.pred_score for s in model.test_step(batch())]
    alone = batch()
    alone["inputs"] = alone["inputs"]["rgb"]
    model.teachers, model.projection = None, None
    assert all(torch.equal(a, b.pred_score) for a, b in zip(full, model.test_step(alone), strict=True))
    plain = MODELS.build(network()).eval()
    plain.load_state_dict(model.student.state_dict(), strict=True)
    alone = batch()
    alone["inputs"] = alone["inputs"]["rgb"]
    assert all(torch.equal(a, b.pred_score) for a, b in zip(full, plain.test_step(alone), strict=True))


@pytest.mark.parametrize("fusion", ["assistant", "mean"])
def test_a_fusion_with_the_teacher_needs_the_teachers_modality_of_a_clip(tmp_path, fusion):
    """Whether what the assistant sees of a clip without infrared counts in the fusion's term."""
    model = build(distiller(tmp_path, fusion=fusion)).eval()
    data, losses = batch(), []
    data["data_samples"][2].set_metainfo(dict(missing=["ir"]))
    for _ in range(2):
        losses.append(model.loss(*prepared(model, data)))
        data["inputs"]["pseudo_ir"][2] = 255 - data["inputs"]["pseudo_ir"][2]
    a, b = (each["loss_kd_fusion_rgb"] for each in losses)
    assert (a != b) == (fusion == "assistant") and losses[0]["kd_share"] == 0.75


def test_missing_infrared_is_counted_and_left_out(tmp_path):
    model = build(distiller(tmp_path)).eval()
    data = batch()
    data["inputs"]["ir"][1].fill_(0)  # a blank stream
    data["data_samples"][2].set_metainfo(dict(missing=["ir"]))  # a stream known to be missing
    inputs, samples = prepared(model, data)
    losses = model.loss(inputs, samples)
    z = recompute(model, inputs)
    each = (0.5 * ((z["teacher"] - z["student"]) ** 2).sum(-1)).mean(1)
    np.testing.assert_allclose(losses["loss_kd_ir_rgb"].item(), 0.3 * (each[0] + each[3]) / 4, rtol=1e-5)
    assert losses["kd_share"].item() == 0.5 and model.undistilled == {"clip1", "clip2"}
    losses["loss_kd_ir_rgb"].backward()
    assert torch.isfinite(model.student.neck.conv.weight.grad).all()


def assistant_stage(tmp_path, **options):
    student = network("ProjectedHead", **options.pop("head", {}))
    return distiller(
        tmp_path, roles=("teacher",), student=student, projection=None, alpha=0.0, beta=1.0, **options
    ) | dict(student_input="pseudo_ir")


def test_assistant_stage_is_equation_6(tmp_path):
    model = build(assistant_stage(tmp_path)).eval()
    inputs, samples = prepared(model)
    losses = model.loss(inputs, samples)
    assert {k for k in losses if k.startswith("loss_")} == {
        "loss_cls",
        "loss_projection",
        "loss_kd_ir_pseudo_ir",
    }
    with torch.no_grad():
        z = [
            torch.nn.functional.normalize(net.cls_head.projection(net.extract_feat(inputs[m])[0]), dim=2).numpy()
            for net, m in ((model.teachers["teacher"], "ir"), (model.student, "pseudo_ir"))
        ]
    np.testing.assert_allclose(losses["loss_kd_ir_pseudo_ir"].item(), half_square(*z), rtol=1e-5)


def test_the_projection_learns_from_its_classifier_and_the_network_does_not():
    model = build(network("ProjectedHead")).eval()
    data = model.data_preprocessor(batch(("ir",)))
    losses = model.loss(data["inputs"], data["data_samples"])
    losses["loss_projection"].backward()
    assert model.cls_head.projection.linear.weight.grad.abs().sum() > 0
    assert model.neck.conv.weight.grad is None and model.cls_head.fc_cls.weight.grad is None


def test_learned_fusion_is_trained_with_the_assistant_and_frozen_for_the_student(tmp_path):
    config = assistant_stage(tmp_path, head=dict(learned_fusion="gate"))
    model = build(config)
    losses = model.loss(*prepared(model))
    losses["loss_fusion"].backward()
    assert model.student.cls_head.learned_fusion.mix.weight.grad.abs().sum() > 0
    assert model.student.neck.conv.weight.grad is None
    path = save(network("ProjectedHead", learned_fusion="gate"), tmp_path / "gate.pth", "assistant")
    config = distiller(tmp_path, fusion="learned")
    config["teachers"]["assistant"].update(model=network("ProjectedHead", learned_fusion="gate"), checkpoint=path)
    assert "loss_kd_fusion_rgb" in build(config).loss(*prepared(model))
    with pytest.raises(ValueError, match="learned_fusion"):
        build(distiller(tmp_path, fusion="learned")).loss(*prepared(model))


def test_joint_training_trains_the_assistant_too(tmp_path):
    config = distiller(tmp_path, gamma=0.5)
    config["teachers"]["assistant"]["train"] = True
    model = build(config).train()
    losses = model.loss(*prepared(model))
    assert {"loss_cls_assistant", "loss_projection_assistant", "loss_kd_ir_pseudo_ir"} <= set(losses)
    losses["loss_kd_fusion_rgb"].backward(retain_graph=True)
    assert model.teachers["assistant"].neck.conv.weight.grad is None  # the arrow's source is stopped
    losses["loss_kd_ir_pseudo_ir"].backward()
    assert model.teachers["assistant"].neck.conv.weight.grad.abs().sum() > 0
    assert all(p.grad is None for p in model.teachers["teacher"].parameters())


def test_depth_student_and_pseudo_infrared_as_input(tmp_path):
    config = distiller(tmp_path) | dict(student_input="depth")
    model = build(config)
    losses = model.loss(*prepared(model, batch(("depth", "ir", "pseudo_ir"))))
    assert {"loss_kd_ir_depth", "loss_kd_fusion_depth"} <= set(losses)
    config = distiller(tmp_path, student=network(in_channels=6), alpha=0.0, beta=0.0)
    model = build(config | dict(student_input=["rgb", "pseudo_ir"])).eval()
    assert model.test_step(batch(("rgb", "pseudo_ir")))[0].pred_score.shape == (3,)
    with pytest.raises(ValueError, match="needs 'pseudo_ir'"):
        model.test_step(batch(("rgb", "ir")))


class FakeRunner:
    """What StageCheckpointHook touches of a runner."""

    def __init__(self, model):
        self.model, self._train_loop, self.said = model, None, []
        self.logger = SimpleNamespace(warning=self.said.append)


def test_clips_without_distillation_are_logged_after_the_first_epoch_alone():
    runner = FakeRunner(SimpleNamespace(undistilled={"d", "b", "a", "c"}))
    hook = HOOKS.build(dict(type="StageCheckpointHook", stage="student"))
    for runner.epoch in (0, 1):
        hook.after_train_epoch(runner)
    line = "4 clips have no teacher modality; trained without distillation (first: a, b, c)"
    assert runner.said == [line]
    assert training_notes(runner)[0] == line.replace("4 clips", "4 training clips")


def checkpoint_of(model, stage="student"):
    hook = HOOKS.build(dict(type="StageCheckpointHook", stage=stage))
    checkpoint = dict(meta={}, state_dict=copy.deepcopy(model.state_dict()))
    hook.before_save_checkpoint(FakeRunner(model), checkpoint)
    return hook, checkpoint


def test_checkpoint_is_the_students(tmp_path):
    model = build(distiller(tmp_path), seed=5).eval()
    hook, checkpoint = checkpoint_of(model)
    plain = MODELS.build(network()).eval()
    plain.load_state_dict(checkpoint["state_dict"], strict=True)
    rgb = batch()
    rgb["inputs"] = rgb["inputs"]["rgb"]
    for a, b in zip(model.test_step(batch()), plain.test_step(rgb), strict=True):
        assert torch.equal(a.pred_score, b.pred_score)
    assert set(checkpoint["distillation"]) == {k for k in model.state_dict() if k.startswith("projection.")}
    again = build(distiller(tmp_path), seed=6)
    hook.after_load_checkpoint(FakeRunner(again), checkpoint)
    again.load_state_dict(checkpoint["state_dict"], strict=True)  # a resumed run has T_s as well
    assert all(torch.equal(v, again.state_dict()[k]) for k, v in model.state_dict().items())


def test_an_assistant_checkpoint_teaches_the_next_stage(tmp_path):
    model = build(assistant_stage(tmp_path), seed=5)
    _, checkpoint = checkpoint_of(model, "assistant")
    torch.save(checkpoint, tmp_path / "a.pth")
    config = distiller(tmp_path)
    config["teachers"]["assistant"]["checkpoint"] = str(tmp_path / "a.pth")
    student = build(config).eval()
    inputs, _ = prepared(model)
    with torch.no_grad():
        own = model.eval().student.extract_feat(inputs["pseudo_ir"])[0]
        theirs = student.teachers["assistant"].extract_feat(inputs["pseudo_ir"])[0]
    torch.testing.assert_close(theirs, own)


@pytest.mark.parametrize("name", ["alpha", "beta", "gamma", "logit_weight"])
@pytest.mark.parametrize("value", [-0.3, float("nan"), float("inf"), "0.9", True])
def test_bad_weights(tmp_path, name, value):
    with pytest.raises(ValueError, match=f"{name} must be a finite number >= 0"):
        MODELS.build(distiller(tmp_path, **{name: value}))


def test_bad_checkpoints(tmp_path):
    def load(path, role="teacher"):
        config = distiller(tmp_path)
        config["teachers"][role]["checkpoint"] = str(path)
        build(config)

    with pytest.raises(FileNotFoundError, match="teacher.*does not exist"):
        load(tmp_path / "none.pth")
    (tmp_path / "text.pth").write_text("not a checkpoint")
    with pytest.raises(ValueError, match="not a readable checkpoint"):
        load(tmp_path / "text.pth")
    with pytest.raises(ValueError, match="is of stage 'teacher'; needed is assistant"):
        load(save(network("ProjectedHead"), tmp_path / "t.pth", "teacher"), "assistant")
    with pytest.raises(ValueError, match="lacks .* weights, first cls_head.projection"):
        load(save(network(), tmp_path / "plain.pth", ""))
    wide = network("ProjectedHead", projection=dict(out_channels=7))
    with pytest.raises(ValueError, match=r"projection.linear.weight is \[7, 6\] there and \[5, 6\] here"):
        load(save(wide, tmp_path / "wide.pth", "teacher"))
    with pytest.raises(ValueError, match="checkpoint is empty"):
        load("")


def test_a_teacher_of_test_subjects_is_refused_as_a_runner_has_it(tmp_path, mgr_dark_root):
    """Before training a runner's test loader is still a config, whose keys are attributes as well."""
    config = distiller(tmp_path)
    runner = FakeRunner(build(config))
    dataset = dict(type="MGRDarkDataset", data_root=str(mgr_dark_root), split="test", pipeline=[])
    runner._test_dataloader = Config(dict(loader=dict(dataset=dataset))).loader
    hook = HOOKS.build(dict(type="StageCheckpointHook", stage="student"))
    hook.before_train(runner)
    path = save(network("ProjectedHead"), tmp_path / "leak.pth", "assistant", subjects=["s1", "s4"])
    config["teachers"]["assistant"]["checkpoint"] = path
    runner.model = build(config)
    with pytest.raises(ValueError, match="teachers.assistant.checkpoint was trained on test subject 's4'"):
        hook.before_train(runner)


def test_a_teacher_of_test_subjects_is_refused(tmp_path):
    config = distiller(tmp_path)
    path = save(network("ProjectedHead"), tmp_path / "leak.pth", "teacher", subjects=["s1", "s9"])
    config["teachers"]["teacher"]["checkpoint"] = path
    runner = FakeRunner(build(config))

    class Subjects:
        def __len__(self):
            return 1

        def get_data_info(self, i):
            return dict(subject="s9")

    runner._test_dataloader = type("Loader", (), dict(dataset=Subjects()))()
    hook = HOOKS.build(dict(type="StageCheckpointHook", stage="student"))
    with pytest.raises(ValueError, match="trained on test subject 's9'"):
        hook.before_train(runner)
    runner._test_dataloader = None
    hook.before_train(runner)


def test_a_teacher_that_does_not_name_its_subjects_is_said(tmp_path):
    """Their file may come from anywhere; that it has not seen the test split is then nobody's word."""
    config = distiller(tmp_path)
    config["teachers"]["teacher"]["checkpoint"] = save(
        network("ProjectedHead"), tmp_path / "ours.pth", "teacher", subjects=["s1"]
    )
    path = tmp_path / "foreign.pth"
    torch.save(MODELS.build(network("ProjectedHead")).state_dict(), path)
    config["teachers"]["assistant"]["checkpoint"] = str(path)
    runner = FakeRunner(build(config))
    HOOKS.build(dict(type="StageCheckpointHook", stage="student")).before_train(runner)
    assert len(runner.said) == 1
    assert runner.said[0].startswith("the assistant's checkpoint does not say which subjects")
    assert training_notes(runner) == runner.said  # and the record of the run says it to the reader


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(fusion="median"), "fusion 'median' is unknown; choose from mean"),
        (dict(distance="l3"), "distance 'l3' is unknown"),
        (dict(reduction="max"), "reduction 'max' is unknown"),
        (dict(roles=("teacher",)), "need teachers.assistant"),
        (dict(projection=None), "give model.projection"),
        (dict(projection=dict(in_channels=CHANNELS, out_channels=5, level="vector")), "level='vector'"),
    ],
)
def test_bad_options(tmp_path, options, message):
    def train():
        model = build(distiller(tmp_path, **options))
        model.loss(*prepared(model))

    with pytest.raises(ValueError, match=message):
        train()
