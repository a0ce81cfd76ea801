"""Statistics and contact sheets of the data at hand, kept in the work dir for the pages.

Pages are written whatever is wrong with the data: what cannot be read is left out, and said on the page. Files are
decoded in a process of its own, so that one that ends it ends no more than that.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from harness.data.describe.apart import run_apart
from harness.data.registry import clip_data_sets
from harness.errors import first_of
from harness.ledger.files import write_text_atomically
from harness.ledger.run_dir import STATISTICS
from harness.ledger.statistics import EDITED, is_edited, read_statistics, unread, with_seal

NAMED = 5  # things left out that are named on the terminal

Count = Annotated[int, Field(ge=0)]


class Light(BaseModel):
    """Mean and standard deviation of colour values in [0, 1]."""

    model_config = ConfigDict(allow_inf_nan=False)
    mean: float
    std: float


class Statistics(BaseModel):
    """What is known of a data set (``stats.dataset_statistics``); ``problem`` says why nothing is."""

    model_config = ConfigDict(allow_inf_nan=False)
    name: str = ""
    synthetic: bool | None = None
    generator_version: str = ""
    seed: str = ""
    classes: list[str] = []
    clips: Count = 0
    quarantined: Count = 0
    subjects: Count = 0
    clips_per_class: dict[str, Count] = {}
    clips_per_subject: dict[str, Count] = {}
    clips_per_scene: dict[str, Count] = {}
    clips_per_split: dict[str, Count] = {}
    clips_per_lighting: dict[str, Count] = {}
    resolution: dict[str, tuple[Count, Count]] = {}  # modality -> width, height
    fps: dict[str, float] = {}  # both: what most clips have
    other_resolution: dict[str, dict[str, Count]] = {}  # modality -> what other clips have -> how many
    other_fps: dict[str, dict[str, Count]] = {}
    probed: Count = 0  # clips of a modality, at most, that both were measured of; 0: all
    lengths: list[Count] = []  # frames of each rgb clip
    seconds: float = 0.0
    rgb: dict[str, Light] = {}  # lighting -> values
    left_out: list[str] = []
    unmade: str = ""
    problem: str = ""
    stamp: str = ""
    profile: str = ""  # of the run-all that measured it last, "" where that is not known
    seal: str = ""  # ``statistics.with_seal``, "" in a file of an older harness


def save_summaries(
    work_dir: Path,
    data_root: Path,
    quarantine: Mapping[str, Path] | None = None,
    say: Callable[[str], None] = lambda _: None,
    profile: str = "",
) -> None:
    """Measure the data sets below a root, once per state of their files.

    Args:
        quarantine: data set -> file of clip ids to leave out.
        say: gets a line for each data set of which something could not be read. profile: at which they are read.
    """
    known = _load(work_dir, say)
    found = {}
    for name in (data_set.name for data_set in clip_data_sets() if not data_set.on_demand):
        root = Path(data_root) / name
        if not root.is_dir():
            continue
        bad = str((quarantine or {}).get(name, ""))
        stamp = _stamp(root, bad)
        before = known.get(name, {})
        if before.get("stamp") == stamp and before.get("seal"):
            about = before
        else:
            about = {**_measured(root, Path(work_dir) / f"contact_sheet_{name}.png", bad), "stamp": stamp}
        found[name] = with_seal(_plain(Statistics.model_validate(about | ({"profile": profile} if profile else {}))))
        _say_left_out(name, found[name], say)
    if found != known:
        write_text_atomically(Path(work_dir) / STATISTICS, json.dumps(found, indent=1) + "\n")


def load_summaries(work_dir: Path, say: Callable[[str], None] = lambda _: None) -> dict[str, dict[str, Any]]:
    """Data set -> its statistics, without what was not measured; {} and a line where the file is damaged, a line and no
    statistics of a data set where they were edited.
    """
    return {name: {k: v for k, v in about.items() if k != "seal"} for name, about in _load(work_dir, say).items()}


def _plain(about: Statistics) -> dict[str, Any]:
    return about.model_dump(mode="json", exclude_unset=True)


def _load(work_dir: Path, say: Callable[[str], None]) -> dict[str, dict[str, Any]]:
    """``load_summaries``, each with its seal where it has one."""
    path = Path(work_dir) / STATISTICS
    try:
        content = read_statistics(work_dir)
        found = TypeAdapter(dict[str, Statistics]).validate_json(content)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        reason = (
            error.errors()[0]["msg"]
            if isinstance(error, ValidationError)
            else getattr(error, "strerror", None) or error
        )
        say(f"{path}: {unread(error, reason)}")
        return {}
    edited = [name for name, about in json.loads(content).items() if is_edited(about)]
    for name in edited:
        say(f"{path}: {name}: {EDITED}")
    return {name: _plain(about) for name, about in found.items() if name not in edited}


def measure(root: Path, sheet: Path, quarantine: str) -> dict[str, Any]:
    """Statistics of a data set as JSON values, and its contact sheet in a file."""
    from harness.data.describe.contact_sheet import contact_sheet
    from harness.data.describe.statistics import dataset_statistics

    found = dataset_statistics(root, quarantine)
    more = contact_sheet(root, sheet, quarantine)
    return {**found, "left_out": list(dict.fromkeys([*found["left_out"], *more]))}


def _measured(root: Path, sheet: Path, quarantine: str) -> dict[str, Any]:
    """``measure`` in a process of its own; what stops it is the data set's ``problem``, never an error."""
    ((found, problem),) = run_apart(measure, [(root, sheet, quarantine)])
    if found is not None:
        return found
    sheet.unlink(missing_ok=True)
    return {"name": root.name, "problem": problem.replace(f"{root}/", "")}


def _say_left_out(name: str, found: dict[str, Any], say: Callable[[str], None]) -> None:
    if found.get("problem"):
        say(f"{name}: no statistics on the data page: {found['problem']}")
    if lines := found.get("left_out", []):
        say(f"{name}: left out of the data page: {first_of(lines, NAMED)}")


def _stamp(root: Path, quarantine: str) -> str:
    """Changes when the annotation of a data set does, one of its videos, the quarantine, or the code that measures."""
    from harness.data.describe.readable import open_table

    digest = hashlib.sha256()
    for code in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(code.read_bytes())
    tables = [path for pattern in ("*.csv", "*.lst", "*.json", "*.txt") for path in sorted(root.glob(pattern))]
    try:
        videos: list[str] = sorted({s.path for clip in open_table(root).clips for s in clip.streams.values()})
    except (ValueError, OSError):
        videos = []  # measuring says why
    for path in map(str, (*tables, *videos, *([quarantine] if quarantine else []))):
        try:
            stat = os.stat(path)
            digest.update(f"{path} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}\n".encode())
        except OSError as error:
            digest.update(f"{path} {error.errno}\n".encode())
    return digest.hexdigest()
