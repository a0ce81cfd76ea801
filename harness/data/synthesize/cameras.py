"""Pinhole cameras."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Camera:
    """A pinhole camera. World: x to the right of the image, y up, z away from the camera; metres. Angles in radians;
    positive yaw looks to the right, positive pitch up, positive roll turns the camera clockwise."""

    width: int
    height: int
    focal: float  # pixels
    position: tuple[float, float, float] = (0.0, 1.2, 0.0)
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0

    def rotation(self) -> np.ndarray:
        """World to camera (right, down, forward) [3,3]."""
        cy, sy, cp, sp = np.cos(self.yaw), np.sin(self.yaw), np.cos(self.pitch), np.sin(self.pitch)
        cr, sr = np.cos(self.roll), np.sin(self.roll)
        forward = np.array([sy * cp, sp, cy * cp])
        right = np.array([cy, 0, -sy])
        down = np.cross(right, forward)
        return np.stack([cr * right + sr * down, cr * down - sr * right, forward])

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """World points [...,3] to pixel columns, rows and depths (metres along the optical axis), each [...]."""
        p = (np.asarray(points) - self.position) @ self.rotation().T
        z = np.maximum(p[..., 2], 0.05)
        return self.width / 2 + self.focal * p[..., 0] / z, self.height / 2 + self.focal * p[..., 1] / z, p[..., 2]


def focal_length(width: int, degrees: float) -> float:
    """Focal length in pixels of a camera `width` pixels wide with that horizontal field of view."""
    return width / (2 * np.tan(np.radians(degrees) / 2))
