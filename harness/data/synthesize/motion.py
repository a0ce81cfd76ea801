"""The ten gestures of MGR-Dark as movements of hands and body.

A gesture is a movement, not a pose. Eight of the ten are four pairs, of which one is the other played backwards; the
remaining two go to and fro along the path of such a pair. So the classes share their postures, all start and end with
hanging arms, and where the hands work in front of the body, how large, how long and with which hand varies more from
take to take than from class to class. What is left to tell the classes apart is the motion. People put their body into
it: they lean, crouch and rise with their hands.

The draft names nine of its ten classes (`systems.md` section 1); the tenth is called "unnamed 10" here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.data.synthesize.people import Person

GESTURES = (
    "forward",
    "backward",
    "stop",
    "keep down",
    "turn left",
    "turn right",
    "upward",
    "look for",
    "quiet",
    "unnamed 10",
)
"""Class names; the label is the position. The first nine are the paper's, in its order."""

# gesture -> (movement, how it is played)
MOVEMENTS = {
    "forward": ("spread", "once"),
    "backward": ("spread", "reversed"),  # hands apart and to the camera
    "upward": ("raise", "once"),
    "keep down": ("raise", "reversed"),
    "turn left": ("sweep", "once"),
    "turn right": ("sweep", "reversed"),  # the person's left, image right
    "look for": ("circle", "once"),
    "unnamed 10": ("circle", "reversed"),
    "stop": ("sweep", "to and fro"),
    "quiet": ("raise", "to and fro"),
}

NEUTRAL = np.array([0.10, -0.93, 0.14])
"""The hanging hand: outward, up and toward the camera, in arm lengths from its shoulder."""

# half a stroke of each movement, in arm lengths: outward (spread) or image right (others), up, toward the camera
_HALF = {"spread": (0.27, 0.0, 0.28), "raise": (0.0, 0.36, 0.0), "sweep": (0.38, 0.0, 0.0), "circle": (0.29, 0.29, 0.0)}
# how far the shoulders go with it, in metres
_LEAN = {"spread": (0.0, 0.0, 0.22), "raise": (0.0, 0.15, 0.0), "sweep": (0.17, 0.0, 0.0), "circle": (0.13, 0.11, 0.0)}


@dataclass(frozen=True)
class Performance:
    """One gesture over T frames. Axes: image right, up, toward the camera.

    `hands` side (+1 = image right) -> position [T,3] in arm lengths from that shoulder; `palms` side -> [T] from 0
    (loose fist) to 1 (open palm); `lean` [T,3] metres that the shoulders move.
    """

    hands: dict[int, np.ndarray]
    palms: dict[int, np.ndarray]
    lean: np.ndarray


def ease(t: np.ndarray) -> np.ndarray:
    """Minimum-jerk progress 0..1 of a reach; constant outside 0..1."""
    t = np.clip(t, 0.0, 1.0)
    return t * t * t * (10 + t * (6 * t - 15))


def bezier(a: np.ndarray, via: np.ndarray, b: np.ndarray, s: np.ndarray) -> np.ndarray:
    """Points [len(s),3] of a quadratic curve."""
    s = s[:, None]
    return (1 - s) ** 2 * a + 2 * s * (1 - s) * via + s * s * b


def _glide(t: np.ndarray) -> np.ndarray:
    """Progress 0..1 at nearly constant speed."""
    t = np.clip(t, 0.0, 1.0)
    return 0.1 * ease(t) + 0.9 * t


def stroke_progress(
    style: str, active: np.ndarray, repeats: int, share: float, start: float
) -> tuple[np.ndarray, np.ndarray]:
    """Where on its stroke (-1..1) the hand is, and how far it is withdrawn (0..1), at progress `active` (0..1) [T].

    "once": `repeats` strokes from -1 to 1, each but the last followed by a quick return. "to and fro": four passes at
    one speed, from a place and in a direction that `start` (0..2) gives.
    """
    if style == "to and fro":
        passes = 4 * active + start
        number = np.floor(passes)
        part = _glide(passes - number)
        return np.where(number % 2 == 0, 1 - 2 * part, 2 * part - 1), np.zeros_like(active)
    u = active * (repeats - 1 + share)
    part = u - np.minimum(np.floor(u), repeats - 1)
    back = (part - share) / (1 - share)
    return 2 * (_glide(part / share) - ease(back)) - 1, np.sin(np.pi * np.clip(back, 0, 1))


