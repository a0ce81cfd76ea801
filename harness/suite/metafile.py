"""What a ``metafile.yml`` may say: MMAction2's format (that of model-index) with keys of the harness added.

A key that neither has is an error, so that none is misspelt in silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from harness import PACKAGED_CONFIGS
from harness.errors import unknown_name
from harness.suite.numbers import Finite
from harness.suite.stages import SINGLE, Stage

UNSEEN = r"\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069"  # ends a line, or turns round what stands beside it on pages
OneLine = Annotated[str, StringConstraints(pattern=rf"^[^{UNSEEN}]*$")]
Name = Annotated[str, StringConstraints(pattern=rf"^[^{UNSEEN}]*[^{UNSEEN}\s][^{UNSEEN}]*$")]
TEXTS = ("Title", "Training Data")  # of Metadata: named in tables and messages


def _only(*keys: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A check that a mapping has no other keys."""

    def check(found: dict[str, Any]) -> dict[str, Any]:
        if unknown := [key for key in found if key not in keys]:
            raise ValueError(unknown_name("key", unknown[0], keys))
        return found

    return check


def _texts(found: dict[str, Any]) -> dict[str, Any]:
    """A check that what is named in tables is a line of text; YAML reads 3, on and an empty value as something else."""
    for key in TEXTS:
        text = found.get(key, "text")
        if not isinstance(text, str) or not text.strip() or re.search(f"[{UNSEEN}]", text.strip()):
            raise ValueError(f"{key} {text!r} is not one line of text; put it in quotes")
    return {key: found[key].strip() if key in TEXTS else found[key] for key in found}


Paper = Annotated[dict[str, Any], AfterValidator(_only("Title", "URL", "Year"))]
Metadata = Annotated[
    dict[str, Any],
    AfterValidator(
        _only(
            *("Training Data", "Pretrained", "Title", "Architecture", "Family", "Images", "Bound", "Translator"),
            *("Lighting", "Batch Size", "Epochs", "FLOPs", "Frames", "Parameters", "Resolution"),
            # MMAction2's and model-index's, for whom reads the metafile besides
            *("Training Resources", "Training Techniques", "Frame", "Sampling method", "Sampling rate", "n_fft"),
            *("feature", "params", "pseudo heatmap", "configs"),
        )
    ),
    AfterValidator(_texts),
]


class Start(BaseModel):
    """Weights that a method is published with, and the input that they were trained on."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, frozen=True)
    profile: str = Field(default="paper", alias="Profile")  # the only one that starts from them
    file: str = Field(default="", alias="File")  # its address, or a path as Config has it; "" where only the input
    # follows that of other stages
    sha256: str = Field(default="", alias="SHA256", pattern="^([0-9a-f]{64})?$")  # "" where it is not known
    trained_on: str = Field(default="", alias="Trained On")
    stages: tuple[str, ...] = Field(default=(), alias="Stages")  # all where none is named
    modality: str = Field(default="", alias="Modality")  # the one that a network is tested on, as Model's; "" for any
    into: str = Field(default="", alias="Into")  # the module that starts from them, as a dotted key
    prefix: str = Field(default="", alias="Prefix")  # of its weights in the file
    mean: tuple[Finite, Finite, Finite] | None = Field(default=None, alias="Mean")  # of the input, in grey levels, RGB
    std: tuple[Finite, Finite, Finite] | None = Field(default=None, alias="Std")

    @model_validator(mode="after")
    def _whole(self) -> Start:
        if bool(self.file) != bool(self.into):
            raise ValueError("File and Into belong together")
        if self.packaged and not self.file.endswith(".pth"):
            raise ValueError(
                f"File '{self.file}' is neither an address, nor an absolute path, nor a .pth beside a metafile"
            )
        if self.sha256 and "#sha256=" in self.file:
            raise ValueError("SHA256 is given twice: after File and by its own key; leave one out")
        if (self.mean is None) != (self.std is None):
            raise ValueError("Mean and Std belong together")
        return self

    @property
    def packaged(self) -> bool:
        """Whether the file lies among the configs, where ``models pretrain`` puts it."""
        return bool(self.file) and "://" not in self.file and not Path(self.file).expanduser().is_absolute()

    def path(self, configs: Path) -> Path:
        """Where a packaged file lies: below a folder of configs, or below the packaged one."""
        below = Path(*Path(self.file).parts[1:])
        own = configs / below
        return own if own.is_file() or not (PACKAGED_CONFIGS / below).is_file() else PACKAGED_CONFIGS / below


class Collection(BaseModel):
    """A method, in MMAction2's metafile format."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    name: Name = Field(alias="Name")
    paper: Paper = Field(default_factory=dict, alias="Paper")
    metadata: Metadata = Field(default_factory=dict, alias="Metadata")
    start: list[Start] = Field(default_factory=list, alias="Starting Weights")
    optional_at: tuple[str, ...] = Field(default=(), alias="Optional At")  # profiles that leave it out unless asked
    protocol_at: dict[str, OneLine] = Field(default_factory=dict, alias="Protocol At")  # by profile
    # for whom reads the metafile besides
    readme: Any = Field(default=None, alias="README")
    code: Any = Field(default=None, alias="Code")
    image: Any = Field(default=None, alias="Image")


class Model(BaseModel):
    """One config of a method, in MMAction2's metafile format with ``Stage`` and ``Training Modalities`` added."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    name: str = Field(alias="Name")
    config: str = Field(alias="Config")
    collection: str = Field(alias="In Collection")
    metadata: Metadata = Field(alias="Metadata")
    modality: str = Field(alias="Modality")
    training: list[str] | None = Field(default=None, alias="Training Modalities")
    stage: str = Field(default=SINGLE.name, alias="Stage")  # one of the metafile's ``Stages``, or the single network
    start: list[Start] | None = Field(default=None, alias="Starting Weights")  # in place of the collection's
    optional_at: tuple[str, ...] | None = Field(default=None, alias="Optional At")  # in place of the collection's
    protocol: OneLine = Field(default="", alias="Protocol")  # "" is the common one
    # for whom reads the metafile besides
    results: Any = Field(default=None, alias="Results")
    weights: Any = Field(default=None, alias="Weights")
    training_log: Any = Field(default=None, alias="Training Log")
    converted_from: Any = Field(default=None, alias="Converted From")
    other_name: Any = Field(default=None, alias="Alias")
    readme: Any = Field(default=None, alias="README")
    code: Any = Field(default=None, alias="Code")
    image: Any = Field(default=None, alias="Image")


class Metafile(BaseModel):
    """A whole file."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    collections: list[Collection] = Field(alias="Collections")
    models: list[Model] = Field(alias="Models")
    stages: list[Stage] = Field(default_factory=list, alias="Stages")
