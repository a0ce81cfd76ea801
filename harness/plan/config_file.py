"""Config files read with MMEngine, each once as long as it does not change.

``profiles`` are inherited with one rule more than the rest: what a config says of its network (and of any other key
that is not in ``SCALE``) stands above the profiles of its bases. So a value that is set once holds at every profile,
and a part that is replaced with ``_delete_`` gets nothing of what its base's profiles say of the part that was there.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import PACKAGED_CONFIGS

if TYPE_CHECKING:
    from mmengine.config import Config

# What profiles have the say in: how large and how long a training is. All else is the config's own.
SCALE = ("train_dataloader", "val_dataloader", "test_dataloader", "optim_wrapper", "param_scheduler", "train_cfg")

Stamp = tuple[tuple[int, int, int], ...]  # of files: time of change, size, inode

_configs: dict[Path, tuple[Stamp, dict[str, Any]]] = {}  # what was read, with the stamp of the files it came from
_parts: dict[Path, tuple[Stamp, tuple[Any, ...]]] = {}  # the same of MMEngine's own reading, one per file of a chain
_own: dict[Path, dict[str, Any]] = {}  # what each of these files says itself, beside what it inherits
_named: dict[Path, tuple[Stamp, tuple[Path, ...]]] = {}  # the _base_ files that a file names


def read_config(path: Path) -> tuple[dict[str, Any], tuple[Path, ...]]:
    """A fresh copy of a config as plain dicts, and the files it was read from; read anew when one of them changed.

    Raises:
        FileNotFoundError: it or one of its ``_base_`` files does not exist.
        ValueError: it cannot be read.
    """
    files = _with_bases(path)
    stamp = _stamp(files)
    known = _configs.get(path)
    if known is None or known[0] != stamp:
        known = _configs[path] = (stamp, _read(path))
    return dict(plain(known[1])), files


def own_content(path: Path) -> dict[str, Any]:
    """What a file of a config that was read says itself, without what it inherits."""
    own: dict[str, Any] = plain(_own[path])
    return own


def plain(node: Any) -> Any:
    """A copy of nested dicts (or ConfigDicts) as plain dicts; lists and tuples keep their kind, the rest is shared."""
    if isinstance(node, dict):
        return {k: plain(v) for k, v in node.items()}
    if isinstance(node, (list, tuple)):
        return type(node)(plain(v) for v in node)
    return node


def config_text(config: dict[str, Any]) -> str:
    """A config as the text of a config file that inherits from none."""
    from mmengine.config import Config

    return str(Config(config).pretty_text)


def _read(path: Path) -> dict[str, Any]:
    from mmengine.config import Config

    try:
        # What a config prints is no part of what a command says on standard output.
        with _each_base_once(Config), redirect_stdout(sys.stderr):
            # what Config.fromfile makes a Config of
            read: dict[str, Any] = plain(Config._file2dict(str(path))[0])
            return read
    except (Exception, SystemExit) as e:  # a config is code and may raise anything; name the file
        raise ValueError(f"{path}: not a readable config: {type(e).__name__}: {' '.join(str(e).split())}") from e


@contextmanager
def _each_base_once(config: type[Config]) -> Iterator[None]:
    """MMEngine reads the bases of every config anew, seven files a config here: within this context it reads each once.

    What was read is handed out as it is: MMEngine copies the dicts of a base before it merges into them.
    """
    read_file, merge, locate = config._file2dict, config._merge_a_into_b, config._get_cfg_path
    merging: list[dict[str, Any]] = []  # the last file whose content was merged into its bases'
    depth = 0

    def read(filename: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        path = Path(os.path.abspath(filename))
        stamp = _stamp(_with_bases(path))
        known = _parts.get(path)
        if known is None or known[0] != stamp:
            known = _parts[path] = (stamp, read_file(filename, *args, **kwargs))
            _own[path] = merging.pop()
        return known[1]

    def base_of(name: str, filename: str) -> tuple[str, str | None]:
        """MMEngine asks pkg_resources, which current releases of setuptools no longer have."""
        return str(named_config(Path(filename), name)), _scope_of(name)

    def inherit(own: dict[str, Any], base: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        nonlocal depth
        depth += 1
        try:
            if depth == 1:
                merging[:] = [plain(own)]
                if isinstance(base.get("profiles"), dict):
                    kept = {p: _without_own(section, own) for p, section in base["profiles"].items()}
                    base = {**base, "profiles": kept}
            return merge(own, base, *args, **kwargs)
        finally:
            depth -= 1

    config._file2dict, config._merge_a_into_b = staticmethod(read), staticmethod(inherit)
    config._get_cfg_path = staticmethod(base_of)
    try:
        yield
    finally:
        config._file2dict, config._merge_a_into_b = staticmethod(read_file), staticmethod(merge)
        config._get_cfg_path = staticmethod(locate)


def _without_own(section: Any, own: dict[str, Any]) -> Any:
    """What is left of a base's profile in a config that says ``own``."""
    if not isinstance(section, dict):
        return section
    network = {k: v for k, v in own.items() if k not in (*SCALE, "profiles")}
    return _unset(section, network)


