"""Numbers of benchmark.yml and metafiles that are none, or out of their range, are refused with what is valid."""

import re
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from harness.suite import load_benchmark
from harness.suite.benchmark import Evidence, Published, Statement, Sweep, Table1Row, TrainingStd
from harness.suite.metafile import Start
from harness.suite.tables import Claim
from harness.suite.yaml_file import read_yaml

CONFIGS = Path(__file__).resolve().parents[3] / "mm_configs"
TOP1 = "a top-1 accuracy in percent, from 0 to 100"


@pytest.mark.parametrize(
    ("place", "number", "words"),
    [
        (("claims", 0, "value"), 874.5, f"table 'table2': claims.0.value: 874.5 is not valid; give {TOP1}"),
        (("claims", 0, "corrected"), -3, f"claims.0.corrected: -3 is not valid; give {TOP1}"),
        (("claims", 0, "value"), True, f"True is not valid; give {TOP1}"),
        (("claims", 0, "value"), float("nan"), f"nan is not valid; give {TOP1}"),
        (("claims", 0, "value"), float("inf"), f"inf is not valid; give {TOP1}"),
    ],
)
def test_a_claimed_value_that_is_no_accuracy_is_said_with_its_place(tmp_path, place, number, words):
    found = read_yaml(CONFIGS / "benchmark.yml")
    table = next(t for t in found["tables"] if t["id"] == "table2")
    table["claims"][0][place[-1]] = number
    path = tmp_path / "benchmark.yml"
    path.write_text(yaml.safe_dump({**found, "tables": [table], "figures": [], "evidence": [], "quick": None}))
    with pytest.raises(ValueError, match=re.escape(f"{path}: ") + ".*" + re.escape(words)):
        load_benchmark(path)


@pytest.mark.parametrize("seeds", [True, 0, -1, 1.5, "two", float("nan"), None])
def test_seeds_are_whole_numbers_from_1(tmp_path, seeds):
    found = read_yaml(CONFIGS / "benchmark.yml")
    path = tmp_path / "benchmark.yml"
    path.write_text(yaml.safe_dump({**found, "tables": [], "figures": [], "evidence": [], "seeds": {"smoke": seeds}}))
    with pytest.raises(ValueError, match=rf"seeds\.smoke: {seeds!r} is not valid; give a whole number from 1"):
        load_benchmark(path)


SOUND = [
    (Claim, {"value": 0, "corrected": 100.0, "at": {"alpha": "1e-3"}}, ("value", "corrected", "at.alpha")),
    (TrainingStd, {"points": 1.9, "freedom": 9, "source": "x"}, ("points", "freedom")),
    (Published, {"classes": 10, "subjects": 21}, ("classes", "subjects")),
    (
        Sweep,
        {"id": "a", "key": "a", "title": "A", "values": [0, -1.5], "default": 0.0, "smoke": [0]},
        ("values.1", "default", "smoke.0"),
    ),
    (Statement, {"says": "x", "better": "a", "than": "b", "points": 3}, ("points",)),
    (
        Evidence,
        {
            "id": "e",
            "title": "E",
            "caption": "",
            "dataset": "d",
            "tables": [],
            "seeds": 5,
            "method": "a",
            "baseline": "b",
        },
        ("seeds",),
    ),
    (
        Table1Row,
        {"dataset": "d", "classes": 5, "instances": 9, "light": "", "distance": "", "rgb": "", "depth": "", "ir": ""},
        ("classes", "instances"),
    ),
    (Start, {"Mean": [1.0, 2.0, 3.0], "Std": [1.0, 2.0, 3.0]}, ("Mean.2", "Std.0")),
]


@pytest.mark.parametrize(("model", "sound", "place"), [(m, s, p) for m, s, places in SOUND for p in places])
def test_every_number_that_a_file_declares_is_finite_and_no_yes(model, sound, place):
    model.model_validate(sound)
    key, _, inner = place.partition(".")
    for odd in (True, float("nan"), float("inf")):
        value = odd
        if inner:
            value = (
                {inner: odd}
                if isinstance(sound[key], dict)
                else [odd if i == int(inner) else v for i, v in enumerate(sound[key])]
            )
        with pytest.raises(ValidationError, match=f"{odd!r} is not valid; give a"):
            model.model_validate({**sound, key: value})
