"""Mechanisms of the controls: shuffled teacher, late fusion, converter for training only, inputs made on the fly."""

import copy

import pytest
import torch
from mmaction.registry import MODELS

from mtcd_plugin.models.distillers.inference import SeparableMaxPool3d, optimize_for_inference
from mtcd_plugin.models.distillers.shuffled_teacher_bank import ShuffledTeacherBank
from mtcd_plugin.models.distillers.teachers import TeacherOutput
from mtcd_plugin.models.translators.low_light_enhance import low_light_enhance
from tests.helpers.toy import batch, build, distiller, network, save
from tests.mtcd_plugin.models.mtcd.test_cross_modal_distiller import prepared


def outputs(values):
    """One teacher's output: z holds the clip's number, so that its origin can be read off."""
    z = torch.tensor(values, dtype=torch.float32).view(-1, 1, 1)
    return {"teacher": TeacherOutput(z, logits=z[:, 0], present=torch.ones(len(z), dtype=torch.bool))}


@pytest.mark.parametrize("shuffle", ["same_class", "random_class"])
def test_outputs_are_those_of_other_clips_of_the_right_class(shuffle):
    bank = ShuffledTeacherBank(shuffle)
    label_of = {}
    for step in range(20):
        labels = [(step + i) % 3 for i in range(4)]
        values = [10 * step + i for i in range(4)]
        label_of |= dict(zip(values, labels, strict=True))
        out = bank.swap(outputs(values), labels, [str(v) for v in values])["teacher"]
        for own, label, z, ok in zip(values, labels, out.z.flatten().tolist(), out.present, strict=True):
            if ok:
                assert z != own and (label_of[int(z)] == label) == (shuffle == "same_class")
    assert out.present.all()


def test_a_clip_without_another_clip_is_trained_without_distillation():
    out = ShuffledTeacherBank("same_class").swap(outputs([1, 2]), [0, 1], ["a", "b"])["teacher"]
    assert out.present.tolist() == [False, False]
    bank = ShuffledTeacherBank("same_class")
    bank.swap(outputs([1]), [0], ["a"])
    assert not bank.swap(outputs([1]), [0], ["a"])["teacher"].present.any()  # the same clip again
    assert bank.swap(outputs([2]), [0], ["b"])["teacher"].z.item() == 1
    with pytest.raises(ValueError, match="choose from none, same_class"):
        ShuffledTeacherBank("other")


def test_shuffled_teacher_leaves_the_student_stream_alone(tmp_path):
    plain, shuffled = (build(distiller(tmp_path, shuffle=s)).eval() for s in ("none", "random_class"))
    torch.manual_seed(1)
    a = plain.loss(*prepared(plain))
    state = torch.get_rng_state()
    torch.manual_seed(1)
    b = shuffled.loss(*prepared(shuffled))
    assert torch.equal(state, torch.get_rng_state())
    assert a["loss_cls"] == b["loss_cls"] and a["loss_kd_ir_rgb"] != b["loss_kd_ir_rgb"]


def test_converter_for_distillation_only(tmp_path):
    model = build(distiller(tmp_path, converter_at_test=False)).eval()
    losses = model.loss(*prepared(model))
    losses["loss_kd_ir_rgb"].backward()
    assert model.converter.conv.weight.grad is not None
    plain = build(network(converter=False))
    plain.load_state_dict(model.student.state_dict(), strict=True)
    alone = dict(inputs=batch()["inputs"]["rgb"], data_samples=batch()["data_samples"])
    for a, b in zip(model.test_step(batch()), plain.eval().test_step(alone), strict=True):
        assert torch.equal(a.pred_score, b.pred_score)


def test_late_fusion_is_the_mean_of_probabilities(tmp_path):
    members = {}
    for seed, name in enumerate(("rgb", "ir")):
        members[name] = dict(model=network(), checkpoint=save(network(), tmp_path / f"{name}.pth", "", seed))
    config = dict(type="LateFusion", members=members, data_preprocessor=dict(type="ClipDataPreprocessor"))
    data = batch(("rgb", "ir"))
    fused = MODELS.build(config).eval().test_step(copy.deepcopy(data))
    expected = 0
    for seed, name in enumerate(("rgb", "ir")):
        one = dict(inputs=data["inputs"][name], data_samples=copy.deepcopy(data["data_samples"]))
        expected = expected + torch.stack([s.pred_score for s in build(network(), seed).eval().test_step(one)])
    torch.testing.assert_close(torch.stack([s.pred_score for s in fused]), expected / 2)
    single = dict(config, members=dict(pseudo_ir=members["ir"]))
    one = dict(inputs=data["inputs"]["ir"], data_samples=copy.deepcopy(data["data_samples"]))
    assert MODELS.build(single).eval().test_step(one)[0].pred_score.shape == (3,)
    members["ir"]["checkpoint"] = save(network(), tmp_path / "leak.pth", "teacher", subjects=["s1"])
    with pytest.raises(ValueError, match="members.ir.checkpoint was trained on test subject 's1'"):
        MODELS.build(config).test_step(batch(("rgb", "ir")))
    members["ir"]["checkpoint"] = ""
    with pytest.raises(ValueError, match="members.ir.checkpoint is empty"):
        MODELS.build(config).eval().test_step(copy.deepcopy(data))


