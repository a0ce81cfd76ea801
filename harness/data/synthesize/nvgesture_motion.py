"""The 25 gestures of NvGesture as motions of one hand.

Most gestures come in pairs of which one is the other played backwards (`_PROGRAMS`), so that both pass through the same
postures; the gestures that show a number or a sign differ by what the fingers do once the hand is up. All start and end
with the same resting hand. Place, size, tempo and phase vary from take to take alike for every gesture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.data.synthesize.people import Person

# how far thumb, index, middle, ring and little finger are stretched
_OPEN, _FIST, _ONE, _TWO, _THREE = (1, 1, 1, 1, 1), (0, 0, 0, 0, 0), (0, 1, 0, 0, 0), (0, 1, 1, 0, 0), (0, 1, 1, 1, 0)
_THUMB, _RING, _RELAXED = (1, 0, 0, 0, 0), (0.45, 0.35, 1, 1, 1), (0.5, 0.55, 0.5, 0.45, 0.45)
# pitch (0 = fingers up, 90 = fingers to the camera) and twist about the fingers (0 = palm away from the driver),
# degrees
_UPRIGHT, _POINTING, _FLAT, _BECKONING, _SIDEWAYS = (8, 0), (55, 0), (75, 180), (45, 180), (80, 90)

# label -> (fingers, orientation, movement, played backwards); "right" is the driver's
_PROGRAMS = (
    (_OPEN, _UPRIGHT, "line x", True),
    (_OPEN, _UPRIGHT, "line x", False),  # 5-finger move right, left
    (_OPEN, _UPRIGHT, "line y", False),
    (_OPEN, _UPRIGHT, "line y", True),  # 5-finger move up, down
    (_TWO, _UPRIGHT, "line x", True),
    (_TWO, _UPRIGHT, "line x", False),  # 2-finger move right, left
    (_TWO, _UPRIGHT, "line y", False),
    (_TWO, _UPRIGHT, "line y", True),  # 2-finger move up, down
    (_ONE, _POINTING, "poke", False),  # click
    (_OPEN, _BECKONING, "wave fingers", False),  # beckon
    (_OPEN, _UPRIGHT, "open", False),  # stretch hand
    (_OPEN, _UPRIGHT, "shake", False),  # shake hand
    (_ONE, _UPRIGHT, "show", False),
    (_TWO, _UPRIGHT, "show", False),
    (_THREE, _UPRIGHT, "show", False),
    (_OPEN, _FLAT, "line y", False),
    (_OPEN, _FLAT, "line y", True),  # lift up, press down
    (_OPEN, _UPRIGHT, "line z", False),
    (_OPEN, _UPRIGHT, "line z", True),  # push, shrink
    (_TWO, _UPRIGHT, "circle", False),
    (_TWO, _UPRIGHT, "circle", True),  # levorotation, dextrorotation
    (_TWO, _POINTING, "line z", False),  # two fingers prod
    (_OPEN, _UPRIGHT, "grab", False),  # grab
    (_THUMB, _SIDEWAYS, "show", False),  # thumbs up
    (_RING, _UPRIGHT, "show", False),  # OK
)
_REST = np.array([-0.16, -0.27, 0.60])
"""The resting right hand, world metres from the colour camera: on the gear lever."""


@dataclass(frozen=True)
class Manner:
    """How one take is performed; nothing in it depends on the gesture."""

    base: tuple[float, float, float]  # where the hand works, world metres
    amplitude: float
    duration: float  # seconds from rest to rest
    rise: float  # share of the duration until the hand is up
    fall: float
    angle: float  # where a circle begins, radians
    turns: float
    repeats: int
    tilt: tuple[float, float, float]  # added to pitch, twist and roll, radians


@dataclass(frozen=True)
class HandMotion:
    """A hand over T moments: `wrist` [T,3] world metres, `fingers` [T,5] stretched 0..1 from the thumb to the little
    finger, `angles` [T,3] pitch, twist and roll in radians."""

    wrist: np.ndarray
    fingers: np.ndarray
    angles: np.ndarray


def draw_manner(person: Person, rng: np.random.Generator) -> Manner:
    base = (-0.02 + rng.normal(0, 0.025), -0.09 + rng.normal(0, 0.025), 0.50 + rng.normal(0, 0.025))
    return Manner(
        base=base,
        amplitude=person.amplitude * rng.uniform(0.85, 1.15),
        duration=float(np.clip(rng.uniform(1.75, 2.2) / person.tempo, 1.6, 2.3)),
        rise=rng.uniform(0.16, 0.22),
        fall=rng.uniform(0.16, 0.22),
        angle=rng.uniform(0, 2 * np.pi),
        turns=rng.uniform(1.4, 1.8),
        repeats=int(rng.integers(2, 4)),
        tilt=tuple(rng.normal(0, 0.12, 3)),
    )


def _ease(t: np.ndarray) -> np.ndarray:
    """Minimum-jerk progress 0..1; constant outside 0..1."""
    t = np.clip(t, 0.0, 1.0)
    return t * t * t * (10 + t * (6 * t - 15))


def _movement(
    kind: str, u: np.ndarray, fingers: np.ndarray, manner: Manner
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Offset [T,3] metres, fingers [T,5] and angles [T,3] radians at progress u (0..1) of the raised hand."""
    offset, angles = np.zeros((len(u), 3)), np.zeros((len(u), 3))
    shape = np.tile(fingers, (len(u), 1))
    if kind.startswith("line"):
        way = 2 * _ease(u) - 1
        axis, length = {"line x": (0, 0.15), "line y": (1, 0.12), "line z": (2, -0.12)}[kind]
        offset[:, axis] = length * way
    elif kind == "poke":
        press = np.sin(np.pi * 2 * u) ** 2
        offset[:, 2], angles[:, 0] = -0.06 * press, 0.5 * press
    elif kind == "circle":
        phase = manner.angle + 2 * np.pi * manner.turns * u
        offset[:, 0], offset[:, 1] = 0.08 * np.cos(phase), 0.08 * np.sin(phase)
    elif kind == "shake":
        swing = np.sin(2 * np.pi * manner.repeats * u)
        offset[:, 0], angles[:, 2] = 0.04 * swing, 0.5 * swing
    elif kind == "wave fingers":
        shape[:, 1:] *= 0.5 + 0.5 * np.cos(2 * np.pi * manner.repeats * u)[:, None]
    elif kind == "grab":
        shape *= 0.5 + 0.5 * np.cos(4 * np.pi * u)[:, None]
    elif kind == "open":
        shape *= _ease(2 * u - 0.4)[:, None]
    elif kind == "show":
        shape *= _ease(4 * u)[:, None]
        offset[:, 2] = -0.03 * np.sin(np.pi * u)
    return manner.amplitude * offset, shape, angles


def hand_motion(label: int, manner: Manner, seconds: np.ndarray) -> HandMotion:
    """The hand at moments `seconds` [T] after the gesture begins; it rests before 0 and after `manner.duration`."""
    fingers, (pitch, twist), kind, backwards = _PROGRAMS[label]
    phase = np.clip(np.asarray(seconds) / manner.duration, 0, 1)
    if backwards:
        phase = 1 - phase
    u = np.clip((phase - manner.rise) / (1 - manner.rise - manner.fall), 0, 1)
    up = (_ease(phase / manner.rise) * _ease((1 - phase) / manner.fall))[:, None]
    offset, shape, angles = _movement(kind, u, np.asarray(fingers, float), manner)
    rest = np.radians([35.0, 0.0, 0.0])
    aim = np.radians([pitch, twist, 0.0]) + angles + np.asarray(manner.tilt)
    return HandMotion(
        wrist=_REST + up * (np.asarray(manner.base) + offset - _REST),
        fingers=np.asarray(_RELAXED) + up * (shape - np.asarray(_RELAXED)),
        angles=rest + up * (aim - rest),
    )
