"""The synthetic NvGesture: who performs what, when each camera takes its frames, and what it records."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.data.synthesize.cameras import Camera, focal_length
from harness.data.synthesize.colour_camera import Exposure, expose
from harness.data.synthesize.nvgesture_cabin import (
    Grain,
    NearInfrared,
    cabin,
    driver,
    lay_over,
    measure_depth,
    right_arm,
    shoulder_width,
)
from harness.data.synthesize.nvgesture_motion import draw_manner, hand_motion
from harness.data.synthesize.people import Person, make_person
from harness.data.synthesize.raster import Rasteriser
from harness.data.synthesize.seeding import generator
from harness.data.synthesize.sensors import ColourSensor, reflectances

CLASSES = 25
SUBJECTS = {"train": (1, 2, 3, 4, 6, 7, 11, 12, 15, 16, 17, 18), "test": (5, 8, 9, 13, 14, 20)}
REPEATS = {"train": 1, "test": 3}
"""How often a subject performs a gesture; the real test split has 482 recordings."""
WOMEN = (3, 6, 9, 12, 14, 17)
COLOUR_FPS, DUO_FPS = 30, 35
COLOUR_WINDOW, DUO_WINDOW = 80, 93
RELABELLED = {(1, 4): 2, (4, 17): 3, (16, 11): 17, (21, 2): 20, (1, 14): 2, (20, 5): 21, (21, 20): 20}
"""(class of the folder, subject) -> class that the subject really performs in the first recording. The v1 lists have
the folder's class, the v2 lists the real one; these are some of the set's own corrections."""
DEPTH_LATER = ((6, 17), (20, 18), (23, 18), (24, 18))
"""(class of the folder, subject) of the recordings whose depth window begins one frame after the colour window."""
LUX = (300.0, 3000.0)  # in a car by day
SENSOR_WIDTH = 1280  # pixels of the colour sensor, which is taken to be the one of MGR-Dark otherwise


@dataclass(frozen=True)
class Take:
    """One recording. `folder` and `gesture` are classes 1..25; they differ where the set's folder is wrong."""

    folder: int
    subject: int
    gesture: int
    split: str
    repeat: int = 0

    @property
    def clip_id(self) -> str:
        return f"class_{self.folder:02d}/subject{self.subject}_r{self.repeat}"


@dataclass(frozen=True)
class Recording:
    """When frames were taken, nanoseconds since 1970 [n] by camera, and where the windows begin (frame numbers)."""

    colour: np.ndarray
    depth: np.ndarray
    duo: np.ndarray
    colour_start: int
    depth_start: int
    duo_start: int
    gesture_start: int  # nanoseconds


def plan_takes(per_class: dict[str, int] | None = None) -> list[Take]:
    """As many takes of each gesture by each subject as `REPEATS` says or, with `per_class`, that many of a class by
    subjects in turn."""
    out = []
    for split, subjects in SUBJECTS.items():
        for folder in range(1, CLASSES + 1):
            count = per_class[split] if per_class else len(subjects) * REPEATS[split]
            for i in range(count):
                who, repeat = subjects[((folder - 1) * count + i) % len(subjects)], i // len(subjects)
                gesture = folder if repeat else RELABELLED.get((folder, who), folder)
                out.append(Take(folder, who, gesture, split, repeat))
    return sorted(out, key=lambda t: (t.split != "train", t.folder, t.subject, t.repeat))


def driver_of(take: Take, seed: int) -> Person:
    return make_person(seed, f"nvgesture subject{take.subject}", "f" if take.subject in WOMEN else "m")


def _manner(take: Take, seed: int):
    return draw_manner(driver_of(take, seed), generator(seed, "nvgesture manner", take.clip_id))


def record(take: Take, seed: int, frames: int) -> Recording:
    """Clocks and windows of a recording of `frames` colour frames."""
    rng = generator(seed, "nvgesture clocks", take.clip_id)
    rate = rng.uniform(29.94, 30.03)
    colour = (np.arange(frames) + 0.5) / rate + np.clip(rng.normal(0, 7e-4, frames), -0.004, 0.004)
    depth = colour + np.clip(rng.normal(8e-4, 2e-4, frames), 1e-4, 2e-3)
    slots = np.arange(int(frames * 7 / 6))
    if rng.random() < 0.15:  # the duo camera loses frames now and then
        lost = rng.choice(slots[5:-5], int(rng.integers(1, 4)), replace=False)
        slots = np.delete(slots, lost)
    duo = (slots + 0.5) / rng.uniform(34.9, 35.0) + rng.uniform(-0.02, 0.02)
    duo = duo + np.clip(rng.normal(0, 9e-4, len(duo)), -0.004, 0.004)
    start = int(rng.integers(0, frames - COLOUR_WINDOW))
    duo_start = int(np.clip(round(start * 7 / 6) + rng.integers(-1, 2), 0, len(duo) - DUO_WINDOW))
    spare = COLOUR_WINDOW / COLOUR_FPS - _manner(take, seed).duration
    begin = colour[start] + spare * rng.uniform(0.2, 0.8)
    origin = 1_436_000_000_000_000_000 + int(rng.integers(0, 10**15))

    def stamps(seconds: np.ndarray) -> np.ndarray:
        return origin + np.rint(np.asarray(seconds) * 1e9).astype(np.int64)

    later = (take.folder, take.subject) in DEPTH_LATER
    return Recording(stamps(colour), stamps(depth), stamps(duo), start, start + later, duo_start, int(stamps(begin)))


