"""SYSU-MM01: visible and infrared images of people, unpaired, with identities shared across cameras.

``cam{1..6}/{%04d pid}/{%04d}.jpg`` and ``exp/{train_id,val_id,test_id}.txt``, each one line of
comma-separated ids. Cameras 3 and 6 are near-infrared. Not every person was seen by every camera.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from mtcd_plugin.formats.regular import regular_stat
from mtcd_plugin.formats.text import check_place, read_lines

MARK = "exp"
CAMERAS = (1, 2, 3, 4, 5, 6)
INFRARED_CAMERAS = (3, 6)
MOST_PIXELS = 4096 * 4096  # of an image, as of a video frame; those of the data set have some 10,000
TOO_LARGE = f"has more than {MOST_PIXELS:,} pixels"
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
    check_place(base, MARK)
    people = {
        split: sorted({pid for name in names for pid in read_people(base / "exp" / f"{name}.txt")})
        for split, names in SPLITS.items()
    }
    if shared := set(people["train"]) & set(people["test"]):
        raise ValueError(f"{base / 'exp'}: person {min(shared)} is both in the training and the test split")
    images = []
    for split, pids in people.items():
        for pid in pids:
            found = [
                SysuImage(str(path), pid, cam, cam in INFRARED_CAMERAS, split)
                for cam in CAMERAS
                for path in sorted((base / f"cam{cam}" / f"{pid:04d}").glob("*.jpg"))
            ]
            if not found:
                raise FileNotFoundError(f"{base}: no image of person {pid:04d} of the {split} split; check data_root")
            images += found
    return images


def is_too_large(path: str) -> bool:
    """Whether an image has more than ``MOST_PIXELS`` by its header: a small file may unpack to gigabytes."""
    from PIL import Image

    try:
        regular_stat(path)
        with Image.open(path) as image:
            return image.width * image.height > MOST_PIXELS
    except Image.DecompressionBombError:
        return True
    except OSError:
        return False  # whoever decodes it says what is wrong


def read_people(path: Path, problems: list[str] | None = None) -> list[int]:
    """Numbers of people, from 1 to 9999, separated by commas. With ``problems``, what is not such a number is described
    there, and the rest is read.
    """
    people = []
    for line_number, line in enumerate(read_lines(path, "SYSU-MM01's list of people"), 1):
        for part in filter(None, (part.strip() for part in line.split(","))):
            if re.fullmatch(r"[0-9]{1,4}", part) and int(part):
                people.append(int(part))
                continue
            where = f"{path} line {line_number}"
            text = f"{where}: {part[:40]!r} is not the number of a person, from 1 to 9999; commas separate them"
            if problems is None:
                raise ValueError(text)
            problems.append(text)
    if not people:
        raise ValueError(f"{path}: no people in it")
    return people
