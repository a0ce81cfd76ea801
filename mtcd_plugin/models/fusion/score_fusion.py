"""Networks that were trained and tested on their own, fused by what they predicted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModel

from mtcd_plugin.formats.predictions import Predictions, read_predictions

if TYPE_CHECKING:
    from mmaction.utils import OptSampleList

AVERAGES = ("prob", "logit", "score")
SMALLEST = np.finfo(np.float32).tiny  # of a probability, whose logarithm is taken


@MODELS.register_module()
class ScoreFusion(BaseModel):
    """Weighted mean of the scores that other runs gave each test clip: late fusion as two-stream networks do it
    (Simonyan and Zisserman, NeurIPS 2014, Sec. 5). It has no weights of its own and looks at no frame.

    Args:
        members: name -> ``dict(predictions='<predictions.parquet>', weight=1.0)``. Files are read before the first
            use. All must hold the same clips with the same labels and classes.
        average: ``'prob'`` takes the mean of class probabilities and refuses scores that are none (``average_clips`` of
            a member's head is not ``'prob'``); ``'logit'`` does so with their logarithms and gives the softmax of the
            mean, which is that of the networks' logits; ``'score'`` takes the mean of the scores as they are.

    Raises:
        ValueError: no member, an unknown average, a weight below 0 or none above it; and at the first clip: a file that
            is damaged, members with other clips, labels or classes, scores that are no probabilities, or a clip that
            the members do not have.
        FileNotFoundError: at the first clip, a file that is not there.
    """

    def __init__(
        self, members: dict, average: str = "prob", data_preprocessor: dict | None = None, init_cfg=None
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        if not members:
            raise ValueError("ScoreFusion: members is empty; give name -> dict(predictions=..., weight=1.0)")
        if average not in AVERAGES:
            raise ValueError(f"ScoreFusion: average={average!r} is unknown; choose from {', '.join(AVERAGES)}")
        self.average = average
        self.files = {name: m.get("predictions") or "" for name, m in members.items()}
        self.weights = {name: float(m.get("weight", 1.0)) for name, m in members.items()}
        for name, weight in self.weights.items():
            if not (math.isfinite(weight) and weight >= 0):
                raise ValueError(f"ScoreFusion: members.{name}.weight={weight:g} must be 0 or more")
        if not any(self.weights.values()):
            raise ValueError("ScoreFusion: the weights of all members are 0; give one above it")
        self.fused: dict[str, tuple[int, np.ndarray]] | None = None  # clip -> label, scores

    def forward(self, inputs=None, data_samples: OptSampleList = None, mode: str = "predict"):
        """Set the scores of ``data_samples``, by their ``clip_id``; ``inputs`` do not matter."""
        if mode != "predict":
            raise RuntimeError(f'Invalid mode "{mode}". ScoreFusion only predicts')
        if self.fused is None:
            self.fused = self._fuse()
        for sample in data_samples or ():
            clip_id = sample.metainfo.get("clip_id")
            if clip_id not in self.fused:
                raise ValueError(
                    f"clip {clip_id} is not among the {len(self.fused)} clips that {', '.join(self.files)} were "
                    "tested on; test members and fusion on the same clips"
                )
            label, scores = self.fused[clip_id]
            if "gt_label" in sample and int(sample.gt_label) != label:
                raise ValueError(
                    f"clip {clip_id} has label {int(sample.gt_label)}, and {label} in the predictions of "
                    f"{', '.join(self.files)}; test the members anew with these labels"
                )
            sample.set_pred_score(torch.from_numpy(scores))
            sample.set_pred_label(torch.tensor([int(scores.argmax())]))
        return data_samples

    def _fuse(self) -> dict[str, tuple[int, np.ndarray]]:
        read = {name: self._read(name) for name in self.files}
        first, *others = read
        for name in others:
            check_same_clips(first, read[first], name, read[name])
        scores = {name: found.scores for name, found in read.items()}
        if self.average == "logit":
            scores = {name: np.log(np.maximum(x, SMALLEST)) for name, x in scores.items()}
        mean = np.asarray(sum(self.weights[name] * x for name, x in scores.items())) / sum(self.weights.values())
        if self.average == "logit":
            mean = np.exp(mean - np.logaddexp.reduce(mean, axis=1, keepdims=True))
        mean = mean.astype(np.float32)
        found = read[first]
        return dict(zip(found.clip_ids, zip(found.labels.tolist(), mean, strict=True), strict=True))

    def _read(self, name: str) -> Predictions:
        what = f"model.members.{name}.predictions"
        if not self.files[name]:
            raise ValueError(f"{what} is empty: test that network first")
        found = read_predictions(self.files[name], what)
        if self.average != "score" and not are_probabilities(found.scores):
            raise ValueError(
                f"{what}: {self.files[name]} holds scores that are no probabilities (average_clips of its head is not "
                "'prob'); set it there, or average='score' here"
            )
        return found


def are_probabilities(scores: np.ndarray) -> bool:
    """Whether each row of [clips, classes] is a distribution, as far as float32 and half precision tell."""
    return bool((scores >= -1e-6).all() and (np.abs(scores.sum(axis=1) - 1) < 5e-3).all())


def check_same_clips(first: str, one: Predictions, second: str, other: Predictions) -> None:
    """ValueError where two members were tested on other clips, labels or classes; it names them and one clip."""
    if odd := sorted(set(one.clip_ids) ^ set(other.clip_ids)):
        has, lacks = (first, second) if odd[0] in set(one.clip_ids) else (second, first)
        raise ValueError(
            f"ScoreFusion: {first} was tested on {len(one.clip_ids)} clips, {second} on {len(other.clip_ids)}: "
            f"{has} has {odd[0]}, {lacks} has not; test all members on the same clips"
        )
    if (differ := one.labels != other.labels).any():
        at = int(differ.argmax())
        raise ValueError(
            f"ScoreFusion: clip {one.clip_ids[at]} has label {one.labels[at]} in {first}, {other.labels[at]} in "
            f"{second}; test all members with the same labels"
        )
    if one.scores.shape != other.scores.shape:
        raise ValueError(
            f"ScoreFusion: {first} predicts {one.scores.shape[1]} classes, {second} {other.scores.shape[1]}; "
            "fuse networks of the same classes"
        )
