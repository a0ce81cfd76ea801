"""SYSU-MM01: visible and infrared images of people, unpaired, with identities shared across cameras.

``cam{1..6}/{%04d pid}/{%04d}.jpg`` and ``exp/{train_id,val_id,test_id}.txt``, each one line of
comma-separated ids. Cameras 3 and 6 are near-infrared. Not every person was seen by every camera.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mtcd_plugin.formats.text import read_lines

CAMERAS = (1, 2, 3, 4, 5, 6)
INFRARED_CAMERAS = (3, 6)
SPLITS = {"train": ("train_id", "val_id"), "test": ("test_id",)}


@dataclass(frozen=True)
class SysuImage:
    """One image. ``pid`` is the person's number in the data set, not a class label."""

    path: str
    pid: int
    cam: int
    infrared: bool
    split: str  # train | test


def read_sysu_mm01(root: str) -> list[SysuImage]:
    """Every image of the listed people, by split, person, camera and file name.

    Raises:
        FileNotFoundError, ValueError: one line: a list is missing, malformed or names people without
        images, or the splits share a person.
    """
    base = Path(root)
    people = {
        split: sorted({pid for name in names for pid in _read_ids(base / "exp" / f"{name}.txt")})
        for split, names in SPLITS.items()
    }
    if shared := set(people["train"]) & set(people["test"]):
        raise ValueError(
            f"{base / 'exp'}: person {min(shared)} is both in the training and the test split"
        )
    images = []
    for split, pids in people.items():
        for pid in pids:
            found = [
                SysuImage(str(path), pid, cam, cam in INFRARED_CAMERAS, split)
                for cam in CAMERAS
                for path in sorted((base / f"cam{cam}" / f"{pid:04d}").glob("*.jpg"))
            ]
            if not found:
                raise FileNotFoundError(
                    f"{base}: no image of person {pid:04d} of the {split} split; check data_root"
                )
            images += found
    return images


def _read_ids(path: Path) -> list[int]:
    text = ",".join(line for line in read_lines(path, "SYSU-MM01's list of people") if line.strip())
    try:
        ids = [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise ValueError(f"{path}: expected comma-separated numbers") from None
    if not ids:
        raise ValueError(f"{path}: no people in it")
    return ids
