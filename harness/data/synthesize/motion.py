"""The ten gestures of MGR-Dark as hand paths.

A gesture is a movement, not a pose. The ten are five pairs: the second of each pair is the first one played backwards,
so both pass through exactly the same postures. All start and end with hanging arms, and where the hand works in front
of the body varies more from take to take than from class to class. What is left to tell them apart is the motion.

The draft names nine of its ten classes (`systems.md` section 1); the tenth is called "unnamed 10" here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.data.synthesize.people import Person

GESTURES = (
    "forward", "backward", "stop", "keep down", "turn left", "turn right", "upward", "look for", "quiet", "unnamed 10",
)
"""Class names; the label is the position. The first nine are the paper's, in its order."""

# gesture -> (movement, played backwards)
_MOVEMENTS = {
    "forward": ("push", False), "backward": ("push", True),
    "upward": ("raise", False), "keep down": ("raise", True),
    "turn left": ("sweep", False), "turn right": ("sweep", True),
    "stop": ("thrust", False), "quiet": ("thrust", True),
    "look for": ("circle", False), "unnamed 10": ("circle", True),
}

NEUTRAL = np.array([0.10, -0.93, 0.14])
"""The hanging hand: outward, up and toward the camera, in arm lengths from its shoulder."""


@dataclass(frozen=True)
class HandPath:
    """A hand over time: `position` [T,3] (image right, up, toward the camera; arm lengths from the shoulder of the
    arm that gestures), `palm` [T] from 0 (loose fist) to 1 (open palm), and the side of that arm (+1 image right)."""

    position: np.ndarray
    palm: np.ndarray
    side: int


def _ease(t: np.ndarray) -> np.ndarray:
    """Minimum-jerk progress 0..1 of a reach; constant outside 0..1."""
    t = np.clip(t, 0.0, 1.0)
    return t * t * t * (10 + t * (6 * t - 15))


def _bezier(a: np.ndarray, via: np.ndarray, b: np.ndarray, s: np.ndarray) -> np.ndarray:
    s = s[:, None]
    return (1 - s) ** 2 * a + 2 * s * (1 - s) * via + s * s * b


def _stroke(movement: str, s: np.ndarray, base: np.ndarray, size: float, side: int, angle: float) -> np.ndarray:
    """Position [len(s),3] of the hand at progress s (0..1) through one stroke of a movement."""
    if movement == "circle":
        phase = angle + 2 * np.pi * s
        offset = np.stack([np.cos(phase), np.sin(phase), 0 * phase], 1) * [0.32, 0.32, 0]
        return base + size * offset
    start, end = {
        "push": ([0.0, -0.10, -0.30], [0.0, 0.10, 0.38]),
        "raise": ([0.0, -0.42, 0.0], [0.0, 0.42, 0.0]),
        "sweep": ([-0.45, 0.0, 0.0], [0.45, 0.0, 0.0]),
        "thrust": ([-0.40 * side, 0.30, -0.25], [0.25 * side, -0.25, 0.25]),
    }[movement]
    start, end = np.asarray(start), np.asarray(end)
    return base + size * (start + s[:, None] * (end - start))


def hand_path(gesture: str, frames: int, person: Person, rng: np.random.Generator) -> HandPath:
    """The path of the gesturing hand in one take of `frames` frames.

    Timing, base position, size, number of repetitions and the hand used are drawn alike for every gesture.
    """
    movement, backwards = _MOVEMENTS[gesture]
    swap = rng.random() < 0.15
    side = 1 if person.left_handed != swap else -1             # the person faces the camera
    base = np.array([side * rng.uniform(-0.35, 0.30), rng.uniform(-0.30, 0.16), rng.uniform(0.48, 0.66)])
    size = person.amplitude * rng.uniform(0.88, 1.14)
    angle = rng.uniform(0, 2 * np.pi)
    idle, rise = rng.uniform(0.03, 0.07, 2), rng.uniform(0.10, 0.14, 2)
    repeats = int(rng.integers(1, 3))
    share = rng.uniform(0.62, 0.72)                             # of a repetition that is stroke, the rest is return
    phase = np.linspace(0, 1, frames)
    begin, end = idle[0] + rise[0], 1 - idle[1] - rise[1]
    u = np.clip((phase - begin) / (end - begin), 0, 1) * (repeats if movement == "circle" else repeats - 1 + share)
    count = np.minimum(np.floor(u), repeats - 1)
    part = u - count
    if movement == "circle":                                    # goes on turning, never returns
        progress = _ease(u / repeats) * 0.35 + u / repeats * 0.65
        position = _stroke(movement, progress * repeats, base, size, side, angle)
        palm = np.ones(frames)
    else:
        stroke, back = _ease(part / share), _ease((part - share) / (1 - share))
        position = _stroke(movement, stroke - back, base, size, side, angle)
        lift = np.sin(np.pi * np.clip((part - share) / (1 - share), 0, 1))
        position[:, 2] -= 0.12 * lift                           # the hand returns nearer to the body, and closed
        palm = 1 - np.clip(3 * lift, 0, 1)
    neutral = NEUTRAL * [side, 1, 1]
    via = np.array([side * 0.15, -0.55, 0.55])
    up = _ease((phase - idle[0]) / rise[0])
    down = _ease((phase - end) / rise[1])
    first, last = position[0], position[-1]
    before, after = phase < begin, phase > end
    position[before] = _bezier(neutral, via, first, up[before])
    position[after] = _bezier(last, via, neutral, down[after])
    palm = palm * np.where(before, _ease(2 * up - 1), 1) * np.where(after, _ease(1 - 2 * down), 1)
    if backwards:
        position, palm = position[::-1].copy(), palm[::-1].copy()
    return HandPath(position, palm, side)
