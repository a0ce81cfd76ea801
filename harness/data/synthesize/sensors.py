"""Four sensors: colour, depth, thermal and near infrared. Each turns drawings into 8-bit frames with its own noise.

Random numbers per pixel come from pools that are drawn once per process (from a fixed seed) and read from a random
place for each frame: the same statistics as fresh numbers at a tenth of the time.
"""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np

from harness.data.synthesize.body import FACE, FOREARM, HAIR, HAND, NECK, PARTS, SLEEVE, TOP, TROUSERS
from harness.data.synthesize.colour_camera import DRAWS, LEVELS, Exposure, averaged_levels
from harness.data.synthesize.people import Person
from harness.data.synthesize.raster import Drawing
from harness.data.synthesize.scenes import Backdrop
from harness.data.synthesize.seeding import generator

DEPTH_NEAR_MM, DEPTH_FAR_MM = 1000, 4500
"""Depth coding: gray 255 = 1000 mm or nearer, gray 1 = 4500 mm, linear between (13.8 mm a step), 0 = no measurement."""

_POOL = 1 << 18
_SHADES = 256  # steps between the shadow and the full light


@lru_cache(maxsize=1)
def _normal_pool() -> np.ndarray:
    return generator(0, "normal pool").standard_normal(_POOL, np.float32)


@lru_cache(maxsize=1)
def _index_pool() -> np.ndarray:
    return generator(0, "index pool").integers(0, DRAWS, _POOL).astype(np.intp)


def _noise(pool: np.ndarray, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    size = math.prod(shape)
    if size > len(pool):
        pool = np.tile(pool, -(-size // len(pool)) + 1)
    start = int(rng.integers(0, len(pool) - size + 1))
    return pool[start : start + size].reshape(shape)


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


class ColourSensor:
    """The colour camera. `reflectance` is [parts,3], `background` [H,W,3], both linear RGB."""

    def __init__(self, exposure: Exposure, reflectance: np.ndarray, background: np.ndarray):
        top = LEVELS - 1
        light = exposure.electrons / exposure.span * np.asarray(exposure.tint)
        low = np.full(len(PARTS), np.sqrt(exposure.ambient_light))
        low[TOP] = 0.4 * low[TOP] + 0.6  # the trunk is flatter than its capsules
        by_shade = low[:, None] + (1 - low)[:, None] * np.linspace(0, 1, _SHADES)
        first = LEVELS * np.arange(3)  # each channel has a table of its own

        def entries(level: np.ndarray) -> np.ndarray:
            """Where [...,3] levels begin in the response, as [3,...]: planes are the quicker layout."""
            number = (np.minimum(np.rint(level), top).astype(np.intp) + first) * DRAWS
            return np.ascontiguousarray(np.moveaxis(number, -1, 0))

        self.parts = entries(top * np.sqrt(reflectance * light)[:, None] * by_shade[..., None]).reshape(3, -1)
        room = exposure.ambient_light + 0.5 * (1 - exposure.ambient_light)
        self.background = entries(top * np.sqrt(background * light * room))
        self.response = np.concatenate([averaged_levels(exposure.gain, n) for n in exposure.samples]).ravel()

    def expose(self, drawing: Drawing, rng: np.random.Generator) -> np.ndarray:
        """uint8 frames [n,H,W,3]."""
        frames = np.empty((*drawing.part.shape, 3), np.uint8)
        pool = _index_pool()
        for i in range(len(frames)):
            index = self.background.copy()
            body = np.flatnonzero(drawing.part[i] > 0)
            shade = np.maximum(drawing.shade[i].take(body), 0) * np.float32(_SHADES - 1)
            look = drawing.part[i].take(body).astype(np.intp) * _SHADES + shade.astype(np.intp)
            for plane, levels in zip(index.reshape(3, -1), self.parts, strict=True):
                plane[body] = levels.take(look)
            index += _noise(pool, index.shape, rng)
            cv2.merge(list(self.response.take(index, mode="clip")), frames[i])
        return frames


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
            jump = np.abs(z[:, 1:] - z[:, :-1]) > 0.12
            jump &= noise[:, 1:] > 0.2
            missing[:, 1:] |= jump
            np.copyto(missing, noise > 0.9, where=drawing.part[i] == HAIR)
            frames[i] = gray * ~missing
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
        for i in range(len(frames)):
            heat = self.background.copy()
            body = np.flatnonzero(drawing.part[i] > 0)
            rim = drawing.shade[i].take(body) * np.float32(0.06) + np.float32(0.94)
            heat.ravel()[body] = self.table.take(drawing.part[i].take(body)) * rim
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
