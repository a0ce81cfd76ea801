"""A driver in a car: body and jointed hand as capsules, the cabin behind, and what depth and near infrared see.

World axes as in `cameras`, with the colour camera at the origin.
"""

from __future__ import annotations

import numpy as np

from harness.data.synthesize.body import (
    FACE,
    FOREARM,
    HAIR,
    HAND,
    NECK,
    SLEEVE,
    TOP,
    TROUSERS,
    Capsule,
    arm_lengths,
    solve_limb,
)
from harness.data.synthesize.cameras import Camera
from harness.data.synthesize.nvgesture_motion import HandMotion
from harness.data.synthesize.people import Person
from harness.data.synthesize.raster import Drawing

DEPTH_NEAR_MM, DEPTH_FAR_MM = 150, 1500
"""Depth coding: gray 255 = 150 mm or nearer, gray 1 = 1500 mm, linear between (5.3 mm a step), 0 = no measurement."""


def driver(
    person: Person, outfit_index: int, place: np.ndarray, sway: np.ndarray, head_turn: np.ndarray
) -> list[Capsule]:
    """The driver without the right arm: trunk, head, thighs and the left arm on the wheel.

    `place` [3] is the middle between the shoulders, `sway` [T,3] metres moves it, `head_turn` [T] radians.
    """
    h, g = person.height, person.girth
    half = shoulder_width(person)
    centre = place + sway

    def at(x: float, y: float, z: float = 0.0) -> np.ndarray:
        return centre + np.array([x, y, z])

    forward = np.stack([np.sin(head_turn), 0 * head_turn, -np.cos(head_turn)], 1)
    out = [
        Capsule(at(-half, 0), at(half, 0), 0.040 * h * g, 0.040 * h * g, TOP),
        Capsule(at(0, -0.06), at(0, -0.60), 0.075 * h * g, 0.085 * h * g, TOP),
        Capsule(at(-half * 0.5, -0.08), at(-half * 0.4, -0.60), 0.058 * h * g, 0.062 * h * g, TOP),
        Capsule(at(half * 0.5, -0.08), at(half * 0.4, -0.60), 0.058 * h * g, 0.062 * h * g, TOP),
        Capsule(at(0, 0), at(0, 0.065 * h), 0.033 * h, 0.030 * h, NECK),
        Capsule(
            at(0, 0.100 * h) + 0.025 * h * forward, at(0, 0.140 * h) + 0.02 * h * forward, 0.042 * h, 0.047 * h, FACE
        ),
        Capsule(
            at(0, 0.152 * h) - 0.015 * h * forward, at(0, 0.157 * h) - 0.015 * h * forward, 0.050 * h, 0.048 * h, HAIR
        ),
    ]
    if person.hair_length > 0.1:
        low = (0.125 - 0.10 * person.hair_length) * h
        for side in (-1, 1):
            out.append(
                Capsule(
                    at(side * 0.038 * h, 0.14 * h, 0.02), at(side * 0.045 * h, low, 0.02), 0.024 * h, 0.020 * h, HAIR
                )
            )
    wheel = np.broadcast_to(place + np.array([0.22, -0.33, -0.34]), centre.shape)
    out += _arm(person, outfit_index, at(half, 0), wheel, side=1)[0]
    for side in (-1, 1):
        hip, knee = place + np.array([side * 0.10, -0.62, 0]), place + np.array([side * 0.14, -0.58, -0.42])
        out.append(Capsule(hip + 0 * sway, knee + 0 * sway, 0.052 * h * g, 0.036 * h * g, TROUSERS))
    return out + [Capsule(wheel, wheel + np.array([-0.02, 0.06, -0.05]), 0.036, 0.034, HAND)]


def shoulder_width(person: Person) -> float:
    """Half the distance between the shoulders in metres."""
    return (0.108 if person.sex == "m" else 0.098) * person.height * (0.8 + 0.2 * person.girth)


def right_arm(person: Person, outfit_index: int, shoulder: np.ndarray, motion: HandMotion) -> list[Capsule]:
    """The arm that gestures, from `shoulder` [T,3] to the finger tips."""
    parts, wrist = _arm(person, outfit_index, shoulder, motion.wrist, side=-1)
    return parts + jointed_hand(wrist, motion, 0.108 * person.height)


