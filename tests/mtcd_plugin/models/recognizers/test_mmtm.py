"""MMTM: the module against its formula, where it sits, what it starts from."""

import mtcd_plugin.register  # noqa: F401  isort: skip
from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from torch.utils.flop_counter import FlopCounterMode

from harness.plan.resolve import resolve
from mtcd_plugin.models.recognizers.mmtm import MultimodalTransfer

torch.set_num_threads(1)
CONFIG = Path(__file__).parents[4] / "mm_configs/mmtm/mmtm_nvgesture-rgb-depth.py"


def count(module):
    return sum(p.numel() for p in module.parameters())


def model_of(profile="smoke", **changes):
    init_default_scope("mmaction")
    return MODELS.build({**resolve(CONFIG, profile).config["model"], **changes})


def batch(size=32, n=2):
    torch.manual_seed(0)
    samples = [ActionDataSample().set_gt_label(i) for i in range(n)]
    return {name: torch.randn(n, 1, 3, 16, size, size) for name in ("rgb", "depth")}, samples


@pytest.mark.parametrize(
    ("first", "second", "parameters"),
    [(512, 512, 1_050_112), (832, 832, 2_771_392), (1024, 1024, 4_197_376), (528, 528, 1_116_720), (4, 2, 45)],
)
def test_parameters_of_a_module(first, second, parameters):
    assert count(MultimodalTransfer(first, second)) == parameters


@pytest.mark.parametrize("gate_scale", [1.0, 2.0])
def test_a_module_without_weights_gives_half_its_scale(gate_scale):
    module = MultimodalTransfer(3, 2, gate_scale)
    for p in module.parameters():
        torch.nn.init.zeros_(p)
    x, y = torch.randn(2, 3, 4, 5, 6), torch.randn(2, 2, 7)
    for found, given in zip(module(x, y), (x, y), strict=True):
        torch.testing.assert_close(found, 0.5 * gate_scale * given)


def test_gates_come_from_the_means_of_both():
    module = MultimodalTransfer(3, 2, 1.0)
    x, y = torch.randn(2, 3, 2, 3, 3), torch.randn(2, 2, 1, 4, 4)
    means = torch.cat([x.mean((2, 3, 4)), y.mean((2, 3, 4))], dim=1)
    first, second, third = module.squeeze, module.excite_first, module.excite_second
    hidden = (means @ first.weight.T + first.bias).clamp_min(0)
    for found, given, layer in zip(module(x, y), (x, y), (second, third), strict=True):
        gates = 1 / (1 + torch.exp(-(hidden @ layer.weight.T + layer.bias)))
        torch.testing.assert_close(found, given * gates[:, :, None, None, None])


def test_the_network_at_full_size():
    with torch.device("meta"):
        model = model_of("paper").eval()
        clips = {name: torch.empty(1, 3, 64, 224, 224) for name in ("rgb", "depth")}
        with FlopCounterMode(display=False) as counter:
            model.logits(clips)
    assert [count(s) for s in model.streams.values()] == [12_287_264 + 25_625] * 2
    assert count(model.transfers) == 12_957_104
    assert count(model) == 2 * (12_287_264 + 25_625) + 12_957_104
    # the Kinetics network without its class layer, twice; the modules' and class layers' weights, once each
    stream = 111_153_143_808 - 7 * 1024 * 400
    widths = [512, 512, 528, 832, 832, 1024]
    assert counter.get_total_flops() // 2 == 2 * stream + sum(4 * w * w for w in widths) + 2 * 1024 * 25


def test_modules_sit_behind_the_named_blocks():
    model, (inputs, _) = model_of(points=["4c", "5b"]).eval(), batch(n=1)
    clips = {name: x[:, 0] for name, x in inputs.items()}
    seen = {}
    for name, block in model.streams["depth"].backbone.named_children():
        block.register_forward_hook(lambda m, i, o, name=name: seen.update({name: (i[0], o)}))
    with torch.no_grad():
        model.logits(clips)
    names = list(seen)
    gated = [b for a, b in zip(names, names[1:], strict=False) if not torch.equal(seen[a][1], seen[b][0])]
    assert gated == ["inception_4d", "inception_5c"] and list(model.transfers) == ["inception_4c", "inception_5b"]


