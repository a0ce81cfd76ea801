# RAAR3D: NI3D with attention before each group of cells; training starts from a trained NI3D (model.init_from).
# heatmap_source='file' learns the heat maps from key-points, see mm_configs/raar3d/README.md.
_base_ = './ni3d.py'
model = dict(
    type='HeatmapRecognizer',
    heatmap_source='none',
    init_from='',
    backbone=dict(type='RAAR3D', pairing='by_time'),
    data_preprocessor=dict(type='HeatmapPreprocessor'))

profiles = dict(demo=dict(model=dict(backbone=dict(heat_shrink=2))))
