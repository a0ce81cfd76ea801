"""The libraries that pages are made with."""

from __future__ import annotations

import platform
from importlib import metadata

MADE_WITH = (  # what pages, their drawings and their downloads are
    "jinja2",
    "markupsafe",
    "matplotlib",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "pydantic_core",
    "pyyaml",
    "scipy",
)


def libraries() -> str:
    """Python and the libraries that pages are made with, each with its version."""
    return "\n".join([f"python {platform.python_version()}", *(f"{n} {metadata.version(n)}" for n in MADE_WITH)])
