"""PreRNN: what it is without recurrence, its cells written out, and torchvision's VGG16 in it."""

import mtcd_plugin.register  # noqa: F401  isort: skip
import copy
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from torch import nn

from harness.network.cost import count_cost
from harness.plan.resolve import resolve
from mtcd_plugin.models.backbones.prernn import STAGES, PreRNNVGG
from mtcd_plugin.models.backbones.prernn_cells import CELLS, RecurrentLinear
from mtcd_plugin.models.weights.starting_weights import LoadReport, fit, load_weights

torch.set_num_threads(1)
CONFIGS = Path(__file__).parents[4] / "mm_configs" / "prernn"


def recognizer(profile="paper", name="prernn_nvgesture-rgb"):
    init_default_scope("mmaction")
    return MODELS.build(copy.deepcopy(resolve(CONFIGS / f"{name}.py", profile).config["model"]))


def small(cell="rnn", **kwargs):
    torch.manual_seed(0)
    return PreRNNVGG(base_channels=2, fc_channels=6, pool_size=2, cell=cell, **kwargs).eval()


def published(width=64, units=4096, pool=7, classes=1000, device="meta"):
    """A file with torchvision's names and shapes of a VGG16."""
    state, before, at = {}, 3, 0
    for multiple, convolutions in STAGES:
        for _ in range(convolutions):
            state[f"features.{at}.weight"] = torch.randn(multiple * width, before, 3, 3, device=device) / 5
            state[f"features.{at}.bias"] = torch.randn(multiple * width, device=device)
            before, at = multiple * width, at + 2
        at += 1
    for name, rows, columns in ((0, units, before * pool**2), (3, units, units), (6, classes, units)):
        state[f"classifier.{name}.weight"] = torch.randn(rows, columns, device=device) / 5
        state[f"classifier.{name}.bias"] = torch.randn(rows, device=device)
    return state


def vgg(state, frames, pool):
    """torchvision's VGG16 in evaluation, up to fc7, as functions of its weights."""
    at = 0
    for _, convolutions in STAGES:
        for _ in range(convolutions):
            frames = F.relu(F.conv2d(frames, state[f"features.{at}.weight"], state[f"features.{at}.bias"], padding=1))
            at += 2
        frames, at = F.max_pool2d(frames, 2), at + 1
    frames = F.adaptive_avg_pool2d(frames, pool).flatten(1)
    for name in ("classifier.0", "classifier.3"):
        frames = F.relu(F.linear(frames, state[f"{name}.weight"], state[f"{name}.bias"]))
    return frames


def test_parameters_at_full_size():
    with torch.device("meta"):
        model = recognizer()
    counts = {n: sum(p.numel() for p in m.parameters()) for n, m in model.backbone.named_children()}
    assert counts["features"] == 14_714_688 and counts["fc7"] == 16_781_312
    assert counts["fc6"] == 102_764_544 + 3 * 4096**2
    assert sum(p.numel() for p in model.cls_head.parameters()) == 102_425
    assert sum(p.numel() for p in model.parameters()) == 184_694_617


def test_weights_come_in_the_order_of_the_network():
    with torch.device("meta"):
        names = [n for n, _ in PreRNNVGG().named_parameters()]
    convolutions = [f"features.{i}" for i in (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)]
    expected = [f"{n}.{x}" for n in [*convolutions, "fc6.linear"] for x in ("weight", "bias")]
    assert names == [*expected, "fc6.hidden.weight", "fc7.0.weight", "fc7.0.bias"]


@pytest.mark.slow
def test_multiply_adds_of_a_frame_at_full_size():
    with torch.device("meta"):
        model = recognizer()
    flops = count_cost(model.to("meta"), (3, 2, 224, 224)).flops / 2  # where clips go, too
    assert flops == pytest.approx(15.5e9, rel=0.005)


def test_without_recurrence_it_is_the_pretrained_network_frame_by_frame(tmp_path):
    state = published(2, 6, 2, 9, device="cpu")
    torch.save(state, tmp_path / "vgg16.pth")
    network = small()
    load_weights(network, str(tmp_path / "vgg16.pth"))
    nn.init.zeros_(network.fc6.hidden.weight)
    x = torch.randn(2, 3, 4, 64, 64)
    with torch.no_grad():
        out = network(x)
    assert out.shape == (2, 6, 4, 1, 1)
    for t in range(4):
        torch.testing.assert_close(out[:, :, t, 0, 0], vgg(state, x[:, :, t], 2), rtol=1e-4, atol=1e-4)


