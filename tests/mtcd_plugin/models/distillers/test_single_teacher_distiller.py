"""A student with one frozen teacher: the student of the plain row, what is compared, checkpoints, missing streams."""

import copy
from types import SimpleNamespace

import pytest
import torch
from mmaction.registry import HOOKS, MODELS
from mmengine.optim import OptimWrapper

import mtcd_plugin.register  # noqa: F401
from tests.helpers.toy import CHANNELS, CLASSES, batch, build, network, save

ALL = {
    "LogitDistillation": {},
    "HintDistillation": dict(student_channels=CHANNELS, teacher_channels=CHANNELS, layer="backbone.conv"),
    "AttentionTransfer": dict(layers=["backbone.conv", "backbone.norm"]),
    "RelationalDistillation": {},
    "ContrastiveDistillation": dict(student_channels=CHANNELS, teacher_channels=CHANNELS, channels=4),
    "HallucinationDistillation": {},
    "AdversarialDistillation": dict(channels=CHANNELS, num_classes=CLASSES, steps=4),
}


def config_of(folder, kind: str = "LogitDistillation", student: dict | None = None, **options) -> dict:
    file = save(network("ProjectedHead"), folder / "teacher.pth", "teacher", seed=10)
    teacher = dict(model=network("ProjectedHead"), input="ir", checkpoint=file)
    return dict(
        type="SingleTeacherDistiller",
        student=student or network(converter=False),
        teachers=dict(teacher=teacher),
        distillation=dict(type=kind, **ALL[kind]),
        data_preprocessor=dict(type="ClipDataPreprocessor"),
        **options,
    )


def prepared(model, data=None):
    data = model.data_preprocessor(copy.deepcopy(data or batch(("rgb", "ir"))), True)
    return data["inputs"], data["data_samples"]


def step(model, data, lr=0.1):
    parameters = [p for p in model.parameters() if p.requires_grad]
    return model.train_step(data, OptimWrapper(torch.optim.SGD(parameters, lr=lr)))


@pytest.mark.parametrize("kind", ALL)
def test_a_step_trains_the_student_and_leaves_the_teacher(kind, tmp_path):
    model = build(config_of(tmp_path, kind)).train()
    before, teacher = copy.deepcopy(model.student.state_dict()), copy.deepcopy(model.teacher.state_dict())
    assert model.student.training and not any(m.training for m in model.teacher.modules())
    step(model, batch(("rgb", "ir")))
    after = model.student.state_dict()
    assert all(not torch.equal(v, before[k]) for k, v in after.items() if k.endswith("weight"))
    assert all(torch.equal(v, teacher[k]) for k, v in model.teacher.state_dict().items())
    assert all(p.grad is None for p in model.teacher.parameters())


@pytest.mark.parametrize("kind", ALL)
def test_the_distillation_reaches_the_backbone(kind, tmp_path):
    model = build(config_of(tmp_path, kind)).train()
    losses = model.loss(*prepared(model))
    terms = [v for k, v in losses.items() if k.startswith("loss_kd")]
    assert terms and all(torch.isfinite(t) for t in terms)
    sum(terms).backward()
    assert model.student.backbone.conv.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("kind", ALL)
def test_a_batch_of_one_is_trained(kind, tmp_path):
    model = build(config_of(tmp_path, kind)).train()
    losses = model.loss(*prepared(model, batch(("rgb", "ir"), clips=1)))
    assert all(torch.isfinite(v).all() for v in losses.values())


def test_the_student_is_the_plain_row_with_another_loss(tmp_path):
    """Same initial weights, same random stream; without the distillation's part the same step, dropout included."""
    config = network(converter=False, dropout=0.5)
    plain = build(config, seed=3).train()
    model = build(config_of(tmp_path, "ContrastiveDistillation", student=config), seed=3).train()
    assert list(plain.state_dict()) == list(model.student.state_dict())
    assert all(torch.equal(v, model.student.state_dict()[k]) for k, v in plain.state_dict().items())
    model.distillation.weight = 0.0
    for net, inputs in ((plain, batch(("rgb",))["inputs"]), (model, batch()["inputs"])):
        data = dict(inputs=inputs, data_samples=batch()["data_samples"])
        if net is plain:
            data["inputs"] = batch()["inputs"]["rgb"]
        torch.manual_seed(7)
        step(net, data)
    assert all(torch.equal(v, model.student.state_dict()[k]) for k, v in plain.state_dict().items())


