"""Models registered in MMAction2's registry: one import line per module."""

from mtcd_plugin.models.backbones import slim_c3d, slim_resnet  # noqa: F401
from mtcd_plugin.models.data_preprocessors import clip_data_preprocessor  # noqa: F401
