"""The motions of the source set, on which networks learn before they see a gesture.

None is a gesture of MGR-Dark or NvGesture: hands do not sweep, rise, spread or circle in front of the body, they draw
corners, arches, eights and zigzags, go round in other planes, or work in turn; in some only the body moves. Most come
in pairs of which one is the other played backwards, so that a still frame does not tell them apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from harness.data.synthesize.motion import NEUTRAL, Performance, bezier, ease
from harness.data.synthesize.people import Person

Path = Callable[[np.ndarray], np.ndarray]  # progress 0..1 [T] -> offset [T,3]: image right, up, toward the camera


def _curve(
    slope: tuple[float, float, float] = (0, 0, 0), **waves: tuple[float, float, float] | tuple[float, float]
) -> Path:
    """A drift of `slope` from end to end, and a wave (amplitude, periods, phase in periods) on axes x, y, z."""

    def path(u: np.ndarray) -> np.ndarray:
        offset = (2 * u - 1)[:, None] * np.array(slope, float)
        for axis, (amplitude, periods, *phase) in waves.items():
            offset[:, "xyz".index(axis)] += amplitude * np.sin(2 * np.pi * (periods * u + (phase[0] if phase else 0)))
        return offset

    return path


def _corners(*points: tuple[float, ...]) -> Path:
    """Straight lines from point to point, at one speed."""

    def path(u: np.ndarray) -> np.ndarray:
        corners = np.array([[*p, 0.0][:3] for p in points], float)
        along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))])
        return np.stack([np.interp(u * along[-1], along, corners[:, i]) for i in range(3)], 1)

    return path


def _hops(direction: float, hops: int) -> Path:
    """Arches on the way to one side."""
    return lambda u: np.stack([direction * (2 * u - 1), 0.35 * np.abs(np.sin(np.pi * hops * u)) - 0.15, 0 * u], 1)


@dataclass(frozen=True)
class Motion:
    """`hands`: any (one or both, side by side) | mirrored | in turn (half a period later) | none (the body alone).

    `lean`: metres by which the shoulders follow the path, along each axis.
    """

    path: Path
    hands: str = "any"
    backwards: bool = False
    lean: tuple[float, float, float] = (0.0, 0.0, 0.0)


def _both_ways(forth: str, back: str, path: Path, **more) -> dict[str, Motion]:
    return {forth: Motion(path, **more), back: Motion(path, backwards=True, **more)}


_S = 0.32  # half the size of what a hand draws, arm lengths
MOTIONS: dict[str, Motion] = {
    **_both_ways("slant up right", "slant down left", _corners((-_S, -_S), (_S, _S))),
    **_both_ways("slant up left", "slant down right", _corners((_S, -_S), (-_S, _S))),
    **_both_ways(
        "zigzag right", "zigzag left", _corners((-0.4, -0.2), (-0.2, 0.2), (0, -0.2), (0.2, 0.2), (0.4, -0.2))
    ),
    **_both_ways("zigzag up", "zigzag down", _corners((-0.2, -0.4), (0.2, -0.2), (-0.2, 0), (0.2, 0.2), (-0.2, 0.4))),
    **_both_ways("hop right", "hop left", lambda u: 0.9 * _hops(0.4, 3)(u)),
    **_both_ways("arch right", "arch left", _curve(x=(0.38, 0.5, -0.25), y=(0.4, 0.5))),
    **_both_ways("bowl right", "bowl left", _curve(x=(0.38, 0.5, -0.25), y=(-0.4, 0.5))),
    **_both_ways("ripple right", "ripple left", _curve((0.38, 0, 0), z=(0.16, 2.5))),
    **_both_ways("coil right", "coil left", _curve((0.3, 0, 0), x=(0.16, 3, 0.25), y=(0.18, 3))),
    **_both_ways("lying eight", "lying eight back", _curve(x=(0.34, 1.2), y=(0.2, 2.4))),
    **_both_ways("standing eight", "standing eight back", _curve(x=(0.2, 2.4), y=(0.34, 1.2))),
    **_both_ways("square", "square back", _corners((-_S, -_S), (-_S, _S), (_S, _S), (_S, -_S), (-_S, -_S))),
    **_both_ways("triangle", "triangle back", _corners((-_S, -_S), (0, _S), (_S, -_S), (-_S, -_S))),
    **_both_ways("stir", "stir back", _curve(x=(0.28, 1.6), z=(0.2, 1.6, 0.25))),
    **_both_ways("crank", "crank back", _curve(y=(0.28, 1.6), z=(0.2, 1.6, 0.25))),
    **_both_ways("pedal", "pedal back", _curve(y=(0.24, 2), z=(0.18, 2, 0.25)), hands="in turn"),
    **_both_ways("tick", "tick back", _corners((-0.35, 0.05), (-0.15, -0.3), (0.35, 0.35))),
    **_both_ways("up and right", "left and down", _corners((-_S, -_S), (-_S, _S), (_S, _S))),
    **_both_ways("right and up", "down and left", _corners((-_S, -_S), (_S, -_S), (_S, _S))),
    **_both_ways("gather", "part", _curve(x=(0.24, 1.6), z=(0.2, 1.6, 0.25)), hands="mirrored"),
    "seesaw": Motion(_curve(x=(0.12, 1.5), y=(0.3, 1.5)), "in turn"),
    "drum": Motion(_curve(y=(0.12, 4), z=(0.1, 4)), "in turn"),
    "flap": Motion(_curve(x=(0.26, 2.5), y=(0.24, 2.5)), "mirrored"),
    "sway": Motion(_curve(x=(1, 1.5)), "none", lean=(0.17, 0, 0)),
    "squat": Motion(_curve(y=(1, 2)), "none", lean=(0, 0.12, 0)),
    "rock": Motion(_curve(z=(1, 1.5)), "none", lean=(0, 0, 0.2)),
    **_both_ways(
        "body circle", "body circle back", _curve(x=(1, 1.5), z=(1, 1.5, 0.25)), hands="none", lean=(0.14, 0, 0.16)
    ),
}
"""Class name -> motion; the label is the position."""


def perform_motion(name: str, frames: int, person: Person, rng: np.random.Generator) -> Performance:
    """One take of a motion, from hanging arms to hanging arms. Timing, place, size and hands are drawn alike."""
    motion = MOTIONS[name]
    main = 1 if person.left_handed != (rng.random() < 0.3) else -1
    alone = motion.hands == "any" and rng.random() < 0.5
    outward, up, near = rng.uniform(-0.25 if alone else -0.02, 0.3), rng.uniform(-0.26, 0.16), rng.uniform(0.46, 0.68)
    size, even, follows = person.amplitude * rng.uniform(0.85, 1.2), rng.uniform(0, 0.6), rng.uniform(0, 0.4)
    idle, rise, openness = rng.uniform(0, 0.06, 2), rng.uniform(0.07, 0.13, 2), rng.uniform(0.1, 1)

    phase = np.linspace(0, 1, frames)
    begin, end = idle[0] + rise[0], 1 - idle[1] - rise[1]
    active = np.clip((phase - begin) / (end - begin), 0, 1)
    active = (1 - even) * active + even * ease(active)
    up_reach, down_reach = ease((phase - idle[0]) / rise[0]), ease((phase - end) / rise[1])
    raised = up_reach * (1 - down_reach)
    course = motion.path(1 - active if motion.backwards else active)
    lean = size * np.array(motion.lean) * course
    if motion.hands != "none":
        lean = follows * size * 0.4 * course
    else:
        lean[:, 1] -= size * abs(motion.lean[1])  # as deep as it takes to rise and never to fly
    lean[:, 1] -= 0.15 * lean[:, 2]  # who leans forward, lowers the head
    hands, palms = {}, {}
    for side in () if motion.hands == "none" else (main,) if alone else (main, -main):
        half = course * ([side, 1, 1] if motion.hands == "mirrored" else 1)
        if motion.hands == "in turn" and side != main:
            half = -course
        position = np.array([side * outward, up, near]) + size * half
        neutral, via = NEUTRAL * [side, 1, 1], np.array([side * 0.15, -0.55, 0.55])
        before, after = phase < begin, phase > end
        first, last = position[0], position[-1]
        position[before] = bezier(neutral, via, first, up_reach[before])
        position[after] = bezier(last, via, neutral, down_reach[after])
        hands[side], palms[side] = position, openness * raised
    return Performance(hands, palms, lean * raised[:, None])
