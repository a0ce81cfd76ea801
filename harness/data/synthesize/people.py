"""The synthetic people: body, skin, clothes, warmth and manner of moving."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.data.synthesize.seeding import generator, rgb


@dataclass(frozen=True)
class Outfit:
    """What a person wears. Reflectances are linear RGB in 0..1."""

    top: tuple[float, float, float]
    trousers: tuple[float, float, float]
    long_sleeves: bool
    insulation: float  # 0 = clothes as warm as skin, 1 = clothes at ambient temperature


@dataclass(frozen=True)
class Person:
    """One subject. Lengths in metres, temperatures in degrees Celsius, reflectances linear RGB in 0..1."""

    name: str
    sex: str  # "m" | "f"
    height: float
    girth: float  # factor on trunk and limb radii
    skin: tuple[float, float, float]
    hair: tuple[float, float, float]
    hair_length: float  # 0 short .. 1 down to the shoulders
    skin_temperature: float
    hand_temperature: float
    emissivity: float
    outfits: tuple[Outfit, ...]
    left_handed: bool
    tempo: float  # > 1 gestures faster
    amplitude: float  # factor on the size of the movement
    elbow: float  # how far the elbow points outward (0 down .. 1 sideways)
    sway: float  # metres


def _outfit(rng: np.random.Generator) -> Outfit:
    def cloth() -> tuple[float, float, float]:
        value = np.exp(rng.uniform(np.log(0.14), np.log(0.5)))
        tint = 1 + rng.normal(0, 0.2, 3)
        return rgb(np.clip(value * tint, 0.02, 0.85))

    top, (r, g, b) = cloth(), cloth()
    return Outfit(top, (0.7 * r, 0.7 * g, 0.7 * b), bool(rng.random() < 0.6), float(rng.uniform(0.45, 0.8)))


def make_person(seed: int, name: str, sex: str) -> Person:
    """The subject `name`, always the same for one seed."""
    rng = generator(seed, "person", name)
    woman = sex == "f"
    tone = rng.uniform(0.6, 1.1)
    skin = tone * np.array([0.62, 0.44, 0.35]) * (1 + rng.normal(0, 0.03, 3))
    hair = np.array([0.06, 0.05, 0.045]) * np.exp(rng.uniform(-0.4, 1.4))
    return Person(
        name=name,
        sex=sex,
        height=float(np.clip(rng.normal(1.63 if woman else 1.75, 0.055), 1.5, 1.92)),
        girth=float(np.clip(rng.normal(0.92 if woman else 1.03, 0.09), 0.8, 1.3)),
        skin=rgb(skin),
        hair=rgb(hair),
        hair_length=float(rng.uniform(0.5, 1.0) if woman else rng.uniform(0.0, 0.35)),
        skin_temperature=float(rng.normal(33.8, 0.5)),
        hand_temperature=float(rng.normal(33.4, 0.9)),
        emissivity=float(rng.uniform(0.95, 0.99)),
        outfits=tuple(_outfit(rng) for _ in range(3)),
        left_handed=bool(rng.random() < 0.3),
        tempo=float(np.exp(rng.normal(0, 0.12))),
        amplitude=float(np.clip(rng.normal(1.0, 0.09), 0.8, 1.2)),
        elbow=float(rng.uniform(0.1, 0.6)),
        sway=float(rng.uniform(0.004, 0.015)),
    )
