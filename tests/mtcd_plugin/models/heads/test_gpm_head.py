"""GPM's backbone and head against their formulas written out, and its networks at every size."""

import mtcd_plugin.register  # noqa: F401  isort: skip
import copy
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.registry import init_default_scope

from harness.plan.resolve import resolve
from mtcd_plugin.models.backbones.recurrent_resnet import RecurrentResNet
from mtcd_plugin.models.backbones.slim_resnet import SlimResNet
from mtcd_plugin.models.heads.frame_scores import mean_probability
from mtcd_plugin.models.heads.gpm_head import GPMHead
from mtcd_plugin.models.weights.starting_weights import load_weights
from tests.helpers.zoo import torchvision_names

torch.set_num_threads(1)
CONFIGS = Path(__file__).parents[4] / "mm_configs" / "gpm"
T = 5


def head(**kwargs):
    torch.manual_seed(0)
    return GPMHead(num_classes=3, in_channels=4, init_std=1.0, average_clips="prob", **kwargs).eval()


def sample(label, progress=None):
    found = ActionDataSample().set_gt_label(label)
    if progress is not None:
        found.set_metainfo({"progress": np.array(progress, np.float32)})
    return found


def features(clips):
    torch.manual_seed(1)
    return torch.randn(clips, 4, T, 1, 1)


def test_a_clips_probabilities_are_the_mean_of_its_frames_without_the_last_class():
    model, x = head(), features(2)
    logits, progress = model.frame_scores(x)
    assert logits.shape == (2, T, 4) and progress.shape == (2, T) and (progress >= 0).all() and (progress <= 1).all()
    frames = logits.softmax(dim=2)[..., :3].mean(dim=1)
    expected = frames / frames.sum(dim=1, keepdim=True)
    torch.testing.assert_close(model(x).softmax(dim=1), expected)
    samples = model.predict(x, [sample(0), sample(1)])
    torch.testing.assert_close(torch.stack([s.pred_score for s in samples]), expected)


def test_the_mean_of_probabilities_is_stable():
    logits = torch.tensor([[[200.0, 0.0], [0.0, 200.0], [0.0, 200.0]]])
    torch.testing.assert_close(mean_probability(logits).exp(), torch.tensor([[1 / 3, 2 / 3]]))


def backbone(**kwargs):
    torch.manual_seed(0)
    model = RecurrentResNet(depth=18, base_channels=4, hidden_channels=6, norm_cfg={"type": "BN2d"}, **kwargs)
    model.eval()  # MMAction2's returns nothing
    return model


def test_no_frame_knows_a_later_one():
    """Recognition is online: later frames change nothing before them."""
    model, x = backbone(), torch.randn(1, 3, T, 32, 32)
    other = x.clone()
    other[:, :, 3:] += 1
    a, b = model(x), model(other)
    assert a.shape == (1, 6, T, 1, 1)
    assert torch.equal(a[:, :, :3], b[:, :, :3]) and not torch.allclose(a[:, :, 3:], b[:, :, 3:])


def test_the_backbone_is_a_resnet_on_each_frame_and_a_gru():
    model, x = backbone(), torch.randn(2, 3, T, 32, 32)
    frames = SlimResNet(depth=18, base_channels=4, norm_cfg={"type": "BN2d"})
    frames.eval()
    frames.load_state_dict({n: v for n, v in model.state_dict().items() if not n.startswith("gru.")})
    for clip, found in zip(x, model(x), strict=True):
        maps = frames(clip.transpose(0, 1))
        state = torch.zeros(1, 1, 6)
        for t, feature in enumerate(maps.mean(dim=(2, 3))):
            _, state = model.gru(feature[None, None], state)
            torch.testing.assert_close(found[:, t, 0, 0], state[0, 0], rtol=1e-4, atol=1e-5)


def test_a_file_of_resnet18_fills_all_but_the_gru(tmp_path):
    """torchvision's names; the GRU, which no such file has, stays as it was."""
    published = SlimResNet(depth=18, norm_cfg={"type": "BN2d"}).state_dict()
    torch.save(torchvision_names(published, flat=False), tmp_path / "resnet18.pth")
    model = RecurrentResNet(depth=18, norm_cfg={"type": "BN2d"})
    before = {n: v.clone() for n, v in model.gru.state_dict().items()}
    report = load_weights(model, str(tmp_path / "resnet18.pth"))
    assert sorted(report.missing) == sorted(f"gru.{n}" for n in before) and not report.left_out
    assert torch.equal(model.layer4[1].conv2.conv.weight, published["layer4.1.conv2.conv.weight"])
    assert all(torch.equal(v, before[n]) for n, v in model.gru.state_dict().items())


