"""A made-up ledger in a folder, ready to be built into a site."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from fake_benchmark import fake_benchmark, fake_entries
from fake_ledger import write_fake_ledger


def write(folder: Path, seeds: int = 3, **kw) -> SimpleNamespace:
    """A made-up ledger and its benchmark in ``folder``."""
    work_dir, benchmark, entries = folder / "work", fake_benchmark(), fake_entries(folder / "configs")
    readme = folder / "configs" / "plain" / "README.md"
    readme.parent.mkdir(parents=True, exist_ok=True)
    readme.write_text(
        "# Plain\n\n[A link](https://example.org)\n\nA `plain` <i>network</i>, see [its paper](https://x.org).\n"
    )
    write_fake_ledger(work_dir, benchmark, entries, seeds=seeds, takes=2, **kw)
    return SimpleNamespace(work_dir=work_dir, benchmark=benchmark, entries=entries, site=folder / "site")
