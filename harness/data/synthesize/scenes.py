"""The synthetic places: what stands in the background, how light, how dark and how warm it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.data.synthesize.cameras import Camera
from harness.data.synthesize.seeding import generator, rgb

OUTDOOR_SCENES = (
    "carpark",
    "corridor outdoors",
    "grove",
    "courtyard",
    "playground",
    "roadside",
    "bicycle shed",
    "lawn",
    "gate",
)
INDOOR_SCENES = (
    "hall",
    "stairs",
    "laboratory",
    "classroom",
    "office",
    "canteen",
    "library",
    "bedroom",
    "living room",
    "kitchen",
    "gym",
    "meeting room",
    "storeroom",
    "garage",
    "workshop",
    "lobby",
    "corridor",
)
SCENES = OUTDOOR_SCENES + INDOOR_SCENES
"""9 outdoor and 17 indoor scenes; the paper names carparks, corridors, groves, halls, stairs and laboratories."""

NIGHT_LUX = (0.05, 1.0)
"""The light of a place at night, where it falls directly: from a moon that is not full (0.25 when it is) to the least
that escape routes must have (EN 1838)."""
INDIRECT_SHARE = 0.1
"""How much of that reaches the actor and what is around, where none falls directly: light that other surfaces throw
back. Sumpner's formula for a closed room, reflectance / (1 - reflectance), gives 0.11 for the places' own surfaces.
docs/data.md says how the number was fixed."""
DAY_LUX_INDOORS, DAY_LUX_OUTDOORS = (150.0, 750.0), (1000.0, 20_000.0)
"""Rooms as EN 12464-1 asks for, and an overcast day up to the shade of a clear one."""


@dataclass(frozen=True)
class Panel:
    """An upright rectangle that faces the cameras: centre x, bottom and top y, distance z, width (metres)."""

    x: float
    bottom: float
    top: float
    z: float
    width: float
    albedo: tuple[float, float, float]
    warmth: float  # degrees above ambient


@dataclass(frozen=True)
class Scene:
    """One place."""

    name: str
    outdoor: bool
    wall: float  # distance of the back wall, metres
    wall_albedo: tuple[float, float, float]
    floor_albedo: tuple[float, float, float]
    panels: tuple[Panel, ...]
    texture: np.ndarray  # [K,4]: wave numbers in x and y, phase, amplitude
    ambient: float  # degrees Celsius at night
    day_warming: float  # degrees more by day
    night_lux: float  # before `INDIRECT_SHARE`
    night_tint: tuple[float, float, float]
    day_lux: float
    day_tint: tuple[float, float, float]
    light: tuple[float, float, float]  # direction to the light in camera axes


def make_scene(seed: int, name: str) -> Scene:
    """The scene `name`, always the same for one seed."""
    rng = generator(seed, "scene", name)
    outdoor = name in OUTDOOR_SCENES

    def between(low_high: tuple[float, float]) -> float:
        return float(np.exp(rng.uniform(*np.log(low_high))))

    wall = float(rng.uniform(5.0, 9.0) if outdoor else rng.uniform(4.2, 6.0))
    panels = _panels(rng, outdoor, wall)
    waves = np.stack(
        [rng.uniform(0.5, 9, 6), rng.uniform(0.5, 9, 6), rng.uniform(0, 6.28, 6), rng.uniform(0.01, 0.05, 6)], 1
    )
    tint = np.array([1.0, rng.uniform(0.72, 0.95), rng.uniform(0.4, 1.1)])
    side = rng.uniform(-0.8, 0.8)
    return Scene(
        name=name,
        outdoor=outdoor,
        wall=wall,
        wall_albedo=_albedo(rng, 0.06, 0.2),
        floor_albedo=_albedo(rng, 0.05, 0.15),
        panels=tuple(sorted(panels, key=lambda p: -p.z)),
        texture=waves,
        ambient=float(rng.uniform(10, 22) if outdoor else rng.uniform(17, 24)),
        day_warming=float(rng.uniform(1, 6) if outdoor else rng.uniform(0, 2)),
        night_lux=between(NIGHT_LUX),
        night_tint=rgb(tint / tint.mean()),
        day_lux=between(DAY_LUX_OUTDOORS if outdoor else DAY_LUX_INDOORS),
        day_tint=rgb(1 + rng.normal(0, 0.04, 3)),
        light=(float(side), -0.9, -0.9),
    )


def _albedo(rng: np.random.Generator, low: float, high: float, tint: float = 0.12) -> tuple[float, float, float]:
    value = np.exp(rng.uniform(np.log(low), np.log(high))) * (1 + rng.normal(0, tint, 3))
    return rgb(np.clip(value, 0.02, 0.9))


def _panels(rng: np.random.Generator, outdoor: bool, wall: float) -> list[Panel]:
    """What stands before the wall."""
    panels = []
    for _ in range(int(rng.integers(4, 8))):
        bottom = 0.0 if rng.random() < 0.65 else float(rng.uniform(0.6, 1.6))
        if outdoor and rng.random() < 0.5:  # trunks and posts
            width, top = float(rng.uniform(0.12, 0.35)), 3.5
        else:
            width, top = float(rng.uniform(0.4, 1.6)), bottom + float(rng.uniform(0.5, 1.9))
        panels.append(
            Panel(
                float(rng.uniform(-2.4, 2.4)),
                bottom,
                top,
                float(rng.uniform(4.1, wall)),
                width,
                _albedo(rng, 0.04, 0.2, 0.2),
                float(rng.normal(0, 0.8) + 6.0 * (rng.random() < 0.08)),
            )
        )
    return panels


@dataclass(frozen=True)
class Backdrop:
    """The empty scene as one camera sees it: `albedo` [H,W,3], `depth` [H,W] metres,
    `warmth` [H,W] degrees above ambient.
    """

    albedo: np.ndarray
    depth: np.ndarray
    warmth: np.ndarray


def see_scene(scene: Scene, camera: Camera) -> Backdrop:
    """Cast one ray per pixel onto floor, wall and panels."""
    u = (np.arange(camera.width) + 0.5 - camera.width / 2) / camera.focal
    v = (np.arange(camera.height) + 0.5 - camera.height / 2) / camera.focal
    rays = np.stack(np.broadcast_arrays(u[None, :], v[:, None], 1.0), -1) @ camera.rotation()
    ox, oy, oz = camera.position
    slope_x, slope_y = (rays[..., :2] / rays[..., 2:]).astype(np.float32).transpose(2, 0, 1)

    reach = np.full(slope_x.shape, scene.wall - oz, np.float32)
    falling = slope_y < -1e-3
    floor_reach = np.where(falling, -oy / np.where(falling, slope_y, -1), np.inf)
    on_floor = floor_reach < reach
    reach = np.where(on_floor, floor_reach, reach)
    albedo = np.array([scene.wall_albedo, scene.floor_albedo]).take(on_floor, axis=0)
    warmth = np.where(on_floor, -0.5, 0.0)
    for panel in scene.panels:
        away = panel.z - oz
        x, y = ox + slope_x * away, oy + slope_y * away
        hit = (np.abs(x - panel.x) < panel.width / 2) & (y > panel.bottom) & (y < panel.top)
        albedo[hit], warmth[hit], reach[hit] = panel.albedo, panel.warmth, away
    x, y = ox + slope_x * reach, oy + slope_y * reach + 0.7 * reach * on_floor
    pattern = np.ones_like(x)
    for kx, ky, phase, amount in scene.texture.tolist():
        pattern += amount * np.sin(kx * x + ky * y + phase)
    warmth = warmth + 1.2 * (pattern - 1)
    return Backdrop(
        (albedo * pattern[..., None]).astype(np.float32), reach.astype(np.float32), warmth.astype(np.float32)
    )