def _arm(
    person: Person, outfit_index: int, shoulder: np.ndarray, target: np.ndarray, side: int
) -> tuple[list[Capsule], np.ndarray]:
    upper, fore = arm_lengths(person)
    hint = np.array([side * (0.3 + person.elbow), -1.0, 0.1])
    elbow, wrist = solve_limb(shoulder, target, upper, fore, hint)
    radius = 0.027 * person.height * (0.7 + 0.3 * person.girth)
    sleeve = SLEEVE if person.outfits[outfit_index].long_sleeves else FOREARM
    return [
        Capsule(shoulder, elbow, radius * 1.15, radius * 0.95, SLEEVE),
        Capsule(elbow, wrist, radius * 0.92, radius * 0.66, sleeve),
    ], wrist


def jointed_hand(wrist: np.ndarray, motion: HandMotion, size: float) -> list[Capsule]:
    """Palm, four fingers and thumb of a right hand; `size` is the length of the stretched hand in metres."""
    pitch, twist, roll = motion.angles.T
    zero = 0 * pitch
    along = np.stack([zero, np.cos(pitch), -np.sin(pitch)], 1)
    front = np.stack([zero, -np.sin(pitch), -np.cos(pitch)], 1)  # where the palm looks when not twisted
    aside = np.stack([zero + 1, zero, zero], 1)  # where the thumb is when not twisted
    cos, sin = np.cos(twist)[:, None], np.sin(twist)[:, None]
    thumb, palm = cos * aside - sin * front, cos * front + sin * aside

    def rolled(v: np.ndarray) -> np.ndarray:
        c, s = np.cos(roll), np.sin(roll)
        return np.stack([c * v[:, 0] + s * v[:, 1], c * v[:, 1] - s * v[:, 0], v[:, 2]], 1)

    along, thumb, palm = rolled(along) * size, rolled(thumb) * size, rolled(palm) * size
    knuckles = wrist + 0.46 * along
    out = [
        Capsule(wrist + 0.14 * along, wrist + 0.38 * along, 0.19 * size, 0.22 * size, HAND),
        Capsule(knuckles - 0.17 * thumb, knuckles + 0.17 * thumb, 0.10 * size, 0.10 * size, HAND),
    ]
    for i, (where, length) in enumerate(((0.21, 0.46), (0.07, 0.52), (-0.07, 0.47), (-0.21, 0.37)), start=1):
        stretch = motion.fingers[:, i, None]
        root = knuckles + where * thumb
        tip = root + stretch * length * (along + 0.7 * where * thumb) + (1 - stretch) * (0.22 * palm + 0.02 * along)
        out.append(Capsule(root, tip, 0.075 * size, 0.06 * size, HAND))
    stretch = motion.fingers[:, 0, None]
    root = wrist + 0.20 * along + 0.14 * thumb
    tip = root + stretch * (0.38 * thumb + 0.20 * along) + (1 - stretch) * (0.20 * along + 0.04 * thumb + 0.12 * palm)
    return out + [Capsule(root, tip, 0.10 * size, 0.075 * size, HAND)]


def lay_over(body: Drawing, arm: Drawing) -> Drawing:
    """`body` (one frame, stands still) behind or before `arm` (n frames)."""
    n = len(arm.part)
    depth, part, shade = (np.repeat(a, n, 0) for a in (body.depth, body.part, body.shade))
    nearer = arm.depth < depth
    for target, source in ((depth, arm.depth), (part, arm.part), (shade, arm.shade)):
        np.copyto(target, source, where=nearer)
    return Drawing(depth, part, shade)


