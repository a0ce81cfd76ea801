"""The translator's networks, training step, freezing, inference and controls."""

import copy

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS, OPTIM_WRAPPER_CONSTRUCTORS
from mmengine.runner import load_checkpoint

from mtcd_plugin.models.translators.images import normalize, normalized_l1
from mtcd_plugin.models.translators.losses import relation_consistency
from mtcd_plugin.models.translators.low_light_enhance import low_light_enhance
from mtcd_plugin.models.translators.networks import ImagePool
from mtcd_plugin.models.translators.registration import covered, warp
from tests.helpers.toy import batch, build

GENERATOR = dict(type="ResNetGenerator", channels=2, blocks=1)
DISCRIMINATOR = dict(type="PatchDiscriminator", channels=2, layers=1)
BACKBONE = dict(type="SlimResNet", depth=18, base_channels=2, strides=(1, 2, 2, 1))


def translator(**options) -> dict:
    return dict(type="SDATranslator", generator=GENERATOR, discriminator=DISCRIMINATOR, **options)


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
    discriminator = MODELS.build(dict(type="PatchDiscriminator", channels=2, layers=3))
    for m in discriminator.modules():  # instance norm would couple the whole image
        if isinstance(m, torch.nn.InstanceNorm2d):
            m.forward = lambda x: x
    x = torch.rand(1, 3, 128, 128, requires_grad=True)
    scores = discriminator(x)
    scores[0, 0, 7, 7].backward()
    seen = x.grad.abs().sum(dim=(0, 1)) > 0
    assert seen.any(dim=0).sum() == 70 and seen.any(dim=1).sum() == 70


def l1(x, y):
    """Mean absolute difference of images that were normalised with ImageNet's statistics:
    what was subtracted cancels out.
    """
    return ((x - y).abs().mean(dim=(0, 2, 3)) / torch.tensor([0.229, 0.224, 0.225])).mean()


def test_cycle_and_identity_are_4_43_times_those_of_grey_levels():
    """Structured domain adaptation takes them on normalised images; the same networks, images and weights otherwise."""
    model = build(translator(relation_weight=0.0)).eval()
    ir = torch.rand(2, 1, 16, 16).expand(-1, 3, -1, -1)
    with torch.no_grad():
        plain = (model.to_ir(ir) - ir).abs().mean()
        ours = normalized_l1(model.to_ir(ir), ir)
    assert (ours / plain).item() == pytest.approx((1 / 0.229 + 1 / 0.224 + 1 / 0.225) / 3, rel=1e-5)
    assert (ours / plain).item() == pytest.approx(4.43, abs=0.006)


@pytest.mark.parametrize(("name", "size"), [("generator", 16), ("discriminator", 16)])
def test_networks_see_normalised_images(name, size):
    """As structured domain adaptation:
    what the first layer gets has ImageNet's mean and standard deviation taken out.
    """
    model = MODELS.build(dict(generator=GENERATOR, discriminator=DISCRIMINATOR)[name])
    seen = []
    model.layers[0].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    x = torch.rand(2, 3, size, size)
    model(x)
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    torch.testing.assert_close(seen[0], (x - mean) / std)


def test_relations_are_those_of_gem_features_after_batch_norm():
    """x -> (mean x^3)^(1/3) -> batch norm with running statistics, by hand, into the published loss, by hand."""
    model = build(encoder()).eval()
    torch.manual_seed(1)
    (
        model.neck.running_mean.uniform_(0, 1),
        model.neck.running_var.uniform_(0.5, 2),
        model.neck.weight.data.uniform_(0.5, 2),
    )
    images = torch.rand(5, 3, 32, 16)
    with torch.no_grad():
        maps = model.backbone(normalize(images)).numpy()
        got = model.embed(images).numpy()
    pooled = (np.maximum(maps, 1e-6) ** 3).mean(axis=(2, 3)) ** (1 / 3)
    neck = {k: v.numpy() for k, v in model.neck.state_dict().items()}
    expected = (pooled - neck["running_mean"]) / np.sqrt(neck["running_var"] + 1e-5) * neck["weight"]
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)
    assert not model.neck.bias.requires_grad and model.classifier.bias is None and model.pool.p.requires_grad