def nucleus(take: Take, seed: int, recording: Recording) -> tuple[int, int]:
    """[start, end) of the stroke, without the hand's way up and down, in colour frames."""
    manner = _manner(take, seed)
    seconds = (recording.colour - recording.gesture_start) / 1e9
    inside = (seconds >= manner.rise * manner.duration) & (seconds < (1 - manner.fall) * manner.duration)
    frames = np.flatnonzero(inside)
    return int(frames[0]), int(frames[-1]) + 1


def _swaying(rng: np.random.Generator, columns: int):
    """A function of seconds [T] that gives slow random motion [T,columns] of about unit size."""
    rate, phase = rng.uniform(0.1, 0.5, (1, columns, 3)), rng.uniform(0, 6.28, (1, columns, 3))
    return lambda t: np.sin(2 * np.pi * rate * np.asarray(t)[:, None, None] + phase).mean(2)


def _cameras(size: tuple[int, int], rng: np.random.Generator) -> tuple[Camera, Camera]:
    """The camera before the driver and the one above; `size` is (width, height)."""
    front = Camera(
        *size,
        focal_length(size[0], 62),
        (0.0, 0.0, 0.0),
        rng.normal(0, 0.02),
        rng.normal(0, 0.02),
        rng.normal(0, 0.015),
    )
    above = Camera(
        *size,
        focal_length(size[0], 72),
        (0.02, 0.36, 0.02),
        rng.normal(0, 0.02),
        -0.62 + rng.normal(0, 0.02),
        rng.normal(0, 0.015),
    )
    return front, above


def _exposure(width: int, rng: np.random.Generator) -> Exposure:
    """The exposure by day; `width` of the picture in pixels."""
    electrons, gain = expose(np.exp(rng.uniform(*np.log(LUX))), rng.uniform(0.35, 1.3))
    tint = tuple(1 + rng.normal(0, 0.04, 3))
    return Exposure(electrons, tint, gain, round(SENSOR_WIDTH / width), rng.uniform(0.3, 0.6))


def render_take(
    take: Take,
    seed: int,
    frames: int,
    size: tuple[int, int],
    streams: tuple[str, ...] = ("sk_color", "sk_depth", "duo_left"),
    chunk: int = 10,
) -> dict[str, np.ndarray]:
    """Frames by stream: sk_color uint8 [n,H,W,3], sk_depth [n,H,W,1], duo_left [m,H,W,1]; `size` is (width, height).

    Trunk and head move every `chunk` frames only.
    """
    rng = generator(seed, "nvgesture take", take.clip_id)
    person, recording, manner = driver_of(take, seed), record(take, seed, frames), _manner(take, seed)
    outfit = int(rng.integers(len(person.outfits)))
    place = np.array([rng.normal(0.03, 0.02), rng.normal(-0.02, 0.02), rng.uniform(0.80, 0.92)])
    sway, turning = _swaying(rng, 3), _swaying(rng, 1)
    front, above = _cameras(size, rng)
    light = (rng.uniform(0.2, 0.9), -0.6, -0.7)  # through the driver's window
    shot = _exposure(size[0], rng)
    gain, look = rng.uniform(0.55, 0.66), reflectances(person, outfit)

    def drawings(camera: Camera, toward_light: tuple[float, float, float], stamps: np.ndarray):
        t = (stamps - recording.colour[0]) / 1e9
        lean = person.sway * sway(t)
        still = Rasteriser(driver(person, outfit, place, lean, 0.25 * turning(t)[:, 0]), camera, toward_light)
        shoulder = place + lean + [-shoulder_width(person), 0, 0]
        motion = hand_motion(take.gesture - 1, manner, (stamps - recording.gesture_start) / 1e9)
        moving = Rasteriser(right_arm(person, outfit, shoulder, motion), camera, toward_light)
        bodies, arms = still.draw(0, len(t), chunk), moving.draw(0, len(t))
        for k, i in enumerate(range(0, len(t), chunk)):
            yield lay_over(bodies.frames(k, k + 1), arms.frames(i, i + chunk))

    out: dict[str, list[np.ndarray]] = {s: [] for s in streams}
    noise = {s: generator(seed, "nvgesture noise", take.clip_id, s) for s in ("sk_color", "sk_depth", "duo_left")}
    if "sk_color" in streams or "sk_depth" in streams:
        background, distance = cabin(front, place, generator(seed, "nvgesture cabin", take.clip_id))
        colour = ColourSensor(shot, look, background)
        grain = Grain(distance.shape, noise["sk_depth"])
        for drawing in drawings(front, light, recording.colour):
            if "sk_color" in streams:
                out["sk_color"].append(colour.expose(drawing, noise["sk_color"]))
            if "sk_depth" in streams:
                out["sk_depth"].append(measure_depth(drawing, distance, grain))
    if "duo_left" in streams:
        background, distance = cabin(above, place, generator(seed, "nvgesture cabin", take.clip_id))
        infrared = NearInfrared(person, outfit, look, background, distance, gain)
        grain = Grain(distance.shape, noise["duo_left"])
        for drawing in drawings(above, (0.0, 0.0, -1.0), recording.duo):
            out["duo_left"].append(infrared.expose(drawing, grain))
    return {s: np.concatenate(chunks) for s, chunks in out.items()}
