import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from torch.utils.data import DataLoader

import mtcd_plugin.register  # noqa: F401
from harness.data.store.cache import build_for_datasets
from mtcd_plugin.engine.seed_worker import seed_worker
from mtcd_plugin.formats.clip_store import groups, source_hash, store_name
from mtcd_plugin.formats.clip_store_writer import ClipStoreWriter
from mtcd_plugin.formats.mgr_dark import read_mgr_dark
from mtcd_plugin.formats.video import read_frames
from mtcd_plugin.transforms.load_modalities import ClipError
from tests.helpers.tiny_data import GESTURES, MGR_FRAMES, NV_TEST, SUBJECTS, flat_frames, level, write_mgr_dark_tables
from tests.helpers.video_files import write

SIZE = (24, 24)


def pipeline(clip_len=6, test_mode=False):
    crop = dict(type="CenterCrop", crop_size=16) if test_mode else dict(type="RandomCrop", size=16)
    return [
        dict(type="SampleClipFrames", clip_len=clip_len, test_mode=test_mode),
        dict(type="LoadModalities", size=SIZE),
        crop,
        dict(type="SplitModalities"),
        dict(type="PackClip"),
    ]


def build(root, kind="MGRDarkDataset", test_mode=False, **changes):
    torch.set_num_threads(1)
    init_default_scope("mmaction")
    cfg = dict(type=kind, data_root=str(root), pipeline=pipeline(test_mode=test_mode), test_mode=test_mode)
    return DATASETS.build(cfg | changes)


def write_store(folder, clips, modality, source="rgb"):
    with ClipStoreWriter(folder, modality, SIZE) as writer:
        for clip in clips:
            stream = clip.streams[source]
            numbers = range(stream.start, stream.end)
            writer.add(clip.clip_id, read_frames(stream.path, numbers, SIZE, gray=modality != "rgb"))
    return str(folder)


def test_samples_carry_label_ids_and_uint8_clips(mgr_dark_root):
    dataset = build(mgr_dark_root, modalities=["rgb", "ir"])
    assert len(dataset) == 9 and dataset.metainfo["classes"] == list(GESTURES)
    assert dataset.metainfo["dataset_name"] == "MGR-Dark" and dataset.metainfo["synthetic"] is True
    sample = dataset[4]
    assert {name: tuple(clip.shape) for name, clip in sample["inputs"].items()} == {
        "rgb": (1, 3, 6, 16, 16),
        "ir": (1, 1, 6, 16, 16),
    }
    facts = sample["data_samples"]
    assert (facts.clip_id, facts.subject, facts.pair_id) == ("s2_backward_dark", "s2", "s2_backward")
    assert int(facts.gt_label) == 1 and facts.lighting == "dark" and facts.clock == "fps"


def test_lighting_is_chosen(mgr_dark_root):
    assert build(mgr_dark_root, lighting="daylight")[0]["data_samples"].lighting == "daylight"
    assert len(build(mgr_dark_root, lighting="both")) == 18


def test_an_epoch_of_fewer_clips_has_as_many_steps(mgr_dark_root):
    dataset = build(mgr_dark_root, one_in=3)
    ids = [dataset.get_data_info(i)["clip_id"] for i in range(len(dataset))]
    assert len(dataset) == 9 and len(set(ids)) == 3 and {i.split("_")[0] for i in ids} == {"s1", "s2", "s3"}
    assert all(ids.count(i) == 3 for i in ids)
    dataset.set_epoch(0, 0)
    first, again = (dataset[ids.index(ids[0]) + k] for k in (0, 3))
    assert first["data_samples"].clip_id == again["data_samples"].clip_id
    assert len(build(mgr_dark_root, one_in=3, test_mode=True)) == 3, "shown once where nothing is learnt"
    assert len(build(mgr_dark_root, one_in=3, split="test", test_mode=True)) == 3, "all test clips"


def test_streams_of_other_frame_rates_show_the_same_instants(nvgesture_root):
    """Pixels tell the time: infrared (35 fps, started 50 ms later) is matched to colour (30 fps) by the logs."""
    dataset = build(nvgesture_root, "NvGestureDataset", split="test", modalities=["rgb", "depth", "ir"])
    assert len(dataset) == len(NV_TEST)
    for index in range(len(dataset)):
        sample = dataset[index]
        assert sample["data_samples"].clock == "log"
        rgb, depth, ir = (sample["inputs"][name][0, 0, :, 0, -1].numpy().astype(int) for name in ("rgb", "depth", "ir"))
        assert abs(rgb - depth).max() <= 2
        half_interval = 50 * 0.5 / 35  # grey levels that a colour frame and the nearest infrared one may differ by
        assert abs(rgb - ir).max() <= half_interval + 1.5