def test_relation_loss_of_a_step_reads_both_encoders(tmp_path):
    files = [dict(model=encoder(), checkpoint=encoder_file(tmp_path, seed)) for seed in (1, 2)]
    model = build(translator(rgb_encoder=files[0], ir_encoder=files[1])).train()
    data = batch(("rgb", "ir"), clips=6, frames=1)
    rgb, ir, ids = model.frames(data["inputs"], data["data_samples"])
    loss = model.generator_losses(rgb, ir, ids)[0]["loss_relation"].item()
    source, target = (build(encoder(), seed).eval() for seed in (1, 2))
    with torch.no_grad():
        fake = model.to_ir(rgb)
        right = relation_consistency(target.embed(fake), source.embed(rgb), ids).item()
        wrong = relation_consistency(source.embed(fake), source.embed(rgb), ids).item()
    assert loss == pytest.approx(right, rel=1e-5) and abs(right - wrong) > 1e-4 * right


def test_each_encoder_has_the_weights_of_its_own_file(tmp_path):
    files = [dict(model=encoder(), checkpoint=encoder_file(tmp_path, seed)) for seed in (1, 2)]
    model = build(translator(rgb_encoder=files[0], ir_encoder=files[1]))
    for own, file in zip((model.rgb_encoder, model.ir_encoder), files, strict=True):
        for name, value in torch.load(file["checkpoint"], weights_only=True)["state_dict"].items():
            assert torch.equal(own.state_dict()[name], value), name
    assert not torch.equal(model.rgb_encoder.classifier.weight, model.ir_encoder.classifier.weight)


def encoder_file(folder, seed: int) -> str:
    path = folder / f"encoder{seed}.pth"
    torch.save(dict(meta=dict(mtcd=dict(stage="encoder")), state_dict=build(encoder(), seed).state_dict()), path)
    return str(path)


def test_training_augments_and_nothing_else_does():
    augment = dict(flip_prob=1.0, pad=0)
    data = batch(("rgb", "ir"))
    plain, flipping = build(translator(pre_enhance="gamma")), build(translator(pre_enhance="gamma", augment=augment))
    rgb, ir, _ = plain.frames(data["inputs"], data["data_samples"])
    a, b, _ = flipping.train().frames(data["inputs"], data["data_samples"])
    assert torch.equal(a, rgb.flip(3)) and torch.equal(b, ir.flip(3))
    a, _, _ = flipping.eval().frames(data["inputs"], data["data_samples"])
    assert torch.equal(a, rgb)
    rendered = [flipping.train().translate(data["inputs"]["rgb"]), plain.translate(data["inputs"]["rgb"])]
    assert all(torch.equal(x, y) for x, y in zip(*rendered, strict=True))
    one = batch(("rgb",), clips=6, frames=1)
    net = build(encoder(augment=augment))
    seen = []
    net.pooled = lambda images: seen.append(images) or torch.rand(6, 16, requires_grad=True)
    net.train()(one["inputs"], one["data_samples"], mode="loss")
    net.eval()(one["inputs"], one["data_samples"], mode="loss")
    net.train()(one["inputs"])
    assert torch.equal(seen[0], seen[1].flip(3)) and torch.equal(seen[2], seen[1])


