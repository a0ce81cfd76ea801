"""What training starts from: the files that a config names, by their content, and those that a metafile lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.ledger.record import NO_START, StartingWeights
from harness.suite import Entry
from harness.suite.dotted import ABSENT, get_dotted, set_dotted
from harness.suite.metafile import Start
from mtcd_plugin.formats.weights_file import absent, known_sha256, split_sha256, weights_file

FILE_KEYS = ("checkpoint", "init_from", "load_from")  # whose text is always a file
SUFFIXES = (".pth", ".pt", ".ckpt", ".bin", ".safetensors")


@dataclass(frozen=True)
class Found:
    """One file of weights in a config: what is recorded of it, and what the config says for the worker."""

    started: StartingWeights
    source: str  # its address, or an absolute path, whose content was looked at: without a sha256


@dataclass(frozen=True)
class Absent:
    """A file that a metafile lists and that is not there."""

    file: str  # its address
    trained_on: str
    path: Path  # where it belongs
    remedy: str = ""  # the command that makes it; "" for one to be downloaded


class MissingStart(FileNotFoundError):
    """Files that a method, or a stage that it depends on, starts from and that are not there: each is named, once."""

    def __init__(self, method: str, absent: Iterable[Absent]) -> None:
        self.method, self.absent = method, tuple(dict.fromkeys(absent))
        files = " and ".join(f"{a.file} ({a.trained_on})" if a.trained_on else a.file for a in self.absent)
        paths = " and ".join(str(a.path) for a in self.absent)
        are, it = ("are", "them") if len(self.absent) > 1 else ("is", "it")
        made = " and ".join(dict.fromkeys(a.remedy for a in self.absent if a.remedy))
        cure = f"make {it} with {made}" if made else f"put {it} at {paths}"
        super().__init__(
            f"{method} starts from {files}, which {are} not there: {cure}, or train from nothing with --init scratch"
        )


def start_from(entry: Entry, config: dict[str, Any], own: dict[str, Any], init: str, profile: str) -> dict[str, Any]:
    """A config that starts from the weights which the entry's metafile lists for a profile, with the input that they
    were trained on.

    Args:
        own: the config without its parents' outputs. Where it names weights of its own they are kept, and none is
            added.
        init: ``pretrained`` or ``scratch``, which leaves the config as it is.

    Raises:
        ValueError: a listed module that the config does not have.
    """
    if init == "scratch" or any(_is_start(key) for key, _ in _named(own)):
        return config
    for start in entry.starts_at(profile):
        where = f"{entry.config.parent / 'metafile.yml'}: Starting Weights"
        if start.into and config.get("train_cfg") is not None:
            module = _module(config, start.into, where)
            source = _source(entry, start)
            address = f"{source}#sha256={start.sha256}" if start.sha256 else source
            pretrained = {"type": "Pretrained", "checkpoint": address}
            if start.prefix:
                pretrained["prefix"] = start.prefix
            others = module.get("init_cfg") or []
            others = list(others) if isinstance(others, (list, tuple)) else [others]
            config = set_dotted(config, f"{start.into}.init_cfg", [*others, pretrained])
        if start.mean is not None and start.std is not None:
            _module(config, "model.data_preprocessor", where)
            for key, value in (("statistics", "fixed"), ("mean", list(start.mean)), ("std", list(start.std))):
                config = set_dotted(config, f"model.data_preprocessor.{key}", value)
    return config


def _source(entry: Entry, start: Start) -> str:
    """The address or path of listed weights."""
    return str(start.path(entry.config.parent.parent).absolute()) if start.packaged else start.file


def missing_start(entry: Entry, own: dict[str, Any], inject_at: list[str], init: str, profile: str) -> str:
    """A note where ``pretrained`` is asked for and training starts from nothing, since no file is given; "" elsewhere.

    Args:
        own: the config without its parents' outputs. inject_at: where those go; one that is trained on is a start.
    """
    if init != "pretrained" or own.get("train_cfg") is None or any(_is_start(key) for key, _ in _named(own)):
        return ""
    continued = any(".init_from." in f"{key}." for key in inject_at)
    return "" if continued or any(s.into for s in entry.starts_at(profile)) else NO_START


def find_weights(config: dict[str, Any], entry: Entry) -> tuple[Found, ...]:
    """Every file of weights that a config names, with the sha256 of its content.

    Raises:
        FileNotFoundError: one that is not there; :class:`MissingStart` for listed ones, all of them.
        ValueError: one that is not what it must be, or that would have no effect.
    """
    listed = {split_sha256(_source(entry, s))[0]: s for s in entry.start if s.file}
    found: list[Found] = []
    missing: list[Absent] = []
    for key, text in _named(config):
        if config.get("train_cfg") is None and _is_start(key):
            raise ValueError(f"{entry.config}: {key} has no effect: this config trains nothing")
        file = weights_file(text)
        start = listed.get(split_sha256(text)[0])
        remedy = _remedy(start) if start is not None and start.packaged else ""
        try:
            sha256 = known_sha256(file)
        except FileNotFoundError:
            if start is None:
                raise FileNotFoundError(f"{entry.config}: {key}: {absent(file)}") from None
            missing.append(Absent(start.file, start.trained_on, file.path, remedy))
            continue
        except ValueError:
            if start is None or not remedy:
                raise
            raise ValueError(
                f"{entry.method} starts from {start.file}, whose content is not what metafile.yml says (SHA256 "
                f"{start.sha256[:12]}...): make it anew with {remedy}, or train from nothing with --init scratch"
            ) from None
        source = text if file.url else str(file.path)
        found.append(Found(StartingWeights(where=key, file=file.name, sha256=sha256), source))
    if missing:
        raise MissingStart(entry.method, missing)
    return tuple(found)


def _remedy(start: Start) -> str:
    """The command that makes a packaged file: it lies in the folder of the method that it is made with."""
    return f"`python -m harness models pretrain {Path(start.file).parts[1]}`"


def placed(config: dict[str, Any], weights: tuple[Found, ...]) -> dict[str, Any]:
    """The config for the worker: paths are absolute."""
    for w in weights:
        config = set_dotted(config, w.started.where, w.source)
    return config


def hashed(config: dict[str, Any], weights: tuple[Found, ...]) -> dict[str, Any]:
    """The config for the key: the content's sha256 in the place of every file."""
    for w in weights:
        config = set_dotted(config, w.started.where, f"sha256:{w.started.sha256}")
    return config