def test_without_a_log_streams_are_matched_by_relative_position(nvgesture_root, tmp_path):
    root = shutil.copytree(nvgesture_root, tmp_path / "copy")
    (root / "Video_data/class_01/subject5_r0/duo_left_log.txt").unlink()
    dataset = build(root, "NvGestureDataset", split="test", modalities=["rgb", "ir"])
    assert [dataset[n]["data_samples"].clock for n in range(2)] == ["fps", "log"]
    assert build(root, "NvGestureDataset", split="test")[0]["data_samples"].clock == "log"


def test_test_frames_are_the_centres_of_their_segments(mgr_dark_root):
    sample = build(mgr_dark_root, split="test", test_mode=True)[0]
    positions = np.array([1, 3, 5, 6, 8, 10])  # (k + 1/2) 11 / 6 = .92 2.75 4.58 6.42 8.25 10.08
    assert abs(sample["inputs"][0, 0, :, 0, -1].int() - torch.tensor(level(positions / 25)).int()).max() <= 2


def loaded(dataset, workers, epochs=2):
    """Bytes of every clip of each epoch, through one loader."""
    loader = DataLoader(
        dataset,
        batch_size=2,
        num_workers=workers,
        collate_fn=pseudo_collate,
        persistent_workers=workers > 0,
        worker_init_fn=seed_worker,
        multiprocessing_context="fork" if workers else None,
    )
    found = []
    for epoch in range(epochs):
        dataset.set_epoch(7, epoch)
        found.append([clip.numpy().tobytes() for batch in loader for clip in batch["inputs"]])
    return found


def test_draws_do_not_depend_on_the_number_of_workers(mgr_dark_root):
    alone = loaded(build(mgr_dark_root), 0)
    assert alone == loaded(build(mgr_dark_root), 1) == loaded(build(mgr_dark_root), 2)
    assert alone[0] != alone[1] and len(set(alone[0])) == 9


def test_seeding_a_sample_leaves_the_global_generators_alone(mgr_dark_root):
    dataset = build(mgr_dark_root)
    dataset.set_epoch(7, 0)
    random.seed(1), np.random.seed(1)
    expected = random.random(), np.random.rand()
    random.seed(1), np.random.seed(1)
    dataset[0]
    assert (random.random(), np.random.rand()) == expected


def test_without_an_epoch_the_global_generators_are_used(mgr_dark_root):
    dataset = build(mgr_dark_root)
    draws = []
    for seed in (1, 1, 2):
        np.random.seed(seed)
        draws.append(dataset[0]["inputs"].numpy().tobytes())
    assert draws[0] == draws[1] != draws[2]


def test_a_clip_store_gives_the_same_clips_as_the_videos(mgr_dark_root, tmp_path):
    table = read_mgr_dark(str(mgr_dark_root))
    for name in ("rgb", "depth"):
        clips = groups(table.clips, name)["dark"]
        folder = tmp_path / store_name(name, SIZE, source_hash(clips, name))
        write_store(folder, clips, name, name)
    cached = build(mgr_dark_root, modalities=["rgb", "depth", "ir"], clip_store=str(tmp_path))
    straight = build(mgr_dark_root, modalities=["rgb", "depth", "ir"])
    for dataset in (cached, straight):
        dataset.set_epoch(0, 0)
    for index in range(len(straight)):
        one, two = cached[index]["inputs"], straight[index]["inputs"]
        assert all(torch.equal(one[name], two[name]) for name in one)


def test_the_store_is_really_read_and_a_stale_one_is_not(mgr_dark_root, tmp_path):
    root = Path(shutil.copytree(mgr_dark_root, tmp_path / "copy"))
    clips = groups(read_mgr_dark(str(root)).clips, "rgb")["dark"]
    folder = tmp_path / store_name("rgb", SIZE, source_hash(clips, "rgb"))
    with ClipStoreWriter(folder, "rgb", SIZE) as writer:
        for clip in clips:
            writer.add(clip.clip_id, np.full((MGR_FRAMES, *SIZE, 3), 99, np.uint8))
    assert (build(root, clip_store=str(tmp_path))[0]["inputs"] == 99).all()
    with open(clips[-1].streams["rgb"].path, "ab") as file:
        file.write(b"\0")
    assert not (build(root, clip_store=str(tmp_path))[0]["inputs"] == 99).any()


def test_rendered_infrared_stands_beside_rgb_frame_by_frame(mgr_dark_root, tmp_path):
    folder = write_store(tmp_path / "pseudo", read_mgr_dark(str(mgr_dark_root)).clips, "pseudo_ir")
    dataset = build(mgr_dark_root, modalities=["rgb", "pseudo_ir"], stores=dict(pseudo_ir=folder))
    for index in range(3):
        inputs = dataset[index]["inputs"]
        assert (inputs["rgb"][:, :1].int() - inputs["pseudo_ir"].int()).abs().max() <= 3
    alone = build(mgr_dark_root, modalities=["pseudo_ir"], stores=dict(pseudo_ir=folder))[0]["inputs"]
    assert alone.shape == (1, 1, 6, 16, 16)