def test_losses_of_the_generators_recomputed():
    model = build(translator(paired_weight=2.0, relation_weight=0.0)).eval()
    rgb, ir, ids = model.frames(batch(("rgb", "ir"))["inputs"], batch(("rgb", "ir"))["data_samples"])
    losses, fakes = model.generator_losses(rgb, ir, ids)
    with torch.no_grad():
        a, b = model.to_ir, model.to_rgb
        assert torch.equal(fakes["ir"], a(rgb)) and torch.equal(fakes["rgb"], b(ir))
        cycle = 10 * (l1(b(a(rgb)), rgb) + l1(a(b(ir)), ir))
        same = 5 * (l1(a(ir), ir) + l1(b(rgb), rgb))
        fool = ((model.discriminator_ir(a(rgb)) - 1) ** 2).mean()
    torch.testing.assert_close(losses["loss_cycle"], cycle)
    torch.testing.assert_close(losses["loss_identity"], same)
    torch.testing.assert_close(losses["loss_gan_ir"], fool)
    torch.testing.assert_close(losses["loss_paired"], 2 * (a(rgb) - ir).abs().mean())
    of_discriminators = model.discriminator_losses(rgb, ir, fakes)
    with torch.no_grad():
        expected = 0.5 * (((model.discriminator_ir(ir) - 1) ** 2).mean() + (model.discriminator_ir(a(rgb)) ** 2).mean())
    torch.testing.assert_close(of_discriminators["loss_discriminator_ir"], expected)


def test_registered_infrared_is_moved_into_the_rgb_view_and_compared_there_alone():
    place = (0.5, 0.75, 0.1, 0.0)
    options = dict(relation_weight=0.0, paired_weight=2.0)
    plain, model = build(translator(**options)), build(translator(registration=place, **options))
    data = batch(("rgb", "ir"))
    _, unmoved, _ = plain.frames(data["inputs"], data["data_samples"])
    rgb, ir, ids = model.frames(data["inputs"], data["data_samples"])
    assert torch.equal(ir, warp(unmoved, place)) and not torch.equal(ir, unmoved)
    losses, fakes = model.generator_losses(rgb, ir, ids)
    seen = covered(16, 16, place)
    assert 0 < seen.sum() < 16 * 16
    torch.testing.assert_close(losses["loss_paired"], 2 * (fakes["ir"] - ir).abs()[..., seen].mean())


def test_each_side_moves_its_own_networks_and_the_encoders_none(tmp_path):
    files = [dict(model=encoder(), checkpoint=encoder_file(tmp_path, seed)) for seed in (1, 2)]
    model = build(translator(rgb_encoder=files[0], ir_encoder=files[1])).train()
    assert not model.rgb_encoder.training and not model.ir_encoder.training
    data = batch(("rgb", "ir"), clips=6)
    rgb, ir, ids = model.frames(data["inputs"], data["data_samples"])
    losses, fakes = model.generator_losses(rgb, ir, ids)
    assert losses["loss_relation"] > 0
    sum(v for v in losses.values()).backward()
    assert all(p.grad is None for m in (model.discriminator_ir, model.discriminator_rgb) for p in m.parameters())
    assert all(p.grad is not None for m in (model.to_ir, model.to_rgb) for p in m.parameters())
    before = copy.deepcopy(model.state_dict())
    log = model.train_step(data, optimizers(model))
    assert {"loss", "loss_generator", "loss_discriminator", "loss_cycle"} <= set(log)
    moved = {k.split(".")[0] for k, v in model.state_dict().items() if not torch.equal(v, before[k])}
    assert moved == {"to_ir", "to_rgb", "discriminator_ir", "discriminator_rgb", "image_size"}


def test_which_infrared_meets_which_rgb_is_of_no_account_without_a_paired_term():
    """All terms are means over a batch of RGB and one of infrared: the reason why there is no 'unpaired' to choose."""
    model = build(translator()).eval()
    data = batch(("rgb", "ir"), clips=3)
    rgb, ir, ids = model.frames(data["inputs"], data["data_samples"])
    with torch.no_grad():
        losses, fakes = model.generator_losses(rgb, ir, ids)
        dealt, other = model.generator_losses(rgb, ir.roll(4, dims=0), ids)
        losses |= model.discriminator_losses(rgb, ir, fakes)
        dealt |= model.discriminator_losses(rgb, ir.roll(4, dims=0), other)
    for name, value in losses.items():
        torch.testing.assert_close(dealt[name], value)


