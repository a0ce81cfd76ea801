"""A model entry as its run would build it, without data and without its parents having run."""

from __future__ import annotations

import copy
import logging
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from mmengine.config import ConfigDict
from mmengine.model import BaseModel
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.utils import import_modules_from_strings

from harness.ledger.identity import canonical_json
from harness.network.clips import random_batch
from harness.network.cost import predicting_network
from harness.plan.parents import PREDICTIONS, Parent, read_parent
from harness.plan.resolve import Resolved, resolve
from harness.suite import Entry
from harness.suite.dotted import set_dotted
from mtcd_plugin.formats.clips import CHANNELS

PREDICTED = 16  # clips in made-up predictions, as many as a batch has at most
WHOLE_CLIP = 4  # frames that stand for a clip whose length the pipeline leaves open
META = "mtcd"  # where StageCheckpointHook writes the stage


@contextmanager
def quietly(threads: int = 1) -> Iterator[None]:
    """Context to build models in: MMAction2's registries, so many threads, and no list of every initialised weight."""
    import mtcd_plugin.register  # noqa: F401

    init_default_scope("mmaction")
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        logging.disable(logging.NOTSET)


def import_named(config: dict[str, Any]) -> None:
    """Import what ``custom_imports`` names. Raises ImportError with the module's name."""
    if config.get("custom_imports"):
        import_modules_from_strings(**config["custom_imports"])


def build(config: dict[str, Any], seed: int = 0) -> BaseModel:
    """The model of a resolved config, initialised as a run does it."""
    torch.manual_seed(seed)
    model = construct(config)
    model.init_weights()
    return model


def construct(config: dict[str, Any], empty: bool = False) -> BaseModel:
    """The model of a resolved config as its class makes it, without weights from files.

    Args:
        empty: leave out initialisation, so that a full-size network takes neither time nor memory; its values mean
            nothing.

    Raises:
        NotRegistered: a class of it is in no registry.
    """
    from mmaction.registry import MODELS

    from harness.network.registered import NotRegistered, not_registered

    with _without_values() if empty else nullcontext():
        try:
            return MODELS.build(copy.deepcopy(config["model"]))
        except Exception as e:
            if line := not_registered(e, config):
                raise NotRegistered(line) from e
            raise


@contextmanager
def _without_values() -> Iterator[None]:
    init = torch.nn.init
    originals = {n: f for n, f in vars(init).items() if n.endswith("_") and not n.startswith("_") and callable(f)}
    for name in originals:
        setattr(init, name, lambda tensor, *_, **__: tensor)
    try:
        yield
    finally:
        for name, function in originals.items():
            setattr(init, name, function)


def wrapper_of(config: dict[str, Any]) -> dict[str, Any]:
    """``optim_wrapper`` with its type, which a constructor of several wrappers does not take."""
    wrapper = {"type": "OptimWrapper", **config["optim_wrapper"]}
    if "constructor" in wrapper and "optimizer" not in wrapper:
        wrapper.pop("type")
    return wrapper


def optimizer_of(config: dict[str, Any], model: torch.nn.Module) -> Any:
    """The entry's own optimizer wrapper. Raises ValueError with the wrapper that cannot be built."""
    wrapper = wrapper_of(config)
    try:
        return build_optim_wrapper(model, ConfigDict(copy.deepcopy(wrapper)))
    except (KeyError, TypeError) as e:
        raise ValueError(f"optim_wrapper={wrapper} cannot be built ({e})") from e


def clip_shape_of(config: dict[str, Any], modality: str, split: str = "test") -> tuple[int, int, int, int]:
    """(C, T, H, W) that a split's pipeline packs: the last frame count and size it names.

    Raises:
        ValueError: neither the pipeline nor the data set names a size.
    """
    dataset = config[f"{split}_dataloader"]["dataset"]
    if any(transform.get("type") == "PackClipId" for transform in dataset.get("pipeline", ())):
        return (1, 1, 1, 1)  # no frames
    frames, size = 1, dataset.get("size")
    for transform in dataset.get("pipeline", ()):
        frames = transform.get("clip_len", frames) or WHOLE_CLIP
        frames *= transform.get("consecutive", 1)
        size = transform.get("crop_size", transform.get("size", size))
    if size is None:
        raise ValueError(f"the {split} pipeline names no size or crop_size, so a clip's shape is unknown")
    width, height = (size, size) if isinstance(size, int) else size
    return (CHANNELS.get(modality, 1), frames, height, width)


