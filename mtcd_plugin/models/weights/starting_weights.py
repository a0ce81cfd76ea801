"""Starting weights: read a file safely, find out how it is named, load what fits, and report what was loaded.

One loader for ``init_cfg=dict(type='Pretrained', ...)``, ``pretrained=`` and ``load_from``, see
:mod:`mtcd_plugin.models.weights.init_cfg` and :class:`StartingWeightsHook`.
"""

from __future__ import annotations

import pickle
import textwrap
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from mtcd_plugin.formats.checkpoint_errors import without_advice
from mtcd_plugin.formats.weights_file import content_sha256, fetch, weights_file
from mtcd_plugin.models.weights.weight_names import NAMINGS, NOT_WEIGHTS, Naming, adaptation, not_finite, shape_of

if TYPE_CHECKING:
    from mmengine.model import BaseModel

REASON = 120  # characters of torch's own words in a message
ENOUGH = 0.9  # share of a backbone's tensors that starting weights must have
TAKEN_OFF = ("", "module.", "backbone.", "module.backbone.", "student.", "student.backbone.")
PUT_ON = ("", "backbone.", "student.", "student.backbone.")


@dataclass
class LoadReport:
    """What was loaded from a file; names of weights are those of the module.

    Attributes:
        where: the module's place in the model, "" for the whole model.
        file, sha256: as records call the file, and of its content.
        loaded, total: tensors, of the module. backbone_loaded, backbone_total: of its backbone.
        naming: prefixes and names that were changed. adapted: ``name: how``, those of another shape.
        left_out: ``name: shape there, shape here``. missing: left as initialised. unexpected: the file's, without a
            place.
    """

    where: str
    file: str
    sha256: str
    loaded: int = 0
    total: int = 0
    backbone_loaded: int = 0
    backbone_total: int = 0
    naming: str = ""
    adapted: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def line(self) -> str:
        """One line for a log."""
        parts = [f"{self.loaded} of {self.total} tensors"]
        if self.naming:
            parts.append(self.naming)
        for what, names in (
            ("adapted", self.adapted),
            ("left out", self.left_out),
            ("missing", self.missing),
            ("unexpected", self.unexpected),
        ):
            if names:
                parts.append(f"{len(names)} {what} ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})")
        return f"starting weights of {self.where or 'the model'} from {self.file}: " + "; ".join(parts)


# ---------------------------------------------------------------------- reading


