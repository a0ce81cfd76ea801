"""The translator's networks, training step, freezing, inference and controls."""

import copy

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS, OPTIM_WRAPPER_CONSTRUCTORS

from mtcd_plugin.models.translators.enhance import enhance
from mtcd_plugin.models.translators.networks import ImagePool
from tests.models.mtcd.toy import batch, build

GENERATOR = dict(type="ResNetGenerator", channels=2, blocks=1)
JUDGE = dict(type="PatchDiscriminator", channels=2, layers=1)
BACKBONE = dict(type="SlimResNet", depth=18, base_channels=2, strides=(1, 2, 2, 1))


def translator(**options) -> dict:
    return dict(type="SDATranslator", generator=GENERATOR, discriminator=JUDGE, **options)


def encoder(**options) -> dict:
    return dict(type="IdentityEncoder", backbone=BACKBONE, feature_channels=16, num_identities=5, **options)


def optimizers(model):
    one = dict(optimizer=dict(type="Adam", lr=1e-3))
    config = dict(type="GANOptimWrapperConstructor", optim_wrapper_cfg=dict(generator=one, discriminator=one))
    return OPTIM_WRAPPER_CONSTRUCTORS.build(config)(model)


def test_generator_keeps_size_and_range():
    x = torch.rand(2, 3, 12, 20)
    y = MODELS.build(dict(**GENERATOR, gray=True))(x)
    assert y.shape == x.shape and y.min() >= 0 and y.max() <= 1
    assert torch.equal(y[:, 0], y[:, 1]) and torch.equal(y[:, 0], y[:, 2])
    with pytest.raises(ValueError, match="multiples of 4, got 18 x 12"):
        MODELS.build(GENERATOR)(torch.rand(1, 3, 12, 18))


def test_patch_discriminator_sees_70_pixels():
    """With 3 layers a score depends on a patch of 70 x 70 pixels and on nothing else."""
    judge = MODELS.build(dict(type="PatchDiscriminator", channels=2, layers=3))
    for m in judge.modules():  # instance norm would couple the whole image
        if isinstance(m, torch.nn.InstanceNorm2d):
            m.forward = lambda x: x
    x = torch.rand(1, 3, 128, 128, requires_grad=True)
    scores = judge(x)
    scores[0, 0, 7, 7].backward()
    seen = x.grad.abs().sum(dim=(0, 1)) > 0
    assert seen.any(dim=0).sum() == 70 and seen.any(dim=1).sum() == 70


def test_losses_of_the_generators_recomputed():
    model = build(translator(paired_weight=2.0, pairing="paired", relation_weight=0.0)).eval()
    rgb, ir, ids = model.frames(batch(("rgb", "ir"))["inputs"], batch(("rgb", "ir"))["data_samples"])
    losses, fakes = model.generator_losses(rgb, ir, ids)
    with torch.no_grad():
        a, b = model.to_ir, model.to_rgb
        assert torch.equal(fakes["ir"], a(rgb)) and torch.equal(fakes["rgb"], b(ir))
        cycle = 10 * ((b(a(rgb)) - rgb).abs().mean() + (a(b(ir)) - ir).abs().mean())
        same = 5 * ((a(ir) - ir).abs().mean() + (b(rgb) - rgb).abs().mean())
        fool = ((model.judge_ir(a(rgb)) - 1) ** 2).mean()
    torch.testing.assert_close(losses["loss_cycle"], cycle)
    torch.testing.assert_close(losses["loss_identity"], same)
    torch.testing.assert_close(losses["loss_gan_ir"], fool)
    torch.testing.assert_close(losses["loss_paired"], 2 * (a(rgb) - ir).abs().mean())
    judged = model.discriminator_losses(rgb, ir, fakes)
    with torch.no_grad():
        expected = 0.5 * (((model.judge_ir(ir) - 1) ** 2).mean() + (model.judge_ir(a(rgb)) ** 2).mean())
    torch.testing.assert_close(judged["loss_judge_ir"], expected)


