"""Writing pseudo-infrared to a clip store, and measuring how good it is."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from mmaction.registry import METRICS
from mmengine.evaluator import BaseMetric

from mtcd_plugin.formats.clip_store_writer import ClipStoreWriter
from mtcd_plugin.models.translators.low_light_enhance import low_light_enhance

GRID = 16  # frames are compared at 16 x 16: the infrared camera stands beside the RGB one
SHOWN = 128  # pixels of a frame in a strip, at most


@METRICS.register_module()
class PseudoInfraredStore(BaseMetric):
    """Writes each clip's ``pseudo_ir`` to a clip store, frame by frame beside its RGB window, and compares it
    with the true infrared where the batch has it.

    Args:
        output_dir: folder of the store; it must not exist yet. '' measures only.
        source: what the store was made from, e.g. the translator's checksum.
        strips: number of clips of which an image strip is written to ``<output_dir>/../strips``: of the test
            split where there is one, by the hash of their id, so that every translator shows the same clips.
            ``strips/index.json`` says what their rows show.

    ``compute_metrics`` returns, as means over the clips of the test split (over all where samples do not name it):

    - ``flicker``: mean |difference of following frames| of pseudo-infrared over that of RGB, both divided by
      their standard deviation (1 = as lively as the RGB it was made from);
    - ``ir_flicker``: the same for the true infrared;
    - ``ir_correlation``: Pearson correlation with the true infrared at 16 x 16 pixels, per frame;
    - ``ir_distance``: mean absolute difference of the grey levels there, in 0..1;
    - ``ir_histogram``: earth mover's distance of the grey levels' histograms, in 0..1.
    """

    default_prefix = "pseudo_ir"

    def __init__(
        self,
        output_dir: str = "",
        source: str = "",
        strips: int = 4,
        collect_device: str = "cpu",
        prefix=None,
    ):
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.output_dir, self.source, self.strips = output_dir, source, strips
        self.writer: ClipStoreWriter | None = None
        self.drawn: list[tuple] = []  # rank of a clip in three parts and its strip, first choices first

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        inputs = data_batch["inputs"]
        streams = inputs if isinstance(inputs, dict) else {"rgb": inputs}
        for i, sample in enumerate(data_samples):
            pseudo = frames(sample["pseudo_ir"])
            rgb = frames(streams["rgb"][i])
            infrared = frames(streams["ir"][i]) if "ir" in streams else None
            self._write(sample["clip_id"], pseudo)
            tested = sample.get("split", "test") == "test"
            self._draw(tested, sample["clip_id"], rgb, pseudo, infrared)
            self.results.append((tested, quality(rgb, pseudo, infrared)))

    def compute_metrics(self, results: list[tuple[bool, dict[str, float]]]) -> dict[str, float]:
        if self.writer is not None:
            self.writer.close()
            self.writer = None
        self._write_strips()
        rows = [row for tested, row in results if tested] or [row for _, row in results]
        names = sorted({name for row in rows for name in row})
        return {name: float(np.mean([row[name] for row in rows if name in row])) for name in names}

    def _write(self, clip_id: str, pseudo: np.ndarray) -> None:
        if not self.output_dir:
            return
        if self.writer is None:
            size = (pseudo.shape[2], pseudo.shape[1])
            self.writer = ClipStoreWriter(self.output_dir, "pseudo_ir", size, source=self.source)
        self.writer.add(clip_id, pseudo)

    def _draw(self, tested: bool, clip_id: str, rgb: np.ndarray, pseudo: np.ndarray, infrared) -> None:
        """Keep a clip's strip if it is among the first choices so far."""
        rank = (not tested, zlib.crc32(clip_id.encode()), clip_id)
        if not (self.output_dir and self.strips):
            return
        if len(self.drawn) >= self.strips and rank >= self.drawn[-1][:3]:
            return
        kept = [*self.drawn, (*rank, strip(rgb, pseudo, infrared))]
        self.drawn = sorted(kept, key=lambda d: d[:3])[: self.strips]

    def _write_strips(self) -> None:
        if not self.drawn:
            return
        folder = Path(self.output_dir).parent / "strips"
        folder.mkdir(parents=True, exist_ok=True)
        index = []
        for *_, clip_id, (image, rows) in self.drawn:
            file = f"{clip_id.replace('/', '_')}.png"
            cv2.imwrite(str(folder / file), image[..., ::-1])
            index.append({"clip_id": clip_id, "file": file, "rows": rows})
        (folder / "index.json").write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")
        self.drawn = []


