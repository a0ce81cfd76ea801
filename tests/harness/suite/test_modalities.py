"""Titles of modalities."""

from harness.suite import modalities
from mtcd_plugin.formats import clips


def test_every_modality_of_the_plugin_has_a_title_in_its_order():
    assert tuple(modalities.TITLES) == clips.MODALITIES
    assert tuple(m for m in clips.MODALITIES if m not in clips.RENDERED_FROM) == modalities.RECORDED
    assert modalities.BY_METAFILE == {"RGB": "rgb", "Depth": "depth", "IR": "ir", "Pseudo-IR": "pseudo_ir"}