def test_each_side_moves_its_own_networks_and_the_encoders_none(tmp_path):
    files = []
    for seed in (1, 2):
        path = tmp_path / f"{seed}.pth"
        torch.save(
            dict(meta=dict(mtcd=dict(stage="encoder")), state_dict=build(encoder(), seed).state_dict()), path
        )
        files.append(dict(model=encoder(), checkpoint=str(path)))
    model = build(translator(rgb_encoder=files[0], ir_encoder=files[1])).train()
    assert not model.rgb_encoder.training and not model.ir_encoder.training
    data = batch(("rgb", "ir"), clips=6)
    rgb, ir, ids = model.frames(data["inputs"], data["data_samples"])
    losses, fakes = model.generator_losses(rgb, ir, ids)
    assert losses["loss_relation"] > 0
    sum(v for v in losses.values()).backward()
    assert all(p.grad is None for m in (model.judge_ir, model.judge_rgb) for p in m.parameters())
    assert all(p.grad is not None for m in (model.to_ir, model.to_rgb) for p in m.parameters())
    before = copy.deepcopy(model.state_dict())
    log = model.train_step(data, optimizers(model))
    assert {"loss", "loss_generator", "loss_discriminator", "loss_cycle"} <= set(log)
    moved = {k.split(".")[0] for k, v in model.state_dict().items() if not torch.equal(v, before[k])}
    assert moved == {"to_ir", "to_rgb", "judge_ir", "judge_rgb", "image_size"}


def test_unpaired_never_meets_its_own_infrared():
    data = batch(("rgb", "ir"), clips=3)
    free = build(translator())
    pairs = build(translator(pairing="paired"))
    _, ir, _ = pairs.frames(data["inputs"], data["data_samples"])
    _, dealt, _ = free.frames(data["inputs"], data["data_samples"])
    ir, dealt = ir.unflatten(0, (3, 4)), dealt.unflatten(0, (3, 4))
    assert all(not torch.equal(a, b) for a, b in zip(ir, dealt, strict=True))
    assert all(any(torch.equal(a, b) for b in dealt) for a in ir)


def test_encoder_learns_by_equation_1():
    data = batch(("rgb",), clips=6, frames=1)
    model = build(encoder(triplet_weight=2.0)).eval()
    losses = model(data["inputs"], data["data_samples"], mode="loss")
    with torch.no_grad():
        features = model(data["inputs"])
        logits = model.classifier(features).numpy()
    labels = [int(s.gt_label) for s in data["data_samples"]]
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    cross_entropy = -np.log(p[range(6), labels]).mean()
    assert losses["loss_identity"].item() == pytest.approx(cross_entropy, rel=1e-5)
    d = np.linalg.norm(features[:, None].numpy() - features[None].numpy(), axis=2)
    same = np.equal.outer(labels, labels)
    hardest = np.where(same, d, -1).max(1) - np.where(same, np.inf, d).min(1)
    assert losses["loss_triplet"].item() == pytest.approx(2 * np.maximum(hardest + 0.3, 0).mean(), rel=1e-4)
    data["data_samples"][0].set_gt_label(5)
    with pytest.raises(ValueError, match="num_identities=5"):
        model(data["inputs"], data["data_samples"], mode="loss")


def test_inference_is_deterministic_and_frame_by_frame(tmp_path):
    trained = build(translator(pre_enhance="gamma"), seed=4)
    torch.save(
        dict(meta=dict(mtcd=dict(stage="translator")), state_dict=trained.state_dict()), tmp_path / "t.pth"
    )
    config = dict(
        type="TrainedTranslator", generator=GENERATOR, pre_enhance="gamma", checkpoint=str(tmp_path / "t.pth")
    )
    model = MODELS.build(config)
    data = batch(("rgb",), clips=2, frames=5)
    first = [s.pseudo_ir for s in model.test_step(data)]
    again = [s.pseudo_ir for s in trained.test_step(batch(("rgb",), clips=2, frames=5))]
    assert first[0].shape == (1, 1, 5, 16, 16) and first[0].dtype == torch.uint8
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    clip = torch.rand(1, 5, 3, 16, 16)
    whole = enhance(clip, "gamma")[0]
    alone = model.generate(whole[2:3])
    torch.testing.assert_close(model.generate(whole)[2:3], alone)


