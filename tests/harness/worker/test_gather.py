"""Batches gathered from clip stores are, bit for bit, those of the data set's own pipeline."""

import random
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS
from mmengine.dataset import DefaultSampler, pseudo_collate
from mmengine.registry import init_default_scope
from torch.utils.data import DataLoader, Dataset

import mtcd_plugin.register  # noqa: F401
from harness.data.store.cache import build_for_datasets
from harness.errors import BadUsage
from harness.worker.gather import ClipGather, NotGathered
from harness.worker.gather_hook import GatherHook
from harness.worker.gather_loader import HAND_OVER_S, GatherLoader
from harness.worker.resident import ResidentStores

CUTS = {
    "crop": [dict(type="RandomCrop", size=16)],
    "centre": [dict(type="CenterCrop", crop_size=(20, 12))],
    "crop and flip": [dict(type="RandomCrop", size=16), dict(type="Flip", flip_ratio=0.5)],
    "mirrored classes": [
        dict(type="RandomCrop", size=20),
        dict(type="CenterCrop", crop_size=16),
        dict(type="Flip", flip_ratio=0.5, direction="vertical", flip_label_map={0: 1, 1: 0}),
    ],
    "nothing": [],
}


def pipeline(*cuts, first=(), clip_len=6, last="PackClip"):
    return [
        dict(type="SampleClipFrames", clip_len=clip_len),
        *first,
        dict(type="LoadModalities", size=(24, 24)),
        *cuts,
        dict(type="SplitModalities"),
        dict(type=last),
    ]


def build(root, store, steps, kind="MGRDarkDataset", codec="raw", **changes):
    torch.set_num_threads(1)
    init_default_scope("mmaction")
    config = dict(type=kind, data_root=str(root), pipeline=steps, clip_store=str(store)) | changes
    if store and codec:
        build_for_datasets([config], Path(store), 1, lambda _: None, codec)
    return DATASETS.build(config)


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """Folder of stores, which the tests of this module share."""
    return tmp_path_factory.mktemp("stores")


def loader_of(dataset, batch=4, seed=3, drop_last=False, **changes):
    sampler = DefaultSampler(dataset, shuffle=True, seed=seed)
    return DataLoader(dataset, batch, sampler=sampler, collate_fn=pseudo_collate, drop_last=drop_last, **changes)


def facts(batch):
    """A batch as bytes and meta information, in the order of its modalities."""
    inputs = batch["inputs"] if isinstance(batch["inputs"], dict) else {"": batch["inputs"]}
    clips = [(name, [(tuple(c.shape), c.numpy().tobytes()) for c in clips]) for name, clips in inputs.items()]
    samples = [(int(s.gt_label), {k: repr(v) for k, v in s.metainfo.items()}) for s in batch["data_samples"]]
    return clips, samples


def epochs_of(loader, dataset, epochs=(0, 1)):
    found = []
    for epoch in epochs:
        dataset.set_epoch(7, epoch)
        loader.sampler.set_epoch(epoch)
        found += [facts(batch) for batch in loader]
    return found


@pytest.mark.parametrize("modalities", [["rgb"], ["depth", "rgb", "ir"]])
@pytest.mark.parametrize("cuts", CUTS.values(), ids=CUTS)
@pytest.mark.parametrize("drop_last", [False, True])
def test_batches_are_those_of_the_pipeline(mgr_dark_root, stores, cuts, modalities, drop_last):
    dataset = build(mgr_dark_root, stores, pipeline(*cuts), modalities=modalities)
    loader = loader_of(dataset, drop_last=drop_last)
    expected = epochs_of(loader, dataset)
    gathered = GatherLoader(loader, ClipGather(dataset))
    assert epochs_of(gathered, dataset) == expected
    assert len(expected) == 2 * len(gathered) == (4 if drop_last else 6)  # 9 clips
    labels = {label for _, samples in expected for label, _ in samples}
    assert labels == {0, 1, 2}


def test_a_flip_shows_and_labels_follow_it(mgr_dark_root, stores):
    flips = [dict(type="Flip", flip_ratio=1.0, flip_label_map={0: 2, 2: 0})]
    plain, mirrored = (build(mgr_dark_root, stores, pipeline(*cuts)) for cuts in ([], flips))
    batches = []
    for dataset in (plain, mirrored):
        dataset.set_epoch(7, 0)
        batches.append(next(iter(GatherLoader(loader_of(dataset), ClipGather(dataset)))))
    assert torch.equal(batches[1]["inputs"], batches[0]["inputs"].flip(-1))
    assert not torch.equal(batches[1]["inputs"], batches[0]["inputs"])
    own, other = ([int(s.gt_label) for s in b["data_samples"]] for b in batches)
    assert [2 - label for label in own] == other


