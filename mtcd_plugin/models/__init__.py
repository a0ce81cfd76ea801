"""Models registered in MMAction2's registry: one import line per module."""

from mtcd_plugin import _compat_applied  # before anything that imports MMAction2
from mtcd_plugin.models.backbones import (
    auto_gesture,
    decouple_recouple,
    dropout_resnet,
    inception_i3d,
    ni3d,
    prernn,
    raar3d,
    recurrent_resnet,
    res3d,
    slim_c3d,
    slim_resnet,
    umdr,
)
from mtcd_plugin.models.data_preprocessors import (
    clip_data_preprocessor,
    flow_preprocessor,
    folding_preprocessor,
    heatmap_preprocessor,
    resc3d_preprocessor,
    resizing_preprocessor,
    saliency_preprocessor,
    surface_normals_preprocessor,
)
from mtcd_plugin.models.distillers import cross_modal_distiller, fused_sweep, projection, single_teacher_distiller
from mtcd_plugin.models.fusion import late_fusion, score_fusion
from mtcd_plugin.models.heads import (
    branch_token_head,
    frame_head,
    frame_transformer_head,
    gpm_head,
    projected_head,
    umdr_head,
)
from mtcd_plugin.models.losses import contrastive, distillation, hallucination, relational
from mtcd_plugin.models.necks import feature_converter
from mtcd_plugin.models.recognizers import (
    capf,
    heatmap_recognizer,
    joint_backbone,
    mixing_recognizer3d,
    mmtm,
    mtut,
    umdr_fusion,
)
from mtcd_plugin.models.translators import encoder, networks, on_the_fly, optical_flow, sda_gan, trivial