def _named(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Dotted key and text of every file of weights that a config names."""
    if isinstance(config.get("load_from"), str) and config["load_from"]:
        yield "load_from", config["load_from"]
    yield from _below(config.get("model"), "model")


def _is_start(key: str) -> bool:
    """Whether a key gives starting weights, not the output of another stage."""
    return key == "load_from" or key.endswith(".pretrained") or ".init_cfg." in key


def _below(node: Any, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, Mapping):
        items: Any = node.items()
    elif isinstance(node, (list, tuple)):
        items = enumerate(node)
    else:
        return
    for key, value in items:
        if isinstance(value, str):
            if value and _is_file(str(key), value):
                yield f"{at}.{key}", value
        else:
            yield from _below(value, f"{at}.{key}")


def _is_file(key: str, text: str) -> bool:
    plain = text.rpartition("#sha256=")[0].lower() or text.lower()
    return key in FILE_KEYS or plain.endswith(SUFFIXES) or (key == "pretrained" and ("/" in text or "://" in text))


def _module(config: Any, dotted: str, where: str) -> dict[str, Any]:
    found = get_dotted(config, dotted)
    if found is ABSENT:
        raise ValueError(f"{where}: the config has no '{dotted}'")
    if not isinstance(found, Mapping):
        raise ValueError(f"{where}: '{dotted}' is no module of the config")
    return dict(found)
