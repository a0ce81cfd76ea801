"""Loading the network of an earlier stage, with one clear line for everything that can be wrong with the file."""

from __future__ import annotations

import logging

from mmengine.logging import print_log
from torch import Tensor, nn

from mtcd_plugin.models.weights.starting_weights import read_checkpoint, tensors_of
from mtcd_plugin.models.weights.weight_names import not_finite, shape_of

META = "mtcd"  # key in a checkpoint's ``meta`` under which StageCheckpointHook describes the stage


def load_network(
    network: nn.Module, path: str, what: str, stages: tuple[str, ...] = (), prefix: str = "", former: str = ""
) -> dict:
    """Load ``path`` into ``network``, every weight of it.

    Args:
        network: the module.
        path: a checkpoint: path, ``file://`` or address.
        what: how messages call it, e.g. ``"model.teachers.assistant"``.
        stages: stages that the file may come from; files that do not say are taken on trust.
        prefix: of the network's weights in the file. former: the same in files of earlier versions.

    Returns:
        The file's meta of :class:`StageCheckpointHook`: ``stage`` and ``train_subjects``, or {}.

    Raises:
        FileNotFoundError, ValueError: as :func:`read_checkpoint`; or wrong stage, missing or misshapen
            weights, NaN or infinite ones.
    """
    try:
        checkpoint = read_checkpoint(path, what)
    except FileNotFoundError:
        raise FileNotFoundError(f"{what}: checkpoint {path} does not exist; train that stage first") from None
    meta = (checkpoint.get("meta") or {}).get(META, {})
    stage = meta.get("stage", "")
    if stage and stages and stage not in stages:
        raise ValueError(f"{what}: {path} is of stage '{stage}'; needed is {' or '.join(stages)}")
    tensors = tensors_of(checkpoint)
    if former and not any(k.startswith(prefix) for k in tensors):
        prefix = former
    weights = {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}
    _check_fit(network.state_dict(), weights, path, what)
    network.load_state_dict({k: weights[k] for k in network.state_dict() if k in weights}, strict=False)
    return meta


def _check_fit(own: dict[str, Tensor], weights: dict[str, Tensor], path: str, what: str) -> None:
    """Log weights that have no place in a network with the state ``own``.

    Raises:
        ValueError: weights that are missing, misshapen, NaN or infinite.
    """
    missing = [k for k in own if k not in weights and not k.endswith("num_batches_tracked")]
    if missing:
        raise ValueError(
            f"{what}: {path} lacks {len(missing)} of {len(own)} weights, first {missing[0]}; "
            "it is of another architecture or stage"
        )
    for name, value in own.items():
        if name in weights and weights[name].shape != value.shape:
            raise ValueError(
                f"{what}: {path} does not fit: {name} is {shape_of(weights[name])} there and "
                f"{shape_of(value)} here; was it trained with another width, number of classes or input?"
            )
    if line := not_finite(own, weights):
        raise ValueError(f"{what}: {path}: {line}; train that stage again")
    if unused := [k for k in weights if k not in own]:
        text = f"{what}: {len(unused)} weights of {path} have no place in this network, first {unused[0]}"
        print_log(text, "current", logging.WARNING)