def test_without_modules_it_is_two_networks_with_mean_logits():
    model, (inputs, samples) = model_of(points=[]).eval(), batch()
    with torch.no_grad():
        model(inputs, samples, mode="predict")
        each = [s.cls_head(s.extract_feat(inputs[name])[0]) for name, s in model.streams.items()]
    torch.testing.assert_close(torch.stack([s.pred_score for s in samples]), ((each[0] + each[1]) / 2).softmax(1))


@pytest.mark.parametrize(("profile", "size"), [("demo", 56), ("smoke", 32)])
def test_a_step_at_small_sizes_reaches_everything(profile, size):
    model, (inputs, samples) = model_of(profile).train(), batch(size)
    losses = model(inputs, samples, mode="loss")
    assert set(losses) == {"loss_cls_rgb", "loss_cls_depth", "top1_acc"}
    losses["loss_cls_rgb"].backward()
    depth, transfers = model.streams["depth"], list(model.transfers.values())
    assert depth.backbone.conv1.conv.weight.grad.abs().sum() > 0  # through the modules
    assert all(m.squeeze.weight.grad.abs().sum() > 0 for m in transfers)
    with torch.no_grad():
        assert model.eval()({m: x[:1] for m, x in inputs.items()}).shape == (1, 25)


def test_it_starts_from_streams_trained_alone(tmp_path):
    trained = {name: model_of().streams[name] for name in ("rgb", "depth")}
    for name, stream in trained.items():
        torch.save({"state_dict": stream.state_dict()}, tmp_path / f"{name}.pth")
    model = model_of(init_from={name: str(tmp_path / f"{name}.pth") for name in trained})
    model.init_weights()
    for name, stream in trained.items():
        for key, value in stream.state_dict().items():
            assert torch.equal(model.streams[name].state_dict()[key], value), key


def test_alternate_steps_are_those_of_two_optimizers():
    """As the authors' code: each has one stream and the modules."""
    model, (inputs, samples) = model_of(alternate=True).train(), batch()
    twin = model_of(alternate=True).train()
    twin.load_state_dict(model.state_dict())
    raw = {name: (x * 20 + 128).clamp(0, 255).byte() for name, x in inputs.items()}
    clips = {name: x.flatten(0, 1) for name, x in twin.data_preprocessor({"inputs": raw})["inputs"].items()}
    torch.manual_seed(1)
    for i, name in enumerate(("rgb", "depth")):
        weights = [*twin.streams[name].parameters(), *twin.transfers.parameters()]
        optimizer = torch.optim.SGD(weights, lr=0.1, weight_decay=0.01)
        twin.zero_grad()
        torch.nn.functional.cross_entropy(twin.stream_logits(clips)[i], torch.arange(2)).backward()
        optimizer.step()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    torch.manual_seed(1)
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.01))
    log = model.train_step({"inputs": raw, "data_samples": samples}, wrapper)
    assert set(log) == {"loss", "loss_cls_rgb", "loss_cls_depth", "top1_acc"}
    assert all(p.requires_grad for p in model.parameters())
    for key, value in twin.state_dict().items():
        torch.testing.assert_close(model.state_dict()[key], value, atol=1e-5, rtol=1e-4, msg=key)
    assert not torch.equal(
        before["streams.depth.cls_head.fc_cls.weight"], model.streams["depth"].cls_head.fc_cls.weight
    )
    divided = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1), accumulative_counts=2)
    with pytest.raises(ValueError, match="alternate=True steps twice for each batch"):
        model.train_step({"inputs": raw, "data_samples": samples}, divided)


def test_wrong_arguments_and_files_are_one_line(tmp_path):
    with pytest.raises(ValueError, match="no block '6a' in points; choose from 3b, 3c, 4b"):
        model_of(points=["6a"])
    with pytest.raises(ValueError, match="init_from 'ir' is none of its modalities rgb, depth"):
        model_of(init_from={"ir": ""})
    with pytest.raises(ValueError, match="must name two"):
        model_of(modalities=["rgb", "depth", "ir"])
    torch.save({"state_dict": model_of().streams["rgb"].backbone.state_dict()}, tmp_path / "backbone.pth")
    with pytest.raises(ValueError, match=r"model.init_from.rgb: .*backbone.pth lacks \d+ of \d+ weights"):
        model_of(init_from={"rgb": str(tmp_path / "backbone.pth")}).init_weights()
