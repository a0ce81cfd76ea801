"""The synthetic source set: short daylight clips of motions that are no gestures, by people and in places of its own.

As Kinetics is to the benchmarks at full size, so is this to the synthetic ones: what networks learn on first. On disk:
motions.csv (one row a video), classes.txt, subjects.csv, and one mp4 per take and modality.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.data.synthesize.body import standing_body
from harness.data.synthesize.cameras import Camera, focal_length
from harness.data.synthesize.colour_camera import Exposure, expose
from harness.data.synthesize.files import write_text, write_video
from harness.data.synthesize.motion import NEUTRAL
from harness.data.synthesize.people import Person, make_person
from harness.data.synthesize.raster import Rasteriser
from harness.data.synthesize.scenes import Scene, make_scene, see_scene
from harness.data.synthesize.seeding import SOURCE_VERSION, generator
from harness.data.synthesize.sensors import ColourSensor, DepthSensor, ThermalSensor, reflectances
from harness.data.synthesize.source_motion import MOTIONS, perform_motion

if TYPE_CHECKING:
    from pathlib import Path

FPS = 25
MODALITIES = ("rgb", "depth", "ir")
SUBJECTS = tuple(f"p{i:02d}" for i in range(1, 41))
HELD_OUT = tuple(s for i, s in enumerate(SUBJECTS) if i % 5 == 2)
"""Eight people on whose clips a trained network is tested; no training shows them."""
SCENES = tuple(f"place {i}" for i in range(1, 41))
SIZE = (96, 80)  # width and height of all videos at scale 1
BLOCK = 8  # full-size pixels on a side that make one of a colour video
PRESETS = {
    "demo": {"motions": len(MOTIONS), "train": 44, "test": 11, "scale": 1.0},  # takes of each motion
    "smoke": {"motions": 4, "train": 2, "test": 1, "scale": 0.5},
}


@dataclass(frozen=True)
class Take:
    """One recording of one motion."""

    take_id: str
    subject: str
    scene: str
    motion: str


def plan(seed: int, preset: str) -> list[Take]:
    """The takes of a preset: people take turns, places are drawn."""
    options, takes = PRESETS[preset], []
    for label, motion in enumerate(list(MOTIONS)[: int(options["motions"])]):
        for split in ("train", "test"):
            people = [s for s in SUBJECTS if split_of(s) == split]
            for i in range(int(options[split])):
                person = people[(i + 7 * label) % len(people)]
                take_id = f"{person}_m{label + 1:02d}_t{i // len(people) + 1}"
                scene = SCENES[int(_random(seed, "scene of", take_id).integers(len(SCENES)))]
                takes.append(Take(take_id, person, scene, motion))
    return takes


def split_of(subject: str) -> str:
    return "test" if subject in HELD_OUT else "train"


def frame_count(take: Take, seed: int) -> int:
    """Length of a take, 32 to 40 frames at 25 fps."""
    return int(_random(seed, "length of", take.take_id).integers(32, 41))


def person_of(seed: int, name: str) -> Person:
    """A person of this set; nobody of another has the same body or clothes."""
    sex = "f" if _random(seed, "sex of", name).random() < 0.5 else "m"
    return make_person(seed, f"source {SOURCE_VERSION} {name}", sex)


def _random(seed: int, *names: object) -> np.random.Generator:
    return generator(seed, "source", SOURCE_VERSION, *names)


def camera(aim: float, distance: float, rng: np.random.Generator, scale: float) -> Camera:
    """A camera anywhere in front of the person, between the knee and above the head, with a lens of its own."""
    width, rows = (int(round(v * scale / 2)) * 2 for v in SIZE)
    height, aside = rng.uniform(0.7, 2.0), rng.normal(0, 0.35)
    return Camera(
        width,
        rows,
        focal_length(width, float(np.degrees(2 * np.arctan(rng.uniform(0.85, 1.15) / distance)))),
        (aside, height, 0.0),
        yaw=-aside / distance + rng.normal(0, 0.04),
        pitch=np.arctan((aim - height) / distance) + rng.normal(0, 0.04),
        roll=rng.normal(0, 0.04),
    )


def render_take(
    take: Take, seed: int, scale: float = 1.0, modalities: Sequence[str] = MODALITIES
) -> dict[str, np.ndarray]:
    """Frames of a take by modality: rgb uint8 [T,H,W,3]; depth and ir uint8 [T,H,W,1]."""
    rng = _random(seed, "take", take.take_id)
    person = person_of(seed, take.subject)
    scene = make_scene(seed, f"source {SOURCE_VERSION} {take.scene}")
    frames, outfit = frame_count(take, seed), int(rng.integers(len(person.outfits)))
    act = perform_motion(take.motion, frames, person, rng)
    distance = rng.uniform(1.5, 3.9)

    def sway(columns: int) -> np.ndarray:
        t, rate, start = np.arange(frames)[:, None] / FPS, rng.uniform(0.2, 0.6, columns), rng.uniform(0, 6.28, columns)
        return np.sin(2 * np.pi * rate * t + start)

    idle = {side: NEUTRAL * [side, 1, 1] for side in (-1, 1)}
    body = standing_body(
        person,
        outfit,
        np.array([rng.normal(0, 0.08), 0.0, distance]),
        rng.normal(0, 0.15),
        hands={side: act.hands.get(side, idle[side]) + 0.02 * sway(3) for side in (-1, 1)},
        palms={side: act.palms.get(side, np.full(frames, 0.25)) for side in (-1, 1)},
        lean=act.lean + person.sway * sway(3) * [1.5, 0.5, 1.5],
        head_turn=rng.normal(0, 0.2) + 0.1 * sway(1)[:, 0],
    )
    view = camera(0.76 * person.height, distance, rng, scale)
    shot, ambient = _exposure(scene, rng), scene.ambient + scene.day_warming + rng.normal(0, 0.7)
    backdrop = see_scene(scene, view)
    out = {}
    for m in modalities:
        noise = _random(seed, "noise", take.take_id, m)
        drawing = Rasteriser(body, view, scene.light if m == "rgb" else (0.0, 0.0, -1.0)).draw(0, frames)
        if m == "rgb":
            out[m] = ColourSensor(shot, reflectances(person, outfit), backdrop.albedo).expose(drawing, noise)
        elif m == "depth":
            out[m] = DepthSensor(backdrop, noise).measure(drawing, noise)
        else:
            out[m] = ThermalSensor(person, outfit, backdrop, ambient, noise).measure(drawing, noise)
    return out


def _exposure(scene: Scene, rng: np.random.Generator) -> Exposure:
    """Daylight, exposed automatically, more or less brightly."""
    electrons, gain = expose(scene.day_lux * rng.uniform(0.5, 2.0), rng.uniform(1.0, 2.4))
    return Exposure(electrons, scene.day_tint, gain, BLOCK, rng.uniform(0.35, 0.75))


def video_file(take: Take, modality: str) -> str:
    """Path of a video below the root of the set."""
    return f"videos/{modality}/{take.motion.replace(' ', '_')}/{take.take_id}.mp4"


def write_take(root: Path, take: Take, seed: int, preset: str) -> None:
    """Render and write the videos of a take that are not there yet."""
    missing = [m for m in MODALITIES if not (root / video_file(take, m)).exists()]
    for modality, frames in render_take(take, seed, float(PRESETS[preset]["scale"]), missing).items():
        write_video(root / video_file(take, modality), frames, FPS)


def write_tables(root: Path, takes: list[Take], seed: int) -> dict:
    """Write the three tables; returns the counts for dataset.json."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["take", "subject", "scene", "motion", "modality", "file", "fps", "frames"])
    for take in takes:
        for m in MODALITIES:
            row = [take.take_id, take.subject, take.scene, take.motion, m, video_file(take, m), FPS]
            table.writerow([*row, frame_count(take, seed)])
    classes = list(dict.fromkeys(t.motion for t in takes))
    people = sorted({t.subject for t in takes})
    write_text(root / "classes.txt", "".join(f"{c}\n" for c in classes))
    write_text(root / "subjects.csv", "subject,split\n" + "".join(f"{s},{split_of(s)}\n" for s in people))
    write_text(root / "motions.csv", text.getvalue())
    return {
        "name": "Source motions",
        "classes": len(classes),
        "subjects": len(people),
        "scenes": len({t.scene for t in takes}),
        "takes": len(takes),
        "videos": len(takes) * len(MODALITIES),
    }
