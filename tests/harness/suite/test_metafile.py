"""What a metafile must not say, and how that is told."""

import re
import shutil
from pathlib import Path

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from harness.suite import load_benchmark, load_entries
from harness.suite.configs import load_suite
from harness.suite.metafile import Metadata, Name, OneLine
from harness.suite.yaml_file import read_yaml

MODEL = "model 'i3d_r50_mgr-dark-rgb': "


def change_file(path, change):
    found = yaml.safe_load(path.read_text())
    change(found)
    path.write_text(yaml.safe_dump(found, sort_keys=False))


def first(section):
    return lambda meta: meta[section][0]


@pytest.mark.parametrize(
    ("of", "key", "value", "words"),
    [
        (first("Models"), "Protcol", "64 frames", MODEL + "unknown key 'Protcol' (near: Protocol); choose from Name, "),
        (
            first("Models"),
            "Training Modalites",
            ["RGB"],
            MODEL + "unknown key 'Training Modalites' (near: Training Mod",
        ),
        (
            lambda m: m["Models"][0]["Metadata"],
            "Architektur",
            ["I3D"],
            MODEL + "Metadata: unknown key 'Architektur' (near",
        ),
        (
            lambda m: m["Collections"][0]["Paper"],
            "Titel",
            "I3D",
            "collection 'I3D': Paper: unknown key 'Titel' (near: Title",
        ),
        (first("Collections"), "Optional on", [], "collection 'I3D': unknown key 'Optional on' (near: Optional At"),
        (lambda m: m, "Protokol", "64 frames", "unknown key 'Protokol'; choose from Collections, Models, Stages"),
    ],
)
def test_an_unknown_key_is_named_with_what_it_stands_in(small_configs, of, key, value, words):
    benchmark = load_benchmark(small_configs / "benchmark.yml")
    path = small_configs / "i3d" / "metafile.yml"
    change_file(path, lambda meta: of(meta).update({key: value}))
    with pytest.raises(ValueError, match=re.escape(f"{path}: {words}")) as e:
        load_entries(small_configs, benchmark)
    assert "\n" not in str(e.value)


def test_a_key_that_is_missing_names_the_model_and_a_misspelt_one_comes_first(small_configs):
    benchmark = load_benchmark(small_configs / "benchmark.yml")
    path = small_configs / "i3d" / "metafile.yml"
    change_file(path, lambda meta: meta["Models"][0].pop("Modality"))
    with pytest.raises(ValueError, match=f"{MODEL}Modality is missing$"):
        load_entries(small_configs, benchmark)
    change_file(path, lambda meta: meta["Models"][0].update({"Modalty": "RGB"}))
    with pytest.raises(
        ValueError, match=f"{MODEL}unknown key 'Modalty' .near: Modality.*; {MODEL}Modality is missing$"
    ):
        load_entries(small_configs, benchmark)
    change_file(path, lambda meta: meta["Models"][1].pop("Modality"))
    with pytest.raises(ValueError, match=r"unknown key 'Modalty' .*[^ ] \(and 2 more errors\)$"):
        load_entries(small_configs, benchmark)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda b: b["tables"][0].update({"captoin": "x"}), "table 'table2': unknown key 'captoin' (near: caption"),
        (
            lambda b: b["datasets"]["mgr_dark"].update({"ligthing": ""}),
            "datasets.mgr_dark: unknown key 'ligthing' (near: l",
        ),
        (lambda b: b.update({"seds": 3}), "unknown key 'seds' (near: seeds"),
    ],
)
def test_so_it_is_in_benchmark_yml(small_configs, change, words):
    path = small_configs / "benchmark.yml"
    change_file(path, change)
    with pytest.raises(ValueError, match=re.escape(f"{path}: {words}")):
        load_benchmark(path)


def test_what_mmaction2_writes_into_its_own_metafiles_is_no_error():
    import mmaction

    from harness.suite.metafile import Metafile

    found = sorted((Path(mmaction.__file__).parent / ".mim" / "configs" / "recognition").glob("*/metafile.yml"))
    assert len(found) > 15
    for path in found:
        meta = yaml.safe_load(path.read_text())
        for model in meta["Models"]:
            if any(key.startswith("reference ") for key in model):  # of two models alone, and no field of model-index
                meta["Models"] = [m for m in meta["Models"] if m is not model]
        Metafile.model_validate(meta)


def test_starting_weights_of_a_profile_that_is_not_there_are_named(small_configs):
    path = small_configs / "i3d" / "metafile.yml"
    change_file(path, lambda meta: meta["Models"][0].update({"Starting Weights": [{"Profile": "smok"}]}))
    with pytest.raises(ValueError, match=r"Starting Weights: Profile: unknown profile 'smok' \(near: smoke"):
        load_suite(small_configs)


