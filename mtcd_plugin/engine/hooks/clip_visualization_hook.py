"""Pictures of tested clips, for ``tools/test.py --show-dir``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import cv2
import numpy as np
from mmaction.engine.hooks import VisualizationHook
from mmaction.registry import HOOKS
from torch import Tensor


@HOOKS.register_module()
class ClipVisualizationHook(VisualizationHook):
    """MMAction2's hook for clips as ``PackClip`` gives them; with it ``--show-dir``,
    ``--show`` and ``--interval`` work.

    The stock hook of 1.2.0 draws [C, T, H, W] alone, while the clips of all its recognizers have a dimension of crops
    before that, and passes an option that its visualizer does not take. Remove when a release draws what its
    recognizers take. A frame shows all modalities side by side, of the first crop. The folder has the clip's id, class
    and predicted class.

    Args:
        wait_time: seconds that a frame is shown with ``--show``.
    """

    def __init__(self, wait_time: float = 2.0, **kwargs) -> None:
        super().__init__(**kwargs)
        self.wait_time = wait_time
        self.seen = 0

    def before_test_epoch(self, runner) -> None:
        self.seen = 0

    def _draw_samples(self, batch_idx: int, data_batch: dict, data_samples: Sequence, step: int = 0) -> None:
        if not self.enable:
            return
        for clip, sample in zip(_clips(data_batch["inputs"]), data_samples, strict=True):
            number, self.seen = self.seen, self.seen + 1
            if number % self.interval:
                continue
            name = self._name(sample, number)
            self._visualizer.add_datasample(
                name,
                frames(clip),
                sample,
                show_frames=self.show,
                wait_time=self.wait_time,
                out_path=f"{self.out_dir}/{name}" if self.out_dir is not None else None,
                step=step,
            )

    def _name(self, sample, number: int) -> str:
        classes = (self._visualizer.dataset_meta or {}).get("classes")
        words = [str(sample.get("clip_id", number))]
        if classes and "gt_label" in sample and "pred_score" in sample:
            words += [classes[int(sample.gt_label[0])], "as", classes[int(sample.pred_score.argmax())]]
        return re.sub(r"[^\w.-]+", "_", "_".join(words))


def _clips(inputs) -> Iterator[dict[str, Tensor]]:
    """Modality -> clip [crops, C, T, H, W], one by one, of a batch as the collate function leaves it."""
    if not isinstance(inputs, Mapping):
        inputs = {"": inputs}
    for one in zip(*inputs.values(), strict=True):
        yield dict(zip(inputs, one, strict=True))


def frames(clip: Mapping[str, Tensor]) -> list[np.ndarray]:
    """uint8 frames [H, W x modalities, 3] of a clip's first crop; one channel is shown as grey.

    Raises ValueError for what is no clip [crops, C, T, H, W].
    """
    shown = []
    for tensor in clip.values():
        if tensor.ndim != 5:
            raise ValueError(f"--show-dir draws clips [crops, C, T, H, W]; this config tests {list(tensor.shape)}")
        video = tensor[0].permute(1, 2, 3, 0).cpu().numpy().astype(np.uint8)
        shown.append(video.repeat(3, axis=-1) if video.shape[-1] == 1 else video[..., :3])
    height = shown[0].shape[1]
    return [np.hstack([_high(f, height) for f in one]) for one in zip(*shown, strict=False)]


def _high(frame: np.ndarray, height: int) -> np.ndarray:
    if frame.shape[0] == height:
        return frame
    return cv2.resize(frame, (round(frame.shape[1] * height / frame.shape[0]), height))
