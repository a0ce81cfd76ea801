"""A training that was stopped in the middle and went on ends with the weights of an undisturbed one,
for every kind of step.
"""

import shutil

import pytest
import torch

from tests.helpers.toy import distiller
from tests.helpers.toy_training import train
from tests.mtcd_plugin.models.mtcd.test_translator import translator


def adam(lr=1e-3):
    return dict(optimizer=dict(type="Adam", lr=lr))


def configs(folder):
    """Name -> model, optimizer, data set and stage of everything whose steps depend on more than weights."""
    gan = dict(constructor="GANOptimWrapperConstructor", generator=adam(), discriminator=adam())
    pairs = dict(type="ToyClips", modalities=["rgb", "ir"], frames=1)
    three = dict(type="ToyClips", modalities=["rgb", "ir", "pseudo_ir"])
    (folder / "teachers").mkdir()
    shuffled = distiller(folder / "teachers", shuffle="random_class")
    plain = {k: v for k, v in shuffled.items() if k not in ("shuffle", "data_preprocessor")}
    sweep = dict(
        type="FusedSweepDistiller",
        base=plain,
        points=[dict(shuffle="same_class"), dict(shuffle="random_class")],
        data_preprocessor=dict(type="ClipDataPreprocessor"),
    )
    points = dict(constructor="SweepOptimWrapperConstructor", point=adam())
    gan_model = translator(pool_size=6, augment=dict(flip_prob=0.5, pad=2))
    return {
        "translator": (gan_model, gan, pairs, "translator"),
        "shuffled": (shuffled, adam(), three, "student"),
        "sweep": (sweep, points, three, "student"),
    }


@pytest.mark.parametrize("name", ["translator", "shuffled", "sweep"])
def test_stopped_after_two_of_four_epochs(tmp_path, name):
    config = configs(tmp_path)[name]
    calm, _ = train(config, tmp_path / "calm", 4)
    _, half = train(config, tmp_path / "stopped", 2)
    if name == "translator":
        assert all(len(pool.images) == 6 for pool in half.pools.values())
    shutil.copytree(tmp_path / "stopped", tmp_path / "forgetful")
    resumed, _ = train(config, tmp_path / "stopped", 4, resume=True)
    assert resumed["meta"]["epoch"] == 4
    for key, value in calm["state_dict"].items():
        assert torch.equal(value, resumed["state_dict"][key]), key
    forgetful, _ = train(config, tmp_path / "forgetful", 4, resume=True, hook=False)
    assert any(not torch.equal(value, forgetful["state_dict"][key]) for key, value in calm["state_dict"].items())


def test_a_checkpoint_without_the_state_cannot_be_gone_on_from(tmp_path):
    config = configs(tmp_path)["translator"]
    train(config, tmp_path / "old", 1, hook=False)
    with pytest.raises(ValueError, match="has no 'training_state'.*start without resume"):
        train(config, tmp_path / "old", 2, resume=True)


def test_clips_without_distillation_are_still_known_after_a_resume(tmp_path):
    from mmaction.registry import MODELS

    model, other = (MODELS.build(distiller(alpha=0.0, beta=0.0)) for _ in range(2))
    model.load_training_state(model.training_state() | {"undistilled": ["b", "a"]})
    other.load_training_state(other.training_state() | {"undistilled": ["c"]})
    other.load_training_state(model.training_state())
    assert other.undistilled == {"a", "b", "c"}


def test_the_shuffled_teacher_does_not_go_on_without_its_bank():
    from mmaction.registry import MODELS

    plain, shuffled = (MODELS.build(distiller(alpha=0.0, beta=0.0, shuffle=s)) for s in ("none", "same_class"))
    with pytest.raises(ValueError, match="no state of the shuffled teacher; start without resume"):
        shuffled.load_training_state(plain.training_state())


def test_images_in_a_checkpoint_have_memory_of_their_own(tmp_path):
    """A view of a batch would drag the whole batch into the file."""
    config = configs(tmp_path)["translator"]
    checkpoint, _ = train(config, tmp_path / "t", 1)
    for images in checkpoint["training_state"][0]["pools"].values():
        assert all(image.untyped_storage().nbytes() == image.numel() * 4 for image in images)
