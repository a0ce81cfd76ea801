"""Classes that a config names and nothing registers."""

import pytest

from harness.network.registered import check_registered, not_registered


def test_mmengines_error_becomes_one_line_with_the_key_and_names_like_it():
    from mmaction.registry import MODELS
    from mmengine.registry import init_default_scope

    import mtcd_plugin.register  # noqa: F401

    init_default_scope("mmaction")
    config = {"model": {"type": "Recognizer3D", "backbone": {"type": "ResNet3D", "depth": 50}}}
    with pytest.raises(KeyError) as e:
        MODELS.build(config["model"])
    line = not_registered(e.value, config)
    assert (
        line.startswith("model.backbone.type: no class 'ResNet3D' is registered (near: ResNet3d") and "\n" not in line
    )
    assert "http" not in line and "custom_imports" in line
    assert not_registered(KeyError("width"), config) == ""


def test_what_is_built_later_is_found_before():
    pipeline = [{"type": "SampleClipFrames"}, {"type": "Rezise"}]
    words = "test_dataloader.dataset.pipeline.1.type: no class 'Rezise' is registered .near: .*Resize"
    with pytest.raises(ValueError, match=words):
        check_registered({"test_dataloader": {"dataset": {"pipeline": pipeline}}})
    check_registered({"model": {"type": "of.a.network"}, "optim_wrapper": {"optimizer": {"type": "SGD"}}})
