import pytest
import torch
from mmengine.registry import init_default_scope

from mtcd_plugin import _compat

_compat.apply()

import mtcd_plugin.engine  # noqa: E402,F401
import mtcd_plugin.models  # noqa: E402,F401


@pytest.fixture(autouse=True)
def one_thread_in_mmaction_scope():
    init_default_scope("mmaction")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
