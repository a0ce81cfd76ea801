"""The source of a package that lies outside of the repository and registers a network, with a defect on demand."""

SOURCE = """
import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModel
from torch import nn


@MODELS.register_module(force=True)
class OutsideNet(BaseModel):
    def __init__(self, defect="", data_preprocessor=None, init_cfg=None):
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.defect, self.steps = defect, 0
        self.fc = nn.Linear(3 * 2 * 4 * 4, 10)
        self.hidden = torch.rand(10)
        if defect == "frozen":
            self.requires_grad_(False)
        if defect == "broken":
            raise RuntimeError("no such width")

    def scores(self, inputs):
        if isinstance(inputs, dict):
            inputs = sum(inputs.values())
        x = nn.functional.adaptive_avg_pool3d(inputs.flatten(0, 1), (2, 4, 4)).flatten(1)
        if self.defect == "blind":
            x = torch.zeros_like(x)
        if self.defect == "not counted":
            return (x[:, :10] * self.fc.bias).sigmoid()
        return self.fc(x)

    def forward(self, inputs, data_samples=None, mode="tensor"):
        scores = self.scores(inputs)
        if mode == "loss":
            return self.losses(scores, torch.cat([s.gt_label for s in data_samples]))
        if mode == "tensor":
            return scores
        if self.defect == "hidden state":
            scores = scores + self.hidden
        if self.defect == "random":
            scores = scores + torch.rand(10)
        if self.defect == "squeezed":
            scores = scores.squeeze(0)
        if self.defect == "not finite":
            scores = scores / 0.0
        for sample, score in zip(data_samples, scores):
            sample.set_pred_score(score)
        return data_samples

    def losses(self, scores, labels):
        loss = nn.functional.cross_entropy(scores, labels)
        if self.defect == "nameless":
            return {"penalty": loss}
        if self.defect == "nan":
            loss = loss * float("nan")
        if self.defect == "detached":
            loss = loss.detach() + 0 * self.fc.bias.sum()
        if self.defect == "counting":
            self.steps += 1
            loss = loss * self.steps
        return {"loss_cls": loss}
"""
