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


def solve_arm(shoulder: np.ndarray, target: np.ndarray, upper: float, fore: float,
              hint: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Elbow and wrist [T,3] of an arm whose wrist reaches for `target` [T,3]; the elbow bends toward `hint` [T,3] or [3].

    A target out of reach is approached as far as 98 % of the arm's length allows.
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


def hand_capsules(wrist: np.ndarray, fingers: np.ndarray, across: np.ndarray, palm: np.ndarray,
                  size: float) -> list[Capsule]:
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


def standing_body(person: Person, outfit_index: int, place: np.ndarray, turn: float, hands: dict[int, np.ndarray],
                  palms: dict[int, np.ndarray], motion: np.ndarray, head_turn: np.ndarray) -> list[Capsule]:
    """Capsules of a person who stands at `place` (x, floor height, z), turned by `turn` radians from the camera.

    `hands` maps side (+1 = image right) to the hand's position [T,3] in arm lengths from that shoulder (image right, up,
    toward the camera), `palms` to its openness [T]. `motion` [T,3] shifts the trunk in metres, `head_turn` [T] radians.
    """
    h, g = person.height, person.girth
    frames = len(motion)
    outfit = person.outfits[outfit_index]
    cos, sin = np.cos(turn), np.sin(turn)

    def world(local: np.ndarray, weight: float = 1.0) -> np.ndarray:
        """Body coordinates (image right, up, toward the camera), metres -> world [T,3]."""
        local = np.broadcast_to(np.asarray(local, float), (frames, 3))
        x = cos * local[:, 0] + sin * local[:, 2]
        z = -cos * local[:, 2] + sin * local[:, 0]
        return np.stack([x, local[:, 1], z], 1) + place + weight * motion

    half = (0.108 if person.sex == "m" else 0.098) * h * (0.8 + 0.2 * g)
    hip = 0.085 * h * g
    sh_y, hip_y, knee_y = 0.805 * h, 0.53 * h, 0.28 * h
    sleeve = SLEEVE if outfit.long_sleeves else FOREARM
    parts: list[Capsule] = []

    def add(a, b, ra: float, rb: float, part: int, wa: float = 1.0, wb: float = 1.0) -> None:
        parts.append(Capsule(world(a, wa), world(b, wb), ra, rb, part))

    for side in (-1, 1):
        add([side * hip * 0.95, hip_y, 0], [side * hip * 1.1, knee_y, 0.02], 0.052 * h * g, 0.036 * h * g, TROUSERS, 0.5, 0.2)
        add([side * hip * 1.1, knee_y, 0.02], [side * hip * 1.15, 0.04, 0], 0.034 * h * g, 0.026 * h, TROUSERS, 0.2, 0)
        add([side * half * 0.52, sh_y - 0.055 * h, 0], [side * hip * 0.75, hip_y, 0],
            0.058 * h * g, 0.060 * h * g, TOP, 1, 0.5)
    add([-half, sh_y, 0], [half, sh_y, 0], 0.040 * h * g, 0.040 * h * g, TOP)
    add([0, sh_y - 0.05 * h, 0.02], [0, hip_y + 0.03 * h, 0.01], 0.062 * h * g, 0.062 * h * g, TOP, 1, 0.5)
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

    upper, fore = arm_lengths(person)
    reach = upper + fore + 0.06 * h
    for side in (-1, 1):
        local = np.asarray(hands[side]) * reach
        shoulder_local = np.array([side * half, sh_y, 0.0])
        shoulder = world(shoulder_local)
        target = world(shoulder_local + local)
        hint = world([side * (0.25 + person.elbow), -1.0, -0.25]) - world([0, 0, 0])
        elbow, wrist = solve_arm(shoulder, target, upper, fore, hint)
        along = _unit(wrist - elbow)
        palm = np.asarray(palms[side])
        up = np.array([0.0, 1.0, 0.0])
        fingers = _unit(along * (1 - 0.55 * palm[:, None]) + up * 0.75 * palm[:, None])
        across = _unit(np.cross(fingers, np.array([0.0, 0.0, 1.0])) * side + 1e-3)
        arm_radius = 0.027 * h * (0.7 + 0.3 * g)
        parts.append(Capsule(shoulder, elbow, arm_radius * 1.15, arm_radius * 0.95, SLEEVE))
        parts.append(Capsule(elbow, wrist, arm_radius * 0.92, arm_radius * 0.66, sleeve))
        parts.extend(hand_capsules(wrist, fingers, across, palm, 0.108 * h))
    return parts
