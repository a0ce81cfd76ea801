"""Shims for the frozen upstream (mmaction2 1.2.0 of October 2023 on a current stack).

Every shim is idempotent, acts only where its feature test says that upstream still needs it, and says
when it can go. ``apply()`` must run before ``mmaction.models`` is imported; the ``__init__`` of every
subpackage that uses MMAction2 imports ``_compat_applied`` first.

Not here on purpose: mmengine's checkpoints under ``torch.load(weights_only=True)`` are handled where
they are written (``engine/hooks/plain_checkpoint_hook.py``), so no loader is ever loosened;
``pkg_resources`` is not needed, because our configs use relative ``_base_`` files only.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
import warnings
from pathlib import Path

DRN_PACKAGE = "mmaction.models.localizers.drn"


class _MissingDRN:
    """Stand-in for the temporal localizer that the wheel lacks; nothing here uses it."""

    def __init__(self, *args, **kwargs):
        raise ImportError("DRN is not part of the mmaction2 wheel; install mmaction2 from source to use it")


class DrnFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Answers only for ``mmaction.models.localizers.drn`` and its module ``drn``."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname not in (DRN_PACKAGE, DRN_PACKAGE + ".drn"):
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=fullname == DRN_PACKAGE)

    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        if spec.name == DRN_PACKAGE:
            module.__path__ = []
        return module

    def exec_module(self, module):
        module.DRN = _MissingDRN


def stub_missing_drn() -> None:
    """Why: the wheel lacks ``localizers/drn``, so ``import mmaction.models`` fails (mmaction2#2714).

    Feature test: the finder is *appended* to ``sys.meta_path``, so it is asked only when no real ``drn``
    is found. Remove when: a released mmaction2 ships ``mmaction/models/localizers/drn``.
    """
    if not any(isinstance(finder, DrnFinder) for finder in sys.meta_path):
        sys.meta_path.append(DrnFinder())


def disable_broken_multimodal() -> None:
    """Why: with ``transformers`` installed mmaction2 imports VindLU, which needs ``apply_chunking_to_forward`` from
    ``transformers.modeling_utils``; newer releases have dropped it, and then ``import mmaction.models`` fails.

    Feature test: that name in the source of the installed ``transformers`` (nothing of it is imported).
    Remove when: mmaction2's VindLU imports with the ``transformers`` of the day.
    """
    spec = importlib.util.find_spec("transformers")
    if spec is None or not spec.origin:
        return
    source = Path(spec.origin).with_name("modeling_utils.py")
    if source.is_file() and "apply_chunking_to_forward" in source.read_text(encoding="utf-8"):
        return
    import mmaction.utils.dependency as dependency

    dependency.WITH_MULTIMODAL = False


def silence_mmcv_lite() -> None:
    """Why: mmcv-lite has no compiled operators, and mmcv says so in a UserWarning at import;
    we use none of them.

    Feature test: ``mmcv._ext`` is absent. Remove when: mmcv-lite stops warning at import.
    """
    spec = importlib.util.find_spec("mmcv")
    if spec is None or not spec.origin or list(Path(spec.origin).parent.glob("_ext*")):
        return
    warnings.filterwarnings("ignore", message="Fail to import ``MultiScaleDeformableAttention``", category=UserWarning)


def apply() -> None:
    """Apply every shim. Safe to call any number of times."""
    stub_missing_drn()
    disable_broken_multimodal()
    silence_mmcv_lite()