def test_with_a_stride_at_first_56_pixels_still_leave_a_map():
    plain, strided = small(), small(stem_stride=2)
    clip = torch.randn(1, 3, 2, 56, 56)
    with torch.no_grad():
        first = plain.features[0](clip[:, :, 0])
        assert torch.equal(strided.features[0](clip[:, :, 0]), first[..., ::2, ::2])
        assert strided.features(clip[:, :, 0]).shape[2:] == (1, 1) and strided(clip).shape == (1, 6, 2, 1, 1)


@pytest.mark.parametrize("cell", CELLS)
def test_a_frame_knows_those_before_it_and_none_after(cell):
    network = small(cell)
    network.init_weights()
    x = torch.randn(1, 3, 4, 32, 32)
    other = x.clone()
    other[:, :, 1] += 1
    with torch.no_grad():
        a, b = network(x), network(other)
        alone = network(x[:, :, :1])
    torch.testing.assert_close(a[:, :, :1], b[:, :, :1])
    torch.testing.assert_close(a[:, :, :1], alone)
    assert not torch.allclose(a[:, :, 3], b[:, :, 3], atol=1e-5)


def as_torchs(layer, kind, order):
    """PyTorch's own layer with the same weights: each gate has the one input, and its matrix of U."""
    units = layer.linear.out_features
    torchs = kind(layer.linear.in_features, units, batch_first=True)
    matrices = layer.hidden.weight.detach().split(units)
    with torch.no_grad():
        torchs.weight_ih_l0.copy_(layer.linear.weight.repeat(len(order), 1))
        torchs.bias_ih_l0.copy_(layer.linear.bias.repeat(len(order)))
        torchs.weight_hh_l0.copy_(torch.cat([matrices[i] for i in order]))
        torchs.bias_hh_l0.zero_()
    return torchs


def test_the_lstm_is_pytorchs_with_one_input_for_all_gates():
    torch.manual_seed(0)
    layer = RecurrentLinear(5, 4, "lstm")
    x = torch.randn(3, 6, 5)
    expected, _ = as_torchs(layer, nn.LSTM, (0, 1, 3, 2))(x)  # PyTorch's gates: i, f, c, o
    torch.testing.assert_close(layer(x), expected)


def test_the_gru_is_the_papers():
    """The reset is before the matrix (PyTorch's: after it), and z is the share of the new state."""
    torch.manual_seed(0)
    layer = RecurrentLinear(5, 4, "gru")
    x = torch.randn(3, 6, 5)
    uz, ur, uh = (m.detach() for m in layer.hidden.weight.split(4))
    h = torch.zeros(3, 4)
    for t in range(6):
        u = x[:, t] @ layer.linear.weight.T + layer.linear.bias
        z, r = torch.sigmoid(u + h @ uz.T), torch.sigmoid(u + h @ ur.T)
        h = (1 - z) * h + z * torch.tanh(u + (r * h) @ uh.T)
        torch.testing.assert_close(layer(x)[:, t], h)


@pytest.mark.parametrize("cell", CELLS)
def test_new_matrices_are_orthogonal_and_as_many_as_gates(cell):
    matrices = RecurrentLinear(9, 8, cell).hidden.weight.detach().split(8)
    assert len(matrices) == CELLS[cell]
    for matrix in matrices:
        torch.testing.assert_close(matrix @ matrix.T, torch.eye(8), atol=1e-5, rtol=0)


def test_initialisation_keeps_them():
    network = recognizer("smoke").backbone
    before = network.fc6.hidden.weight.clone()
    network.init_weights()
    assert torch.equal(network.fc6.hidden.weight, before)


def test_an_unknown_cell_is_refused():
    with pytest.raises(ValueError, match="cell='qrnn' is unknown; choose from rnn, lstm, gru"):
        PreRNNVGG(base_channels=2, cell="qrnn")


def test_recomputing_stages_changes_no_gradient():
    torch.manual_seed(0)
    x, gradients = torch.randn(1, 3, 2, 32, 32), []
    for with_cp in (False, True):
        network = small("gru", with_cp=with_cp, dropout_ratio=0.0).train()
        network(x).sum().backward()
        gradients.append([p.grad for p in network.parameters()])
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b)


