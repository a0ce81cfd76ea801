"""CAPF, the fusion of Decouple & Recouple: counts, the exchange between streams, losses written out, the start."""

import mtcd_plugin.register  # noqa: F401  isort: skip
import copy
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.registry import init_default_scope

from harness.plan.resolve import resolve
from mtcd_plugin.models.heads.branch_token_head import distillation_loss
from mtcd_plugin.models.recognizers.capf import BatchNorm, CrossFusion

torch.set_num_threads(1)
CONFIGS = Path(__file__).parents[4] / "mm_configs" / "decouple_recouple"
TINY = dict(frames=8, base_channels=2, channels=32, depth=1, heads=1, head_channels=8, hidden=16)


def count(module):
    return sum(p.numel() for p in module.parameters())


def recognizer(profile, name="decouple_recouple_nvgesture-rgb-depth", **changes):
    init_default_scope("mmaction")
    return MODELS.build({**copy.deepcopy(resolve(CONFIGS / f"{name}.py", profile).config["model"]), **changes})


def tiny(**changes):
    init_default_scope("mmaction")
    streams = {name: dict(model=dict(type="DecoupleRecouple", **TINY)) for name in ("rgb", "depth")}
    return MODELS.build({**dict(type="CAPF", num_classes=5, streams=streams, channels=32), **changes})


def clips(count=2, frames=8, size=32):
    return {name: torch.randn(count, 1, 3, frames, size, size) for name in ("rgb", "depth")}


def samples(labels):
    return [ActionDataSample().set_gt_label(label) for label in labels]


# ---------------------------------------------------------------------- parts


def test_parameters_at_full_size():
    with torch.device("meta"):
        model = recognizer("paper")
        for stream in model.streams.values():
            assert count(stream) == 38_039_906
        stream = dict(type="DecoupleRecouple", frames=64)
        whole = recognizer("paper", streams=dict(rgb=dict(model=stream), depth=dict(model=stream)))
    assert count(whole) == 79_783_542
    assert [count(s) for s in whole.streams.values()] == [38_101_410] * 2
    assert count(whole.encoder) + count(whole.fc_cls) + count(whole.decoder) == 1_977_600
    assert count(whole.frame_fusion) == count(whole.token_fusion) == 787_456
    assert count(whole.fc_streams) == 2 * 13_849 and count(whole.fc_modality) == 512


def test_parameters_are_registered_in_the_order_of_the_computation():
    parts = [name.split(".")[0] for name, _ in tiny().named_parameters()]
    order = "streams frame_fusion fc_streams token_fusion encoder fc_cls decoder fc_modality"
    assert list(dict.fromkeys(parts)) == order.split()


@pytest.mark.parametrize("reshape", ["as_published", "per_frame"])
def test_the_exchange_is_the_formula(reshape):
    torch.manual_seed(0)
    fusion, a, b = CrossFusion(4, reshape=reshape).eval(), torch.randn(2, 3, 4), torch.randn(2, 3, 4)
    first, norm, _, second, _ = fusion.layers
    norm.running_mean.uniform_(-1, 1), norm.running_var.uniform_(0.5, 2)
    both = torch.cat([a, b], dim=2)
    both = both / both.square().sum(2, keepdim=True).sqrt()
    # [N, 8, T]: by frame, or the numbers of a clip in the order in which they lie in memory
    laid_out = both.transpose(1, 2) if reshape == "per_frame" else torch.stack([x.flatten().view(8, 3) for x in both])
    hidden = torch.einsum("oi,nit->not", first.weight[..., 0, 0], laid_out)
    hidden = ((hidden - norm.running_mean[:, None]) / (norm.running_var[:, None] + 1e-5).sqrt()).relu()
    out = torch.einsum("oi,nit->not", second.weight[..., 0, 0], hidden)
    expected = out.transpose(1, 2) if reshape == "per_frame" else torch.stack([x.flatten().view(3, 4) for x in out])
    with torch.no_grad():
        torch.testing.assert_close(fusion(a, b), expected)


def test_of_one_frame_both_ways_are_the_same():
    torch.manual_seed(0)
    published, other = CrossFusion(4).eval(), CrossFusion(4, reshape="per_frame").eval()
    other.load_state_dict(published.state_dict())
    x = torch.randn(2, 1, 4), torch.randn(2, 1, 4)
    torch.testing.assert_close(published(*x), other(*x))
    with pytest.raises(ValueError, match="reshape='frames' is unknown; choose from as_published, per_frame"):
        CrossFusion(4, reshape="frames")


def test_a_training_batch_of_one_value_a_channel_is_normalised_by_what_was_seen():
    torch.manual_seed(0)
    norm, x = BatchNorm(3), torch.randn(1, 3, 1, 1)
    norm.running_mean.fill_(0.5)
    torch.testing.assert_close(norm(x), (x - 0.5) / (1 + 1e-5) ** 0.5)
    more = torch.randn(4, 3, 1, 1)
    torch.testing.assert_close(norm(more).mean((0, 2, 3)), torch.zeros(3), atol=1e-6, rtol=0)


# ---------------------------------------------------------------------- the whole


