"""The synthetic SYSU-MM01: unpaired visible and near-infrared crops of people, seen by six cameras.

``cam{1..6}/{%04d person}/{%04d}.jpg`` and ``exp/{train_id,val_id,test_id}.txt``, each one line of comma-separated ids.
Cameras 3 and 6 are near-infrared, 1 to 3 indoors; not every person is seen by every camera.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from harness.data.synthesize.body import FACE, FOREARM, HAIR, HAND, NECK, standing_body
from harness.data.synthesize.cameras import Camera
from harness.data.synthesize.files import write_text
from harness.data.synthesize.people import Person, make_person
from harness.data.synthesize.raster import Rasteriser
from harness.data.synthesize.seeding import generator
from harness.data.synthesize.sensors import reflectances
from harness.ledger.files import atomic_replace

PRESETS: dict[str, dict[str, Any]] = {
    "demo": {"splits": {"train": 18, "val": 2, "test": 4}, "images": 4},
    "smoke": {"splits": {"train": 5, "val": 1, "test": 2}, "images": 2},
}
SIZE = (48, 96)
"""Width and height of a crop; the real ones differ from image to image and are larger."""
CAMERAS = (1, 2, 3, 4, 5, 6)
INFRARED = (3, 6)
NOTE = (
    "Synthetic stand-in for SYSU-MM01, procedurally rendered: the layout, cameras and splits of the real set with far "
    "fewer people and images (real: 491 people). Outdoor camera 6 and indoor camera 3 are near-infrared."
)


@dataclass(frozen=True)
class Walker:
    """All images of one person."""

    pid: int
    split: str  # train | val | test


def plan(seed: int, preset: str) -> list[Walker]:  # noqa: ARG001  as every generator's
    """The people of a preset; they do not depend on the seed."""
    splits = [name for name, count in PRESETS[preset]["splits"].items() for _ in range(count)]
    return [Walker(pid, split) for pid, split in enumerate(splits, start=1)]


def cameras_of(pid: int) -> tuple[int, ...]:
    """The cameras that saw a person: every fifth person never came by camera 5, every seventh not by camera 6."""
    return tuple(c for c in CAMERAS if not (c == 5 and pid % 5 == 0) and not (c == 6 and pid % 7 == 0))


def write_take(root: Path, take: Walker, seed: int, preset: str) -> None:
    """Render and write the images of a person that are not there yet."""
    for cam in cameras_of(take.pid):
        for number in range(1, PRESETS[preset]["images"] + 1):
            path = root / f"cam{cam}" / f"{take.pid:04d}" / f"{number:04d}.jpg"
            if not path.exists():
                write_jpeg(path, render_image(take.pid, cam, number, seed))


def write_jpeg(path: Path, image: np.ndarray) -> None:
    """uint8 [H,W,3] RGB as JPEG."""
    data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()
    with atomic_replace(path, sync=False) as beside:
        beside.write_bytes(data)


def write_tables(root: Path, takes: list[Walker], seed: int) -> dict:  # noqa: ARG001  as every generator's
    """Write the lists of people; returns the counts and the note for dataset.json."""
    for split in ("train", "val", "test"):
        ids = ",".join(str(t.pid) for t in takes if t.split == split)
        write_text(root / "exp" / f"{split}_id.txt", ids + "\n")
    images = {c: len(list((root / f"cam{c}").glob("*/*.jpg"))) for c in CAMERAS}
    infrared = sum(images[c] for c in INFRARED)
    return {
        "name": "SYSU-MM01",
        "note": NOTE,
        "people": len(takes),
        "images_rgb": sum(images.values()) - infrared,
        "images_infrared": infrared,
    }


def _near_infrared(person: Person, visible: np.ndarray) -> np.ndarray:
    """Near-infrared reflectance [parts] from the visible one [parts,3]: cloth dyes fade, all skin is alike."""
    near = 0.22 + 0.55 * visible.mean(1)
    skin = [FACE, HAND, NECK] if person.outfits[0].long_sleeves else [FACE, HAND, NECK, FOREARM]
    near[skin] = 0.60
    near[HAIR] = 0.10 + 0.5 * visible[HAIR].mean()
    return near


def _camera(person: Person, distance: float, rng: np.random.Generator) -> Camera:
    """A camera that has a person's whole figure in view."""
    width, rows = SIZE
    focal = 0.93 * rows * distance / person.height * rng.uniform(0.93, 1.03)
    place = rng.normal(0, 0.04), 0.5 * person.height + rng.normal(0, 0.03), 0.0
    return Camera(width, rows, focal, place, 0.0, 0.0, rng.normal(0, 0.02))


