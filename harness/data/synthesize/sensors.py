"""Four sensors: colour, depth, thermal and near infrared. Each turns drawings into 8-bit frames with its own noise.

Random numbers per pixel come from pools that are drawn once per process (from a fixed seed) and read from a random
place for each frame: the same statistics as fresh numbers at a tenth of the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from harness.data.synthesize.body import FACE, FOREARM, HAIR, HAND, NECK, PARTS, SLEEVE, TOP, TROUSERS
from harness.data.synthesize.people import Person
from harness.data.synthesize.raster import Drawing
from harness.data.synthesize.scenes import Backdrop
from harness.data.synthesize.seeding import generator

DEPTH_NEAR_MM, DEPTH_FAR_MM = 1000, 4500
"""Depth coding: gray 255 = 1000 mm or nearer, gray 1 = 4500 mm, linear between (13.8 mm a step), 0 = no measurement."""

_POOL = 1 << 18
_DRAWS = 1024
_LEVELS = 256


@lru_cache(maxsize=1)
def _normal_pool() -> np.ndarray:
    return generator(0, "normal pool").standard_normal(_POOL, np.float32)


@lru_cache(maxsize=1)
def _index_pool() -> np.ndarray:
    return generator(0, "index pool").integers(0, _DRAWS, _POOL).astype(np.intp)


def _noise(pool: np.ndarray, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    size = int(np.prod(shape))
    if size > len(pool):
        pool = np.tile(pool, -(-size // len(pool)) + 1)
    start = int(rng.integers(0, len(pool) - size + 1))
    return pool[start : start + size].reshape(shape)


@lru_cache(maxsize=8)
def _electron_table(full: float, read_noise: float) -> np.ndarray:
    """int16 [levels, draws]: photo-electrons counted (Poisson) plus read noise, in steps of full / 4095, when `full *
    (level / 255)**2` are expected."""
    rng = generator(0, "electrons", full, read_noise)
    expected = full * (np.arange(_LEVELS) / (_LEVELS - 1)) ** 2
    counted = rng.poisson(expected[:, None], (_LEVELS, _DRAWS)) + rng.normal(0, read_noise, (_LEVELS, _DRAWS))
    return np.clip(np.rint(counted * (4095 / full)), 0, 3 * 4095).astype(np.int16)


@dataclass(frozen=True)
class Exposure:
    """How a silicon sensor is exposed: expected electrons of a white surface in full light, tint of the light,
    electrons that give output 255, the level that the noise tables span, read noise in electrons, black level (0..1 of
    255)."""

    electrons: float
    tint: tuple[float, float, float]
    white: float
    full: float
    read_noise: float
    black: float = 0.0
    ambient_light: float = 0.5  # share of the light that reaches surfaces turned away from it


def _tone(exposure: Exposure) -> np.ndarray:
    """uint8 [3*4096]: electrons (in table steps) to the coded value, with the sRGB curve."""
    linear = np.arange(3 * 4096) * (exposure.full / 4095) / exposure.white
    coded = np.where(linear < 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)
    return np.clip(np.rint(255 * (exposure.black + coded)), 0, 255).astype(np.uint8)


def reflectances(person: Person, outfit_index: int) -> np.ndarray:
    """Linear RGB reflectance of each body part [parts,3]."""
    outfit = person.outfits[outfit_index]
    table = np.zeros((len(PARTS), 3), np.float32)
    table[[FACE, HAND, FOREARM, NECK]] = person.skin
    table[[TOP, SLEEVE]] = outfit.top
    if outfit.long_sleeves:
        table[FOREARM] = outfit.top
    table[TROUSERS], table[HAIR] = outfit.trousers, person.hair
    return table


class SiliconSensor:
    """A colour (3 channels) or near-infrared (1 channel) camera. `reflectance` is [parts,C], `background` [H,W,C]."""

    def __init__(self, exposure: Exposure, reflectance: np.ndarray, background: np.ndarray):
        self.exposure = exposure
        scale = (exposure.electrons / exposure.full) * np.asarray(exposure.tint, np.float32)
        top = _LEVELS - 1
        low = np.sqrt(exposure.ambient_light)
        self.low = np.full(len(PARTS), low, np.float32)
        self.low[TOP] = 0.4 * low + 0.6  # the trunk is flatter than its capsules
        self.parts = (top * np.sqrt(reflectance * scale)).astype(np.float32)
        room = exposure.ambient_light + 0.5 * (1 - exposure.ambient_light)
        self.background = np.minimum(top * np.sqrt(background * scale * room), top).astype(np.intp) * _DRAWS
        self.response = _tone(exposure)[_electron_table(exposure.full, exposure.read_noise)].ravel()

    def expose(self, drawing: Drawing, rng: np.random.Generator) -> np.ndarray:
        """uint8 frames [n,H,W,C]."""
        frames = np.empty(drawing.part.shape + (self.parts.shape[1],), np.uint8)
        box = body_box(drawing.part)
        rows, cols = box
        pool = _index_pool()
        for i in range(len(frames)):
            index = self.background.copy()
            part = drawing.part[i][box]
            light = np.maximum(drawing.shade[i][box], 0) * (1 - self.low)[part] + self.low[part]
            level = np.minimum(self.parts[part] * light[..., None], _LEVELS - 1).astype(np.intp) * _DRAWS
            np.copyto(index[rows, cols], level, where=(part > 0)[..., None])
            index += _noise(pool, index.shape, rng)
            np.take(self.response, index, out=frames[i], mode="clip")
        return frames


def body_box(part: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns that hold every drawn pixel of [n,H,W]."""
    drawn = np.any(part, axis=0)
    rows, cols = np.flatnonzero(drawn.any(1)), np.flatnonzero(drawn.any(0))
    if not len(rows):
        return slice(0, 0), slice(0, 0)
    return slice(rows[0], rows[-1] + 1), slice(cols[0], cols[-1] + 1)


