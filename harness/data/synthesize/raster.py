"""Capsules to images: a z-buffer over a few frames at a time, in NumPy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.data.synthesize.body import Capsule
from harness.data.synthesize.cameras import Camera

FAR = np.float32(1e4)


@dataclass(frozen=True)
class Drawing:
    """What one camera sees of the bodies over n frames, arrays [n,H,W]: `depth` float32 metres (FAR where nothing is),
    `part` uint8 (0 where nothing is), `shade` float32 0..1 (how much the surface faces the light)."""

    depth: np.ndarray
    part: np.ndarray
    shade: np.ndarray

    def frames(self, start: int, stop: int) -> Drawing:
        """The frames start..stop-1 of these."""
        return Drawing(self.depth[start:stop], self.part[start:stop], self.shade[start:stop])


@dataclass(frozen=True)
class _Projected:
    """Capsules as a camera sees them, arrays [capsules,T]: the axis begins at `u`, `v` (pixels), `z` (metres) and leads
    on by `du`, `dv`, `dz`; `along_u`, `along_v` measure along it; `inverse` radius at its beginning and how much that
    changes to the end, `thick` the mean radius in metres; `left` to `right` and `top` to `bottom` hold it."""

    u: np.ndarray
    v: np.ndarray
    z: np.ndarray
    du: np.ndarray
    dv: np.ndarray
    dz: np.ndarray
    along_u: np.ndarray
    along_v: np.ndarray
    inverse: np.ndarray
    change: np.ndarray
    thick: np.ndarray
    left: np.ndarray
    right: np.ndarray
    top: np.ndarray
    bottom: np.ndarray


class Rasteriser:
    """Draws bodies as one camera sees them.

    `light` is the direction to the light in camera axes (right, down, forward).
    """

    def __init__(self, capsules: list[Capsule], camera: Camera, light: tuple[float, float, float]):
        self.camera = camera
        towards = np.asarray(light, np.float32)
        self.light = towards / np.linalg.norm(towards)
        self.parts = [c.part for c in capsules]
        self.seen = self._project(capsules)
        self.columns = np.arange(camera.width, dtype=np.float32) + np.float32(0.5)
        self.rows = np.arange(camera.height, dtype=np.float32) + np.float32(0.5)

    def _project(self, capsules: list[Capsule]) -> _Projected:
        ends = self.camera.project(np.stack([np.broadcast_arrays(c.a, c.b) for c in capsules]))  # each [capsules,2,T]
        (au, bu), (av, bv), (az, bz) = (e.astype(np.float32).transpose(1, 0, 2) for e in ends)
        radii = np.stack([np.broadcast_arrays(c.ra, c.rb, ends[2][0, 0])[:2] for c in capsules])
        ra, rb = (self.camera.focal * radii / np.maximum(ends[2], 0.1)).astype(np.float32).transpose(1, 0, 2)
        ex, ey = bu - au, bv - av
        inverse = 1 / (ex * ex + ey * ey + np.float32(1e-3))
        left, right = _pixels(np.minimum(au - ra, bu - rb), np.maximum(au + ra, bu + rb), self.camera.width)
        top, bottom = _pixels(np.minimum(av - ra, bv - rb), np.maximum(av + ra, bv + rb), self.camera.height)
        return _Projected(
            *(au, av, az, ex, ey, bz - az, ex * inverse, ey * inverse, 1 / ra, 1 / rb - 1 / ra),
            *((0.5 * radii.sum(1)).astype(np.float32), left, right, top, bottom),
        )

    def draw(self, start: int, stop: int, step: int = 1) -> Drawing:
        """The frames start..stop-1, or every so many of them."""
        shape = (len(range(start, stop, step)), self.camera.height, self.camera.width)
        depth = np.full(shape, FAR, np.float32)
        part = np.zeros(shape, np.uint8)
        shade = np.zeros(shape, np.float32)
        for number in range(len(self.parts)):
            self._draw_one(number, slice(start, stop, step), depth.ravel(), part.ravel(), shade.ravel())
        return Drawing(depth, part, shade)

    def _draw_one(self, number: int, span: slice, depth: np.ndarray, part: np.ndarray, shade: np.ndarray) -> None:
        """Draw a capsule over frames into flat images. Each frame has a window of its own place, all of one size, so
        that a hand that moves costs no more than one that rests."""
        c = _Projected(*(v[number, span] for v in vars(self.seen).values()))
        width, height = int((c.right - c.left).max()), int((c.bottom - c.top).max())
        if width <= 0 or height <= 0:
            return
        x0, y0 = np.minimum(c.left, self.camera.width - width), np.minimum(c.top, self.camera.height - height)
        columns, rows = np.arange(width), np.arange(height)

        def column(v: np.ndarray) -> np.ndarray:
            return v[:, None, None]

        px = self.columns[x0[:, None] + columns][:, None, :] - column(c.u)
        py = self.rows[y0[:, None] + rows][:, :, None] - column(c.v)
        t = px * column(c.along_u) + py * column(c.along_v)
        np.maximum(t, 0, out=t)
        np.minimum(t, 1, out=t)
        qx, qy, inverse = t * column(c.du), t * column(c.dv), t * column(c.change)
        np.subtract(px, qx, out=qx)
        np.subtract(py, qy, out=qy)
        inverse += column(c.inverse)
        # the surface normal is (qx, qy, -bulge) / r, its square sums to 1 on the visible half
        qx *= inverse
        qy *= inverse
        bulge = np.multiply(qx, qx, out=inverse)
        bulge += qy * qy
        np.subtract(1, bulge, out=bulge)
        inside = np.flatnonzero(bulge > 0)
        rise = np.sqrt(np.maximum(bulge, 0, out=bulge), out=bulge)
        z = np.multiply(t, column(c.dz), out=t)
        z += column(c.z)
        z -= rise * column(c.thick)
        pixels = (rows[:, None] * self.camera.width + columns).ravel()
        first = (np.arange(len(x0)) * self.camera.height + y0) * self.camera.width + x0
        # `take` and whole numbers: NumPy is slower with masks of truth values
        pixel, z = (first[:, None] + pixels).take(inside), z.take(inside)
        nearer = np.flatnonzero(z < depth.take(pixel))
        pixel, inside = pixel.take(nearer), inside.take(nearer)
        lx, ly, lz = self.light
        depth[pixel] = z.take(nearer)
        part[pixel] = self.parts[number]
        shade[pixel] = qx.take(inside) * lx + qy.take(inside) * ly + rise.take(inside) * -lz


def _pixels(low: np.ndarray, high: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The first pixel along one axis of an image of `size` that `low` to `high` touch, and the one after the last."""
    return np.maximum(low.astype(int), 0), np.minimum(high.astype(int) + 2, size)
