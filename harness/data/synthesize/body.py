"""An articulated body: joints by two-bone inverse kinematics, flesh as tapered capsules."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.data.synthesize.people import Person

PARTS = ("background", "top", "trousers", "sleeve", "forearm", "hand", "face", "hair", "neck")
TOP, TROUSERS, SLEEVE, FOREARM, HAND, FACE, HAIR, NECK = range(1, len(PARTS))


@dataclass(frozen=True)
class Capsule:
    """A tapered capsule over T frames: axis from `a` to `b` [T,3] metres, radii `ra`, `rb` ([T] or scalar), part id."""

    a: np.ndarray
    b: np.ndarray
    ra: np.ndarray | float
    rb: np.ndarray | float
    part: int


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-6)


def solve_limb(
    shoulder: np.ndarray, target: np.ndarray, upper: float, fore: float, hint: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Elbow and wrist [T,3] of an arm (or knee and ankle of a leg) that reaches for `target` [T,3] and bends toward
    `hint`.

    A target out of reach is approached as far as 98 % of the limb's length allows.
    """
    reach = target - shoulder
    length = np.linalg.norm(reach, axis=-1, keepdims=True)
    d = np.clip(length, abs(upper - fore) + 0.02, 0.98 * (upper + fore))
    axis = reach / np.maximum(length, 1e-6)
    wrist = shoulder + axis * d
    along = (upper**2 - fore**2 + d**2) / (2 * d)
    off = np.sqrt(np.maximum(upper**2 - along**2, 0))
    side = _unit(hint - (hint * axis).sum(-1, keepdims=True) * axis)
    return shoulder + axis * along + side * off, wrist


def arm_lengths(person: Person) -> tuple[float, float]:
    """Upper arm and forearm (elbow to wrist) in metres."""
    return 0.172 * person.height, 0.150 * person.height


def arm_length(person: Person) -> float:
    """The unit of hand positions: shoulder to the middle of the hand, metres."""
    return 0.382 * person.height


def hand_capsules(
    wrist: np.ndarray, fingers: np.ndarray, across: np.ndarray, palm: np.ndarray, size: float
) -> list[Capsule]:
    """A hand between fist (`palm` 0) and open palm (1). `fingers`, `across` unit vectors [T,3]: where the fingers and
    the thumb point; `size` is the length of the open hand in metres."""
    p = palm[:, None]
    knuckles = wrist + fingers * size * (0.42 + 0.10 * p)
    out = [Capsule(wrist + fingers * 0.15 * size, knuckles, 0.23 * size, 0.25 * size + 0.03 * size * palm, HAND)]
    for spread in (-0.30, 0.0, 0.30):
        tip = knuckles + (fingers + spread * across) * size * 0.52 * p - across * spread * 0.3 * size * (1 - p)
        out.append(Capsule(knuckles + across * spread * 0.55 * size, tip, 0.10 * size, 0.085 * size, HAND))
    thumb = wrist + fingers * size * 0.3 + across * size * (0.20 + 0.32 * p)
    out.append(Capsule(wrist + fingers * 0.2 * size, thumb, 0.11 * size, 0.09 * size, HAND))
    return out