def shapes(config: dict[str, Any], split: str, modality: str) -> Any:
    """Shape of one clip of a split, by modality where it has several.

    Args:
        modality: a set of them (``rgb+depth``), where the data set names none.
    """
    dataset = (config.get(f"{split}_dataloader") or {}).get("dataset", {})
    modalities = dataset.get("modalities") or (["rgb", "ir"] if dataset.get("with_infrared") else modality.split("+"))
    found = {m: clip_shape_of(config, m, split) for m in modalities}
    return found if len(found) > 1 else next(iter(found.values()))


def batch(config: dict[str, Any], split: str, modality: str, size: int, make: Callable = random_batch) -> dict:
    """Random clips of a split as the loader gives them, of two classes and two subjects in turn."""
    made = make(shapes(config, split, modality), size)
    for i, sample in enumerate(made["data_samples"]):
        sample.set_gt_label(i % 2)
        sample.set_metainfo({"clip_id": str(i), "subject": f"subject {i % 2}"})
    return made


def untrained_checkpoint(config: dict[str, Any], folder: str | Path) -> str:
    """A file as a run of this config would leave it, of a network that was built and never trained."""
    from mmaction.registry import MODELS

    import_named(config)
    network = predicting_network(MODELS.build(copy.deepcopy(config["model"])))
    hook = config.get("default_hooks", {}).get("stage_checkpoint")
    meta = {META: {"stage": hook["stage"], "train_subjects": []}} if hook else {}
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".pth", delete=False) as file:
        torch.save({"meta": meta, "state_dict": network.state_dict()}, file)
    return file.name


def made_up_predictions(folder: str | Path) -> str:
    """A file of predictions for the clips of ``batch``."""
    from mtcd_plugin.evaluation.clip_predictions import write_predictions

    path = Path(folder) / "predictions.parquet"
    scores = torch.rand(PREDICTED, 2, generator=torch.Generator().manual_seed(0)).softmax(dim=1).tolist()
    people = [f"subject {i % 2}" for i in range(PREDICTED)]
    rows = [{"clip_id": str(i), "subject": people[i], "label": i % 2, "scores": scores[i]} for i in range(PREDICTED)]
    write_predictions(str(path), rows)
    return str(path)


class ParentWeights:
    """Checkpoints of networks that were built and never trained, in the place of the parents' own; and predictions of
    nobody.
    """

    def __init__(self, entries: dict[str, Entry], folder: str, profile: str = "smoke") -> None:
        self.profile = profile
        self.entries = tuple(entries.values())
        self.by_path = {e.config.resolve(): e for e in self.entries}
        self.folder = Path(folder)
        self.made: dict[tuple[Path, str], str] = {}
        self.elsewhere: dict[str, ParentWeights] = {}

    def at(self, profile: str) -> ParentWeights:
        """Those of another profile."""
        if profile not in self.elsewhere:
            entries = {e.name: e for e in self.entries}
            self.elsewhere[profile] = ParentWeights(entries, str(self.folder), profile)
        return self.elsewhere[profile]

    def fill(self, entry: Entry, resolved: Resolved) -> dict[str, Any]:
        """The config with a file in every place below ``model`` where a parent's weights go.

        Raises:
            ValueError: a parent that is not listed in a metafile.
        """
        config = resolved.config
        for stage, declared in resolved.parents.items():
            parent = read_parent(entry, stage, declared, self.by_path)
            for key in parent.inject_at:
                if key.startswith("model."):
                    config = set_dotted(config, key, self._file(parent))
        return config

    def _file(self, parent: Parent) -> str:
        if parent.output == PREDICTIONS:
            return made_up_predictions(self.folder)
        key = (parent.entry.config.resolve(), canonical_json(parent.overrides))
        if key not in self.made:
            self.made[key] = self._make(key[0], parent.overrides)
        return self.made[key]

    def _make(self, path: Path, overrides: dict[str, Any]) -> str:
        config = resolve(path, self.profile, overrides).config
        return untrained_checkpoint(config, self.folder)
