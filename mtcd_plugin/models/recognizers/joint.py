"""What recognizers that read several modalities of a clip jointly have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from mmengine.model import BaseModel
from torch import Tensor

from mtcd_plugin.models.heads.projected_head import labels_of
from mtcd_plugin.models.weights.init_cfg import refuse_partial

if TYPE_CHECKING:
    from mmaction.utils import OptSampleList


class JointRecognizer(BaseModel):
    """A network of several modalities, which predicts from all of them.

    A subclass gives :meth:`losses` and :meth:`logits`. Both get ``clips``: modality -> float [M, 3, T, H, W], in the
    order of ``modalities``, where M counts the views of all clips of the batch, view after view of each clip.
    A checkpoint that is tested must be all its own, see :func:`refuse_partial`.

    Args:
        modalities: that it reads.
        data_preprocessor, init_cfg: as MMEngine's.
    """

    def __init__(
        self, modalities: Sequence[str], data_preprocessor: dict | None = None, init_cfg: dict | list | None = None
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.modalities = tuple(modalities)
        if len(set(self.modalities)) != len(self.modalities) or len(self.modalities) < 2:
            raise ValueError(f"{type(self).__name__}: modalities={list(modalities)} must name two or more, each once")
        self.register_load_state_dict_pre_hook(refuse_partial)

    @abstractmethod
    def losses(self, clips: dict[str, Tensor], labels: Tensor) -> dict[str, Tensor]:
        """Terms by name, those that train ``loss_...``; ``labels``: int64 [M]. See :func:`top1` for the log."""

    @abstractmethod
    def logits(self, clips: dict[str, Tensor]) -> Tensor:
        """[M, K], whose softmax are the probabilities of the classes."""

    def forward(self, inputs: Mapping[str, Tensor], data_samples: OptSampleList = None, mode: str = "tensor"):
        """As MMAction2's ``BaseRecognizer.forward``; ``inputs``: modality -> float [N, V, 3, T, H, W] (V views).

        ``loss`` gives :meth:`losses`, ``tensor`` the logits [N * V, K], ``predict`` the data samples with
        ``pred_score``, the mean of the probabilities over the views, and ``pred_label``.

        Raises:
            ValueError: a modality is not in the data.
        """
        views = self.views(inputs)
        count = next(iter(views.values())).shape[1]
        clips = {name: x.flatten(0, 1) for name, x in views.items()}
        if mode == "tensor":
            return self.logits(clips)
        if mode == "loss":
            labels = labels_of(data_samples, next(iter(clips.values())).device)
            return self.losses(clips, labels.repeat_interleave(count))
        if mode != "predict":
            raise RuntimeError(f'Invalid mode "{mode}". Only supports loss, predict and tensor mode')
        scores = self.logits(clips).softmax(dim=1).unflatten(0, (-1, count)).mean(dim=1)
        for sample, score in zip(data_samples, scores, strict=True):
            sample.set_pred_score(score)
            sample.set_pred_label(score.argmax(dim=0, keepdim=True))
        return data_samples

    def views(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The inputs of its modalities, in their order. Raises ValueError for one that is not in the data."""
        if not isinstance(inputs, Mapping):
            raise ValueError(
                f"{type(self).__name__} reads {' and '.join(self.modalities)}; the data give one modality alone, "
                f"set dataset.modalities={list(self.modalities)}"
            )
        for name in self.modalities:
            if name not in inputs:
                raise ValueError(f"{type(self).__name__} needs '{name}'; the data give {', '.join(inputs)}")
        return {name: inputs[name] for name in self.modalities}


def top1(logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """``top1_acc`` of a batch under the name that MMAction2's heads log it by; [M, K] and int64 [M]."""
    return {"top1_acc": (logits.detach().argmax(dim=1) == labels).to(torch.float32).mean()}
