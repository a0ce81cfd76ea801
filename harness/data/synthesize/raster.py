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


@dataclass(frozen=True)
class _Projected:
    part: int
    au: np.ndarray
    av: np.ndarray
    az: np.ndarray
    bu: np.ndarray
    bv: np.ndarray
    bz: np.ndarray
    ra: np.ndarray
    rb: np.ndarray
    thick: np.ndarray


class Rasteriser:
    """Draws bodies as one camera sees them.

    `light` is the direction to the light in camera axes (right, down, forward).
    """

    def __init__(self, capsules: list[Capsule], camera: Camera, light: tuple[float, float, float]):
        self.camera = camera
        towards = np.asarray(light, np.float32)
        self.light = towards / np.linalg.norm(towards)
        ends = camera.project(np.stack([np.broadcast_arrays(c.a, c.b) for c in capsules]))  # each [capsules,2,T]
        self.items = [self._project(c, *(v[i] for v in ends)) for i, c in enumerate(capsules)]
        self.columns = np.arange(camera.width, dtype=np.float32) + np.float32(0.5)
        self.rows = np.arange(camera.height, dtype=np.float32) + np.float32(0.5)

    def _project(self, c: Capsule, u: np.ndarray, v: np.ndarray, z: np.ndarray) -> _Projected:
        ra, rb = (self.camera.focal * r / np.maximum(near, 0.1) for r, near in ((c.ra, z[0]), (c.rb, z[1])))
        thick = 0.5 * (np.asarray(c.ra) + np.asarray(c.rb)) + 0 * z[0]
        values = (np.asarray(x, np.float32) for x in (u[0], v[0], z[0], u[1], v[1], z[1], ra, rb, thick))
        return _Projected(c.part, *values)

    def draw(self, start: int, stop: int) -> Drawing:
        """The frames start..stop-1."""
        shape = (stop - start, self.camera.height, self.camera.width)
        depth = np.full(shape, FAR, np.float32)
        part = np.zeros(shape, np.uint8)
        shade = np.zeros(shape, np.float32)
        for item in self.items:
            self._draw_one(item, slice(start, stop), depth, part, shade)
        return Drawing(depth, part, shade)

    def _draw_one(self, c: _Projected, span: slice, depth: np.ndarray, part: np.ndarray, shade: np.ndarray) -> None:
        au, av, bu, bv, ra, rb = (v[span] for v in (c.au, c.av, c.bu, c.bv, c.ra, c.rb))
        x0 = max(int(np.minimum(au - ra, bu - rb).min()), 0)
        x1 = min(int(np.maximum(au + ra, bu + rb).max()) + 2, self.camera.width)
        y0 = max(int(np.minimum(av - ra, bv - rb).min()), 0)
        y1 = min(int(np.maximum(av + ra, bv + rb).max()) + 2, self.camera.height)
        if x0 >= x1 or y0 >= y1:
            return

        def column(v: np.ndarray) -> np.ndarray:
            return v[:, None, None]

        ex, ey = bu - au, bv - av
        inverse = 1 / (ex * ex + ey * ey + np.float32(1e-3))
        px = self.columns[None, None, x0:x1] - column(au)
        py = self.rows[None, y0:y1, None] - column(av)
        t = px * column(ex * inverse) + py * column(ey * inverse)
        np.maximum(t, 0, out=t)
        np.minimum(t, 1, out=t)
        qx = px - t * column(ex)
        qy = py - t * column(ey)
        # the surface normal is (qx, qy, -bulge) / r, its square sums to 1 on the visible half
        inv_r = t * column(1 / rb - 1 / ra)
        inv_r += column(1 / ra)
        qx *= inv_r
        qy *= inv_r
        bulge = qx * qx
        bulge += qy * qy
        np.subtract(1, bulge, out=bulge)
        inside = bulge > 0
        np.maximum(bulge, 0, out=bulge)
        np.sqrt(bulge, out=bulge)
        t *= column(c.bz[span] - c.az[span])
        t += column(c.az[span])
        t -= bulge * column(c.thick[span])
        window = (slice(None), slice(y0, y1), slice(x0, x1))
        inside &= t < depth[window]
        np.copyto(depth[window], t, where=inside)
        np.copyto(part[window], c.part, where=inside)
        lx, ly, lz = self.light
        qx *= lx
        qy *= ly
        qx += qy
        bulge *= -lz
        qx += bulge
        np.copyto(shade[window], qx, where=inside)