def perform(gesture: str, frames: int, person: Person, rng: np.random.Generator) -> Performance:
    """One take of a gesture. Timing, place, size and the hands used are drawn alike for every gesture (only "forward"
    and "backward" always take both hands)."""
    movement, style = MOVEMENTS[gesture]
    swap, both = rng.random() < 0.15, rng.random() < 0.8
    main = 1 if person.left_handed != swap else -1  # the person faces the camera
    sides = (main, -main) if both or movement == "spread" else (main,)
    inward = -0.05 if len(sides) == 2 else -0.30
    outward, up, near = rng.uniform(inward, 0.28), rng.uniform(-0.26, 0.14), rng.uniform(0.48, 0.66)
    size = person.amplitude * rng.uniform(0.88, 1.14)
    angle, start, stance = rng.uniform(0, 2 * np.pi), rng.uniform(0, 2), rng.uniform(0, 0.26)
    turns = rng.uniform(1.15, 1.35)
    repeats = 1 + (int(rng.integers(1, 3)) if frames > 100 else 0)
    idle, rise, share = rng.uniform(0.02, 0.06, 2), rng.uniform(0.05, 0.08, 2), rng.uniform(0.82, 0.9)

    phase = np.linspace(0, 1, frames)
    begin, end = idle[0] + rise[0], 1 - idle[1] - rise[1]
    active = np.clip((phase - begin) / (end - begin), 0, 1)
    up_reach, down_reach = ease((phase - idle[0]) / rise[0]), ease((phase - end) / rise[1])
    before, after = phase < begin, phase > end
    if movement == "circle":
        turned = angle + 2 * np.pi * turns * repeats * active
        course, withdrawn = np.stack([np.cos(turned), np.sin(turned), 0 * turned], 1), np.zeros(frames)
    else:
        along, withdrawn = stroke_progress(style, active, repeats, share, start)
        course = np.repeat(along[:, None], 3, 1)
        if style == "to and fro":
            course = 0.75 * course
    hands, palms = {}, {}
    for side in sides:
        base = np.array([side * outward, up, near])
        half = np.array(_HALF[movement]) * ([side, 1, 1] if movement == "spread" else 1)
        position = base + size * half * course
        position[:, 2] -= 0.12 * withdrawn  # the hand returns nearer to the body, and closed
        neutral, via = NEUTRAL * [side, 1, 1], np.array([side * 0.15, -0.55, 0.55])
        first, last = position[0], position[-1]
        position[before] = bezier(neutral, via, first, up_reach[before])
        position[after] = bezier(last, via, neutral, down_reach[after])
        hands[side] = position
        palms[side] = (1 - np.clip(3 * withdrawn, 0, 1)) * ease(2 * up_reach - 1) * ease(1 - 2 * down_reach)
    lean = _lean_of(movement, style, size, course, stance)
    lean *= (up_reach * (1 - down_reach))[:, None]
    if style == "reversed":
        hands, palms = {s: h[::-1] for s, h in hands.items()}, {s: p[::-1] for s, p in palms.items()}
        lean = lean[::-1]
    return Performance(hands, palms, lean)


def _lean_of(movement: str, style: str, size: float, course: np.ndarray, stance: float) -> np.ndarray:
    """How far the shoulders go with a stroke [T,3]; `stance` is by how much they are lower throughout."""
    lean = size * np.array(_LEAN[movement]) * course
    if style == "to and fro":  # only the hands wave
        lean = 0 * lean
    if style != "to and fro" and _LEAN[movement][1]:
        stance = size * _LEAN[movement][1]  # as deep as it takes to rise and never to fly
    lean[:, 1] -= stance
    lean[:, 1] -= 0.15 * lean[:, 2]  # who leans forward, lowers the head
    return lean