# ------------------------------------------------------------------ torchvision's VGG16


def test_the_published_file_has_torchvisions_number_of_weights():
    assert sum(v.numel() for v in published().values()) == 138_357_544


@pytest.mark.parametrize("whole", [True, False])
def test_all_of_it_fits_but_the_new_matrices_and_the_class_layer(whole):
    with torch.device("meta"):
        network = recognizer() if whole else PreRNNVGG()
    report = LoadReport("", "file", "")
    fit(network, published(), report)
    prefix = "backbone." if whole else ""
    assert "torchvision's names of a VGG" in report.naming and not report.left_out and not report.adapted
    assert report.backbone_loaded == report.backbone_total == 30
    assert [n for n in report.missing if "cls_head" not in n] == [f"{prefix}fc6.hidden.weight"]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (lambda: published(width=32), r"\[32, 3, 3, 3\] there, \[64, 3, 3, 3\] here"),
        (lambda: {k: v for k, v in published().items() if "features.2" not in k}, "of 30 tensors of the backbone fit"),
    ],
    ids=["half as wide", "cut short"],
)
def test_another_networks_file_is_refused(state, words):
    with torch.device("meta"):
        network = PreRNNVGG()
    with pytest.raises(ValueError, match=words):
        fit(network, state(), LoadReport("model.backbone", "file", ""))


# ------------------------------------------------------------------ the networks of the configs


@pytest.mark.parametrize(("profile", "side"), [("smoke", 32), ("demo", 56)])
def test_a_step_changes_every_weight_and_one_clip_is_a_batch(profile, side):
    model = recognizer(profile)
    model.init_weights()
    model.train()
    before = {n: p.clone() for n, p in model.named_parameters()}
    clips = {
        "inputs": [torch.randint(0, 256, (1, 3, 16, side, side), dtype=torch.uint8) for _ in range(2)],
        "data_samples": [ActionDataSample().set_gt_label(i) for i in (0, 24)],
    }
    losses = model(**model.data_preprocessor(clips, True), mode="loss")
    model.parse_losses(losses)[0].backward()
    torch.optim.SGD(model.parameters(), lr=1.0).step()
    still = [n for n, p in model.named_parameters() if torch.equal(p, before[n])]
    assert all(n.startswith("backbone.features.") and n.endswith(".bias") for n in still), "norms follow them"
    model.eval()
    with torch.no_grad():
        both = model(**model.data_preprocessor(copy.deepcopy(clips), False), mode="predict")
        logits = model.cls_head.frame_scores(model.extract_feat(model.data_preprocessor(clips, False)["inputs"])[0])
        one = {k: v[:1] for k, v in clips.items()}
        alone = model(**model.data_preprocessor(one, False), mode="predict")
    expected = logits.softmax(dim=2).mean(dim=1)
    torch.testing.assert_close(torch.stack([s.pred_score for s in both]), expected)
    torch.testing.assert_close(alone[0].pred_score, expected[0], rtol=1e-4, atol=1e-6)


def test_the_loss_is_the_mean_over_frames():
    model = recognizer("smoke").cls_head
    feats = torch.randn(2, 16, 5, 1, 1)
    samples = [ActionDataSample().set_gt_label(i) for i in (3, 7)]
    logits = model.frame_scores(feats).log_softmax(dim=2)
    expected = -(logits[0, :, 3].sum() + logits[1, :, 7].sum()) / 10
    torch.testing.assert_close(model.loss(feats, samples)["loss_cls"], expected)


def test_the_new_matrices_can_learn_ten_times_as_fast():
    """By the key that the README gives."""
    key = {"backbone.fc6.hidden": {"lr_mult": 10}}
    overrides = {"optim_wrapper.paramwise_cfg": {"custom_keys": key}}
    config = resolve(CONFIGS / "prernn_mgr-dark-depth.py", "smoke", overrides).config
    model = recognizer("smoke", "prernn_mgr-dark-depth")
    groups = build_optim_wrapper(model, copy.deepcopy(config["optim_wrapper"])).optimizer.param_groups
    rates = {id(p): g["lr"] for g in groups for p in g["params"]}
    base = config["optim_wrapper"]["optimizer"]["lr"]
    for name, p in model.named_parameters():
        assert rates[id(p)] == pytest.approx(base * (10 if name == "backbone.fc6.hidden.weight" else 1))
