"""How bright a picture of a colour camera is and how noisy, from the light on the scene: lux to coded values.

Nothing here was chosen by what a network makes of the pictures: the figures are published or typical ones, and the
light is that of the places (`scenes.py`). docs/data.md has the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

LUMENS_PER_WATT = 683.0
"""Of light at 555 nm, by the definition of the candela. All light counts as such; its colour is a tint."""
PHOTON_JOULES = 3.579e-19
"""h c / 555 nm."""

# The maker of the Kinect V2 published none of the following; these are typical of a 1080p colour camera of its time.
PITCH = 3.1e-6  # metres from pixel to pixel
F_NUMBER = 2.0
TRANSMISSION = 0.9  # of the lens, typical
QUANTUM_EFFICIENCY = 0.5  # with the colour filter, typical
READ_NOISE = 3.0  # electrons, typical of CMOS
FULL_WELL = 10_000.0  # electrons, typical: about 1000 for each square micrometre
LONGEST_EXPOSURE = 1 / 25  # seconds: the set has 25 frames a second
GAINS = (1, 2, 4, 8, 16)  # stops of the amplifier, typical

LEVELS, DRAWS = 1024, 512
HEADROOM = 2.2  # the tables span so many times what is coded as 255


@dataclass(frozen=True)
class Exposure:
    """How a picture is taken.

    `electrons`: expected photo-electrons of a white surface in full light, in each full-size pixel; `tint` of the light
    (channels' shares, mean 1); `gain`, one of `GAINS`; `block` x `block` full-size pixels are averaged to one;
    `ambient_light` is the share of the light that reaches surfaces turned away from it.
    """

    electrons: float
    tint: tuple[float, float, float]
    gain: int
    block: int
    ambient_light: float = 0.5

    @property
    def span(self) -> float:
        """Expected electrons of the highest level of the tables."""
        return HEADROOM * FULL_WELL / self.gain

    @property
    def samples(self) -> tuple[int, int, int]:
        """Full-size pixels of a block that have measured red, green and blue behind a Bayer pattern."""
        quarter = max(self.block**2 // 4, 1)
        return quarter, 2 * quarter, quarter


def electrons_of_white(lux: float, seconds: float) -> float:
    """Expected photo-electrons in one full-size pixel that sees a perfectly white, matt surface under `lux`.

    The surface shines with lux / pi, the sensor gets pi / (4 N^2) of that through the lens.
    """
    on_sensor = lux / LUMENS_PER_WATT * TRANSMISSION / (4 * F_NUMBER**2)  # W/m^2
    return on_sensor * PITCH**2 * seconds / PHOTON_JOULES * QUANTUM_EFFICIENCY


def expose(lux: float, white: float) -> tuple[float, int]:
    """Expected electrons of white and the gain, by an automatic exposure that wants white at `white` times what is
    coded as 255: a longer exposure first, then gain; in the dark both are at their end stops."""
    wanted = white * FULL_WELL
    longest = electrons_of_white(lux, LONGEST_EXPOSURE)
    gain = next((g for g in GAINS if g * longest >= wanted), GAINS[-1])
    return min(longest, wanted / gain), gain


def coded(electrons: ArrayLike, gain: int) -> np.ndarray:
    """What a full-size pixel with so many electrons is coded as, 0..255: amplified, the black level taken off (what
    noise makes of less than nothing is cut off), the sRGB curve, whole numbers."""
    linear = np.clip(np.asarray(electrons) * (gain / FULL_WELL), 0, 1)
    return np.rint(255 * np.where(linear < 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055))


def coded_mean_std(electrons: np.ndarray, gain: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the coded value of a full-size pixel where `electrons` [n] are expected: photon
    noise, whose variance is the mean, and read noise."""
    noise = np.sqrt(electrons + READ_NOISE**2)
    values = coded(electrons[:, None] + noise[:, None] * _normal_quantiles(DRAWS), gain)
    return values.mean(1), values.std(1)


@lru_cache(maxsize=len(GAINS))
def _levels(gain: int) -> tuple[np.ndarray, np.ndarray]:
    """`coded_mean_std` of the levels 0..LEVELS - 1: (level / (LEVELS - 1))^2 of an exposure's `span`."""
    return coded_mean_std(HEADROOM * FULL_WELL / gain * np.linspace(0, 1, LEVELS) ** 2, gain)


@lru_cache(maxsize=16)
def averaged_levels(gain: int, samples: int) -> np.ndarray:
    """uint8 [LEVELS, DRAWS]: equally likely coded values of the average of so many full-size pixels, by level.

    The full-size picture is coded before it is made smaller, so coded values are averaged, not electrons.
    """
    mean, std = _levels(gain)
    values = mean[:, None] + std[:, None] / np.sqrt(samples) * _normal_quantiles(DRAWS)
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _normal_quantiles(count: int) -> np.ndarray:
    """`count` equally likely values of the standard normal distribution, in order."""
    from statistics import NormalDist

    return np.array([NormalDist().inv_cdf((i + 0.5) / count) for i in range(count)])
