"""The network of a run, on videos that belong to no data set: the test pipeline and the weights of its record."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mtcd_plugin.register  # noqa: F401  isort: skip  (its shims come before MMAction2)
import numpy as np
import torch
from mmaction.registry import MODELS, TRANSFORMS
from mmengine.dataset import Compose, pseudo_collate
from mmengine.model import BaseModel
from mmengine.registry import init_default_scope
from mmengine.utils import import_modules_from_strings

from harness.data.unusable import more_of
from harness.errors import BadUsage
from harness.inference.streams import streams_of
from harness.ledger.record import DataInfo, RunRecord
from harness.ledger.redo_advice import redo_advice
from harness.ledger.run_dir import CHECKPOINT, SPEC
from harness.ledger.store import read_record
from harness.network.cost import predicting_network
from harness.network.registered import IMPORTABLE, not_registered
from harness.worker.precision import use_channels_last
from harness.worker.spec import JobSpec, read_spec
from mtcd_plugin.formats.checkpoint_errors import one_line
from mtcd_plugin.formats.clips import RENDERED_FROM


@dataclass(frozen=True)
class Predictor:
    """The network of a run in float32, and what its test clips go through.

    Attributes:
        modalities: that the network reads, in the order of its config.
        data: that the run was trained and tested on; ``data.classes`` in label order.
    """

    name: str
    modalities: tuple[str, ...]
    data: DataInfo
    model: BaseModel
    pipeline: Compose

    def scores(self, clip: Mapping[str, Path]) -> np.ndarray:
        """Class scores of a clip, float32 [classes], as the run's own test has them.

        Args:
            clip: modality -> video of a gesture from its first frame to its last, as ``videos`` returns them.

        Raises:
            OSError, ValueError: a video that cannot be read, or scores that are no numbers; one line.
        """
        sample = self.pipeline(_sample(clip))
        with torch.inference_mode():
            (found,) = self.model.test_step(pseudo_collate([sample]))
        scores = found.pred_score.cpu().numpy().astype(np.float32)
        if not np.isfinite(scores).all():
            raise ValueError(f"the scores of {self.name} are not finite; its weights, or those of a stage, are damaged")
        return scores

    def videos(self, clip: str) -> dict[str, Path]:
        """The files of a clip by modality, given as ``FILE`` or ``MODALITY=FILE,...``.

        Raises:
            BadUsage: modalities that are not those of the network or that are given twice, or no such file.
        """
        parts = [part.partition("=") for part in clip.split(",")]
        if os.path.exists(clip) or not all(separator for _, separator, _ in parts):
            given = {self.modalities[0]: clip} if len(self.modalities) == 1 else {"one video": clip}
        else:
            # no shell knows a home folder after a comma
            given = {name.strip(): os.path.expanduser(file) for name, _, file in parts}
            if len(given) < len(parts):
                raise BadUsage(f"{clip}: names a modality twice; give each clip one video of each")
        if given.keys() != set(self.modalities):
            as_asked = ",".join(f"{m}=FILE" for m in self.modalities)
            raise BadUsage(
                f"{clip}: {self.name} reads {' and '.join(self.modalities)}, not {' and '.join(given)}; "
                f"give each clip as {as_asked}"
            )
        for file in given.values():
            if not os.path.isfile(file):
                what = "is no file" if os.path.exists(file) else f"no such file{more_of(file)}"
                raise BadUsage(f"{file or repr(clip)}: {what}")
        return {m: Path(given[m]) for m in self.modalities}


def load_predictor(folder: Path, record: RunRecord, device: torch.device) -> Predictor:
    """The network of a run with its trained weights.

    Raises:
        BadUsage: a run that predicts no class, or from something that is no video.
        OSError, ValueError: what the run left is not there any more, or is not what its record says.
    """
    if record.metrics is None or record.data is None:
        raise BadUsage(f"{folder.name}: a {record.cell.stage} predicts no class; choose what classifies")
    config = config_of(folder, record)
    dataset = config["test_dataloader"]["dataset"]
    modalities = tuple(dataset.get("modalities", ("rgb",)))
    if rendered := _rendered(config):
        raise BadUsage(f"{folder.name} reads {', '.join(rendered)}, which a stage makes of a data set's clips")
    init_default_scope("mmaction")
    try:
        import_modules_from_strings(**(config.get("custom_imports") or {"imports": []}))
        model = MODELS.build(config["model"])
        pipeline = Compose([TRANSFORMS.build(step) for step in dataset["pipeline"]])
    except Exception as e:  # the classes of a user's package, as they are by now
        said = not_registered(e, config) or one_line(e)
        if isinstance(e, ImportError):
            said = f"{said}; {IMPORTABLE}"
        raise ValueError(f"{folder.name}: cannot be built any more: {said}") from e
    use_channels_last(model)
    if record.checkpoint_sha256:
        _load_weights(model, folder, record)
    return Predictor(folder.name, modalities, record.data, model.to(device).eval(), pipeline)


def config_of(folder: Path, record: RunRecord) -> dict[str, Any]:
    """What the network and the pipeline of a run are built from.

    Of a run that was trained it is the record's, in which a student's teachers have no weights: they need not be there
    any more. What tests the weights of its stages has them in ``job.json``, with their paths.
    """
    spec = _job_of(folder)
    if spec is not None and spec.fused:
        members = [name for name in (Path(f).name for f in spec.fused) if not _rendered(_config_beside(folder, name))]
        chosen = f"choose from these: {', '.join(members)}" if members else "none of them reads videos alone"
        raise BadUsage(f"{folder.name} is the mean of what other runs predict; {chosen}")
    if record.checkpoint_sha256:
        imports = {"custom_imports": spec.config.get("custom_imports")} if spec is not None else {}
        return record.identity.config | imports
    if spec is None or spec.key != record.key:
        raise ValueError(f"{folder / SPEC}: is not there, or of another job; {redo_advice(folder)}")
    return _with_stages_of(folder, spec.config, tuple(f"-{key[:12]}" for key in record.identity.parents.values()))


def _rendered(config: Mapping[str, Any]) -> list[str]:
    """The modalities that a run reads and no video has: a stage makes them of a data set's clips."""
    dataset = (config.get("test_dataloader") or {}).get("dataset") or {}
    return [m for m in dataset.get("modalities", ()) if m in RENDERED_FROM]


