"""The run record: everything that is known about one run, as one JSON document."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA_VERSION = 2

Count = Annotated[int, Field(ge=0, lt=2**63)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]

NOT_TRACKED = "not tracked"
NO_START = (
    "no starting weights are listed for it in metafile.yml: trained from scratch"  # a note, where they were asked for
)

FailureKind = Literal[
    "out_of_memory", "nan_loss", "data_error", "time_limit", "killed", "crash", "node_failure", "cancelled"
]


class Strict(BaseModel):
    """Base of every record part: unknown fields are errors, so a typo never becomes a silent loss;
    so is NaN or Infinity.
    """

    model_config = ConfigDict(extra="forbid", protected_namespaces=(), allow_inf_nan=False)


class CellInfo(Strict):
    """What was measured. One cell = one model entry x variant x seed (x profile)."""

    model: str  # metafile model name, e.g. "i3d_r50_mgr-dark-rgb"
    method: str  # metafile collection name, e.g. "I3D"
    stage: str  # "single" or translator | pseudo_ir | teacher | assistant | student
    dataset: str  # dataset key of benchmark.yml, e.g. "mgr_dark"
    train_modalities: list[str]  # e.g. ["rgb", "ir"]
    test_modality: str  # e.g. "rgb"
    variant: str = ""  # "" is the config as it stands
    overrides: dict[str, Any] = Field(default_factory=dict)  # the variant's dotted-key overrides
    seed: int
    profile: str  # smoke | demo | paper


class Identity(Strict):
    """The components whose hash is the run's key (docs/architecture.md, rule 2)."""

    version: int
    config: dict[str, Any]  # resolved config without paths and hardware settings
    data: dict[
        str, str
    ]  # fingerprints of the clips, "train" and "test"; of what is said about them, "info" and "test_labels"
    parents: dict[str, str]  # stage name -> key of the parent run
    code: dict[str, str]  # definition -> its own and its full hash; what has none that could be found -> NOT_TRACKED
    seed: int

    @property
    def untracked(self) -> list[str]:
        """Types and packages whose code is not part of the key, because it was not found."""
        return sorted(name for name, sha in self.code.items() if sha == NOT_TRACKED)


class Failure(Strict):
    """Why a run gave no result."""

    kind: FailureKind
    message: str  # one line
    log_tail: list[str] = Field(default_factory=list)


class Epoch(Strict):
    """One training epoch. Accuracies are fractions of the training batches, never of the test split."""

    epoch: int
    loss: float
    losses: dict[str, float] = Field(default_factory=dict)  # every loss term by name
    train_top1: float | None = None
    lr: float | None = None
    seconds: float | None = None
    data_seconds: float | None = None  # of which waiting for data


class DataInfo(Strict):
    """The data set a run was trained and tested on."""

    name: str  # "MGR-Dark"
    synthetic: bool
    fingerprint: str  # sha256 over the clips that were used
    classes: list[str]
    train_clips: Count
    test_clips: Count
    train_subjects: list[str]
    test_subjects: list[str]
    lighting: str = ""  # "dark" | "daylight" | "" where the set has no such thing
    quarantine: str = ""  # sha256 of the sorted ids of the clips left out, "" for none


class StartingWeights(Strict):
    """A file that a run's training started from. Counts are None where the network's own class loads it."""

    where: str  # dotted key of the config, e.g. "model.backbone.init_cfg.checkpoint" or "load_from"
    file: str  # its address, or the last part of its path
    sha256: str  # of its content
    loaded: int | None = None  # tensors, of ``total`` that the module has
    total: int | None = None
    backbone_loaded: int | None = None
    backbone_total: int | None = None
    naming: str = ""  # prefixes and names that were changed
    adapted: list[str] = Field(default_factory=list)  # of another shape, and what was done
    left_out: list[str] = Field(default_factory=list)  # of a shape that does not fit
    missing: list[str] = Field(default_factory=list)  # not in the file: as initialised
    unexpected: list[str] = Field(default_factory=list)  # the file's, without a place


class Cost(Strict):
    """Cost of the network that predicts (the student alone for distillation)."""

    params: Count | None = None
    flops: Count | None = None  # multiply-adds of one view
    input_shape: list[Count] = Field(default_factory=list)
    train_seconds: Seconds | None = None
    test_seconds: Seconds | None = None
    total_seconds: Seconds | None = None
    data_time_share: Share | None = None  # share of training time spent waiting for data
    peak_memory_bytes: Count | None = None


class Metrics(Strict):
    """Fractions in [0, 1], recomputed from the predictions of every test clip (paper, Eq. 11)."""

    top1: Share
    top5: Share
    mean_class: Share


class RunRecord(Strict):
    """``run.json``. ``status`` is "done" or "failed"; a failed run has a ``failure`` and no metrics."""

    schema_version: Annotated[int, Field(strict=True)] = SCHEMA_VERSION
    key: str  # sha256 hex of ``identity``
    status: Literal["done", "failed"]
    kind: Literal["train", "render"] = "train"
    cell: CellInfo
    identity: Identity
    failure: Failure | None = None
    metrics: Metrics | None = None  # None for stages that predict no class (translator, pseudo_ir)
    measurements: dict[str, float] = Field(default_factory=dict)  # further named numbers of a stage
    predictions_sha256: str = ""  # of predictions.parquet, "" where there is none
    checkpoint_sha256: str = ""  # of checkpoint.pth, "" where there is none
    store_sha256: str = ""  # of the files that a rendering wrote, "" where there are none
    epochs: list[Epoch] = Field(default_factory=list)
    data: DataInfo | None = None
    cost: Cost = Field(default_factory=Cost)
    pretrained: list[StartingWeights] = Field(default_factory=list)  # empty = from scratch
    environment: dict[str, str] = Field(default_factory=dict)
    hardware: dict[str, str] = Field(default_factory=dict)
    commit: str = ""  # of the harness, "-dirty" appended where the tree was changed
    command: str = ""  # what re-does this run
    started: str = ""  # ISO 8601, UTC
    finished: str = ""
    attempts: int = 1
    adopted: str = ""  # why a run with another identity was declared equivalent, "" for a run of its own
    adopted_from: str = ""  # key of that run
    notes: list[str] = Field(default_factory=list)
    seal: str = ""  # ``seal_of`` the record, set when it is written


def seal_of(document: Strict) -> str:
    """sha256 hex of a record or plan as canonical JSON, without its ``seal``: it tells that the file was edited.

    No proof against somebody who computes the seal anew.
    """
    return seal_of_content(document.model_dump(mode="json"))


def seal_of_content(content: Mapping[str, Any]) -> str:
    """``seal_of`` a document as it stands in its file, which an older harness may have written with fewer fields."""
    content = {k: v for k, v in content.items() if k != "seal"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
