import pytest
import torch
from mmengine.registry import init_default_scope

import mtcd_plugin.register  # noqa: F401


@pytest.fixture(autouse=True)
def one_thread_in_mmaction_scope():
    init_default_scope("mmaction")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
