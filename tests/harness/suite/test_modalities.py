"""Modalities, sets of them, and their titles."""

from itertools import permutations

import pytest

from harness.suite import modalities
from mtcd_plugin.formats import clips


def test_every_modality_of_the_plugin_has_a_title_in_its_order():
    assert tuple(m for m in modalities.TITLES if m in clips.MODALITIES) == clips.MODALITIES
    assert tuple(m for m in clips.MODALITIES if m not in clips.RENDERED_FROM) == modalities.RECORDED
    assert clips.RENDERED_FROM.items() <= modalities.DERIVED_FROM.items()
    assert modalities.BY_METAFILE == {
        "RGB": "rgb",
        "Depth": "depth",
        "IR": "ir",
        "Pseudo-IR": "pseudo_ir",
        "Flow": "flow",
    }


@pytest.mark.parametrize("chosen", [c for n in (1, 2, 5) for c in permutations(modalities.TITLES, n)])
def test_a_set_has_one_id_in_whatever_order_it_is_declared(chosen):
    declared = "+".join(modalities.IN_METAFILES[m] for m in chosen)
    found = modalities.members(declared, modalities.BY_METAFILE)
    assert set(found) == set(chosen) and modalities.members("+".join(found)) == found
    assert modalities.joined(chosen) == "+".join(sorted(chosen, key=list(modalities.TITLES).index))
    assert modalities.members(modalities.in_metafile("+".join(chosen)), modalities.BY_METAFILE) == found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("RGB+Sonar", "unknown modality 'Sonar'; choose from RGB, Depth, IR, Pseudo-IR, Flow; a set"),
        ("RGB+", "unknown modality ''"),
        ("rgb", "unknown modality 'rgb'"),
        ("Depth+RGB+Depth", "modality Depth is named twice"),
    ],
)
def test_what_names_no_set_is_one_line(text, words):
    with pytest.raises(ValueError, match=words) as e:
        modalities.members(text, modalities.BY_METAFILE)
    assert "\n" not in str(e.value)


def test_titles():
    assert modalities.title("rgb+depth") == "RGB + Depth" == modalities.title(["rgb", "depth"])
    assert modalities.title("flow") == "Flow" and modalities.title(()) == ""