def test_the_losses_are_those_of_the_formula():
    """Cross-entropy with "no gesture" outside the span; smooth L1 of progress, beta 0.1, within it."""
    model, x = head(progress_weight=2.0), features(2)
    nan = math.nan
    wanted = [[nan, 0.0, 0.5, 1.0, nan], [0.1, 0.3, 0.5, 0.7, 0.9]]
    losses = model.loss(x, [sample(2, wanted[0]), sample(1)])
    logits, progress = model.frame_scores(x)
    logits, progress = logits.detach().double().numpy(), progress.detach().double().numpy()
    entropies, far = [], []
    for clip, label in enumerate((2, 1)):
        for t, goal in enumerate(wanted[clip]):
            scores = logits[clip, t]
            entropies.append(np.log(np.exp(scores).sum()) - scores[3 if math.isnan(goal) else label])
            if not math.isnan(goal):
                d = abs(progress[clip, t] - goal)
                far.append(d * d / 0.2 if d < 0.1 else d - 0.05)
    assert losses["loss_cls"].item() == pytest.approx(np.mean(entropies), rel=1e-5)
    assert losses["loss_progress"].item() == pytest.approx(2 * np.mean(far), rel=1e-5)


def test_a_clip_with_no_frame_in_its_span_has_no_progress_to_learn():
    model = head()
    losses = model.loss(features(1), [sample(0, [math.nan] * T)])
    assert losses["loss_progress"] == 0 and losses["loss_cls"].isfinite()
    sum(v for k, v in losses.items() if "loss" in k).backward()
    assert all(p.grad.isfinite().all() for p in model.parameters())


def test_progress_of_other_frames_is_refused():
    with pytest.raises(ValueError, match=r"progress of shape \[4\] for 5 frames"):
        head().loss(features(1), [sample(0, [0.0] * 4)])


def test_it_learns_progress_from_what_frames_show():
    torch.manual_seed(0)
    model = head().train()
    x = torch.zeros(4, 4, T, 1, 1)
    x[:, 3, :, 0, 0] = torch.linspace(-1, 1, T)  # how far; the other channels are the class
    x[range(4), [0, 1, 2, 0]] = 1
    samples = [sample(i % 3) for i in range(4)]
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    first = model.loss(x, samples)
    for _ in range(150):
        losses = model.loss(x, samples)
        optimizer.zero_grad()
        (losses["loss_cls"] + losses["loss_progress"]).backward()
        optimizer.step()
    assert losses["loss_progress"] < 0.1 * first["loss_progress"] and losses["top1_acc"] == 1


# ------------------------------------------------------------------ the networks of the configs


def recognizer(profile, name="gpm_nvgesture-rgb"):
    init_default_scope("mmaction")
    return MODELS.build(copy.deepcopy(resolve(CONFIGS / f"{name}.py", profile).config["model"]))


def test_parameters_at_full_size():
    """ResNet-18 without its class layer, GRU(512), 26 classes and a progress."""
    with torch.device("meta"):
        model = recognizer("paper")
    gru = 3 * (512 * 512 + 512 * 512 + 2 * 512)
    assert sum(p.numel() for p in model.backbone.parameters()) == 11_176_512 + gru
    assert sum(p.numel() for p in model.parameters()) == 12_766_299 == 11_176_512 + gru + 513 * 26 + 513


@pytest.mark.parametrize(("profile", "side"), [("smoke", 32), ("demo", 56)])
def test_a_step_changes_every_weight_and_one_clip_is_a_batch(profile, side):
    model = recognizer(profile)
    model.init_weights()
    model.train()
    before = {n: p.clone() for n, p in model.named_parameters()}
    clips = {
        "inputs": [torch.randint(0, 256, (1, 3, 16, side, side), dtype=torch.uint8) for _ in range(2)],
        "data_samples": [sample(0), sample(24, [math.nan] * 4 + [0.5] * 12)],
    }
    losses = model(**model.data_preprocessor(clips, True), mode="loss")
    total, _ = model.parse_losses(losses)
    total.backward()
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    still = [n for n, p in model.named_parameters() if torch.equal(p, before[n])]
    assert not still
    model.eval()
    one = {"inputs": clips["inputs"][:1], "data_samples": [sample(0)]}
    with torch.no_grad():
        out = model(**model.data_preprocessor(one, False), mode="predict")
    assert out[0].pred_score.shape == (25,) and out[0].pred_score.sum() == pytest.approx(1, abs=1e-5)
