"""A made-up ledger in a folder, ready to be built into a site."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from tests.helpers.fake_benchmark import fake_benchmark, fake_entries
from tests.helpers.fake_ledger import write_fake_ledger

FAKE_STATISTICS = {
    "mgr_dark": {
        "name": "MGR-Dark",
        "synthetic": True,
        "generator_version": "fake 1",
        "seed": 7,
        "classes": ["fake one", "<i>fake two</i>"],
        "clips": 1234,
        "subjects": 21,
        "clips_per_class": {"fake one": 600, "<i>fake two</i>": 634},
        "clips_per_subject": {"s1": 500, "s10": 400, "s2": 334},
        "clips_per_scene": {"hall": 1234},
        "clips_per_split": {"test": 234, "train": 1000},
        "clips_per_lighting": {"dark": 617, "daylight": 617},
        "resolution": {"rgb": [192, 108], "ir": [96, 72]},
        "fps": {"rgb": 25.0, "ir": 12.5},
        "lengths": [45, 60, 60, 120, 210],
        "seconds": 3725.0,
        "rgb": {"dark": {"mean": 0.0421, "std": 0.0312}, "daylight": {"mean": 0.4567, "std": 0.2351}},
        "stamp": "x",
    },
}


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
