"""The six networks, narrow, and files with the names and shapes that their published weights have."""

from __future__ import annotations

import re
from pathlib import Path

import torch
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope

import mtcd_plugin.register  # noqa: F401

R18 = {"depth": 18, "base_channels": 4}
RECOGNIZERS = {
    "tsn": dict(
        type="Recognizer2D",
        backbone=dict(type="SlimResNet", **R18),
        cls_head=dict(type="TSNHead", num_classes=10, in_channels=32, consensus=dict(type="AvgConsensus", dim=1)),
    ),
    "c3d": dict(
        type="Recognizer3D",
        backbone=dict(type="SlimC3D", base_channels=2, fc_channels=16, out_dim=64),
        cls_head=dict(type="I3DHead", num_classes=10, in_channels=16, spatial_type=None),
    ),
    "i3d": dict(
        type="Recognizer3D",
        backbone=dict(
            type="ResNet3d",
            **R18,
            conv_cfg=dict(type="Conv3d"),
            inflate=((1, 1), (1, 0), (1, 0), (0, 1)),
            zero_init_residual=False,
        ),
        cls_head=dict(type="I3DHead", num_classes=10, in_channels=32),
    ),
    "swin": dict(
        type="Recognizer3D",
        backbone=dict(
            type="SwinTransformer3D",
            arch=dict(embed_dims=8, depths=[1, 1, 2, 1], num_heads=[1, 1, 2, 2]),
            window_size=(4, 4, 4),
            patch_size=(2, 4, 4),
            pretrained2d=False,
        ),
        cls_head=dict(type="I3DHead", num_classes=10, in_channels=64),
    ),
    "mvit": dict(
        type="Recognizer3D",
        backbone=dict(
            type="MViT",
            arch=dict(embed_dims=8, num_layers=4, num_heads=1, downscale_indices=[1, 2, 3]),
            spatial_size=32,
            temporal_size=16,
            adaptive_kv_stride=(1, 4, 4),
        ),
        cls_head=dict(type="MViTHead", num_classes=10, in_channels=64),
    ),
    "timesformer": dict(
        type="Recognizer3D",
        backbone=dict(
            type="TimeSformer",
            num_frames=8,
            img_size=32,
            patch_size=16,
            embed_dims=16,
            num_heads=2,
            num_transformer_layers=2,
        ),
        cls_head=dict(type="TimeSformerHead", num_classes=10, in_channels=16),
    ),
}
CLIPS_OF_THE_ZOO = {  # what published networks saw, where ours see another clip
    "c3d": dict(out_dim=32),
    "mvit": dict(temporal_size=8),
    "timesformer": dict(num_frames=4),
}


def recognizer(name: str, classes: int = 10, seed: int = 1, **backbone) -> torch.nn.Module:
    """A network, initialised."""
    config = RECOGNIZERS[name]
    config = {
        **config,
        "backbone": {**config["backbone"], **backbone},
        "cls_head": {**config["cls_head"], "num_classes": classes},
    }
    return init(config, seed)


def init(config: dict, seed: int = 1) -> torch.nn.Module:
    init_default_scope("mmaction")
    torch.manual_seed(seed)
    model = MODELS.build(config)
    model.init_weights()
    for value in model.state_dict().values():  # norms, embeddings and biases are alike in all networks otherwise
        if value.is_floating_point() and seed != 1:
            value.add_(torch.randn_like(value).abs() / 10)
    return model


def save(state: dict, path: Path) -> str:
    torch.save({"meta": {}, "state_dict": state}, path)
    return str(path)


def backbone_of(state: dict) -> dict:
    return {k.removeprefix("backbone."): v for k, v in state.items() if k.startswith("backbone.")}


def torchvision_names(state: dict, flat: bool) -> dict:
    """A ResNet's weights as torchvision names them, of 2D kernels where ``flat``, with its class layer."""
    renamed = {"fc.weight": torch.zeros(1000, 32), "fc.bias": torch.zeros(1000)}
    for name, value in state.items():
        name = name.replace("downsample.conv.", "downsample.0.").replace("downsample.bn.", "downsample.1.")
        name = re.sub(r"conv(\d)\.conv\.", r"conv\1.", name)
        name = re.sub(r"conv(\d)\.bn\.", r"bn\1.", name)
        renamed[name] = value[:, :, 0].clone() if flat and value.ndim == 5 else value
    return renamed


def published(name: str) -> tuple[dict, dict]:
    """Weights of a file as ``backbone.pretrained`` is given them, and what the backbone must then hold.

    torchvision's ResNet for TSN and I3D, Sports-1M's C3D, a 2D Swin, MViT's own, a ViT for TimeSformer.
    """
    donor = backbone_of(recognizer(name, seed=2, **CLIPS_OF_THE_ZOO.get(name, {})).state_dict())
    if name == "tsn":
        return torchvision_names(donor, flat=False), donor
    if name == "i3d":
        flat = torchvision_names(donor, flat=True)
        inflated = {k: v[:, :, :1].expand_as(v) / v.shape[2] if v.ndim == 5 else v for k, v in donor.items()}
        return flat, inflated
    if name == "swin":
        flat, wanted = {"head.weight": torch.zeros(1000, 64)}, {}
        for k, v in donor.items():
            if k.endswith("relative_position_index"):
                flat[k] = torch.zeros(16, 16, dtype=torch.long)
            elif k.endswith("bias_table"):  # 7 distances in time, each with the table of the 2D window
                flat[k], wanted[k] = v[:49], v[:49].repeat(7, 1)
            elif v.ndim == 5:
                flat[k], wanted[k] = v[:, :, 0], v[:, :, :1].expand_as(v) / 2
            else:
                flat[k.replace("norm3.", "norm.")] = wanted[k] = v
        return flat, wanted
    if name == "timesformer":
        flat, wanted = {}, {}
        for k, v in donor.items():
            if k == "time_embed" or "temporal_fc" in k or "attentions.0" in k:
                continue
            wanted[k] = v
            if "attentions.1" in k:
                wanted[k.replace("attentions.1", "attentions.0")] = v
            k = k.replace("attentions.1.norm", "norms.0").replace("ffns.0.norm", "norms.1")
            flat[k.replace("attentions.1", "attentions.0")] = v
        return flat, wanted
    return donor, {k: v for k, v in donor.items() if not k.startswith("fc6") and "rel_pos_t" not in k}
