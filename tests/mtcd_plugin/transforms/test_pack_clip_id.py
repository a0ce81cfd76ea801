"""A data set whose frames nobody reads."""

import mtcd_plugin.register  # noqa: F401  isort: skip
from mmaction.registry import DATASETS
from mmengine.registry import init_default_scope

from mtcd_plugin.formats.mgr_dark import read_mgr_dark


def test_every_test_clip_comes_by_its_id_and_no_video_is_opened(mgr_dark_root, monkeypatch):
    def opened(*args, **kwargs):
        raise AssertionError("a video was opened")

    monkeypatch.setattr("mtcd_plugin.transforms.load_modalities.read_frames", opened)
    init_default_scope("mmaction")
    config = {"type": "MGRDarkDataset", "data_root": str(mgr_dark_root), "split": "test", "test_mode": True}
    data = DATASETS.build({**config, "lighting": "dark", "pipeline": [{"type": "PackClipId"}]})
    wanted = {
        c.clip_id: (c.label, c.subject)
        for c in read_mgr_dark(mgr_dark_root, lighting="dark").clips
        if c.split == "test"
    }
    found = {}
    for sample in map(data.__getitem__, range(len(data))):
        assert tuple(sample["inputs"].shape) == (1, 1, 1, 1, 1)
        of = sample["data_samples"]
        found[of.metainfo["clip_id"]] = int(of.gt_label), of.metainfo["subject"]
    assert found == wanted and len(found) > 1
