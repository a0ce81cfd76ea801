"""Seeds of data loader workers."""

from __future__ import annotations

import random

import numpy as np
import torch
from mmengine.registry import FUNCTIONS


@FUNCTIONS.register_module()
def seed_worker(worker_id: int) -> None:  # noqa: ARG001  MMEngine passes it
    """Seed ``random`` and ``numpy`` of a worker from the seed that PyTorch draws anew for each set of
    workers.

    Use as ``worker_init_fn=dict(type='seed_worker')``. MMEngine's own function seeds with a constant, so
    that every epoch repeats the same draws unless workers are persistent.
    """
    seed = torch.initial_seed() % 2**32
    random.seed(seed)
    np.random.seed(seed)