def test_clips_of_two_cameras_by_their_logs(nvgesture_root, stores):
    steps = pipeline(dict(type="RandomCrop", size=16), first=[dict(type="GestureProgress")])
    dataset = build(nvgesture_root, stores, steps, "NvGestureDataset", modalities=["rgb", "ir"])
    loader = loader_of(dataset, batch=2)
    expected = epochs_of(loader, dataset)
    assert epochs_of(GatherLoader(loader, ClipGather(dataset)), dataset) == expected
    assert all("progress" in meta for _, samples in expected for _, meta in samples)


def test_stacks_of_frames_and_rendered_modalities(mgr_dark_root, tmp_path):
    """Optical flow, two channels in stacks, from a store that was rendered; the clips' clock is that of rgb."""
    from mtcd_plugin.formats.clip_store_writer import ClipStoreWriter
    from mtcd_plugin.formats.mgr_dark import read_mgr_dark

    with ClipStoreWriter(tmp_path / "flow", "flow", (24, 24)) as writer:
        for number, clip in enumerate(read_mgr_dark(str(mgr_dark_root)).clips):
            draw = np.random.default_rng(number)
            writer.add(clip.clip_id, draw.integers(0, 256, (clip.streams["rgb"].frames, 24, 24, 2), np.uint8))
    steps = pipeline(
        dict(type="RandomCrop", size=16),
        dict(type="Flip", flip_ratio=0.5),
        first=[dict(type="ConsecutiveFrames", consecutive=3)],
        clip_len=2,
    )
    dataset = build(mgr_dark_root, "", steps, modalities=["flow"], stores=dict(flow=str(tmp_path / "flow")))
    loader = loader_of(dataset)
    expected = epochs_of(loader, dataset)
    assert epochs_of(GatherLoader(loader, ClipGather(dataset)), dataset) == expected
    assert expected[0][0][0][1][0][0] == (1, 2, 6, 16, 16)


