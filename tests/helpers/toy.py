"""Tiny recognizers of 3 classes on clips of 4 frames of 16 x 16 pixels, for the tests of MTCD."""

from __future__ import annotations

import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.model import BaseModule
from mmengine.registry import init_default_scope
from torch import nn

CHANNELS, CLASSES = 6, 3


@MODELS.register_module()
class ToyBackbone(BaseModule):
    """[N, C, T, H, W] -> [N, 6, T, H / 4, W / 4]."""

    def __init__(self, in_channels: int = 3):
        super().__init__()
        self.conv = nn.Conv3d(in_channels, CHANNELS, 3, stride=(1, 4, 4), padding=1)
        self.norm = nn.BatchNorm3d(CHANNELS)

    def forward(self, x):
        return self.norm(self.conv(x)).relu()


def network(
    head: str = "I3DHead", converter: bool = True, in_channels: int = 3, dropout: float = 0.0, **head_options
) -> dict:
    """Config of a recognizer; ``head`` is I3DHead for students, ProjectedHead for what teaches."""
    if head == "ProjectedHead":
        head_options.setdefault("projection", dict(out_channels=5))
    return dict(
        type="Recognizer3D",
        backbone=dict(type="ToyBackbone", in_channels=in_channels),
        neck=dict(type="FeatureConverter", in_channels=CHANNELS) if converter else None,
        cls_head=dict(
            type=head,
            num_classes=CLASSES,
            in_channels=CHANNELS,
            dropout_ratio=dropout,
            average_clips="prob",
            **head_options,
        ),
        data_preprocessor=dict(type="ClipDataPreprocessor"),
    )


def distiller(tmp_path=None, roles=("teacher", "assistant"), student=None, **options) -> dict:
    """Config of a student's stage; the files of its teachers are written to ``tmp_path``."""
    streams = {"teacher": "ir", "assistant": "pseudo_ir"}
    teachers = {}
    for i, role in enumerate(roles):
        path = ""
        if tmp_path is not None:
            path = save(network("ProjectedHead"), tmp_path / f"{role}.pth", role, seed=10 + i)
        teachers[role] = dict(model=network("ProjectedHead"), input=streams[role], checkpoint=path)
    options.setdefault("projection", dict(in_channels=CHANNELS, out_channels=5))
    return dict(
        type="CrossModalDistiller",
        student=student or network(),
        student_input="rgb",
        teachers=teachers,
        data_preprocessor=dict(type="ClipDataPreprocessor"),
        **options,
    )


def save(config: dict, path, stage: str, seed: int = 0, subjects=()) -> str:
    """Write a freshly initialised network as the checkpoint of a stage."""
    model = build(config, seed)
    torch.save(
        dict(meta=dict(mtcd=dict(stage=stage, train_subjects=list(subjects))), state_dict=model.state_dict()),
        path,
    )
    return str(path)


def build(config: dict, seed: int = 0):
    """A model as the runner makes it: constructed, then initialised."""
    init_default_scope("mmaction")
    torch.manual_seed(seed)
    model = MODELS.build(config)
    model.init_weights()
    return model


def batch(
    modalities=("rgb", "ir", "pseudo_ir"), clips: int = 4, seed: int = 0, size: int = 16, frames: int = 4
) -> dict:
    """A batch as the data loader makes it: uint8 clips [1, C, T, H, W] and their samples."""
    g = torch.Generator().manual_seed(seed)
    inputs = {
        m: [
            torch.randint(0, 256, (1, 3 if m == "rgb" else 1, frames, size, size), dtype=torch.uint8, generator=g)
            for _ in range(clips)
        ]
        for m in modalities
    }
    samples = []
    for i in range(clips):
        sample = ActionDataSample(metainfo=dict(clip_id=f"clip{i}", subject="s1"))
        samples.append(sample.set_gt_label(i % CLASSES))
    return dict(inputs=inputs if len(modalities) > 1 else inputs[modalities[0]], data_samples=samples)