def test_wrong_translator_files(tmp_path):
    config = dict(type="TrainedTranslator", generator=GENERATOR)

    def use(state, checkpoint=None, stage="translator", **options):
        path = tmp_path / "t.pth"
        torch.save(dict(meta=dict(mtcd=dict(stage=stage)), state_dict=state), path)
        MODELS.build(
            {**config, "checkpoint": str(path if checkpoint is None else checkpoint), **options}
        ).test_step(batch(("rgb",)))

    state = build(translator()).state_dict()
    use(state)
    with pytest.raises(ValueError, match="checkpoint of the translator is empty"):
        use(state, checkpoint="")
    with pytest.raises(ValueError, match="of stage 'teacher'; needed is translator"):
        use(state, stage="teacher")
    with pytest.raises(ValueError, match="another width"):
        use(state, generator=dict(**GENERATOR) | dict(channels=4))
    with pytest.raises(ValueError, match="lacks .* of another architecture"):
        use(state, generator=dict(**GENERATOR) | dict(blocks=3))
    with pytest.raises(ValueError, match="trained with pre_enhance='none', the config says 'clahe'"):
        use(state, pre_enhance="clahe")


def test_a_translator_trained_at_another_size_says_so_once(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr("mtcd_plugin.models.translators.sda_gan.print_log", lambda message, **_: said.append(message))
    data = batch(("rgb", "ir"))
    trained = build(translator())
    trained.train_step(data, optimizers(trained))
    torch.save(dict(meta={}, state_dict=trained.state_dict()), tmp_path / "t.pth")
    model = MODELS.build(dict(type="TrainedTranslator", generator=GENERATOR, checkpoint=str(tmp_path / "t.pth")))
    model.test_step(batch(("rgb",)))
    assert model.trained_on == (16, 16) and not said
    for _ in range(2):
        model.test_step(batch(("rgb",), size=24))
    assert len(said) == 1 and "was trained on 16 x 16 images and translates 24 x 24 frames" in said[0]


def test_trivial_translators():
    data = batch(("rgb",), clips=1, frames=2)
    rgb = data["inputs"][0][0].float()
    y = (0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]).round()

    def gray(kind, **options):
        model = MODELS.build(dict(type="TrivialTranslator", kind=kind, **options))
        return model.test_step(copy.deepcopy(data))[0].pseudo_ir[0, 0].float()

    assert (gray("luminance") - y).abs().max() <= 1
    assert (gray("inverted") - (255 - y)).abs().max() <= 1
    assert (gray("gamma") >= gray("luminance") - 1).all()
    assert torch.equal(
        gray("random", generator=GENERATOR | dict(gray=True)),
        gray("random", generator=GENERATOR | dict(gray=True)),
    )
    with pytest.raises(ValueError, match="choose from luminance"):
        MODELS.build(dict(type="TrivialTranslator", kind="blue"))


@pytest.mark.parametrize("kind", ["gamma", "stretch", "clahe"])
def test_enhancement_brightens_with_one_factor_per_clip(kind):
    torch.manual_seed(0)
    clips = torch.rand(2, 3, 3, 16, 16) * 0.05
    out = enhance(clips, kind)
    assert out.shape == clips.shape and out.min() >= 0 and out.max() <= 1 + 1e-6
    assert out.mean() > clips.mean()
    if kind == "gamma":  # equal pixels stay equal over time: no flicker
        mean = clips[0].mean().item()
        exponent = np.log(0.4) / np.log(mean)
        torch.testing.assert_close(out[0], clips[0].clamp_min(1e-6) ** exponent)
    assert torch.equal(enhance(clips, "none"), clips)


def test_pool_gives_older_images_half_of_the_time():
    torch.manual_seed(0)
    pool = ImagePool(4)
    first = torch.arange(4.0).view(4, 1, 1, 1)
    assert torch.equal(pool.query(first), first)
    given = torch.cat([pool.query(torch.full((1, 1, 1, 1), 10.0 + i)) for i in range(400)]).flatten()
    own = (given == 10 + torch.arange(400.0)).float().mean()
    assert 0.4 < own < 0.6 and len(pool.images) == 4


@pytest.mark.parametrize(
    "options", [dict(pairing="x"), dict(identity="x"), dict(paired_weight=1.0), dict(pre_enhance="x")]
)
def test_bad_options(options):
    with pytest.raises(ValueError, match="choose from|needs"):
        MODELS.build(translator(**options))
