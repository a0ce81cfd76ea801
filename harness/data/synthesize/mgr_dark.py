"""The synthetic MGR-Dark: who gestures what, where and when, and what the three cameras record of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.data.synthesize.body import Capsule, standing_body
from harness.data.synthesize.cameras import Camera, focal_length
from harness.data.synthesize.colour_camera import Exposure, expose
from harness.data.synthesize.motion import GESTURES, NEUTRAL, perform
from harness.data.synthesize.people import Person, make_person
from harness.data.synthesize.raster import Rasteriser
from harness.data.synthesize.scenes import INDIRECT_SHARE, SCENES, Scene, make_scene, see_scene
from harness.data.synthesize.seeding import generator
from harness.data.synthesize.sensors import ColourSensor, DepthSensor, ThermalSensor, reflectances

FPS = 25
LIGHTINGS = ("dark", "daylight")
MODALITIES = ("rgb", "depth", "ir")
WOMEN = ("s04", "s09", "s13", "s18")
SUBJECTS = tuple(f"s{i:02d}" for i in range(1, 22))
TEST_SUBJECTS = ("s03", "s08", "s13", "s16", "s20")
TAKES = {"train": 2, "test": 8}
"""How often a subject performs a gesture in each lighting: more in the test split, so that small differences show."""
SIZES = {"rgb": (160, 90), "depth": (128, 106), "ir": (140, 106)}
"""Width and height at scale 1: 1/12, 1/4 and 1/10 of the real 1920x1080, 512x424 and 1408x1068, made even."""
FIELDS_OF_VIEW = {"rgb": 50.0, "depth": 48.0, "ir": 44.0}
"""Horizontal, degrees. Colour and depth are narrower than a Kinect V2's (84 and 71), so that the person is as many
pixels tall as the reduced resolution needs."""
DRAWN = 64
"""Frames that are drawn at a time: as the processor is quickest."""


@dataclass(frozen=True)
class Take:
    """One recording of one gesture. Two takes with the same `pair_id` are the dark and the daylight one. `light`: so
    many times as much light as the place has; all else is the same for every light."""

    clip_id: str
    pair_id: str
    subject: str
    scene: str
    gesture: str
    lighting: str
    light: float = 1.0


def subject(seed: int, name: str) -> Person:
    return make_person(seed, name, "f" if name in WOMEN else "m")


def split_of(name: str) -> str:
    return "test" if name in TEST_SUBJECTS else "train"


def plan_takes(
    seed: int, train_per_class: int | None = None, test_per_class: int | None = None, light: float = 1.0
) -> list[Take]:
    """Every take of the set. By default each subject performs each gesture as often as `TAKES` says in each lighting;
    with `*_per_class` only that many of a class, by subjects in turn. Scenes are drawn, so that each subject sees
    many. With another `light` the dark takes alone."""
    out = []
    for split, limit in (("train", train_per_class), ("test", test_per_class)):
        names = [n for n in SUBJECTS if split_of(n) == split]
        for label, gesture in enumerate(GESTURES):
            pairs = [(name, k) for k in range(TAKES[split]) for name in names]
            if limit is not None:
                pairs = [pairs[(label * limit + i) % len(pairs)] for i in range(limit)]
            for name, k in pairs:
                pair_id = f"{name}_g{label + 1:02d}_t{k + 1}"
                scene = SCENES[int(generator(seed, "scene of", pair_id).integers(len(SCENES)))]
                for lighting in LIGHTINGS if light == 1 else ("dark",):
                    out.append(Take(f"{pair_id}_{lighting}", pair_id, name, scene, gesture, lighting, light))
    return out


def frame_count(take: Take, seed: int) -> int:
    """Length of a take, 45 to 210 frames at 25 fps; most are short. It does not depend on the gesture."""
    rng, person = generator(seed, "length of", take.clip_id), subject(seed, take.subject)
    if rng.random() < 0.06:
        return int(rng.integers(90, 211))
    return int(np.clip(45 + rng.gamma(2.2, 6.5) / person.tempo, 45, 85))


def cameras(aim: float, distance: float, rng: np.random.Generator, scale: float = 1.0) -> dict[str, Camera]:
    """The Kinect's colour and depth cameras and the thermal camera beside them, set up anew for each take and pointed
    at `aim` metres above the floor, `distance` metres away, as well as one points a tripod."""
    height = rng.uniform(1.15, 1.45)
    yaw, roll = rng.normal(0, 0.045), rng.normal(0, 0.02)
    pitch = np.arctan((aim - height) / distance) + rng.normal(0, 0.04)
    aside = rng.choice([-1, 1]) * rng.uniform(0.10, 0.20)
    above = rng.uniform(-0.05, 0.10)
    out = {}
    for m in MODALITIES:
        width, rows = (int(round(v * scale / 2)) * 2 for v in SIZES[m])
        place = {"rgb": (0.0, height, 0.0), "depth": (0.05, height, 0.0), "ir": (aside, height + above, 0.03)}[m]
        turn = yaw if m != "ir" else yaw - 0.4 * aside + rng.normal(0, 0.02)
        tilt = pitch if m != "ir" else pitch + rng.normal(0, 0.02)
        out[m] = Camera(width, rows, focal_length(width, FIELDS_OF_VIEW[m]), place, turn, tilt, roll)
    return out


def exposure(scene: Scene, lighting: str, scale: float, rng: np.random.Generator, light: float = 1.0) -> Exposure:
    """How the colour camera is exposed: automatically, so that only the light tells night from day.

    White is wanted above what is coded as 255, because the places reflect half of the usual middle grey or less. By
    night no light falls on the actor directly, as in the paper.
    """
    if lighting == "dark":
        lux, tint = INDIRECT_SHARE * scene.night_lux, scene.night_tint
    else:
        lux, tint = scene.day_lux, scene.day_tint
    electrons, gain = expose(light * lux * rng.uniform(0.8, 1.25), rng.uniform(1.4, 2.2))
    return Exposure(electrons, tint, gain, round(1920 / SIZES["rgb"][0] / scale), rng.uniform(0.4, 0.75))


def _slow_noise(frames: int, columns: int, rng: np.random.Generator) -> np.ndarray:
    """[frames, columns] sums of slow sinusoids with unit amplitude or so: how people sway."""
    t = np.arange(frames)[:, None, None] / FPS
    rate, phase = rng.uniform(0.15, 0.7, (1, columns, 3)), rng.uniform(0, 6.28, (1, columns, 3))
    return np.sin(2 * np.pi * rate * t + phase).mean(2)


def _at(body: list[Capsule], frames: Sequence[int]) -> list[Capsule]:
    """Capsules in these frames only."""

    def of(radius: np.ndarray | float) -> np.ndarray | float:
        return radius[frames] if isinstance(radius, np.ndarray) else radius

    return [Capsule(c.a[frames], c.b[frames], of(c.ra), of(c.rb), c.part) for c in body]


def render_take(
    take: Take,
    seed: int,
    scale: float = 1.0,
    modalities: tuple[str, ...] = MODALITIES,
    only: Sequence[int] | None = None,
) -> dict[str, np.ndarray]:
    """Frames of a take by modality: rgb uint8 [T,H,W,3]; depth and ir uint8 [T,H,W,1].

    `only` these frame numbers, where not all are needed; they show the same with other noise.
    """
    rng = generator(seed, "take", take.clip_id)
    person, scene = subject(seed, take.subject), make_scene(seed, take.scene)
    frames = frame_count(take, seed)
    act = perform(take.gesture, frames, person, rng)
    outfit = int(generator(seed, "outfit of", take.pair_id).integers(len(person.outfits)))
    distance = 2.2 + 1.0 * rng.beta(1.2, 2.4) + (rng.uniform(0, 0.8) if rng.random() < 0.06 else 0)
    place = np.array([rng.normal(0, 0.09), 0.0, distance])
    idle = {side: NEUTRAL * [side, 1, 1] for side in (-1, 1)}
    body = standing_body(
        person,
        outfit,
        place,
        rng.normal(0, 0.12),
        hands={side: act.hands.get(side, idle[side]) + 0.02 * _slow_noise(frames, 3, rng) for side in (-1, 1)},
        palms={side: act.palms.get(side, np.full(frames, 0.25)) for side in (-1, 1)},
        lean=act.lean + person.sway * _slow_noise(frames, 3, rng) * [2, 0.5, 2],
        head_turn=rng.normal(0, 0.15) + 0.15 * _slow_noise(frames, 1, rng)[:, 0],
    )
    if only is not None:
        body, frames = _at(body, list(only)), len(only)
    views = cameras(0.76 * person.height, distance, rng, scale)
    ambient = scene.ambient + (scene.day_warming if take.lighting == "daylight" else 0) + rng.normal(0, 0.7)
    shot = exposure(scene, take.lighting, scale, rng, take.light)
    out = {}
    for m in modalities:
        noise = generator(seed, "noise", take.clip_id, m)
        backdrop = see_scene(scene, views[m])
        drawer = Rasteriser(body, views[m], scene.light if m == "rgb" else (0.0, 0.0, -1.0))
        if m == "rgb":
            sensor = ColourSensor(shot, reflectances(person, outfit), backdrop.albedo).expose
        elif m == "depth":
            sensor = DepthSensor(backdrop, noise).measure
        else:
            sensor = ThermalSensor(person, outfit, backdrop, ambient, noise).measure
        chunks = []
        for i in range(0, frames, DRAWN):
            chunks.append(sensor(drawer.draw(i, min(i + DRAWN, frames)), noise))
        out[m] = np.concatenate(chunks)
    return out