def test_pseudo_infrared_on_the_fly_equals_the_rendered_one():
    translator = dict(type="TrivialTranslator", kind="inverted")
    config = dict(type="TranslatingPreprocessor", translator=translator)
    data = batch(("rgb", "ir"))
    made = MODELS.build(config)(copy.deepcopy(data), True)["inputs"]
    rendered = copy.deepcopy(data)
    rendered["inputs"]["pseudo_ir"] = MODELS.build(translator).translate(data["inputs"]["rgb"])
    expected = MODELS.build(dict(type="ClipDataPreprocessor"))(rendered)["inputs"]
    assert set(made) == {"rgb", "ir", "pseudo_ir"}
    assert all(torch.equal(made[m], expected[m]) for m in made)
    assert set(MODELS.build(config)(copy.deepcopy(data), False)["inputs"]) == {"rgb", "ir"}
    alone = MODELS.build(config)(batch(("rgb",)), True)["inputs"]
    assert set(alone) == {"rgb", "pseudo_ir"}


def test_enhanced_rgb_replaces_or_joins():
    data = batch(("rgb",))
    enhancer = dict(type="Enhancer", pre_enhance="gamma")
    own = MODELS.build(dict(type="TranslatingPreprocessor", translator=enhancer, target=""))
    out = own.translator.translate([torch.full((1, 3, 2, 4, 4), 10, dtype=torch.uint8)])[0]
    expected = low_light_enhance(torch.full((1, 2, 3, 4, 4), 10 / 255), "gamma") * 255
    assert (out.float() - expected.transpose(1, 2)).abs().max() <= 0.51
    for training in (True, False):
        assert own(copy.deepcopy(data), training)["inputs"].shape == (4, 1, 3, 4, 16, 16)
    beside = MODELS.build(dict(type="TranslatingPreprocessor", translator=enhancer, target="enhanced_rgb"))
    made = beside(batch(("rgb", "ir")), True)["inputs"]
    assert made["enhanced_rgb"].shape == made["rgb"].shape == (4, 1, 3, 4, 16, 16)


@pytest.mark.parametrize("gray", [False, True])
def test_frozen_networks_are_the_same_with_fewer_passes(gray):
    backbone = dict(
        type="ResNet3d",
        depth=18,
        base_channels=4,
        pretrained=None,
        inflate=((1, 1), (1, 0), (1, 0), (0, 1)),
        conv_cfg=dict(type="Conv3d"),
        norm_cfg=dict(type="BN3d"),
        zero_init_residual=False,
    )
    model = build(
        dict(network("ProjectedHead"), backbone=backbone, neck=dict(type="FeatureConverter", in_channels=32))
        | dict(cls_head=dict(type="ProjectedHead", in_channels=32, num_classes=3, projection=dict(out_channels=5)))
    )
    x = torch.randn(2, 1, 1 if gray else 3, 8, 32, 32).expand(-1, -1, 3, -1, -1, -1).contiguous()
    model.train()
    model.extract_feat(x)  # batch statistics that are not the initial ones
    model.eval()
    with torch.no_grad():
        before = model.extract_feat(x)[0]
        optimize_for_inference(model, gray)
        torch.testing.assert_close(model.extract_feat(x)[0], before, rtol=1e-4, atol=1e-5)
    assert not any(isinstance(m, (torch.nn.BatchNorm3d, torch.nn.MaxPool3d)) for m in model.modules())
    assert not any(p.requires_grad for p in model.parameters())
    first = next(m for m in model.modules() if isinstance(m, torch.nn.Conv3d))
    assert first.in_channels == (1 if gray else 3)


@pytest.mark.parametrize(
    "options",
    [
        dict(kernel_size=3),
        dict(kernel_size=(1, 3, 3), stride=(2, 2, 2), padding=(0, 1, 1)),
        dict(kernel_size=(2, 1, 1), stride=(2, 1, 1)),
        dict(kernel_size=2, stride=1, padding=1),
    ],
)
def test_separable_pooling_is_equal_to_the_bit(options):
    pool = torch.nn.MaxPool3d(**options)
    x = torch.randn(2, 3, 7, 9, 8)
    assert torch.equal(SeparableMaxPool3d(pool)(x), pool(x))