def standing_body(  # noqa: PLR0913  a pose has that many parts
    person: Person,
    outfit_index: int,
    place: np.ndarray,
    turn: float,
    hands: dict[int, np.ndarray],
    palms: dict[int, np.ndarray],
    lean: np.ndarray,
    head_turn: np.ndarray,
) -> list[Capsule]:
    """Capsules of a person who stands at `place` (x, floor height, z), turned by `turn` radians from the camera.

    `hands` maps side (+1 = image right) to the hand's position [T,3] in arm lengths from that shoulder (image right,
    up, toward the camera), `palms` to its openness [T]. `lean` [T,3] moves the shoulders by so many metres (same axes);
    hips and knees follow, the feet stay. `head_turn` [T] radians.
    """
    h, g = person.height, person.girth
    frames = len(lean)
    outfit = person.outfits[outfit_index]
    cos, sin = np.cos(turn), np.sin(turn)
    shoulder_moves, hip_moves = lean, lean * [0.35, 0.95, 0.5]
    still = np.zeros((frames, 3))

    def world(local, moves: np.ndarray) -> np.ndarray:
        """Body coordinates (image right, up, toward the camera), metres -> world [T,3]."""
        local = np.asarray(local, float) + moves
        x = cos * local[:, 0] + sin * local[:, 2]
        z = -cos * local[:, 2] + sin * local[:, 0]
        return np.stack([x, local[:, 1], z], 1) + place

    half = (0.108 if person.sex == "m" else 0.098) * h * (0.8 + 0.2 * g)
    hip = 0.085 * h * g
    sh_y, hip_y = 0.805 * h, 0.53 * h
    parts: list[Capsule] = []

    def add(a, b, ra: float, rb: float, part: int, b_moves: np.ndarray = shoulder_moves) -> None:
        parts.append(Capsule(world(a, shoulder_moves), world(b, b_moves), ra, rb, part))

    for side in (-1, 1):
        top = world([side * hip * 0.95, hip_y, 0], hip_moves)
        ankle = world([side * hip * 1.15, 0.04, 0], still)
        knee, ankle = solve_limb(
            top, ankle, 0.25 * h, 0.25 * h, world([side * 0.1, 0, 1], still) - world([0, 0, 0], still)
        )
        parts.append(Capsule(top, knee, 0.052 * h * g, 0.036 * h * g, TROUSERS))
        parts.append(Capsule(knee, ankle, 0.034 * h * g, 0.026 * h, TROUSERS))
        add(
            [side * half * 0.52, sh_y - 0.055 * h, 0],
            [side * hip * 0.75, hip_y, 0],
            0.058 * h * g,
            0.060 * h * g,
            TOP,
            hip_moves,
        )
    add([-half, sh_y, 0], [half, sh_y, 0], 0.040 * h * g, 0.040 * h * g, TOP)
    add([0, sh_y - 0.05 * h, 0.02], [0, hip_y + 0.03 * h, 0.01], 0.062 * h * g, 0.062 * h * g, TOP, hip_moves)
    add([0, sh_y, 0], [0, 0.87 * h, 0.01], 0.033 * h, 0.030 * h, NECK)
    hx, hz = np.sin(head_turn), np.cos(head_turn)
    zero = np.zeros(frames)

    def head(y: float, forward: float) -> np.ndarray:
        return np.stack([forward * hx, zero + y * h, forward * hz], 1)

    add(head(0.905, 0.025), head(0.945, 0.02), 0.042 * h, 0.047 * h, FACE)
    add(head(0.955, -0.015), head(0.962, -0.015), 0.050 * h, 0.048 * h, HAIR)
    if person.hair_length > 0.1:
        low = 0.93 - 0.10 * person.hair_length
        for side in (-1, 1):
            add([side * 0.034 * h, 0.945 * h, -0.03], [side * 0.042 * h, low * h, -0.03], 0.024 * h, 0.020 * h, HAIR)
    for side in (-1, 1):
        shoulder = np.array([side * half, sh_y, 0.0])
        target = world(shoulder + np.asarray(hands[side]) * arm_length(person), shoulder_moves)
        hint = world([side * (0.25 + person.elbow), -1.0, -0.25], still) - world([0, 0, 0], still)
        parts.extend(
            arm_capsules(person, outfit.long_sleeves, side, world(shoulder, shoulder_moves), target, hint, palms[side])
        )
    return parts


def arm_capsules(
    person: Person,
    long_sleeves: bool,
    side: int,
    shoulder: np.ndarray,
    target: np.ndarray,
    hint: np.ndarray,
    palm: np.ndarray,
) -> list[Capsule]:
    """An arm from `shoulder` whose wrist reaches for `target` (world [T,3]), with its hand."""
    upper, fore = arm_lengths(person)
    elbow, wrist = solve_limb(shoulder, target, upper, fore, hint)
    along = _unit(wrist - elbow)
    palm = np.asarray(palm)
    fingers = _unit(along * (1 - 0.55 * palm[:, None]) + np.array([0.0, 0.75, 0.0]) * palm[:, None])
    across = _unit(np.cross(fingers, np.array([0.0, 0.0, 1.0])) * side + 1e-3)
    radius = 0.027 * person.height * (0.7 + 0.3 * person.girth)
    return [
        Capsule(shoulder, elbow, radius * 1.15, radius * 0.95, SLEEVE),
        Capsule(elbow, wrist, radius * 0.92, radius * 0.66, SLEEVE if long_sleeves else FOREARM),
        *hand_capsules(wrist, fingers, across, palm, 0.108 * person.height),
    ]
