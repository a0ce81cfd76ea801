"""Statistics and contact sheets of the data at hand, kept in the work dir for the pages."""

from __future__ import annotations

import json
from pathlib import Path

from harness.ledger.files import write_text_atomically

DATASETS = ("mgr_dark", "nvgesture")
FILE = "data_statistics.json"


def save_summaries(work_dir: Path, data_root: Path) -> None:
    """Measure the data sets below a root, once per state of their annotation files."""
    known = load_summaries(work_dir)
    found = {}
    for name in DATASETS:
        root = Path(data_root) / name
        if not root.is_dir():
            continue
        stamp = _stamp(root)
        if known.get(name, {}).get("stamp") == stamp:
            found[name] = known[name]
            continue
        from harness.data.contact_sheet import contact_sheet
        from harness.data.stats import dataset_statistics

        found[name] = {**dataset_statistics(root), "stamp": stamp}
        contact_sheet(root, Path(work_dir) / f"contact_sheet_{name}.png")
    if found != known:
        write_text_atomically(Path(work_dir) / FILE, json.dumps(found, indent=1) + "\n")


def load_summaries(work_dir: Path) -> dict[str, dict]:
    path = Path(work_dir) / FILE
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _stamp(root: Path) -> str:
    """Changes when the annotation of a data set does."""
    files = sorted([*root.glob("*.csv"), *root.glob("*.lst"), *root.glob("*.json"), *root.glob("*.txt")])
    return ";".join(f"{f.name}:{f.stat().st_size}:{f.stat().st_mtime_ns}" for f in files)