def test_discriminators_see_the_pool_and_not_the_newest_fakes():
    """Half of the fakes that a discriminator is trained on are older ones, once the pool is full."""
    model = build(translator(pool_size=2)).train()
    shape = (2, 3, 16, 16)
    old, new = torch.zeros(shape), torch.ones(shape)
    model.discriminator_losses(new, new, {"ir": old, "rgb": old})  # fills the pools
    seen = []
    for discriminator in (model.discriminator_ir, model.discriminator_rgb):
        discriminator.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    given = {"ir": [], "rgb": []}
    for i in range(20):
        fake = torch.full(shape, 0.01 * (i + 1))
        model.discriminator_losses(new, new, {"ir": fake, "rgb": fake})
        for name, (real, false) in zip(("ir", "rgb"), (seen[:2], seen[2:]), strict=True):
            assert torch.equal(real, new)
            given[name].append((false.mean(dim=(1, 2, 3)) < fake.mean() - 1e-4).float().mean().item())
        seen.clear()
    for name, share in given.items():
        assert 0.2 < np.mean(share) < 0.8, name
    assert all(len(pool.images) == 2 for pool in model.pools.values())


def test_encoder_learns_by_equation_1():
    data = batch(("rgb",), clips=6, frames=1)
    model = build(encoder(triplet_weight=2.0)).eval()
    losses = model(data["inputs"], data["data_samples"], mode="loss")
    with torch.no_grad():
        frames = torch.stack(data["inputs"])[:, 0, :, 0].float() / 255
        features = model.pooled(frames)
        logits = model.classifier(model.neck(features)).numpy()
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


def test_an_encoder_gives_every_sample_its_feature():
    data = batch(("rgb",), clips=3, frames=1)
    model = build(encoder()).eval()
    features = model(data["inputs"], data["data_samples"], mode="tensor")
    samples = model(data["inputs"], data["data_samples"], mode="predict")
    assert features.shape == (3, 16)
    assert torch.equal(torch.stack([sample.feature for sample in samples]), features)


def test_inference_is_deterministic_and_frame_by_frame(tmp_path):
    trained = build(translator(pre_enhance="gamma"), seed=4)
    torch.save(dict(meta=dict(mtcd=dict(stage="translator")), state_dict=trained.state_dict()), tmp_path / "t.pth")
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
    whole = low_light_enhance(clip, "gamma")[0]
    alone = model.generate(whole[2:3])
    torch.testing.assert_close(model.generate(whole)[2:3], alone)


def test_wrong_translator_files(tmp_path):
    config = dict(type="TrainedTranslator", generator=GENERATOR)

    def use(state, checkpoint=None, stage="translator", **options):
        path = tmp_path / "t.pth"
        torch.save(dict(meta=dict(mtcd=dict(stage=stage)), state_dict=state), path)
        MODELS.build({**config, "checkpoint": str(path if checkpoint is None else checkpoint), **options}).test_step(
            batch(("rgb",))
        )

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


def test_checkpoints_of_earlier_versions_load(tmp_path):
    """Their discriminators were called judges."""
    state = build(translator(), seed=4).state_dict()
    former = {name.replace("discriminator_", "judge_"): value for name, value in state.items()}
    assert any(name.startswith("judge_rgb.") for name in former)
    torch.save(dict(meta=dict(mtcd=dict(stage="translator")), state_dict=former), tmp_path / "t.pth")
    tuned, resumed = build(translator(init_from=str(tmp_path / "t.pth"))), MODELS.build(translator())
    load_checkpoint(resumed, str(tmp_path / "t.pth"), strict=True)
    for name, value in state.items():
        assert torch.equal(resumed.state_dict()[name], value), name
        if name.startswith("discriminator_"):
            assert torch.equal(tuned.state_dict()[name], value), name