def cabin(camera: Camera, place: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The empty cabin behind the driver at `place`: reflectance [H,W,3] and distance along z [H,W] in metres.

    The same `rng` state gives the same cabin to every camera.
    """
    cloth = np.exp(rng.uniform(np.log(0.05), np.log(0.35))) * (1 + rng.normal(0, 0.08, 3))
    lining = np.exp(rng.uniform(np.log(0.12), np.log(0.5))) * (1 + rng.normal(0, 0.06, 3))
    outside = rng.uniform(0.5, 0.95) * np.array([0.92, 0.98, 1.0])
    x, y, z = place
    window = rng.uniform(0.28, 0.40)
    panels = (  # left, right, bottom, top, distance, reflectance; far ones first
        (-9, 9, y - 9, y + 0.02, z + 0.75, 0.6 * lining),
        (x + window, x + 1.2, y - 0.05, y + 0.42, z + 0.5, outside),
        (x - 1.3, x - window - 0.12, y + 0.02, y + 0.36, z + 0.7, 0.8 * outside),
        (x - 0.26, x + 0.26, y - 9, y + 0.06, z + 0.14, cloth),
        (x - 0.14, x + 0.14, y + 0.09, y + 0.28, z + 0.16, 0.9 * cloth),
    )
    u = (np.arange(camera.width) + 0.5 - camera.width / 2) / camera.focal
    v = (np.arange(camera.height) + 0.5 - camera.height / 2) / camera.focal
    rays = np.stack(np.broadcast_arrays(u[None, :], v[:, None], 1.0), -1) @ camera.rotation()
    slope_x, slope_y = rays[..., 0] / rays[..., 2], rays[..., 1] / rays[..., 2]
    ox, oy, oz = camera.position
    colour = np.broadcast_to(lining, slope_x.shape + (3,)).copy()
    depth = np.full(slope_x.shape, z + 0.9 - oz)
    for left, right, bottom, top, distance, reflectance in panels:
        away = distance - oz
        px, py = ox + slope_x * away, oy + slope_y * away
        hit = (px > left) & (px < right) & (py > bottom) & (py < top)
        colour[hit], depth[hit] = reflectance, away
    px, py = ox + slope_x * depth, oy + slope_y * depth
    pattern = 1 + 0.06 * np.sin(11 * px + 3 * py) + 0.05 * np.sin(4 * px - 9 * py)
    return np.clip(colour * pattern[..., None], 0.01, 0.95).astype(np.float32), depth.astype(np.float32)


class Grain:
    """Normal random numbers for the frames of one clip: drawn once, read from a random place for each frame."""

    def __init__(self, shape: tuple[int, int], rng: np.random.Generator):
        self.shape, self.size, self.rng = shape, shape[0] * shape[1], rng
        self.pool = rng.standard_normal(4 * self.size, np.float32)

    def frame(self) -> np.ndarray:
        start = int(self.rng.integers(0, 3 * self.size))
        return self.pool[start : start + self.size].reshape(self.shape)


def measure_depth(drawing: Drawing, background: np.ndarray, grain: Grain) -> np.ndarray:
    """uint8 [n,H,W,1] of a time-of-flight camera, in the coding of DEPTH_NEAR_MM and DEPTH_FAR_MM."""
    frames = np.empty(drawing.part.shape, np.uint8)
    scale = np.float32(254000 / (DEPTH_FAR_MM - DEPTH_NEAR_MM))
    for i in range(len(frames)):
        z = np.minimum(drawing.depth[i], background)
        noise = grain.frame()
        gray = z + noise * (np.float32(0.003) * z)
        gray -= np.float32(DEPTH_NEAR_MM / 1000)
        gray *= -scale
        gray += np.float32(255.5)
        np.clip(gray, 1, 255, out=gray)
        missing = z > DEPTH_FAR_MM / 1000
        jump = np.abs(z[:, 1:] - z[:, :-1]) > 0.08
        jump &= noise[:, 1:] > 0.5
        missing[:, 1:] |= jump
        missing |= (drawing.part[i] == HAIR) & (noise > 1.0)
        frames[i] = gray * ~missing
    return frames[..., None]


class NearInfrared:
    """A camera with its own lamp: signal = reflectance / distance^2, coded by its square root."""

    def __init__(
        self,
        person: Person,
        outfit_index: int,
        reflectance: np.ndarray,
        background: np.ndarray,
        distance: np.ndarray,
        gain: float,
    ):
        """`reflectance` [parts,3] and `background` [H,W,3] are the visible ones, `distance` [H,W] metres."""
        near = 0.25 + 0.6 * reflectance.mean(1)  # most cloth is brighter in near infrared
        near[0] = 0
        near[[HAND, FACE, NECK]] = 0.62  # all skin is alike there
        if not person.outfits[outfit_index].long_sleeves:
            near[FOREARM] = 0.62
        near[HAIR] = 0.12 + 0.5 * reflectance[HAIR].mean()
        self.parts = (255 * gain * np.sqrt(near)).astype(np.float32)
        self.background = (255 * gain * np.sqrt(0.1 + 0.5 * background.mean(2)) * 0.8 / distance).astype(np.float32)

    def expose(self, drawing: Drawing, grain: Grain) -> np.ndarray:
        """uint8 [n,H,W,1]."""
        frames = np.empty(drawing.part.shape, np.uint8)
        for i in range(len(frames)):
            level = drawing.shade[i] * np.float32(0.55)
            level += np.float32(0.45)
            level *= self.parts[drawing.part[i]]
            level /= drawing.depth[i]
            np.copyto(level, self.background, where=drawing.part[i] == 0)
            level += np.float32(2.0) * grain.frame()
            np.clip(level, 0, 255, out=level)
            frames[i] = level
        return frames[..., None]
