"""Pictures of where hands and bodies are, from files of key-points."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import cv2
import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from mtcd_plugin.formats.video import resize
from mtcd_plugin.transforms.load_modalities import ClipError

HEATMAP = "heatmap"  # its name beside the modalities
PARTS = ("pose_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d")


@TRANSFORMS.register_module()
class LoadKeyPoints(BaseTransform):
    """Add a heat map of each frame's key-points to ``imgs``, as one more modality, ``heatmap``.

    It follows ``LoadModalities``, so whatever crops the frames crops the maps alike. A map has ones at the rounded
    points, blurred by a Gaussian and scaled to 0..1, or is 1 everywhere where no point was found (RAAR3DNet, AAAI
    2021); as grey levels, 255 is 1.

    Args:
        folder: holds ``<clip_id>/<frame>_keypoints.json``, <frame> with 12 digits and counted from 0 in the video file:
            OpenPose's names and format, of the one modality that is loaded.
        frame_size: (width, height) of the pictures that the points were found in.
        sigma: of the Gaussian, in pixels of them.

    Required keys: ``imgs modality_slices frame_inds streams clip_id``. Modified keys: ``imgs modality_slices``.

    Raises:
        ClipError: a file is not there, or is malformed.
    """

    def __init__(self, folder: str, frame_size: tuple[int, int] = (320, 240), sigma: float = 20.0) -> None:
        if sigma <= 0:
            raise ValueError(f"LoadKeyPoints: sigma={sigma} must be above 0")
        self.folder = folder
        self.frame_size = (int(frame_size[0]), int(frame_size[1]))
        self.sigma = sigma

    def transform(self, results: dict) -> dict:
        if len(results["modality_slices"]) != 1:
            raise ValueError(f"LoadKeyPoints takes one modality, not {', '.join(results['modality_slices'])}")
        name = next(iter(results["modality_slices"]))
        images = results["imgs"]
        height, width = images[0].shape[:2]
        first = results["streams"][name].start
        maps = {}
        for position in np.unique(results["frame_inds"][name]).tolist():
            points = self._points(results["clip_id"], first + position)
            maps[position] = resize(self.heat_map(points), (width, height)).reshape(height, width, 1)
        added = [maps[position].copy() for position in results["frame_inds"][name].tolist()]
        results["modality_slices"][HEATMAP] = (len(images), len(images) + len(added))
        results["imgs"] = images + added
        return results

    def heat_map(self, points: np.ndarray) -> np.ndarray:
        """Of points [n, 2] (x, y), uint8 [height, width, 1] of ``frame_size``."""
        width, height = self.frame_size
        at = np.rint(points).astype(int)
        at = at[(at[:, 0] >= 0) & (at[:, 0] < width) & (at[:, 1] >= 0) & (at[:, 1] < height)]
        if not len(at):
            return np.full((height, width, 1), 255, np.uint8)
        picture = np.zeros((height, width), np.float32)
        picture[at[:, 1], at[:, 0]] = 1
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), self.sigma, borderType=cv2.BORDER_REFLECT))
        low, high = float(picture.min()), float(picture.max())
        return np.rint(255 * (picture - low) / (high - low)).astype(np.uint8)[..., None]

    def file(self, clip_id: str, frame: int) -> Path:
        """Of a frame of a clip's video."""
        return Path(self.folder) / clip_id / f"{frame:012d}_keypoints.json"

    def require(self, clips: Iterable[Mapping]) -> None:
        """Look for every file of these clips (as ``ClipDataset.load_data_list`` gives them), all frames of them.

        Raises:
            FileNotFoundError: one that is not there.
        """
        absent = []
        for clip in clips:
            stream = next(iter(clip["streams"].values()))
            files = (self.file(clip["clip_id"], frame) for frame in range(stream.start, stream.end))
            absent += [file for file in files if not file.is_file()]
        if absent:
            raise FileNotFoundError(
                f"LoadKeyPoints: {len(absent)} files of key-points are missing, first {absent[0]}; make them with "
                "OpenPose, or train without: heatmap_source='none', and no LoadKeyPoints in the pipeline"
            )

    def _points(self, clip_id: str, frame: int) -> np.ndarray:
        file = self.file(clip_id, frame)
        try:
            people = json.loads(file.read_text())["people"]
            rows = [np.reshape(person.get(part) or [], (-1, 3)) for person in people for part in PARTS]
            found = np.concatenate([np.zeros((0, 3)), *rows]).astype(float)
        except FileNotFoundError:
            raise ClipError(f"clip {clip_id}: no file of key-points {file}") from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ClipError(f"clip {clip_id}: {file} is not in OpenPose's format: {error!r}") from error
        return found[found[:, 2] > 0, :2]

    def __repr__(self) -> str:
        return f"{type(self).__name__}(folder={self.folder!r}, frame_size={self.frame_size}, sigma={self.sigma})"