def test_rendered_infrared_needs_a_store_that_fits(mgr_dark_root, tmp_path):
    with pytest.raises(ValueError, match="pseudo_ir is rendered, not recorded: set stores"):
        build(mgr_dark_root, modalities=["pseudo_ir"])
    with pytest.raises(ValueError, match="not a clip store"):
        build(mgr_dark_root, modalities=["pseudo_ir"], stores=dict(pseudo_ir=str(tmp_path / "none")))
    clips = read_mgr_dark(str(mgr_dark_root)).clips
    partly = write_store(tmp_path / "partly", clips[:3], "pseudo_ir")
    with pytest.raises(ValueError, match="clip s2_forward_dark is not in this store of pseudo_ir"):
        build(mgr_dark_root, modalities=["pseudo_ir"], stores=dict(pseudo_ir=partly))
    short = write_store(tmp_path / "short", clips, "pseudo_ir", source="ir")
    with pytest.raises(ValueError, match="has 6 pseudo_ir frames, its window 12; build the store anew"):
        build(mgr_dark_root, modalities=["pseudo_ir"], stores=dict(pseudo_ir=short))


@pytest.mark.parametrize("workers", [0, 2])
def test_a_broken_video_found_while_training_is_one_line_with_clip_and_file(mgr_dark_root, tmp_path, workers):
    root = Path(shutil.copytree(mgr_dark_root, tmp_path / "copy"))
    video = root / "clips/dark/rgb/stop/s1_stop_dark.mp4"
    video.write_bytes(video.read_bytes()[:300])
    with pytest.raises(ClipError) as caught:
        loaded(build(root), workers)
    message = str(caught.value)
    assert "\n" not in message and "s1_stop_dark" in message and str(video) in message


def test_a_clip_without_infrared_is_black_there_or_left_out_and_both_are_said(mgr_dark_root, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr("mtcd_plugin.datasets.clip_dataset.print_log", lambda message, **_: said.append(message))
    root = Path(shutil.copytree(mgr_dark_root, tmp_path / "copy"))
    table = (root / "annotations.csv").read_text()
    (root / "annotations.csv").write_text(table.replace("clips/dark/ir/stop/s1_stop_dark.mp4", ""))
    with pytest.raises(ValueError, match="clip s1_stop_dark has no ir stream"):
        build(root, modalities=["rgb", "ir"])
    whole, kept = (
        build(r, modalities=["ir", "rgb"], missing_modality=dict(ir="blank"), test_mode=True)
        for r in (mgr_dark_root, root)
    )
    number = [info["clip_id"] for info in kept.data_list].index("s1_stop_dark")
    assert len(kept) == 9
    assert said == [
        "MGR-Dark, split 'train': 1 of 9 clips have no ir stream and are kept without it (first: s1_stop_dark)"
    ]
    ours, theirs = kept[number], whole[number]
    alone = build(mgr_dark_root, modalities=["rgb"], test_mode=True)[number]
    assert torch.equal(ours["inputs"]["rgb"], alone["inputs"])
    assert ours["inputs"]["ir"].shape == theirs["inputs"]["ir"].shape and not ours["inputs"]["ir"].any()
    assert ours["data_samples"].missing == ["ir"] and theirs["data_samples"].missing == []
    assert len(pseudo_collate([ours, kept[0]])["inputs"]["ir"]) == 2  # such clips and the others make a batch
    assert len(build(root, modalities=["ir"], missing_modality=dict(ir="drop"))) == 8
    assert len(said) == 2 and "1 of 9 clips have no ir stream and are left out" in said[1]
    build(mgr_dark_root, modalities=["ir"], missing_modality=dict(ir="drop"))
    assert len(said) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(split="validation"), "split='validation' is unknown"),
        (dict(modalities=["thermal"]), "modality 'thermal' is unknown"),
        (dict(lighting="dusk"), "lighting='dusk' is unknown"),
        (dict(quarantine="/nowhere.txt"), "/nowhere.txt"),
        (dict(data_root="/nowhere"), "/nowhere/classes.txt"),
    ],
)
def test_bad_input_is_one_line(mgr_dark_root, changes, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message) as caught:
        build(mgr_dark_root, **changes)
    assert "\n" not in str(caught.value)


