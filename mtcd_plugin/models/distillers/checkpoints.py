"""Loading the network of an earlier stage, with one clear line for everything that can be wrong with the
file."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from torch import nn

META = "mtcd"  # key in a checkpoint's ``meta`` under which StageCheckpointHook describes the stage


def read_checkpoint(path: str, what: str) -> dict:
    """A checkpoint on the CPU, as a dict with ``state_dict`` and ``meta``.

    Raises:
        FileNotFoundError: no such file. ValueError: not a checkpoint, or it holds more than tensors and plain
            values.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{what}: checkpoint {path} does not exist; train that stage first")
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError) as e:
        reason = str(e).strip().splitlines()
        raise ValueError(
            f"{what}: {path} is not a readable checkpoint ({reason[0] if reason else 'empty file'})"
        ) from None
    if not isinstance(checkpoint, dict):
        raise ValueError(f"{what}: {path} holds a {type(checkpoint).__name__}, not a checkpoint")
    return checkpoint if "state_dict" in checkpoint else {"state_dict": checkpoint, "meta": {}}


def load_network(
    network: nn.Module, path: str, what: str, stages: tuple[str, ...] = (), prefix: str = ""
) -> dict:
    """Load ``path`` into ``network``, every weight of it.

    Args:
        network: the module.
        path: a checkpoint file.
        what: how messages call it, e.g. ``"model.teachers.assistant"``.
        stages: stages that the file may come from; files that do not say are taken on trust.
        prefix: of the network's weights in the file.

    Returns:
        What the file says about itself: ``stage`` and ``train_subjects``, or {}.

    Raises:
        FileNotFoundError, ValueError: as :func:`read_checkpoint`; or wrong stage, missing or misshapen
            weights.
    """
    checkpoint = read_checkpoint(path, what)
    about = (checkpoint.get("meta") or {}).get(META, {})
    stage = about.get("stage", "")
    if stage and stages and stage not in stages:
        raise ValueError(f"{what}: {path} is of stage '{stage}'; needed is {' or '.join(stages)}")
    weights = {k[len(prefix) :]: v for k, v in checkpoint["state_dict"].items() if k.startswith(prefix)}
    own = network.state_dict()
    missing = [k for k in own if k not in weights and not k.endswith("num_batches_tracked")]
    if missing:
        raise ValueError(
            f"{what}: {path} lacks {len(missing)} of {len(own)} weights, first {missing[0]}; "
            "it is of another architecture or stage"
        )
    for name, value in own.items():
        if name in weights and weights[name].shape != value.shape:
            raise ValueError(
                f"{what}: {path} does not fit: {name} is {list(weights[name].shape)} there and "
                f"{list(value.shape)} here; was it trained with another width, number of classes or input?"
            )
    network.load_state_dict({k: weights[k] for k in own if k in weights}, strict=False)
    return about
