"""The data sets that the harness knows: one object each, found by name, by dataset class or by what a folder holds.

To add one, in a package of your own (the built-in ones, in ``harness/data/sets/``, are examples):

1. Write a reader: a function ``read(root, **keys)`` that returns a ``mtcd_plugin.formats.clips.ClipTable``.
2. Write the dataset class that trains on it, a subclass of ``mtcd_plugin.datasets.clip_dataset.ClipDataset`` whose
   ``read_table`` calls the reader; configs name it as ``type`` and its module in ``custom_imports``.
3. Make a ``ClipDataSet`` of both in a module that imports neither torch nor MMAction2.
4. Name it in the package's ``pyproject.toml`` and install the package:
   ``[project.entry-points."harness.datasets"]`` with ``my_set = "my_package.my_set:MY_SET"``.
5. Name it in ``benchmark.yml`` under ``datasets``; its folder is ``DATA_ROOT/my_set``. ``data verify --dataset my_set``
   checks it: its reader and every video, and more where it has a ``verify`` of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Protocol

from harness.data.builder import check_made_to_end
from harness.data.names import GROUP, declared
from harness.errors import BadUsage, one_line, unknown_name

if TYPE_CHECKING:
    from harness.data.segment.cut import Summary
    from harness.data.verify.finding import Checked
    from mtcd_plugin.formats.clips import Clip, ClipTable

Progress = Callable[[int, int], None]  # files done, files in all


class Image(Protocol):
    """One image of a person, who is in one split."""

    @property
    def path(self) -> str: ...

    @property
    def pid(self) -> int: ...

    @property
    def cam(self) -> int: ...

    @property
    def infrared(self) -> bool: ...

    @property
    def split(self) -> str:
        """train | test."""


@dataclass(frozen=True)
class DataSet:
    """What the harness knows of a data set."""

    name: str  # of its folder, and in commands
    title: str  # on pages
    marker: str  # a file or folder that its root folder has
    dataset_class: str  # the ``type`` of a dataset config that reads it
    verify: Callable[[Path, int, Progress | None], Checked] | None = None  # root, processes, progress
    generator: str = ""  # a module like ``synthesize.mgr_dark_files``: plan, write_take, write_tables, maybe parts_of
    generator_version: str = ""  # of all generators when this one last changed; empty: today's
    version: str = ""  # of its generator, where that counts beside the version of all of them
    on_demand: bool = False  # made only where it is asked for by name, and not described beside the others
    lights: bool = False  # its generator's ``plan`` takes a ``light``: NAME_light-0.25 has a quarter of it
    samples: str = "clips"  # what it holds, in the plural


@dataclass(frozen=True)
class Parts:
    """The parts that a generator can make one without the other, by name.

    of_config: those that a dataset config reads, without what is no part. of_stream: the one that a stream of a clip
    is in.
    """

    of_config: Callable[[Mapping[str, Any]], tuple[str, ...]]
    of_stream: Callable[[Clip, str], str]


@dataclass(frozen=True, kw_only=True)
class ClipDataSet(DataSet):
    """Video clips with gesture labels.

    keys: of a dataset config, those that ``read`` takes as arguments. everything: arguments with which it reads all
    that is there. segment: cuts recordings (root, out, and the options of ``data segment``) into such a data set.
    parts: what its generator makes for itself where not all is wanted; None: it makes whole sets alone. windows: what
    says which frames of its files are the clips; "": its files are whole clips.
    """

    read: Callable[..., ClipTable]
    keys: tuple[str, ...] = ()
    everything: Mapping[str, Any] = field(default_factory=dict, hash=False)
    segment: Callable[..., Summary] | None = None
    parts: Parts | None = None
    windows: str = ""


@dataclass(frozen=True, kw_only=True)
class ImageDataSet(DataSet):
    """Images of people. ``shows`` tells whether a dataset config shows an image of its split."""

    read: Callable[[str], Sequence[Image]]
    shows: Callable[[Image, Mapping[str, Any]], bool]
    samples: str = "images"


@cache
def data_set(name: str) -> DataSet:
    """A data set by name.

    Raises:
        BadUsage: no such data set; the message lists them. ValueError: its object cannot be loaded, or is none.
    """
    if name not in declared():
        raise BadUsage(unknown_name("data set", name, declared()))
    place = declared()[name]
    try:
        found = resolve_name(place)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(
            f"data set {name}: {place} cannot be loaded ({one_line(error)}); repair or uninstall its package"
        ) from error
    if not isinstance(found, DataSet) or found.name != name:
        what = f"is named {found.name!r}" if isinstance(found, DataSet) else "is no harness.data.registry.DataSet"
        raise ValueError(f"data set {name}: {place} {what}; correct entry-point group {GROUP} of its package")
    return found


def data_sets() -> tuple[DataSet, ...]:
    """All data sets."""
    return tuple(data_set(name) for name in declared())


def clip_data_sets() -> tuple[ClipDataSet, ...]:
    """All data sets of clips."""
    return tuple(d for d in data_sets() if isinstance(d, ClipDataSet))


def segmenter(name: str | None) -> Callable[..., Summary]:
    """What cuts recordings into clips of a data set; None for the only one whose recordings can be cut.

    Raises:
        BadUsage: no such data set, or several where none is named; the message lists them.
    """
    known = {d.name: d.segment for d in clip_data_sets() if d.segment is not None}
    if name is None and len(known) == 1:
        (name,) = known
    if name is None:
        raise BadUsage(f"--dataset is missing; choose from {', '.join(known)}")
    if name not in known:
        raise BadUsage(unknown_name("data set of recordings", name, known))
    return known[name]


def of_config(dataset: Mapping[str, Any]) -> DataSet | None:
    """The data set that a dataset config of MMEngine reads; None for a dataset class that no data set names."""
    return _by_class().get(str(dataset.get("type", "")).rpartition(".")[2])


def clips_of_config(dataset: Mapping[str, Any]) -> ClipDataSet | None:
    """The data set of clips that a dataset config reads; None for images, and where ``of_config`` has None."""
    found = of_config(dataset)
    return found if isinstance(found, ClipDataSet) else None


@cache
def _by_class() -> dict[str, DataSet]:
    found: dict[str, DataSet] = {}
    for one in data_sets():
        other = found.setdefault(one.dataset_class, one)
        if other is not one:
            raise ValueError(f"data sets {other.name} and {one.name} both name dataset class {one.dataset_class}")
    return found


def forget() -> None:
    """Look for the data sets of installed packages anew when one is asked for next."""
    declared.cache_clear()
    data_set.cache_clear()
    _by_class.cache_clear()


def clips_below(root: Path) -> list[str]:
    """The names of the data sets of clips that are folders of a folder; none where it is a data set itself."""
    if any((Path(root) / d.marker).exists() for d in data_sets()):
        return []
    return [d.name for d in clip_data_sets() if (Path(root) / d.name / d.marker).exists()]


def clips_at(root: Path) -> ClipDataSet:
    """The data set of clips that a folder holds, told by its marker; where several fit, by the folder's name.

    Raises:
        FileNotFoundError: none is there, or one that is not made to its end. ValueError: several may be there, or one
        of images.
    """
    check_made_to_end(root)
    fitting = [d for d in data_sets() if (Path(root) / d.marker).exists()]
    if len(fitting) > 1:
        fitting = [d for d in fitting if d.name == Path(root).absolute().name] or fitting
    below = [str(Path(root) / d.name) for d in data_sets() if (Path(root) / d.name / d.marker).exists()]
    if not fitting and below:
        raise FileNotFoundError(f"{root}: no data set is here, but below it; give {' or '.join(below)}")
    if not fitting:
        markers = ", ".join(f"{d.marker} ({d.title})" for d in data_sets())
        raise FileNotFoundError(f"{root}: no data set is here; its folder has one of {markers}")
    if len(fitting) > 1:
        both = " or ".join(d.name for d in fitting)
        raise ValueError(f"{root}: may be {both}; give the folder the name of the data set that it holds")
    (found,) = fitting
    if not isinstance(found, ClipDataSet):
        raise ValueError(f"{root}: {found.title} has {found.samples}, no clips; there is nothing to show of it")
    return found
