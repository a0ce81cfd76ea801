"""Trained recognizers tested together, or one tested on another modality."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmaction.registry import MODELS
from mmengine.model import BaseModel
from torch import Tensor, nn

from mtcd_plugin.models.distillers.checkpoints import load_network

if TYPE_CHECKING:
    from mmaction.utils import OptSampleList


@MODELS.register_module()
class LateFusion(BaseModel):
    """Mean of the class probabilities of frozen recognizers, one per modality. For tests only.

    Two members (RGB and infrared) are the upper bound of what distillation could bring; one member tests a
    network on a modality that it was not trained on (the infrared teacher on pseudo-infrared).

    Args:
        members: modality -> ``dict(model=<recognizer>, checkpoint='...', prefix='', weight=1.0)``. Checkpoints are
            read before the first use; one that was trained on a subject that is tested is refused. ``prefix`` is
            that of the member's weights in its file, where that holds more (one stream of a joint training).
    """

    def __init__(self, members: dict, data_preprocessor: dict | None = None, init_cfg=None) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        if not members:
            raise ValueError("LateFusion: members is empty; give modality -> dict(model=..., checkpoint=...)")
        self.members = nn.ModuleDict({name: MODELS.build(m["model"]) for name, m in members.items()})
        self.weights = {name: float(m.get("weight", 1.0)) for name, m in members.items()}
        self.checkpoints = {name: m.get("checkpoint") or "" for name, m in members.items()}
        self.prefixes = {name: str(m.get("prefix", "")) for name, m in members.items()}
        self.loaded = False
        self.train_subjects: dict[str, frozenset[str]] = {}  # member -> subjects, from its checkpoint
        self.requires_grad_(False)

    def forward(self, inputs, data_samples: OptSampleList = None, mode: str = "predict"):
        """``inputs``: modality -> [N, 1, C, T, H, W], or one tensor if there is one member."""
        if mode != "predict":
            raise RuntimeError(f'Invalid mode "{mode}". LateFusion only predicts')
        self._load()
        self._refuse_known(data_samples)
        total: Tensor | None = None
        name: str
        network: BaseModel
        for name, network in self.members.items():
            x = inputs if isinstance(inputs, Tensor) else inputs.get(name)
            if x is None:
                raise ValueError(f"LateFusion needs '{name}'; the data give {', '.join(inputs)}")
            features, kwargs = network.extract_feat(x, test_mode=True)
            scores = network.cls_head(features, **kwargs).softmax(dim=1) * self.weights[name]
            total = scores if total is None else total + scores
        scores = total / sum(self.weights.values())  # type: ignore[operator]  # there is a member at least
        for sample, score in zip(data_samples, scores, strict=True):  # type: ignore[arg-type]  # a tensor by now
            sample.set_pred_score(score)
            sample.set_pred_label(score.argmax(dim=0, keepdim=True))
        return data_samples

    def _load(self) -> None:
        if self.loaded:
            return
        for name, network in self.members.items():
            if not self.checkpoints[name]:
                raise ValueError(f"model.members.{name}.checkpoint is empty: train that network first")
            what, prefix = f"model.members.{name}", self.prefixes[name]
            meta = load_network(network, self.checkpoints[name], what, prefix=prefix)
            self.train_subjects[name] = frozenset(meta.get("train_subjects", ()))
        self.loaded = True

    def _refuse_known(self, data_samples: list) -> None:
        """ValueError where a tested subject is one that a member was trained on."""
        for name, subjects in self.train_subjects.items():
            for sample in data_samples:
                if (subject := str(sample.metainfo.get("subject", ""))) in subjects:
                    raise ValueError(
                        f"model.members.{name}.checkpoint was trained on test subject '{subject}'; "
                        "train it on this split's training subjects"
                    )