def _unset(section: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    kept = {}
    for key, value in section.items():
        if key not in own:
            kept[key] = value
        elif isinstance(value, dict) and isinstance(own[key], dict):
            kept[key] = {} if own[key].get("_delete_") else _unset(value, own[key])
    return kept


def _with_bases(path: Path) -> tuple[Path, ...]:
    """The file and its ``_base_`` files, recursively, each once."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such config")
    found = [path]
    for base in _bases(path):
        if not base.is_file():
            raise FileNotFoundError(f"{path}: its _base_ file {base} does not exist")
        found += _with_bases(base)
    return tuple(dict.fromkeys(found))


def _bases(path: Path) -> tuple[Path, ...]:
    stamp = _stamp((path,))
    known = _named.get(path)
    if known is None or known[0] != stamp:
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            names: Any = next((ast.literal_eval(s.value) for s in map(_base_statement, tree.body) if s is not None), [])
        except (SyntaxError, ValueError) as e:
            raise ValueError(f"{path}: not a readable config: {' '.join(str(e).split())}") from None
        names = [names] if isinstance(names, str) else names
        known = _named[path] = (stamp, tuple(named_config(path, n) for n in names))
    return known[1]


def named_config(path: Path, name: str) -> Path:
    """The file that a config names as a ``_base_`` or a parent: by a path from its own folder, ``mm_configs::file`` for
    one that came with the harness, or ``package::file`` for one that came with an installed package.

    Raises:
        FileNotFoundError: there is no such package, or no such config in it.
    """
    package, external, inside = name.partition("::")
    if not external:
        return Path(os.path.normpath(path.parent / name))
    if package == PACKAGED_CONFIGS.name:
        return PACKAGED_CONFIGS / inside
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"{path}: _base_ '{name}': package '{package}' is not installed")
    configs = Path(next(iter(spec.submodule_search_locations))) / ".mim" / "configs"
    if not (configs / inside).is_file():
        raise FileNotFoundError(f"{path}: _base_ '{name}': no such config; those of {package} lie in {configs}")
    return configs / inside


def _scope_of(name: str) -> str | None:
    """The registry that MMEngine builds what an external base says from; ours are in that of every other config."""
    package, external, _ = name.partition("::")
    return package if external and package != PACKAGED_CONFIGS.name else None


def _base_statement(statement: ast.stmt) -> ast.Assign | None:
    """The statement where it assigns ``_base_``."""
    if not isinstance(statement, ast.Assign):
        return None
    named = any(isinstance(t, ast.Name) and t.id == "_base_" for t in statement.targets)
    return statement if named else None


def _stamp(files: tuple[Path, ...]) -> Stamp:
    """Changes when one of the files does."""
    return tuple((s.st_mtime_ns, s.st_size, s.st_ino) for s in map(os.stat, files))