class _Inert:
    """Placeholder for the classes and functions in a file that are not torch's; none of them is called."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __new__(cls, *args: Any, **kwargs: Any) -> _Inert:  # noqa: ARG004  whatever the file gives
        return object.__new__(cls)

    def __setstate__(self, state: Any) -> None:
        pass


def read_checkpoint(source: str, what: str = "starting weights", map_location: Any = "cpu") -> dict[str, Any]:
    """A checkpoint as a dict with ``state_dict``, read with ``weights_only=True`` always.

    Files of MMEngine hold objects beside the weights (logged numbers, numpy values). They are not made: the entries
    that contain them are left out, which the log says.

    Args:
        source: path, ``file://`` or address. what: how messages call it.

    Raises:
        FileNotFoundError, ConnectionError: it is not there. ValueError: it is not a checkpoint.
    """
    return read_checkpoint_file(fetch(weights_file(source)), what, map_location)


def read_checkpoint_file(path: Path, what: str = "starting weights", map_location: Any = "cpu") -> dict[str, Any]:
    """:func:`read_checkpoint` of a file on this machine."""
    try:
        checkpoint = _load(path, map_location)
    except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError, ValueError, AttributeError, IndexError) as e:
        text = without_advice(str(e)).rpartition("WeightsUnpickler error:")[2].strip()
        reason = textwrap.shorten((text or "empty file").splitlines()[0], REASON, placeholder=" ...")
        raise ValueError(
            f"{what}: {path} ({path.stat().st_size} bytes) is not a readable "
            "checkpoint: copy or download it again if it was "
            f"cut short, save its state_dict alone if it holds more than weights; torch says: {reason}"
        ) from None
    if not isinstance(checkpoint, dict):
        raise ValueError(f"{what}: {path} holds a {type(checkpoint).__name__}, not a checkpoint")
    for key in ("state_dict", "model"):
        if isinstance(checkpoint.get(key), Mapping):
            return {**{k: v for k, v in checkpoint.items() if k != key}, "state_dict": checkpoint[key]}
    if not any(isinstance(v, Tensor) for v in checkpoint.values()):
        raise ValueError(
            f"{what}: {path} holds no weights; its entries are {', '.join(map(str, list(checkpoint)[:5]))}"
        )
    return {"state_dict": checkpoint, "meta": {}}


def _load(path: Path, map_location: Any) -> Any:
    try:
        return torch.load(path, map_location=map_location, weights_only=True)
    except pickle.UnpicklingError:
        foreign = torch.serialization.get_unsafe_globals_in_checkpoint(str(path))
        if not foreign:
            raise
    with torch.serialization.safe_globals([(_Inert, name) for name in foreign]):
        checkpoint = torch.load(path, map_location=map_location, weights_only=True)
    if not isinstance(checkpoint, dict):
        return checkpoint
    dropped = [key for key, value in checkpoint.items() if _has_inert(value)]
    print_log(
        f"{path.name} holds more than weights ({', '.join(foreign[:3])}); left out: {', '.join(dropped)}", "current"
    )
    return {k: v for k, v in checkpoint.items() if k not in dropped}


def _has_inert(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_has_inert(k) or _has_inert(v) for k, v in value.items())
    if isinstance(value, (list, tuple, set)):
        return any(_has_inert(v) for v in value)
    return isinstance(value, _Inert) or value is _Inert


# ---------------------------------------------------------------------- fitting


def load_weights(network: nn.Module, source: str, prefix: str = "", where: str = "") -> LoadReport:
    """Load the weights of a file into a network, as far as they fit.

    Args:
        source: path, ``file://`` or ``http(s)://``, with ``#sha256=...`` after it or without.
        prefix: the part of the file that is taken, as in MMEngine's ``init_cfg``; "" finds it out. A whole network
            takes ``backbone.`` for its backbone.
        where: the network's place in the model, for messages.

    Raises:
        FileNotFoundError, ConnectionError, ValueError: no such file, not a checkpoint, too little of it fits, or NaN.
    """
    file = weights_file(source)
    path = fetch(file)
    given = tensors_of(read_checkpoint_file(path))
    if prefix:
        prefix = prefix.rstrip(".") + "."
        taken = {name[len(prefix) :]: value for name, value in given.items() if name.startswith(prefix)}
        if not taken:
            first = next(iter(given), "")
            raise ValueError(
                f"{_called(file.name, where)}: nothing in it begins with '{prefix}'; its first is '{first}'"
            )
        given = taken
    report = LoadReport(where, file.name, content_sha256(path))
    network.load_state_dict(state_from(network, given, report))
    print_log(report.line(), "current")
    return report


def tensors_of(checkpoint: Mapping[str, Any]) -> dict[str, Tensor]:
    """The weights of what :func:`read_checkpoint` returned."""
    return {name: value for name, value in checkpoint["state_dict"].items() if isinstance(value, Tensor)}


def state_from(network: nn.Module, given: Mapping[str, Tensor], report: LoadReport) -> dict[str, Tensor]:
    """A network's whole state with what fits of a file in its place; ``report`` is filled in.

    Raises:
        ValueError: as :func:`fit`; or NaN or infinite values, which no training gets rid of.
    """
    own = network.state_dict()
    found = fit(network, given, report)
    if line := not_finite(own, found):
        raise ValueError(f"{_called(report.file, report.where)}: {line}; it is damaged or diverged: take another file")
    return {**own, **found}


def fit(network: nn.Module, given: Mapping[str, Tensor], report: LoadReport) -> dict[str, Tensor]:
    """The weights that fit a network, by its own names; ``report`` is filled in.

    Raises:
        ValueError: nothing fits, or less than 90 % of the backbone's tensors.
    """
    own = network.state_dict()
    naming, renamed, report.naming = _best_naming(own, given)
    found: dict[str, Tensor] = {}
    for name, value in own.items():
        if name not in renamed:
            continue
        adapted = adaptation(name, renamed[name].shape, value.shape)
        if adapted is None:
            report.left_out.append(f"{name}: {shape_of(renamed[name])} there, {shape_of(value)} here")
            continue
        how, made = adapted
        found[name] = made(renamed[name])
        if how:
            report.adapted.append(f"{name}: {how}, {shape_of(renamed[name])} -> {shape_of(value)}")
    for line in list(report.left_out):  # a bias belongs to its weight
        partner = line.partition(":")[0].removesuffix("weight") + "bias"
        if partner in found and line.partition(":")[0].endswith("weight"):
            del found[partner]
            report.left_out.append(f"{partner}: with its weight")
    out = {line.partition(":")[0] for line in report.left_out}
    counted = [name for name in own if not NOT_WEIGHTS.search(name)]
    core = backbone_prefix(network)
    backbone = [n for n in counted if n.startswith(core) and not (naming.new and naming.new.search(n))]
    report.total, report.loaded = len(counted), sum(n in found for n in counted)
    report.backbone_total, report.backbone_loaded = len(backbone), sum(n in found for n in backbone)
    report.missing = [n for n in counted if n not in found and n not in out]
    report.unexpected = [n for n in renamed if n not in own and not NOT_WEIGHTS.search(n)]
    if not report.loaded or report.backbone_loaded < ENOUGH * report.backbone_total:
        raise ValueError(_too_little(report, backbone, given))
    return found


def _best_naming(own: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> tuple[Naming, dict[str, Tensor], str]:
    """The naming and the prefixes with which most weights fit; the plainest among equals."""
    best: tuple[int, Naming, dict[str, Tensor], str] = (-1, NAMINGS[0], dict(given), "")
    for off in TAKEN_OFF:
        taken = {n[len(off) :]: v for n, v in given.items() if n.startswith(off)}
        for naming in NAMINGS if taken else ():
            plain = naming.rename(taken)
            for on in PUT_ON:
                count = sum(
                    on + n in own and adaptation(n, v.shape, own[on + n].shape) is not None for n, v in plain.items()
                )
                if count > best[0]:
                    rest = {n: v for n, v in given.items() if not n.startswith(off)}
                    changes = [f"prefix '{off}' taken off"] * bool(off) + [f"prefix '{on}' put on"] * bool(on)
                    changes += [naming.title] * bool(naming.title)
                    best = (count, naming, {**rest, **{on + n: v for n, v in plain.items()}}, ", ".join(changes))
    return best[1:]


def backbone_prefix(network: BaseModel) -> str:
    """Where a network's backbone is in its state, "" where it has none or is one."""
    prefix = ""
    if hasattr(network, "student"):
        prefix, network = "student.", network.student
    return f"{prefix}backbone." if isinstance(getattr(network, "backbone", None), nn.Module) else prefix


def _too_little(report: LoadReport, backbone: list[str], given: Mapping[str, Tensor]) -> str:
    head = f"{_called(report.file, report.where)}: "
    if not report.loaded:
        head += "nothing in it fits"
    else:
        share = 100 * report.backbone_loaded / report.backbone_total
        fit = f"{report.backbone_loaded} of {report.backbone_total} tensors of the backbone fit"
        head += f"{fit} ({share:.0f} % of at least 90)"
    if report.left_out:
        return f"{head}; first of another shape: {report.left_out[0]}; is it of another width or depth?"
    here = next((n for n in report.missing if n in set(backbone)), (report.missing or backbone)[0])
    there = next(iter(report.unexpected or given), "")
    missing = f"the network's first that is not in the file is '{here}'"
    return f"{head}; {missing}, the file's first without a place is '{there}'"


def _called(file: str, where: str) -> str:
    return f"starting weights {file} of {where or 'the model'}"
