"""Checks SYSU-MM01: lists of people, and every image decoded."""

from __future__ import annotations

import hashlib
from pathlib import Path

from harness.data.registry import Progress
from harness.data.verify.annotations import MEND_FILE, Findings, says_synthetic
from harness.data.verify.files import content_findings
from harness.data.verify.finding import Checked, Finding
from harness.ledger.files import open_file
from harness.system.pool import process_pool
from mtcd_plugin.formats.sysu import CAMERAS, INFRARED_CAMERAS, SPLITS, TOO_LARGE, is_too_large, read_people

SHARED_IMAGES = 64  # per message to a process
MEND_IMAGE = "restore the file, or remove it"


def check_sysu_mm01(root: Path, processes: int, progress: Progress | None = None) -> Checked:
    """Check the lists and every image. The id of an image is cam1/0001/0001."""
    found = Findings(root)
    people: dict[int, str] = {}
    for split, names in SPLITS.items():
        for name in names:
            for pid in _read_people(root / "exp" / f"{name}.txt", found):
                if people.setdefault(pid, split) != split:
                    text = f"person {pid:04d} is both in the training and the test split"
                    found.error("splits", text, "restore the lists in exp/")
    images: dict[str, str] = {}  # path -> split
    for pid, split in people.items():
        cameras = {cam: sorted((root / f"cam{cam}" / f"{pid:04d}").glob("*.jpg")) for cam in CAMERAS}
        images |= {str(path): split for paths in cameras.values() for path in paths}
        infrared = sum(len(cameras[cam]) for cam in INFRARED_CAMERAS)
        visible = sum(map(len, cameras.values())) - infrared
        if not infrared + visible:
            found.error("file", f"no image of person {pid:04d} of the {split} split", "restore the folders")
        elif split == "train" and not (infrared and visible):
            lacking = "visible" if infrared else "infrared"
            text = f"person {pid:04d} of the train split has no {lacking} image"
            found.append(Finding("", "warning", "missing stream", text, "the person is left out of pairs"))
    for kind, theirs in (("visible", False), ("infrared", True)):
        shown = [p for p, s in images.items() if s == "train" and _is_infrared(p) == theirs]
        if images and not shown:
            found.error("splits", f"the train split has no {kind} image", "restore the folders of the cameras")
    found += _check_images(root, images, processes, progress)
    found += _notes(people, images)
    synthetic = says_synthetic(root, found)
    broken = sum(f.check == "decode" for f in found)
    found += content_findings(root, [str(p) for p in root.glob("cam*/*/*.jpg")])
    return Checked(synthetic, len(images), len(images), len(images) - broken, tuple(found))


def scan_image(path: str) -> tuple[str, int, int, str]:
    """(what is wrong or '', width, height, hash of the bytes)."""
    from PIL import Image

    try:
        with open_file(path) as file:
            data = file.read()
        if not data:
            return "is empty (0 bytes)", 0, 0, ""
        if is_too_large(path):
            return TOO_LARGE, 0, 0, ""
        with Image.open(path) as image:
            image.load()  # unlike OpenCV, refuses truncated files
            return "", image.width, image.height, hashlib.blake2b(data, digest_size=16).hexdigest()
    except Exception as error:  # noqa: BLE001  each image format has errors of its own; each is what the file is reported for
        return f"cannot be decoded ({' '.join(str(error).split()) or type(error).__name__})", 0, 0, ""


def _check_images(root: Path, images: dict[str, str], processes: int, progress) -> list[Finding]:
    paths = list(images)
    if min(processes, len(paths) // SHARED_IMAGES) <= 1:
        return _image_findings(root, images, map(scan_image, paths), progress)
    with process_pool(processes) as pool:
        return _image_findings(root, images, pool.map(scan_image, paths, chunksize=SHARED_IMAGES), progress)


def _image_findings(root: Path, images: dict[str, str], scans, progress) -> list[Finding]:
    found: list[Finding] = []
    first: dict[str, str] = {}
    for number, (path, (problem, width, height, digest)) in enumerate(zip(images, scans, strict=True), 1):
        name = str(Path(path).relative_to(root).with_suffix(""))
        if progress:
            progress(number, len(images))
        if problem:
            found.append(Finding(name, "error", "decode", f"{name}.jpg {problem}", MEND_IMAGE))
            continue
        if min(width, height) < 8:
            text = f"{name}.jpg is {width}x{height}"
            found.append(Finding(name, "warning", "size", text, MEND_IMAGE))
        kept = first.setdefault(digest, name)
        if kept != name:
            other = Path(kept).parts[1] != Path(name).parts[1]
            text = f"the same image as {kept}" + (", of another person" if other else "")
            severity = "error" if other else "warning"
            found.append(Finding(name, severity, "copy", text, "remove one of them"))
    return found


def _is_infrared(path: str) -> bool:
    return Path(path).parts[-3] in {f"cam{cam}" for cam in INFRARED_CAMERAS}


def _notes(people: dict[int, str], images: dict[str, str]) -> list[Finding]:
    found = []
    for split in SPLITS:
        infrared = sum(_is_infrared(path) for path, s in images.items() if s == split)
        visible = sum(s == split for s in images.values()) - infrared
        ids = sum(s == split for s in people.values())
        text = f"{split}: {ids:,} people, {visible:,} visible and {infrared:,} infrared images"
        found.append(Finding("", "note", "counts", text))
    return found


def _read_people(path: Path, found: Findings) -> list[int]:
    problems: list[str] = []
    try:
        people = read_people(path, problems)
    except (ValueError, OSError) as error:
        found.error("annotation", error, MEND_FILE)
        people = []
    for problem in problems:
        found.error("annotation", problem, "correct or remove the number; the reader refuses the whole set as it is")
    return people