def test_the_loss_is_a_weighted_sum(tmp_path):
    model = build(config_of(tmp_path, class_weight=0.25)).eval()
    inputs, samples = prepared(model)
    losses = model.loss(inputs, samples)
    with torch.no_grad():
        own = model.student(inputs["rgb"], stage="head")
        told = model.teacher(inputs["ir"], stage="head")
    labels = torch.tensor([int(s.gt_label) for s in samples])
    torch.testing.assert_close(losses["loss_cls"], 0.25 * torch.nn.functional.cross_entropy(own, labels))
    p, q = (told / 4).softmax(1), (own / 4).softmax(1)
    torch.testing.assert_close(losses["loss_kd"], 0.9 * 16 * (p * (p / q).log()).sum(1).mean())
    total, _ = model.parse_losses(losses)
    torch.testing.assert_close(total, losses["loss_cls"] + losses["loss_kd"])
    assert losses["teacher_top1"] == (told.argmax(1) == labels).float().mean()


def test_layers_are_those_of_both_networks(tmp_path):
    model = build(config_of(tmp_path, "AttentionTransfer")).eval()
    seen = {}
    model.distillation.forward = lambda s, t, *_: seen.update(s=s, t=t) or {"loss_kd": s.logits.sum() * 0}
    inputs, samples = prepared(model)
    model.loss(inputs, samples)
    for who, net, x in (("s", model.student, inputs["rgb"]), ("t", model.teacher, inputs["ir"])):
        with torch.no_grad():
            conv = net.backbone.conv(x[:, 0])
            torch.testing.assert_close(seen[who].layers["backbone.conv"], conv)
            torch.testing.assert_close(seen[who].layers["backbone.norm"], net.backbone.norm(conv))
            torch.testing.assert_close(seen[who].feature, net.extract_feat(x)[0])
    assert not model.student.backbone.conv._forward_hooks and not seen["t"].feature.requires_grad


