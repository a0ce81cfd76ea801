"""Models registered in MMAction2's registry: one import line per module."""

from mtcd_plugin.models.backbones import slim_c3d, slim_resnet  # noqa: F401
from mtcd_plugin.models.data_preprocessors import clip_data_preprocessor  # noqa: F401
from mtcd_plugin.models.distillers import cross_modal_distiller, fused_sweep, projection  # noqa: F401
from mtcd_plugin.models.fusion import late_fusion  # noqa: F401
from mtcd_plugin.models.heads import projected_head  # noqa: F401
from mtcd_plugin.models.necks import feature_converter  # noqa: F401
from mtcd_plugin.models.translators import encoder, networks, on_the_fly, sda_gan, trivial  # noqa: F401
