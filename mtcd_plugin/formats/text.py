"""Reading small text files, with errors that name the file."""

from __future__ import annotations

import json
from pathlib import Path

from mtcd_plugin.formats.regular import regular_stat


def read_lines(path: Path, what: str) -> list[str]:
    """Lines of a UTF-8 file, without line ends and byte order mark. FileNotFoundError or ValueError."""
    try:
        regular_stat(path)
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{path} ({what}) is not a UTF-8 text file") from None
    except OSError as error:
        raise FileNotFoundError(f"{path} ({what}): {error.strerror}; check data_root") from None


def check_place(root: Path, mark: str) -> None:
    """FileNotFoundError where the file or folder ``mark`` is not in ``root`` but one folder further down, as an archive
    leaves it that was extracted within its place.
    """
    if (root / mark).exists():
        return
    for inner in sorted(root.glob("*/")):
        if (inner / mark).exists():
            raise FileNotFoundError(
                f"{root}: {mark} is not here but in {inner.name}/ below; move what is in {inner.name}/ one folder up"
            )


def is_synthetic(root: Path) -> bool:
    """Whether ``dataset.json`` says that the set was generated. Real sets have no such file."""
    path = root / "dataset.json"
    if not path.exists():
        return False
    try:
        described = json.loads("\n".join(read_lines(path, "description of the data set")))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: not valid JSON ({error})") from None
    if not isinstance(described, dict) or not isinstance(described.get("synthetic", False), bool):
        raise ValueError(f"{path}: expected an object whose 'synthetic' is true or false")
    return described.get("synthetic", False)
