"""Which packages are tracked by their source, and which by what their installer noted."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import metadata

from harness.fingerprint.source import find_package
from harness.ledger.record import NOT_TRACKED

PLUGIN = "mtcd_plugin"
# Import names of what pyproject.toml declares, and of what that brings along and a config may name.
DEPENDENCIES = frozenset(
    ("torch", "torchvision", "mmengine", "mmcv", "mmaction", "importlib_metadata", "setuptools", "pkg_resources")
    + ("numpy", "pandas", "pyarrow", "scipy", "statsmodels", "matplotlib", "jinja2", "pydantic", "yaml", "click")
    + ("rich", "av", "PIL", "psutil", "cv2", "einops", "decord", "blake3")
)
INSTALLED = " (installed)"  # after the name of a package of which the installer's list of files is hashed


def top_of(name: str) -> str:
    """The top-level package of a dotted name."""
    return name.partition(".")[0]


def is_installed(package: str) -> bool:
    """Whether an installer put a package there: its files change with its release alone."""
    return any({"site-packages", "dist-packages"} & set(p.parts) for p in find_package(package))


@cache
def installed_sha(package: str) -> str:
    """sha256 of what the installer noted of a package's source files, names and hashes."""
    noted = []
    for distribution in metadata.packages_distributions().get(package, []):
        files = metadata.files(distribution) or []
        noted += sorted(f"{f} {f.hash.value}" for f in files if f.suffix == ".py" and f.hash is not None)
    return hashlib.sha256("\n".join(noted).encode()).hexdigest() if noted else NOT_TRACKED