class DepthSensor:
    """A time-of-flight depth camera: noise that grows with distance, and no measurement at edges,
    on hair and far away.
    """

    def __init__(self, backdrop: Backdrop, rng: np.random.Generator):
        self.background = backdrop.depth
        self.holes = rng.random(backdrop.depth.shape) < 0.004

    def measure(self, drawing: Drawing, rng: np.random.Generator) -> np.ndarray:
        """uint8 frames [n,H,W,1] in the coding of DEPTH_NEAR_MM and DEPTH_FAR_MM."""
        frames = np.empty(drawing.part.shape, np.uint8)
        scale = np.float32(254 / ((DEPTH_FAR_MM - DEPTH_NEAR_MM) / 1000))
        for i in range(len(frames)):
            z = np.minimum(drawing.depth[i], self.background)
            noise = _noise(_normal_pool(), z.shape, rng)
            gray = z * z
            gray *= np.float32(0.0025)
            gray += np.float32(0.004)
            gray *= noise
            gray += z
            gray -= np.float32(DEPTH_NEAR_MM / 1000)
            gray *= -scale
            gray += np.float32(255.5)
            np.clip(gray, 1, 255, out=gray)
            missing = z > DEPTH_FAR_MM / 1000
            missing |= self.holes
            jump = np.abs(np.diff(z, axis=1)) > 0.12
            jump &= noise[:, 1:] > 0.2
            missing[:, 1:] |= jump
            np.copyto(missing, noise > 0.9, where=drawing.part[i] == HAIR)
            gray[missing] = 0
            frames[i] = gray
        return frames[..., None]


class ThermalSensor:
    """An uncooled thermal camera, white = hot: blur, fixed pattern and temporal noise, one gain for the whole clip."""

    def __init__(self, person: Person, outfit_index: int, backdrop: Backdrop, ambient: float, rng: np.random.Generator):
        outfit = person.outfits[outfit_index]
        skin = ambient + person.emissivity * (person.skin_temperature - ambient)
        hand = ambient + person.emissivity * (person.hand_temperature - ambient)
        cloth = skin - outfit.insulation * (skin - ambient)
        table = np.full(len(PARTS), cloth, np.float32)
        table[[FACE, NECK]], table[HAND] = skin, hand
        table[FOREARM] = cloth if outfit.long_sleeves else skin - 0.8
        table[HAIR] = skin - 0.55 * (skin - ambient)
        table[TROUSERS] = cloth - 0.8
        low = ambient - rng.uniform(1.5, 4.0)
        self.gain = np.float32(255 / (36.0 + rng.uniform(0, 1.5) - low))
        self.table = (table - low) * self.gain
        self.background = ((ambient + backdrop.warmth - low) * self.gain).astype(np.float32)
        rows, cols = self.background.shape
        pattern = rng.normal(0, 1.0, (rows, cols)) + rng.normal(0, 0.9, cols) + rng.normal(0, 0.5, (rows, 1))
        self.pattern = pattern.astype(np.float32)
        self.noise = np.float32(rng.uniform(1.2, 2.4))

    def measure(self, drawing: Drawing, rng: np.random.Generator) -> np.ndarray:
        """uint8 frames [n,H,W,1]."""
        frames = np.empty(drawing.part.shape, np.uint8)
        box = body_box(drawing.part)
        for i in range(len(frames)):
            heat = self.background.copy()
            part = drawing.part[i][box]
            rim = drawing.shade[i][box] * np.float32(0.06) + np.float32(0.94)
            np.copyto(heat[box], self.table[part] * rim, where=part > 0)
            blur(heat)
            heat += self.pattern
            heat += self.noise * _noise(_normal_pool(), heat.shape, rng)
            np.clip(heat, 0, 255, out=heat)
            frames[i] = heat
        return frames[..., None]


def blur(image: np.ndarray) -> None:
    """Smooth [H,W] in place with the kernel (1, 2, 1) / 4 along both axes; the border stays."""
    image[1:-1] = 0.5 * image[1:-1] + 0.25 * (image[:-2] + image[2:])
    image[:, 1:-1] = 0.5 * image[:, 1:-1] + 0.25 * (image[:, :-2] + image[:, 2:])
