"""YAML files, with the fast parser where PyYAML was built with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path) -> Any:
    """Raises FileNotFoundError, or ValueError with one line for what is not YAML."""
    try:
        return yaml.load(Path(path).read_text(encoding="utf-8"), Loader=LOADER)  # noqa: S506  a safe loader
    except yaml.YAMLError as e:
        raise ValueError(f"{path}: not YAML: {' '.join(str(e).split())}") from None
