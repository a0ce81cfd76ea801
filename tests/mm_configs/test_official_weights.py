"""The official files of starting weights: addresses and input as MMAction2 itself has them."""

import re
from pathlib import Path

import mmaction
import pytest
import yaml
from mmengine.config import Config

from harness.suite import load_benchmark
from harness.suite.entries import load_entries

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "mm_configs"
ZOO = Path(mmaction.__file__).parent / ".mim"
METHODS = {"TSN": "tsn", "C3D": "c3d", "I3D": "i3d", "Video Swin": "swin", "MViTv2": "mvit", "TimeSformer": "timesformer"}
ROW = re.compile(r"^\| ([^|]+) \| \[([^]]+)\]\((https://\S+)\) \| ([^|]*) \| ([^|]*) \| ([^|]*) \|", re.MULTILINE)
ROWS = ROW.findall((ROOT / "docs" / "weights.md").read_text(encoding="utf-8"))


def published(method: str) -> dict[str, dict]:
    """Address -> model of MMAction2's own metafile."""
    models = yaml.safe_load((ZOO / "configs" / "recognition" / method / "metafile.yml").read_text())["Models"]
    return {m["Weights"]: m for m in models}


@pytest.mark.parametrize("method", METHODS)
def test_the_listed_file_and_its_input_are_mmaction2s(method):
    entries = load_entries(CONFIGS, load_benchmark(CONFIGS / "benchmark.yml"))
    starts = {e.starts_at("paper") for e in entries.values() if e.config.parent.name == METHODS[method]}
    ((start,),) = starts  # the same for every entry
    assert [url for m, _, url, _, _, listed in ROWS if m == method and listed] == [start.file]
    known = published(METHODS[method])
    model = known[start.file] if start.file in known else next(iter(known.values()))  # C3D's is what its own starts from
    config = Config.fromfile(str(ZOO / model["Config"]))
    assert start.file in known or config.model.backbone.pretrained == start.file
    assert list(start.mean) == config.model.data_preprocessor.mean
    assert list(start.std) == config.model.data_preprocessor.std
    assert start.into == "model.backbone" and (start.prefix == "backbone.") == (start.file in known)


@pytest.mark.parametrize(("method", "name", "url", "top1"), [(r[0], r[1], r[2], r[4]) for r in ROWS])
def test_addresses_and_values_of_the_documentation(method, name, url, top1):
    assert url.endswith(f"/{name}")
    known = published(METHODS[method.split(",")[0]])
    if url in known:
        (result,) = known[url]["Results"]
        assert float(top1) == pytest.approx(result["Metrics"]["Top 1 Accuracy"], abs=0.051)
    else:  # files that MMAction2's own configs start from
        assert not top1
        folder = ZOO / "configs" / "recognition"
        files = [p for m in {METHODS[m] for m in method.split(", ")} for p in (folder / m).glob("*.py")]
        texts = [p.read_text() for p in [*files, *(ZOO / "configs" / "_base_" / "models").glob("*.py")]]
        assert any(name in t for t in texts) or name == "resnet50-11ad3fa6.pth"  # torchvision's