def frames(clip) -> np.ndarray:
    """Tensor uint8 [1, C, T, H, W] -> array uint8 [T, H, W, C]."""
    return clip[0].permute(1, 2, 3, 0).cpu().numpy()


def quality(rgb: np.ndarray, pseudo: np.ndarray, infrared: np.ndarray | None) -> dict[str, float]:
    """The measures of :class:`PseudoInfraredStore` for one clip; uint8 [T, H, W, 3 or 1] each."""
    base = liveliness(rgb)
    out = {"flicker": liveliness(pseudo) / base} if base > 0 else {}
    if infrared is None or infrared.std() == 0:
        return out
    if base > 0:
        out["ir_flicker"] = liveliness(infrared) / base
    a, b = coarse(pseudo), coarse(infrared)
    da, db = (x - x.mean(axis=1, keepdims=True) for x in (a, b))
    norm = np.sqrt((da**2).sum(axis=1) * (db**2).sum(axis=1))
    out["ir_correlation"] = float(np.mean((da * db).sum(axis=1) / np.maximum(norm, 1e-9)))
    out["ir_distance"] = float(np.abs(a - b).mean())
    histograms = [np.bincount(x.ravel(), minlength=256) / x.size for x in (pseudo, infrared)]
    out["ir_histogram"] = float(np.abs(np.cumsum(histograms[0] - histograms[1])).sum() / 255)
    return out


def liveliness(clip: np.ndarray) -> float:
    """Mean |difference of following frames| over the standard deviation of the clip; 0 if constant or single."""
    x = clip.astype(np.float32).mean(axis=3)
    spread = float(x.std())
    return float(np.abs(np.diff(x, axis=0)).mean()) / spread if len(x) > 1 and spread > 0 else 0.0


def coarse(clip: np.ndarray) -> np.ndarray:
    """uint8 [T, H, W, 1] -> float [T, 256] in 0..1: each frame at 16 x 16."""
    small = [cv2.resize(frame[..., 0], (GRID, GRID), interpolation=cv2.INTER_AREA) for frame in clip]
    return np.stack(small).reshape(len(small), -1).astype(np.float32) / 255


def strip(
    rgb: np.ndarray, pseudo: np.ndarray, infrared: np.ndarray | None, columns: int = 8
) -> tuple[np.ndarray, list[str]]:
    """RGB, brightened RGB, pseudo-infrared and infrared (where there is one), one row each: uint8 [rows * H, columns *
    W, 3] with frames of at most ``SHOWN`` pixels, and what the rows show.
    """
    at = np.linspace(0, len(rgb) - 1, columns).round().astype(int)
    clip = torch.from_numpy(rgb).permute(0, 3, 1, 2)[None] / 255
    bright = (low_light_enhance(clip, "stretch")[0].permute(0, 2, 3, 1) * 255).round().to(torch.uint8).numpy()
    rows = {"RGB": rgb, "brightened RGB": bright, "pseudo-infrared": pseudo}
    if infrared is not None and infrared.any():
        rows["infrared"] = infrared
    lines = [np.concatenate([_shown(row[t]) for t in at], axis=1) for row in rows.values()]
    return np.concatenate(lines), list(rows)


def _shown(frame: np.ndarray) -> np.ndarray:
    """uint8 [H, W, 3 or 1] -> [h, w, 3] of at most ``SHOWN`` pixels."""
    height, width = frame.shape[:2]
    scale = SHOWN / max(height, width)
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA).reshape(*size[::-1], -1)
    return np.broadcast_to(frame, (*frame.shape[:2], 3))
