"""Trainings of tiny networks by MMEngine's Runner."""

from __future__ import annotations

import copy

import torch
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.runner import Runner
from torch.utils.data import Dataset

from tests.helpers.toy import batch

CLIPS = 12


@DATASETS.register_module()
class ToyClips(Dataset):
    """12 random clips of 3 classes; ``frames`` of them each. One modality is given as a tensor, several in a dict."""

    metainfo: dict = {}

    def __init__(self, modalities, frames=4):
        made = batch(tuple(modalities), CLIPS, frames=frames)
        self.inputs, self.samples = made["inputs"], made["data_samples"]

    def __len__(self):
        return CLIPS

    def __getitem__(self, i):
        several = isinstance(self.inputs, dict)
        inputs = {m: clips[i] for m, clips in self.inputs.items()} if several else self.inputs[i]
        return {"inputs": inputs, "data_samples": copy.deepcopy(self.samples[i])}


def train(config, folder, epochs, resume=False, hook=True):
    """Checkpoint and model after ``epochs`` of training model, optimizer, data set and stage of ``config``.

    Args:
        hook: TrainingStateHook is among the hooks.
    """
    model, wrapper, data, stage = copy.deepcopy(config)
    hooks = dict(
        checkpoint=dict(type="CheckpointHook", interval=1),
        plain=dict(type="PlainCheckpointHook"),
        seed=dict(type="EpochSeedHook"),
        stage=dict(type="StageCheckpointHook", stage=stage),
    )
    if hook:
        hooks["state"] = dict(type="TrainingStateHook")
    loader = dict(
        batch_size=4,
        num_workers=0,
        dataset=data,
        sampler=dict(type="DefaultSampler", shuffle=True),
        collate_fn=dict(type="pseudo_collate"),
    )
    runner = Runner.from_cfg(
        Config(
            dict(
                model=model,
                work_dir=str(folder),
                experiment_name=f"{folder.name}{epochs}",
                default_scope="mmaction",
                train_dataloader=loader,
                train_cfg=dict(type="EpochBasedTrainLoop", max_epochs=epochs),
                optim_wrapper=wrapper,
                default_hooks=hooks,
                randomness=dict(seed=3),
                resume=resume,
                log_level="ERROR",
                visualizer=dict(type="Visualizer", vis_backends=[]),
            ),
            format_python_code=False,
        )
    )
    runner.train()
    return torch.load(folder / f"epoch_{epochs}.pth", weights_only=True), runner.model