@pytest.mark.parametrize("name", ["benchmark.yml", "i3d/metafile.yml"])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t + t, "stands twice in one mapping, in lines"),
        (lambda t: "", "is empty"),
        (lambda t: "# nothing\n", "is empty"),
        (lambda t: "- a\n- b\n", "is a list, not keys with values"),
        (lambda t: t.replace("version: 1", "version: [1").replace("Collections:", "Collections: ["), "not YAML: "),
        (lambda t: t.replace("\n", "\n\t", 1), "not YAML: "),
    ],
)
def test_what_is_no_mapping_of_keys_is_one_line_with_the_file(small_configs, name, change, words):
    path = small_configs / name
    path.write_text(change(path.read_text()))
    with pytest.raises(ValueError, match=re.escape(f"{path}: ")) as e:
        load_suite(small_configs)
    assert words in str(e.value) and "\n" not in str(e.value)


@pytest.mark.parametrize("name", ["benchmark.yml", "i3d/metafile.yml"])
def test_how_a_file_is_encoded(small_configs, name):
    path = small_configs / name
    text, before = path.read_text(), load_suite(small_configs)
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())  # as editors on Windows write it
    assert load_suite(small_configs) == before
    path.write_bytes(text.encode() + "# Größe\n".encode("latin-1"))
    with pytest.raises(ValueError, match=re.escape(f"{path}: not UTF-8 text (")):
        load_suite(small_configs)


def test_a_key_of_an_anchor_may_be_set_anew(tmp_path):
    path = tmp_path / "a.yml"
    path.write_text("base: &b {x: 1, y: 2}\nown: {<<: *b, y: 3}\nmore: [*b, *b]\n")
    assert read_yaml(path) == {"base": (b := {"x": 1, "y": 2}), "own": {"x": 1, "y": 3}, "more": [b, b]}
    path.write_text("own:\n  {y: 1,\n   y: 2}\n")
    with pytest.raises(ValueError, match="'y' stands twice in one mapping, in lines 2 and 3"):
        read_yaml(path)


@pytest.mark.parametrize("value", [None, 5, True, "", "two\nlines", ["a"]])
@pytest.mark.parametrize(("section", "key"), [("Collections", "Title"), ("Models", "Training Data")])
def test_what_tables_name_is_one_line_of_text(small_configs, section, key, value):
    path = small_configs / "i3d" / "metafile.yml"
    change_file(path, lambda meta: meta[section][0]["Metadata"].update({key: value}))
    with pytest.raises(ValueError, match=f"{key} .* is not one line of text; put it in quotes"):
        load_suite(small_configs)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda b: b.update(tables=None), "tables: Input should be a valid list"),
        (lambda b: b.update(tables=["table2"]), "tables.0: "),
        (lambda b: b["tables"][0].update(rows_of=["a"]), "rows_of: "),
        (lambda b: b.update(evidence=5), "evidence: Input should be a valid list"),
        (lambda b: b["tables"].append(b["tables"][0]), "'table2' stands there twice"),
        (
            lambda b: b["tables"][0]["columns"].append(b["tables"][0]["columns"][0]),
            "columns: 'rgb' stands",
        ),
        (lambda b: b["tables"][0].update(id="../x"), "String should match pattern"),
        (
            lambda b: b["tables"][0].update(rows=2 * [{"id": "a", "title": "A", "model": "a"}]),
            "rows: 'a' stands",
        ),
    ],
)
def test_a_benchmark_of_other_types_says_where(small_configs, change, words):
    path = small_configs / "benchmark.yml"
    change_file(path, change)
    with pytest.raises(ValueError, match=re.escape(words)):
        load_suite(small_configs)


def test_methods_whose_names_differ_in_capitals_alone_are_refused(small_configs):
    shutil.copytree(small_configs / "i3d", small_configs / "mine")
    path = small_configs / "mine" / "metafile.yml"

    def rename(meta):
        meta["Collections"][0]["Name"] = "i3d"
        for model in meta["Models"]:
            old, model["Name"], model["In Collection"] = model["Name"], f"mine_{model['Name']}", "i3d"
            (path.parent / f"{old}.py").rename(path.parent / f"mine_{old}.py")
            model["Config"] = f"mm_configs/mine/mine_{old}.py"

    change_file(path, rename)
    with pytest.raises(ValueError, match="'i3d' differs from 'I3D' of .*i3d in capitals alone"):
        load_suite(small_configs)
    path.write_text(
        path.read_text().replace("In Collection: i3d", "In Collection: I3D").replace("Name: i3d\n", "Name: I3D\n")
    )
    assert len(load_suite(small_configs)[1]) == 4


@pytest.mark.parametrize("text", ["a\nb", "a\x1b[2J", "a\u202eb", "a\u2067b", "a\u2028b", "a\x00"])
def test_a_name_or_title_turns_nothing_round_that_stands_beside_it(text):
    sound = "Réseau (v2) \u05d0\u05d1"  # letters that run from right to left are letters
    for kind in (Name, OneLine):
        assert TypeAdapter(kind).validate_python(sound) == sound
        with pytest.raises(ValidationError):
            TypeAdapter(kind).validate_python(text)
    assert TypeAdapter(Metadata).validate_python({"Title": sound}) == {"Title": sound}
    with pytest.raises(ValidationError, match="is not one line of text"):
        TypeAdapter(Metadata).validate_python({"Title": text + "."})
