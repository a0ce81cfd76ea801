"""One random generator per thing that is generated,
so that no result depends on order or on the number of processes.
"""

from __future__ import annotations

import hashlib

import numpy as np

GENERATOR_VERSION = "2.1"
"""The version of what is generated. Any change of any frame or file must change it; a set that a new version leaves as
it is keeps its number (`DataSet.generator_version`)."""
SEEDS = "2.0"
"""The version since which random numbers are what they are: a new one would change every set."""
SOURCE_VERSION = "1.0"
"""The version of the source set, which uses the same people, places and sensors, and so the version above as well."""


def generator(seed: int, *names: object) -> np.random.Generator:
    """Random generator that depends on `SEEDS`, the seed and the names, and on nothing else."""
    text = "|".join([SEEDS, str(seed), *(str(n) for n in names)])
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "little"))


def rgb(values: np.ndarray) -> tuple[float, float, float]:
    """An array of three numbers as plain floats."""
    red, green, blue = values.tolist()
    return red, green, blue