def _background(rng: np.random.Generator, place_rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Reflectance of wall and floor [H,W,3], which belong to the place, and the pattern on them [H,W]."""
    width, rows = SIZE
    wall, floor = (
        np.exp(place_rng.uniform(np.log(0.12), np.log(0.5))) * (1 + place_rng.normal(0, 0.12, 3)) for _ in range(2)
    )
    horizon = rows * (0.62 + rng.normal(0, 0.05))
    y, x = np.mgrid[0:rows, 0:width]
    phase = rng.uniform(0, 6.28, 2)
    pattern = 1 + 0.10 * np.sin(0.31 * x + phase[0]) + 0.08 * np.sin(0.17 * y + 0.11 * x + phase[1])
    return np.where((y < horizon)[..., None], wall, floor), pattern


def render_image(pid: int, cam: int, number: int, seed: int) -> np.ndarray:
    """One crop, uint8 [96,48,3]; the three channels of a near-infrared one are equal but for the JPEG."""
    rng, place_rng = generator(seed, "sysu image", pid, cam, number), generator(seed, "sysu camera", cam)
    who = generator(seed, "sysu person", pid)
    person = make_person(seed, f"sysu {pid}", "f" if who.random() < 0.5 else "m")
    infrared, indoor = cam in INFRARED, cam <= 3
    distance = rng.uniform(3.6, 4.8)
    camera = _camera(person, distance, rng)
    stride = rng.normal(0, 0.22, 2)  # arms swing while people walk
    hands = {
        s: np.array([[s * rng.uniform(0.05, 0.15), -0.92, 0.1 + swing]])
        for s, swing in zip((-1, 1), stride, strict=True)
    }
    body = standing_body(
        person,
        0,
        np.array([0.0, 0.0, distance]),
        rng.uniform(-1.2, 1.2),
        hands,
        {s: np.array([0.2]) for s in (-1, 1)},
        lean=np.zeros((1, 3)),
        head_turn=rng.normal(0, 0.4, 1),
    )
    light = (0.0, -0.1, -1.0) if infrared else (place_rng.uniform(-0.8, 0.8), -0.8, -0.5)
    drawing = Rasteriser(body, camera, light).draw(0, 1)
    part, shade = drawing.part[0], np.maximum(drawing.shade[0], 0)

    visible = reflectances(person, 0)
    ground, pattern = _background(rng, place_rng)
    if infrared:
        look, ground = _near_infrared(person, visible)[:, None], ground.mean(2, keepdims=True) * 0.35
        level, ambient, noise = rng.uniform(0.8, 1.2), 0.25, 0.020
    else:
        tint = 1 + place_rng.normal(0, 0.06, 3)
        look, level = visible * tint, rng.uniform(0.9, 1.4) if indoor else rng.uniform(0.7, 1.8)
        ambient, noise = place_rng.uniform(0.4, 0.7), 0.012
    signal = np.where(
        (part > 0)[..., None], look[part] * (ambient + (1 - ambient) * shade)[..., None], ground * pattern[..., None]
    )
    coded = np.clip(level * signal, 0, 1) ** (1 / 2.2) + noise * rng.standard_normal(signal.shape)
    gray_or_colour = np.clip(np.rint(255 * coded), 0, 255).astype(np.uint8)
    return np.broadcast_to(gray_or_colour, (SIZE[1], SIZE[0], 3)).copy()