@pytest.mark.parametrize("kind", ["LogitDistillation", "RelationalDistillation", "ContrastiveDistillation"])
def test_clips_without_infrared_are_counted_and_left_out(kind, tmp_path):
    """What such a clip looks like makes no difference to the terms; a batch of none has none."""
    terms = []
    for fill in (0, 255):
        model = build(config_of(tmp_path, kind)).eval()
        data = batch(("rgb", "ir"))
        data["inputs"]["ir"][1].fill_(fill)  # a blank stream
        data["inputs"]["rgb"][1].fill_(3 * fill // 4).view(-1)[0] = 9
        data["data_samples"][2].set_metainfo(dict(missing=["ir"]))
        losses = model.loss(*prepared(model, data))
        assert losses["kd_share"] == 0.5 and model.undistilled == {"clip1", "clip2"}
        terms.append([v for k, v in losses.items() if k.startswith("loss_kd")])
    assert all(torch.equal(a, b) for a, b in zip(*terms, strict=True))
    for sample in data["data_samples"]:
        sample.set_metainfo(dict(missing=["ir"]))
    losses = model.loss(*prepared(model, data))
    assert losses["loss_kd"] == 0 and losses["loss_cls"] > 0


def test_a_term_over_half_of_the_clips_weighs_half(tmp_path):
    model = build(config_of(tmp_path)).eval()
    data = batch(("rgb", "ir"))
    for i in (1, 2):
        data["data_samples"][i].set_metainfo(dict(missing=["ir"]))
    inputs, samples = prepared(model, data)
    with torch.no_grad():
        p, q = (
            (net(inputs[m], stage="head") / 4).softmax(1) for net, m in ((model.teacher, "ir"), (model.student, "rgb"))
        )
    each = 0.9 * 16 * (p * (p / q).log()).sum(1)
    torch.testing.assert_close(model.loss(inputs, samples)["loss_kd"], (each[0] + each[3]) / 4)


def test_prediction_needs_the_student_and_its_modality_alone(tmp_path):
    model = build(config_of(tmp_path)).eval()
    whole = [s.pred_score for s in model.test_step(batch(("rgb", "ir")))]
    plain = MODELS.build(network(converter=False)).eval()
    plain.load_state_dict(model.student.state_dict(), strict=True)
    alone = dict(inputs=batch(("rgb", "ir"))["inputs"]["rgb"], data_samples=batch()["data_samples"])
    for net in (model, plain):
        assert all(
            torch.equal(a, b.pred_score) for a, b in zip(whole, net.test_step(copy.deepcopy(alone)), strict=True)
        )
    with pytest.raises(ValueError, match="the student needs 'rgb'; the data give depth, ir"):
        model.test_step(batch(("depth", "ir")))
    with pytest.raises(ValueError, match="the teacher needs 'ir'; the data give rgb, depth"):
        model.loss(*prepared(model, batch(("rgb", "depth"))))


@pytest.mark.parametrize("kind", ["HintDistillation", "ContrastiveDistillation", "AdversarialDistillation"])
def test_a_checkpoint_is_the_students_and_a_resumed_training_has_the_rest(kind, tmp_path):
    model = build(config_of(tmp_path, kind), seed=5).train()
    step(model, batch(("rgb", "ir")))
    hook = HOOKS.build(dict(type="SingleTeacherCheckpointHook"))
    checkpoint = dict(meta={}, state_dict=copy.deepcopy(model.state_dict()))
    hook.before_save_checkpoint(SimpleNamespace(model=model, _train_loop=None), checkpoint)
    assert checkpoint["meta"]["mtcd"]["stage"] == "student"
    MODELS.build(network(converter=False)).load_state_dict(checkpoint["state_dict"], strict=True)
    assert not any("teacher." in k and not k.startswith("distillation") for k in checkpoint["distillation"])
    again = build(config_of(tmp_path, kind), seed=6).train()
    hook.after_load_checkpoint(SimpleNamespace(model=again), checkpoint)
    again.load_state_dict(checkpoint["state_dict"], strict=True)
    again.load_training_state(copy.deepcopy(model.training_state()))
    assert all(torch.equal(v, again.state_dict()[k]) for k, v in model.state_dict().items())
    a, b = (m.loss(*prepared(m, batch(("rgb", "ir"), seed=4))) for m in (model, again))
    assert all(torch.equal(v, b[k]) for k, v in a.items())


def test_bad_input_is_one_line(tmp_path):
    config = config_of(tmp_path)
    config["teachers"]["teacher"]["checkpoint"] = ""
    with pytest.raises(ValueError, match=r"model.teachers.teacher.checkpoint is empty: train that stage first"):
        build(config)
    config["teachers"]["teacher"]["checkpoint"] = save(network("ProjectedHead"), tmp_path / "a.pth", "assistant")
    with pytest.raises(ValueError, match="is of stage 'assistant'; needed is teacher"):
        build(config)
    with pytest.raises(ValueError, match="teachers must have 'teacher' alone, got teacher, assistant"):
        build({**config, "teachers": dict(config["teachers"], assistant={})})
    with pytest.raises(ValueError, match="class_weight must be finite and >= 0, got -1"):
        build(config_of(tmp_path, class_weight=-1))
    unknown = config_of(tmp_path, "AttentionTransfer")
    unknown["distillation"]["layers"] = ["backbone.layer9"]
    model = build(unknown)
    with pytest.raises(ValueError, match="no module 'backbone.layer9'; its backbone has backbone.conv, backbone.norm"):
        model.loss(*prepared(model))
