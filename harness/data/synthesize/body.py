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


@dataclass(frozen=True)
class _Posture:
    """Where a person stands, turned by `turn` radians from the camera, and how far shoulders and hips have moved [T,3].

    Positions of the body are in metres: image right, up, toward the camera.
    """

    person: Person
    place: np.ndarray
    turn: float
    shoulders: np.ndarray
    hips: np.ndarray

    @property
    def half(self) -> float:
        """Half the distance of the shoulders."""
        return (0.108 if self.person.sex == "m" else 0.098) * self.person.height * (0.8 + 0.2 * self.person.girth)

    def world(self, local, moves: np.ndarray) -> np.ndarray:
        """Body coordinates, metres -> world [T,3]."""
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        local = np.asarray(local, float) + moves
        x = cos * local[:, 0] + sin * local[:, 2]
        z = -cos * local[:, 2] + sin * local[:, 0]
        return np.stack([x, local[:, 1], z], 1) + self.place

    def still(self, local) -> np.ndarray:
        """A position that does not move, in the world."""
        return self.world(local, np.zeros_like(self.shoulders))

    def direction(self, local) -> np.ndarray:
        return self.still(local) - self.still([0, 0, 0])

    def upper(self, a, b, ra: float, rb: float, part: int) -> Capsule:
        """A capsule that moves with the shoulders."""
        return Capsule(self.world(a, self.shoulders), self.world(b, self.shoulders), ra, rb, part)

    def trunk(self, a, b, radii: tuple[float, float]) -> Capsule:
        """A capsule from the shoulders to the hips."""
        return Capsule(self.world(a, self.shoulders), self.world(b, self.hips), *radii, TOP)


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
    pose = _Posture(person, place, turn, shoulders=lean, hips=lean * [0.35, 0.95, 0.5])
    half, sh_y, hip_y = pose.half, 0.805 * h, 0.53 * h
    parts = [part for side in (-1, 1) for part in _leg_and_flank(pose, side, sh_y, hip_y)]
    parts.append(pose.upper([-half, sh_y, 0], [half, sh_y, 0], 0.040 * h * g, 0.040 * h * g, TOP))
    parts.append(
        pose.trunk([0, sh_y - 0.05 * h, 0.02], [0, hip_y + 0.03 * h, 0.01], (0.062 * h * g, 0.062 * h * g)),
    )
    parts.append(pose.upper([0, sh_y, 0], [0, 0.87 * h, 0.01], 0.033 * h, 0.030 * h, NECK))
    parts += _head(pose, head_turn)
    long_sleeves = person.outfits[outfit_index].long_sleeves
    for side in (-1, 1):
        shoulder = np.array([side * half, sh_y, 0.0])
        target = pose.world(shoulder + np.asarray(hands[side]) * arm_length(person), lean)
        hint = pose.direction([side * (0.25 + person.elbow), -1.0, -0.25])
        parts += arm_capsules(person, long_sleeves, side, pose.world(shoulder, lean), target, hint, palms[side])
    return parts


def _leg_and_flank(pose: _Posture, side: int, shoulder_height: float, hip_height: float) -> list[Capsule]:
    """A leg, and the trunk above it."""
    h, g = pose.person.height, pose.person.girth
    hip = 0.085 * h * g
    top = pose.world([side * hip * 0.95, hip_height, 0], pose.hips)
    ankle = pose.still([side * hip * 1.15, 0.04, 0])
    knee, ankle = solve_limb(top, ankle, 0.25 * h, 0.25 * h, pose.direction([side * 0.1, 0, 1]))
    return [
        Capsule(top, knee, 0.052 * h * g, 0.036 * h * g, TROUSERS),
        Capsule(knee, ankle, 0.034 * h * g, 0.026 * h, TROUSERS),
        pose.trunk(
            [side * pose.half * 0.52, shoulder_height - 0.055 * h, 0],
            [side * hip * 0.75, hip_height, 0],
            (0.058 * h * g, 0.060 * h * g),
        ),
    ]


def _head(pose: _Posture, turn: np.ndarray) -> list[Capsule]:
    """Face and hair of a head that is turned by [T] radians."""
    h, hair = pose.person.height, pose.person.hair_length
    hx, hz = np.sin(turn), np.cos(turn)
    zero = np.zeros(len(turn))

    def at(y: float, forward: float) -> np.ndarray:
        return np.stack([forward * hx, zero + y * h, forward * hz], 1)

    parts = [
        pose.upper(at(0.905, 0.025), at(0.945, 0.02), 0.042 * h, 0.047 * h, FACE),
        pose.upper(at(0.955, -0.015), at(0.962, -0.015), 0.050 * h, 0.048 * h, HAIR),
    ]
    if hair > 0.1:
        ends = [side * np.array([0.034 * h, 0.042 * h]) for side in (-1, 1)]
        low = 0.93 - 0.10 * hair
        parts += [
            pose.upper([top, 0.945 * h, -0.03], [end, low * h, -0.03], 0.024 * h, 0.020 * h, HAIR) for top, end in ends
        ]
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