def test_losses_are_those_of_the_formulas():
    torch.manual_seed(0)
    model = tiny().eval()  # nothing is drawn
    data, labels = clips(3), torch.tensor([0, 4, 2])
    losses = model(data, samples(labels.tolist()), mode="loss")
    with torch.no_grad():
        frames = {name: model.streams[name].frame_features(x[:, 0]) for name, x in data.items()}
        common = model.frame_fusion(frames["rgb"], frames["depth"])
        found = {name: model.streams[name].temporal(x + common) for name, x in frames.items()}
        r, d = (found[name][0].max(dim=1).values for name in ("rgb", "depth"))
        alone = model.fc_streams["rgb"](r), model.fc_streams["depth"](d)
        common = model.token_fusion(r[:, None], d[:, None])[:, 0]
        r, d = r + common, d + common
        code = model.encoder(torch.cat([r, d], 1)[..., None, None])
        decoded, logits = model.decoder(code)[..., 0, 0], model.fc_cls(code)[..., 0, 0]
        is_r, is_d = (model.fc_modality(x).sigmoid() for x in (r, d))

    def entropy(x):
        wanted = 0.9 * F.one_hot(labels, 5) + 0.1 / 5
        return -(wanted * x.log_softmax(1)).sum(1).mean()

    torch.testing.assert_close(losses["loss_cls"], entropy(logits))
    torch.testing.assert_close(losses["loss_streams"], sum(map(entropy, alone)))
    torch.testing.assert_close(losses["loss_modality"], -is_r.log().mean() - (1 - is_d).log().mean())
    torch.testing.assert_close(losses["loss_decoded"], (decoded - r).square().mean() + (decoded - d).square().mean())
    torch.testing.assert_close(
        losses["loss_distillation"], sum(distillation_loss(*pair, 0.4) for pair in found.values())
    )
    torch.testing.assert_close(model(data), logits)
    assert losses["top1_acc"] == (logits.argmax(1) == labels).float().mean()


def test_each_modality_reaches_the_others_stream():
    torch.manual_seed(0)
    model, data = tiny().eval(), clips()
    other = {**data, "depth": torch.randn_like(data["depth"])}
    with torch.no_grad():
        found = [model._streamed({k: x[:, 0] for k, x in batch.items()})[0][0] for batch in (data, other)]
    assert not torch.allclose(*found)


@pytest.mark.parametrize(("profile", "size"), [("smoke", 32), ("demo", 56)])
def test_one_step_changes_all_weights_and_a_batch_of_one_predicts(profile, size):
    torch.manual_seed(0)
    model = recognizer(profile)
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = model(clips(4, 16, size), samples([1, 2, 3, 4]), mode="loss")
    sum(v for k, v in losses.items() if k.startswith("loss")).backward()
    optimizer.step()
    assert [n for n, p in model.named_parameters() if torch.equal(p, before[n])] == []
    model.eval()
    with torch.no_grad():
        (sample,) = model(clips(1, 16, size), samples([1]), mode="predict")
    assert sample.pred_score.shape == (25,) and sample.pred_score.sum().item() == pytest.approx(1, abs=1e-5)


def test_a_training_batch_of_one_clip_has_gradients():
    model = tiny()
    losses = model(clips(1), samples([3]), mode="loss")
    sum(v for k, v in losses.items() if k.startswith("loss")).backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())


# ---------------------------------------------------------------------- the start


def single_run(path, **changes):
    """A checkpoint of a training of one modality."""
    init_default_scope("mmaction")
    head = dict(type="BranchTokenHead", num_classes=5, in_channels=32)
    backbone = dict(type="DecoupleRecouple", **{**TINY, **changes})
    single = MODELS.build(dict(type="Recognizer3D", backbone=backbone, cls_head=head))
    torch.save({"state_dict": single.state_dict(), "meta": {}}, path)
    return single


def started(**files):
    return {name: dict(model=dict(type="DecoupleRecouple", **TINY), init_from=str(f)) for name, f in files.items()}


def test_streams_go_on_from_their_own_trainings(tmp_path):
    torch.manual_seed(0)
    singles = {name: single_run(tmp_path / f"{name}.pth") for name in ("rgb", "depth")}
    model = tiny(streams=started(rgb=tmp_path / "rgb.pth", depth=tmp_path / "depth.pth"))
    model.init_weights()
    for name, single in singles.items():
        for key, value in single.backbone.state_dict().items():
            assert torch.equal(model.streams[name].state_dict()[key], value), (name, key)
    assert not torch.equal(*(s.spatial.stem.conv1.conv.weight for s in model.streams.values()))


def test_a_start_that_is_missing_or_does_not_fit_is_one_line(tmp_path):
    with pytest.raises(ValueError, match="model.streams.rgb.init_from is empty: train that network first"):
        tiny().init_weights()
    single_run(tmp_path / "wide.pth", base_channels=4)
    with pytest.raises(ValueError, match=r"model.streams.rgb: .*wide.pth does not fit: spatial.stem.conv1"):
        tiny(streams=started(rgb=tmp_path / "wide.pth", depth=tmp_path / "wide.pth")).init_weights()


def test_two_modalities_are_fused_and_no_more():
    with pytest.raises(ValueError, match="CAPF: streams must name two modalities, not rgb, depth, ir"):
        tiny(streams=started(rgb="", depth="", ir=""))