def without_depth(root, clip_ids):
    """Take the depth streams of some clips out of a copy of the tiny set."""
    import csv

    from mtcd_plugin.formats.mgr_dark import COLUMNS

    with open(root / "annotations.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if row["clip_id"] in clip_ids:
            row |= dict.fromkeys(("depth_file", "depth_fps", "depth_start", "depth_end"), "")
    with open(root / "annotations.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def test_clips_that_lack_a_modality_are_black_there(mgr_dark_root, tmp_path):
    import shutil

    root = shutil.copytree(mgr_dark_root, tmp_path / "set")
    without_depth(root, {"s1_stop_dark", "s3_forward_dark"})
    dataset = build(
        root,
        tmp_path / "stores",
        pipeline(dict(type="RandomCrop", size=16)),
        modalities=["rgb", "depth"],
        missing_modality=dict(depth="blank"),
    )
    loader = loader_of(dataset, batch=3)
    dataset.set_epoch(7, 0)
    expected = [facts(batch) for batch in loader]
    found = []
    dirty = GatherLoader(loader, ClipGather(dataset))
    for _ in range(2):  # buffers that held other clips
        found = [facts(batch) for batch in dirty]
    same = [{name: clips for name, clips in batch[0]} for batch in expected]
    assert [{name: clips for name, clips in batch[0]} for batch in found] == same
    assert [batch[1] for batch in found] == [batch[1] for batch in expected]
    assert sum("['depth']" in meta["missing"] for _, samples in found for _, meta in samples) == 2


def test_an_epoch_that_was_broken_off_begins_anew_and_goes_on_anywhere(mgr_dark_root, stores):
    dataset = build(mgr_dark_root, stores, pipeline(dict(type="RandomCrop", size=16)), lighting="both")
    whole = epochs_of(loader_of(dataset), dataset, [1])
    loader = GatherLoader(loader_of(dataset), ClipGather(dataset))
    before = threading.active_count()
    dataset.set_epoch(7, 0)
    for number, _ in enumerate(loader):
        if number == 2:
            break
    assert threading.active_count() == before, "the copying thread has ended with the loop"
    assert epochs_of(loader, dataset, [1]) == whole

    class Rest:
        """A batch sampler that goes on after two batches."""

        def __iter__(self):
            dataset.set_epoch(7, 1)
            sampler = DefaultSampler(dataset, shuffle=True, seed=3)
            sampler.set_epoch(1)
            order = list(sampler)
            yield from (order[i : i + 4] for i in range(8, len(order), 4))

        def __len__(self):
            return 3

    rest = GatherLoader(DataLoader(dataset, batch_sampler=Rest(), collate_fn=pseudo_collate), ClipGather(dataset))
    assert [facts(batch) for batch in rest] == whole[2:]


def test_draws_of_the_global_generators_stay_in_their_order(mgr_dark_root, stores):
    """Without ``set_epoch`` the clips draw between the training's own draws, as those of a loader without processes."""
    dataset = build(mgr_dark_root, stores, pipeline(dict(type="RandomCrop", size=16)))

    def seen(loader):
        random.seed(1), np.random.seed(1), torch.manual_seed(1)
        return [(facts(batch), np.random.rand(), random.random(), torch.rand(1).item()) for batch in loader]

    loader = loader_of(dataset)
    assert seen(GatherLoader(loader, ClipGather(dataset))) == seen(loader)


def test_batches_use_two_buffers_in_turns(mgr_dark_root, stores):
    dataset = build(mgr_dark_root, stores, pipeline(dict(type="RandomCrop", size=16)), lighting="both")
    dataset.set_epoch(7, 0)
    loader = GatherLoader(loader_of(dataset), ClipGather(dataset))
    places = [batch["inputs"].data_ptr() for _ in range(2) for batch in loader]
    assert len(places) == 10 and len(set(places)) == 2


@pytest.mark.parametrize(("before", "meanwhile"), [(0.005, HAND_OVER_S), (1e-6, 1e-6)])
def test_the_thread_that_copies_gets_the_interpreter_soon_and_all_is_as_before_then(
    mgr_dark_root, stores, before, meanwhile
):
    dataset = build(mgr_dark_root, stores, pipeline(dict(type="RandomCrop", size=16)), lighting="both")
    dataset.set_epoch(7, 0)
    loader = GatherLoader(loader_of(dataset), ClipGather(dataset))
    was = sys.getswitchinterval()
    sys.setswitchinterval(before)
    try:
        assert all(sys.getswitchinterval() == pytest.approx(meanwhile) for _ in loader)
        assert sys.getswitchinterval() == pytest.approx(before)
        broken_off = iter(loader)
        next(broken_off)
        broken_off.close()
        assert sys.getswitchinterval() == pytest.approx(before)
    finally:
        sys.setswitchinterval(was)


def test_stores_held_on_the_device_give_the_same(mgr_dark_root, stores):
    dataset = build(mgr_dark_root, stores, pipeline(dict(type="RandomCrop", size=16)), modalities=["rgb", "ir"])
    held = []

    def copied(store):
        held.append(torch.from_numpy(store.all_frames.copy()))
        return held[-1]

    loader = loader_of(dataset)
    expected = epochs_of(loader, dataset)
    assert epochs_of(GatherLoader(loader, ClipGather(dataset, copied)), dataset) == expected
    assert sorted(frames.shape[3] for frames in held) == [1, 3], "each store once"


def test_slices_of_a_data_set_are_gathered(mgr_dark_root, stores):
    from mmengine.runner.runner import _SlicedDataset

    dataset = build(mgr_dark_root, stores, pipeline(dict(type="RandomCrop", size=16)))
    part = _SlicedDataset(dataset, 6)
    assert [len(batch["data_samples"]) for batch in GatherLoader(loader_of(part), ClipGather(part))] == [4, 2]


def test_an_error_of_a_clip_is_raised_where_its_batch_is_asked_for(mgr_dark_root, stores):
    dataset = build(mgr_dark_root, stores, pipeline(dict(type="RandomCrop", size=25)))
    with pytest.raises(AssertionError):  # RandomCrop's own: the frames are 24 pixels wide
        next(iter(GatherLoader(loader_of(dataset), ClipGather(dataset))))


class Other(Dataset):
    def __len__(self):
        return 1


@pytest.mark.parametrize(
    ("steps", "changes", "why"),
    [
        (pipeline(), dict(clip_store="jpeg"), "decoded or resized"),
        (pipeline(), dict(clip_store=""), "no clip store"),
        (pipeline(dict(type="ThreeCrop", crop_size=16)), {}, "ThreeCrop looks at frames"),
        (pipeline(dict(type="WeightedFrameUnification", clip_len=4)), {}, "WeightedFrameUnification looks at frames"),
        (pipeline(dict(type="Flip"), dict(type="RandomCrop", size=16)), {}, "Flip is not the last"),
        (pipeline(clip_len=None), {}, "any length"),
        ([dict(type="PackClipId")], dict(codec=""), "no LoadModalities"),
    ],
)
def test_what_cannot_be_gathered_says_why(mgr_dark_root, stores, tmp_path, steps, changes, why):
    if changes.get("clip_store") == "jpeg":
        stores, changes = tmp_path, dict(codec="jpeg")
    with pytest.raises(NotGathered, match=why) as caught:
        ClipGather(build(mgr_dark_root, stores, steps, **changes))
    assert "\n" not in str(caught.value)


def test_other_data_sets_are_loaded_in_their_own_way():
    with pytest.raises(NotGathered, match="Other loads its samples in a way of its own"):
        ClipGather(Other())


def settled(dataset, resident, preprocessor=None, device="cpu", **changes):
    """A training's loader after the hook, and the hook."""
    from mtcd_plugin.models.data_preprocessors.clip_data_preprocessor import ClipDataPreprocessor

    model = SimpleNamespace(data_preprocessor=preprocessor or ClipDataPreprocessor())
    loop = SimpleNamespace(dataloader=loader_of(dataset, **changes))
    hook = GatherHook(ResidentStores(resident, device))
    hook.before_train(SimpleNamespace(model=model, train_loop=loop))
    return loop.dataloader, hook


def test_what_was_chosen_is_said(mgr_dark_root, stores, capsys):
    dataset = build(mgr_dark_root, stores, pipeline(dict(type="RandomCrop", size=16)))
    loader, hook = settled(dataset, "auto")
    assert isinstance(loader, GatherLoader) and hook.chosen == "by whole batches out of memory-mapped stores"
    loader, hook = settled(dataset, "on")
    assert isinstance(loader, GatherLoader) and hook.chosen == "by whole batches out of stores held on the cpu"
    loader, hook = settled(dataset, "on", preprocessor=object())
    assert isinstance(loader, DataLoader) and hook.chosen == "one by one"
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == [
        "training: clips are loaded by whole batches out of memory-mapped stores",
        "training: clips are loaded by whole batches out of stores held on the cpu",
    ]
    assert len(said) == 3 and "a way of its own" in said[2] and "--resident on has no effect" in said[2]


def test_resident_stores_that_do_not_fit_are_one_line_before_training(mgr_dark_root, stores, monkeypatch):
    dataset = build(mgr_dark_root, stores, pipeline(dict(type="RandomCrop", size=16)))
    monkeypatch.setattr("harness.worker.resident.free_memory", lambda device: 100)
    with pytest.raises(BadUsage, match="--resident on: .* choose auto or off") as caught:
        settled(dataset, "on")
    assert "\n" not in str(caught.value)
    assert isinstance(settled(dataset, "off")[0], GatherLoader)


@pytest.mark.parametrize(
    ("asked", "device", "retried", "share", "held"),
    [
        ("auto", "cuda:0", False, 0.4, True),
        ("auto", "cuda:0", False, 0.6, False),
        ("auto", "cuda:0", True, 0.4, False),
        ("auto", "cpu", False, 0.1, False),
        ("on", "cpu", True, 0.9, True),
        ("off", "cuda:0", False, 0.1, False),
    ],
)
def test_where_stores_are_held(mgr_dark_root, stores, monkeypatch, asked, device, retried, share, held):
    gather = ClipGather(build(mgr_dark_root, stores, pipeline()))
    (store,) = gather.stores
    monkeypatch.setattr("harness.worker.resident.free_memory", lambda device: store.all_frames.nbytes / share)
    monkeypatch.setattr("torch.empty", lambda shape, dtype, device: torch.zeros(shape, dtype=dtype))  # no GPU here
    resident = ResidentStores(asked, device, retried)
    assert resident.hold([store]) == held and resident.bytes == (store.all_frames.nbytes if held else 0)
    assert torch.equal(resident.frames_of(store), torch.from_numpy(store.all_frames.copy()))


def test_pages_of_stores_are_told_from_memory_of_the_process(mgr_dark_root, stores):
    from harness.worker.record import mapped_store_bytes

    gather = ClipGather(build(mgr_dark_root, stores, pipeline()))
    before = mapped_store_bytes()
    (store,) = gather.stores
    int(gather.frames_of(store).sum())  # looks at all of it
    assert mapped_store_bytes() - before >= store.all_frames.nbytes // 4096 * 4096