def test_quarantine_and_split_are_obeyed(mgr_dark_root, tmp_path):
    (tmp_path / "quarantine.txt").write_text("s1_stop_dark\n")
    assert len(build(mgr_dark_root, quarantine=str(tmp_path / "quarantine.txt"))) == 8
    assert len(build(mgr_dark_root, split="fit")) + len(build(mgr_dark_root, split="holdout")) == 9
    assert len(build(mgr_dark_root, split="all")) == 12


SLOWING = np.cumsum([0] + [1 / 30] * 14 + [1 / 15] * 7)  # a camera that halves its rate
STEADY = np.arange(28) / 30


def write_slowing(root: Path) -> Path:
    """MGR-Dark with colour frames that come more slowly in the second half; brightness tells the time."""
    rows = []
    for subject in SUBJECTS:
        row = dict(clip_id=subject, subject=subject, scene="hall", gesture=GESTURES[0], lighting="dark")
        for name, seconds in (("rgb", SLOWING), ("ir", STEADY)):
            file = f"clips/{name}/{subject}.mp4"
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            write(root / file, flat_frames(seconds, 3), seconds, crf=0, bf=0)
            row |= {f"{name}_file": file, f"{name}_fps": 22.5, f"{name}_start": 0, f"{name}_end": len(seconds)}
        rows.append(row | {"ir_fps": 30})
    write_mgr_dark_tables(root, rows)
    return root


@pytest.mark.parametrize("stored", [False, True])
def test_frames_of_a_camera_that_slows_down_are_taken_by_their_time_stamps(tmp_path, stored):
    """By index over the mean rate, pairs of colour and infrared would lie up to 0.16 s (8 levels) apart."""
    root, stores = write_slowing(tmp_path / "mgr_dark"), tmp_path / "stores"
    config = dict(type="MGRDarkDataset", data_root=str(root), modalities=["rgb", "ir"])
    if stored:
        build_for_datasets([config | dict(pipeline=[dict(type="LoadModalities", size=SIZE)])], stores, 1, str)
    dataset = build(
        root, modalities=["rgb", "ir"], split="test", test_mode=True, clip_store=str(stores) if stored else ""
    )
    times = dataset.data_list[0]["frame_times"]
    assert times == ({"rgb": pytest.approx(SLOWING), "ir": None} if stored else {})
    sample = dataset[0]
    assert sample["data_samples"].clock == "file"
    rgb, ir = (sample["inputs"][name][0, 0, :, 0, -1].numpy().astype(int) for name in ("rgb", "ir"))
    centres = (np.arange(6) + 0.5) * STEADY[-1] / 6
    taken = SLOWING[[np.abs(SLOWING - centre).argmin() for centre in centres]]
    assert abs(rgb - level(taken)).max() <= 2 and abs(ir - rgb).max() <= 2


def test_renderings_have_the_times_of_the_colour_that_they_were_made_from(tmp_path):
    root, stores = write_slowing(tmp_path / "mgr_dark"), tmp_path / "stores"
    folder = write_store(tmp_path / "pseudo", read_mgr_dark(str(root)).clips, "pseudo_ir")
    config = dict(type="MGRDarkDataset", data_root=str(root), pipeline=[dict(type="LoadModalities", size=SIZE)])
    for clip_store in ("", str(stores)):
        dataset = build(
            root, modalities=["pseudo_ir"], stores=dict(pseudo_ir=folder), test_mode=True, clip_store=clip_store
        )
        assert dataset[0]["data_samples"].clock == "file"
        build_for_datasets([config], stores, 1, str)
    assert dataset.data_list[0]["frame_times"]["pseudo_ir"] == pytest.approx(SLOWING)


@pytest.mark.parametrize("kind", ["MGRDarkDataset", "NvGestureDataset"])
def test_files_of_constant_rate_are_sampled_by_their_index(kind, mgr_dark_root, nvgesture_root):
    """The rule of the first version, kept: what it drew of such files is drawn still, bit for bit."""
    root = mgr_dark_root if kind == "MGRDarkDataset" else nvgesture_root
    for modality in ("rgb", "depth", "ir"):
        dataset = build(root, kind, split="all", modalities=[modality])
        dataset.pipeline.transforms = dataset.pipeline.transforms[:1]
        for index, info in enumerate(dataset.data_list):
            stream = info["streams"][modality]
            times = np.arange(stream.frames) / stream.fps if stream.times is None else np.array(stream.times)
            np.random.seed(index)
            sample = dataset[index]
            np.random.seed(index)
            drawn = times[0] + (np.arange(6) + np.random.random(6)) * ((times[-1] - times[0]) / 6)
            expected = np.abs(times - drawn[:, None]).argmin(1)
            assert sample["frame_inds"][modality].tolist() == expected.tolist()
            assert sample["clock"] == ("fps" if kind == "MGRDarkDataset" else "log")
