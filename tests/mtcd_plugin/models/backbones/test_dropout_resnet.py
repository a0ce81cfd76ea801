"""ResNet-18 with dropout inside, and attention over frames: the authors' counts, formulas, MMAction2's ResNet."""

import mtcd_plugin.register  # noqa: F401  isort: skip
import math
from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.registry import init_default_scope
from torch.utils.flop_counter import FlopCounterMode

from harness.network.cost import plain_attention
from harness.plan.resolve import resolve
from mtcd_plugin.models.backbones.dropout_resnet import DropoutBlock, DropoutResNet18
from mtcd_plugin.models.heads.frame_transformer_head import EncoderLayer, FrameTransformerHead, sinusoidal_positions
from mtcd_plugin.models.weights.init_cfg import start_reports

torch.set_num_threads(1)
CONFIGS = Path(__file__).parents[4] / "mm_configs/transformer"


def count(module):
    return sum(p.numel() for p in module.parameters())


def model_of(modality, profile="smoke"):
    init_default_scope("mmaction")
    return MODELS.build(resolve(CONFIGS / f"transformer_nvgesture-{modality}.py", profile).config["model"])


@pytest.mark.parametrize(
    ("modality", "backbone", "whole", "macs"),
    [("rgb", 11_176_512, 23_799_897, 71_575_155_200), ("depth", 11_170_240, 23_793_625, 68_492_341_760)],
)
def test_the_network_at_full_size(modality, backbone, whole, macs):
    with torch.device("meta"):
        model = model_of(modality, "paper").eval()
        clip = torch.empty(1, 40, 3, 192, 256)
        with plain_attention(), FlopCounterMode(display=False) as counter:
            logits = model(clip, stage="head", mode="tensor")
    assert (count(model.backbone), count(model)) == (backbone, whole)
    assert [count(layer) for layer in model.cls_head.layers] == [2_101_760] * 6
    assert counter.get_total_flops() // 2 == macs and logits.shape == (1, 25)


def test_in_eval_mode_the_frames_network_is_mmactions_resnet(tmp_path):
    """MMAction2's takes torchvision's names, so ours are those."""
    torch.manual_seed(0)
    own = DropoutResNet18()
    for module in own.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(), module.running_var.uniform_(0.5, 2)
    torch.save(own.state_dict(), tmp_path / "resnet18.pth")
    init_default_scope("mmaction")
    reference = MODELS.build(dict(type="ResNet", depth=18, pretrained=str(tmp_path / "resnet18.pth"), norm_eval=False))
    reference.init_weights()
    (report,) = start_reports(reference)
    assert report.loaded == report.total and report.naming == "torchvision's names"
    x = torch.rand(1, 3, 40, 70)
    reference.eval()  # returns nothing
    with torch.no_grad():
        torch.testing.assert_close(own.eval()(x), reference(x))


@pytest.mark.parametrize(("stride", "drops"), [(1, 2), (2, 3)])
def test_channels_are_dropped_before_the_sum_only_where_the_shortcut_has_weights(stride, drops):
    block, seen = DropoutBlock(4, 4, stride, 0.5), []
    block.dropout.register_forward_hook(lambda m, i, o: seen.append((i[0], o)))
    block.train()(torch.randn(2, 4, 6, 6))
    assert len(seen) == drops
    given, dropped = seen[0]
    alive = dropped.flatten(2).abs().sum(2) > 0
    torch.testing.assert_close(dropped[alive], 2 * given[alive])  # whole channels, the others scaled up