def test_a_translator_trained_at_another_size_says_so_once(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr("mtcd_plugin.models.translators.sda_gan.print_log", lambda message, **_: said.append(message))
    data = batch(("rgb", "ir"))
    trained = build(translator())
    trained.train_step(data, optimizers(trained))
    torch.save(dict(meta={}, state_dict=trained.state_dict()), tmp_path / "t.pth")
    model = MODELS.build(dict(type="TrainedTranslator", generator=GENERATOR, checkpoint=str(tmp_path / "t.pth")))
    model.test_step(batch(("rgb",)))
    assert model.train_size == (16, 16) and not said
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
    out = low_light_enhance(clips, kind)
    assert out.shape == clips.shape and out.min() >= 0 and out.max() <= 1 + 1e-6
    assert out.mean() > clips.mean()
    if kind == "gamma":  # equal pixels stay equal over time: no flicker
        mean = clips[0].mean().item()
        exponent = np.log(0.4) / np.log(mean)
        torch.testing.assert_close(out[0], clips[0].clamp_min(1e-6) ** exponent)
    assert torch.equal(low_light_enhance(clips, "none"), clips)


def test_pool_gives_older_images_half_of_the_time():
    torch.manual_seed(0)
    pool = ImagePool(4)
    first = torch.arange(4.0).view(4, 1, 1, 1)
    assert torch.equal(pool.query(first), first)
    given = torch.cat([pool.query(torch.full((1, 1, 1, 1), 10.0 + i)) for i in range(400)]).flatten()
    own = (given == 10 + torch.arange(400.0)).float().mean()
    assert 0.4 < own < 0.6 and len(pool.images) == 4


@pytest.mark.parametrize(
    "options",
    [dict(identity="x"), dict(pre_enhance="x"), dict(registration=(1, 1, 0, 0), augment=dict(flip_prob=0.5, pad=1))],
)
def test_bad_options(options):
    with pytest.raises(ValueError, match="choose from|set model.augment=None"):
        MODELS.build(translator(**options))


def dark_clips():
    return [(torch.rand(1, 3, 3, 16, 16) * 30).to(torch.uint8) for _ in range(2)]


@pytest.mark.parametrize("kind", ["gamma", "stretch", "clahe"])
def test_rendering_and_training_see_the_brightened_picture(kind):
    """Each clip by itself, as low_light_enhance() makes it; infrared is left as it is."""
    torch.manual_seed(0)
    rgb = dark_clips()
    bright = [low_light_enhance(clip.transpose(1, 2).float() / 255, kind)[0] for clip in rgb]  # [T, 3, H, W]
    seen = []
    model = build(translator(pre_enhance=kind, relation_weight=0.0)).train()
    model.to_ir.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].detach().clone()))
    model.translate(rgb)
    for got, expected in zip(seen, bright, strict=True):
        torch.testing.assert_close(got, expected)
    seen.clear()
    data = batch(("rgb", "ir"), clips=2, frames=3)
    data["inputs"]["rgb"] = rgb
    ir = torch.cat([clip[0].transpose(0, 1).float() / 255 for clip in data["inputs"]["ir"]]).expand(-1, 3, -1, -1)
    model.train_step(data, optimizers(model))
    torch.testing.assert_close(seen[0], torch.cat(bright))
    assert any(x.shape == ir.shape and torch.allclose(x, ir) for x in seen)
    assert torch.cat(bright).mean() > 2 * torch.cat([c.float() for c in rgb]).mean() / 255


def test_a_rendering_by_a_trained_translator_is_of_the_brightened_picture(tmp_path):
    trained = build(translator(pre_enhance="stretch"), seed=4)
    torch.save(dict(meta=dict(mtcd=dict(stage="translator")), state_dict=trained.state_dict()), tmp_path / "t.pth")
    config = dict(
        type="TrainedTranslator", generator=GENERATOR, pre_enhance="stretch", checkpoint=str(tmp_path / "t.pth")
    )
    rgb = dark_clips()
    model = MODELS.build(config)
    seen = []
    model.to_ir.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    model.translate(rgb)
    for clip, got in zip(rgb, seen, strict=True):
        torch.testing.assert_close(got, low_light_enhance(clip.transpose(1, 2).float() / 255, "stretch")[0])
        assert got.mean() > 2 * clip.float().mean() / 255
