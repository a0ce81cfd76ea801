"""The table of systems: every method that has a row in the tables stands there, with its folder's own numbers."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FIRST_TABLE = (ROOT / "docs" / "systems.md").read_text(encoding="utf-8").partition("## At demo size")[0]
LINES = [[cell.strip() for cell in line.strip("|").split("|")] for line in FIRST_TABLE.splitlines() if line[:1] == "|"][
    2:
]
FOLDERS = {re.sub("`", "", cells[1]): cells for cells in LINES}


def metafile(folder):
    return yaml.safe_load((ROOT / "mm_configs" / folder / "metafile.yml").read_text(encoding="utf-8"))


def test_every_folder_of_configs_is_in_the_table():
    assert set(FOLDERS) == {p.parent.name for p in (ROOT / "mm_configs").glob("*/metafile.yml")}


@pytest.mark.parametrize("folder", [f for f in FOLDERS if "Parameters" in metafile(f)["Models"][0]["Metadata"]])
def test_parameters_are_those_that_the_metafile_says_and_other_tests_count(folder):
    of_stages = {
        m["Metadata"]["Parameters"].removesuffix("M")
        for m in metafile(folder)["Models"]
        if m["Metadata"]["Training Data"] == "MGR-Dark" and "Parameters" in m["Metadata"]
    }
    said = set(re.findall(r"\d+\.\d", FOLDERS[folder][3]))
    if folder in ("3ddsn", "tsn_two_stream"):  # two networks together
        assert len(said) == 1
    elif folder == "mtut":  # its networks that learn from infrared have a backbone of their own
        assert said < of_stages
    else:
        assert said == of_stages


@pytest.mark.parametrize("folder", sorted(FOLDERS))
def test_modalities_are_those_of_its_results(folder):
    found = {m["Modality"] for m in metafile(folder)["Models"]} - {"Flow", "Pseudo-IR"}
    said = FOLDERS[folder][2]
    assert ("both" in said) == ("RGB+Depth" in found)
    assert ("depth" in said) == ("Depth" in found)
