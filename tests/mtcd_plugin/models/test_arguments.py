"""A misspelt argument is named with its class, where it was handed on to another class as well."""

import pytest
from mmaction.models import I3DHead
from mmaction.registry import MODELS

import mtcd_plugin.register  # noqa: F401
from mtcd_plugin.models.arguments import unknown_arguments

BACKBONE = dict(type="mmaction.ResNet3d", depth=18, pretrained=None, base_chanels=8)
HEAD = dict(type="mmaction.I3DHead", num_classes=3, in_channels=8)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (BACKBONE, "ResNet3d has no argument 'base_chanels' (near: base_channels"),
        ({**HEAD, "zzz": 1}, "I3DHead has no argument 'zzz'"),
    ],
)
def test_an_argument_that_a_class_does_not_have_is_named(config, words):
    with pytest.raises(TypeError) as e:
        MODELS.build({**config})
    assert str(e.value).startswith(words) and "\n" not in str(e.value)


def test_an_argument_that_a_base_has_is_none_of_them():
    assert unknown_arguments(I3DHead, {**HEAD, "average_clips": "prob"}) == ""
    assert unknown_arguments(I3DHead, {**HEAD, "averge_clips": "prob"}).startswith(
        "I3DHead has no argument 'averge_clips' (near: average_clips"
    )