def _config_beside(folder: Path, name: str) -> dict[str, Any]:
    """The config of another run of the ledger; {} where it has no record any more."""
    try:
        return read_record(folder.parent / name).identity.config
    except (OSError, ValueError):
        return {}


def _job_of(folder: Path) -> JobSpec | None:
    """What a run's worker was told, None where nothing of it is left."""
    try:
        return read_spec(folder)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as e:
        raise ValueError(f"{one_line(e)}; {redo_advice(folder)}") from None


def _with_stages_of(folder: Path, node: Any, stages: tuple[str, ...]) -> Any:
    """A config whose files of stages are those beside a run, wherever the work dir was when it was written.

    Args:
        stages: how their folders' names end.
    """
    if isinstance(node, dict):
        return {key: _with_stages_of(folder, value, stages) for key, value in node.items()}
    if isinstance(node, list):
        return [_with_stages_of(folder, value, stages) for value in node]
    if isinstance(node, str) and (stage := Path(node).parent.name).endswith(stages):
        return str(folder.parent / stage / Path(node).name)
    return node


def _load_weights(model: BaseModel, folder: Path, record: RunRecord) -> None:
    """Put the weights of a run's checkpoint into its network, or into the part of it that predicts, whose they are."""
    path = folder / CHECKPOINT
    state = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    shapes = {name: value.shape for name, value in state.items()}
    for network in (model, predicting_network(model)):
        if {name: value.shape for name, value in network.state_dict().items()} == shapes:
            network.load_state_dict(state)
            return
    raise ValueError(f"{path}: has other weights than {record.cell.model} has by now; {redo_advice(folder)}")


def _sample(clip: Mapping[str, Path]) -> dict[str, Any]:
    """What a data set would say of a clip of which nothing is known but its videos."""
    return {
        "clip_id": next(iter(clip.values())).stem,
        "subject": "",
        "label": -1,
        "streams": streams_of(clip),
        "missing": [],
        "modality": "RGB",
        "start_index": 0,
    }