def test_one_input_channel_takes_the_first_and_starts_from_the_mean(tmp_path):
    donor = DropoutResNet18(base_channels=4)
    torch.save(donor.state_dict(), tmp_path / "resnet.pth")
    init_cfg = dict(type="Pretrained", checkpoint=str(tmp_path / "resnet.pth"))
    init_default_scope("mmaction")
    grey = MODELS.build(dict(type="DropoutResNet18", in_channels=1, base_channels=4, init_cfg=init_cfg))
    grey.init_weights()
    torch.testing.assert_close(grey.conv1.weight, donor.conv1.weight.mean(dim=1, keepdim=True))
    (report,) = start_reports(grey)
    assert report.loaded == report.total and report.adapted[0].startswith(
        "conv1.weight: mean over three input channels"
    )
    x = torch.randn(1, 3, 32, 32)
    x[:, 1:] = x[:, :1]
    with torch.no_grad():
        donor.conv1.weight /= 3  # of three equal channels the sum, here the mean
        torch.testing.assert_close(grey.eval()(x), donor.eval()(x))


# ---------------------------------------------------------------------- over the frames


def test_positions_are_sines_and_cosines_in_turn():
    found = sinusoidal_positions(5, 6)
    for t in range(5):
        for i in range(3):
            angle = t / 10000 ** (2 * i / 6)
            assert found[t, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-6)
            assert found[t, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-6)


def test_a_layer_is_one_norm_around_attention_and_feedforward():
    torch.manual_seed(0)
    layer, x = EncoderLayer(8, 2, 12, 0.5).eval(), torch.randn(3, 5, 8)
    heads = []
    for h in range(2):
        part = slice(4 * h, 4 * h + 4)
        q, k, v = (f(x)[..., part] for f in (layer.query, layer.key, layer.value))
        heads.append((q @ k.transpose(1, 2) / math.sqrt(4)).softmax(-1) @ v)
    attended = layer.project(torch.cat(heads, dim=-1))
    out = x + layer.reduce(layer.expand(attended).clamp_min(0))
    expected = (out - out.mean(-1, keepdim=True)) / (out.var(-1, keepdim=True, correction=0) + 1e-5).sqrt()
    torch.testing.assert_close(layer(x), expected)


def test_a_layer_whose_last_linear_is_zero_normalises_its_input():
    layer, x = EncoderLayer(8, 2, 12, 0.5).train(), torch.randn(3, 5, 8)
    torch.nn.init.zeros_(layer.reduce.weight), torch.nn.init.zeros_(layer.reduce.bias)
    torch.testing.assert_close(layer(x), torch.nn.functional.layer_norm(x, (8,)))


def test_the_order_of_frames_counts_by_their_positions_alone():
    torch.manual_seed(0)
    head = FrameTransformerHead(4, 8, num_layers=2, num_heads=2, feedforward_channels=16).eval()
    x = torch.randn(2 * 5, 8, 3, 3)
    turned = x.unflatten(0, (2, 5)).flip(1).flatten(0, 1)
    with torch.no_grad():
        assert not torch.allclose(head(x, num_segs=5), head(turned, num_segs=5), atol=1e-4)
        moved = x - sinusoidal_positions(5, 8).repeat(2, 1)[:, :, None, None]
        back = turned - sinusoidal_positions(5, 8).repeat(2, 1)[:, :, None, None]
        torch.testing.assert_close(head(moved, num_segs=5), head(back, num_segs=5), atol=1e-5, rtol=1e-4)


def test_heads_that_do_not_divide_the_channels_are_one_line():
    with pytest.raises(ValueError, match="in_channels=10 cannot be divided among 4 heads"):
        FrameTransformerHead(4, 10, num_heads=4)


@pytest.mark.parametrize(("profile", "size"), [("demo", 56), ("smoke", 32)])
@pytest.mark.parametrize("modality", ["rgb", "depth"])
def test_a_step_at_small_sizes_reaches_everything(modality, profile, size):
    torch.manual_seed(0)
    model, x = model_of(modality, profile).train(), torch.randn(2, 16, 3, size, size)
    samples = [ActionDataSample().set_gt_label(i) for i in range(2)]
    model(x, samples, mode="loss")["loss_cls"].backward()
    silent = [n for n, p in model.named_parameters() if not p.grad.abs().sum() > 0]
    assert [n for n in silent if ".key.bias" not in n] == []  # softmax takes a constant of all keys out
    with torch.no_grad():
        model.eval()(x[:1], samples[:1], mode="predict")
    assert samples[0].pred_score.shape == (25,)
