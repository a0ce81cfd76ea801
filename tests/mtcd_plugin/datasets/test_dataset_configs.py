"""Every base data set config builds on data of the true layout and gives what its name says."""

from pathlib import Path

import pytest
import torch
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.registry import init_default_scope

import mtcd_plugin.register  # noqa: F401
from mtcd_plugin.formats.clip_store_writer import ClipStoreWriter
from mtcd_plugin.formats.mgr_dark import read_mgr_dark
from mtcd_plugin.formats.nvgesture import read_nvgesture
from mtcd_plugin.formats.video import read_frames

CONFIGS = Path(__file__).parents[3] / "mm_configs" / "_base_" / "datasets"
TRAINED_ON = {
    "rgb": ["rgb"],
    "depth": ["depth"],
    "ir": ["ir"],
    "pseudo_ir": ["pseudo_ir"],
    "rgb_ir": ["rgb", "ir", "pseudo_ir"],
    "depth_ir": ["depth", "ir", "pseudo_ir"],
    "rgb_depth": ["rgb", "depth"],
    "rgb_progress": ["rgb"],
    "flow": ["flow"],
}
TESTED_ON = TRAINED_ON | {"rgb_ir": ["rgb"], "depth_ir": ["depth"]}
SIZE = (20, 20)
SHAPES = {"rgb": (3, 32), "flow": (2, 5 * 32)}  # channels and frames


@pytest.fixture(scope="module")
def rendered(mgr_dark_root, nvgesture_root, tmp_path_factory):
    """Stores as stages would render them: one frame for each of the rgb window."""
    stores = {}
    tables = {"mgr_dark": read_mgr_dark(str(mgr_dark_root)), "nvgesture": read_nvgesture(str(nvgesture_root))}
    for name, table in tables.items():
        for modality in ("pseudo_ir", "flow"):
            stores[name, modality] = str(tmp_path_factory.mktemp(modality) / name)
            with ClipStoreWriter(stores[name, modality], modality, SIZE) as writer:
                for clip in table.clips:
                    rgb = clip.streams["rgb"]
                    frames = 255 - read_frames(rgb.path, range(rgb.start, rgb.end), SIZE, gray=True)
                    writer.add(clip.clip_id, frames.repeat(2, axis=3) if modality == "flow" else frames)
    return stores


def test_each_data_set_has_each_kind():
    names = {path.stem for path in CONFIGS.glob("*.py")} - {"clips"}
    assert names == {f"{data}_{kind}" for data in ("mgr_dark", "nvgesture") for kind in (*TRAINED_ON, "fusion")}


@pytest.mark.parametrize("kind", TRAINED_ON)
@pytest.mark.parametrize("name", ["mgr_dark", "nvgesture"])
def test_builds(name, kind, mgr_dark_root, nvgesture_root, rendered):
    init_default_scope("mmaction")
    cfg = Config.fromfile(str(CONFIGS / f"{name}_{kind}.py"))
    root = {"mgr_dark": mgr_dark_root, "nvgesture": nvgesture_root}[name]
    for loader, modalities in (("train_dataloader", TRAINED_ON[kind]), ("test_dataloader", TESTED_ON[kind])):
        dataset = cfg[loader].dataset
        assert dataset.data_root == f"data/{name}"
        dataset.data_root = str(root)
        for modality in {"pseudo_ir", "flow"} & set(modalities):
            dataset.stores[modality] = rendered[name, modality]
        built = DATASETS.build(dataset)
        inputs = built[0]["inputs"]
        inputs = {modalities[0]: inputs} if isinstance(inputs, torch.Tensor) else inputs
        assert list(inputs) == modalities
        for modality, clip in inputs.items():
            assert clip.shape == (1, *SHAPES.get(modality, (1, 32)), 224, 224)
        assert built.split == loader.partition("_")[0]
    assert cfg.test_dataloader.dataset.test_mode and not cfg.test_dataloader.get("drop_last")
    assert cfg.get("val_dataloader") is None  # nothing is selected
