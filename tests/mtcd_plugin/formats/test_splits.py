import dataclasses
import shutil
from collections import Counter

import pytest

from mtcd_plugin.formats.clips import Clip, ClipTable, Stream, fingerprint
from mtcd_plugin.formats.mgr_dark import read_mgr_dark
from mtcd_plugin.formats.splits import holdout_subjects, read_quarantine, select_clips, thinned


@pytest.fixture
def table(mgr_dark_root):
    return read_mgr_dark(str(mgr_dark_root))


def test_train_and_test_share_no_subject(table):
    train, test = (select_clips(table, split, ["rgb"]) for split in ("train", "test"))
    assert {clip.subject for clip in train} == {"s1", "s2", "s3"}
    assert {clip.subject for clip in test} == {"s4"}
    assert len(select_clips(table, "all", ["rgb"])) == len(train) + len(test)


def test_fit_and_holdout_divide_the_training_subjects(table):
    train, fit, holdout = (select_clips(table, split, ["rgb"]) for split in ("train", "fit", "holdout"))
    assert {clip.clip_id for clip in fit} | {clip.clip_id for clip in holdout} == {c.clip_id for c in train}
    assert not {clip.subject for clip in fit} & {clip.subject for clip in holdout}
    assert {clip.subject for clip in holdout} == holdout_subjects(table)


@pytest.mark.parametrize(("subjects", "held_out"), [(2, 1), (12, 2), (16, 3)])
def test_a_sixth_of_the_subjects_is_held_out_whatever_their_order(subjects, held_out):
    clips = tuple(Clip(f"c{n}", f"s{n}", 0, "train", {}) for n in range(subjects))
    found = holdout_subjects(ClipTable(clips, ("a",), False, "x"))
    assert len(found) == held_out
    assert found == holdout_subjects(ClipTable(clips[::-1], ("a",), False, "x"))


def test_one_training_subject_cannot_be_divided():
    with pytest.raises(ValueError, match="need two training subjects, found 1"):
        holdout_subjects(ClipTable((Clip("c", "s", 0, "train", {}),), ("a",), False, "x"))


def demo_sized(takes: int = 2) -> list[Clip]:
    """16 people to train on and 5 to test on, each with so many takes of ten classes."""
    people = {f"s{n:02d}": "train" if n < 16 else "test" for n in range(21)}
    return [
        Clip(f"{s}_{g}_{t}", s, g, split, {}) for s, split in people.items() for g in range(10) for t in range(takes)
    ]


@pytest.mark.parametrize("one_in", [2, 4, 5])
def test_people_and_classes_keep_equal_shares_of_fewer_clips(one_in):
    clips = demo_sized()
    kept = thinned(clips, one_in)
    train = [c for c in kept if c.split == "train"]
    people, classes = (Counter(getattr(c, part) for c in train) for part in ("subject", "label"))
    assert len(people) == 16 and set(people.values()) == {20 // one_in}
    assert len(classes) == 10 and all(abs(n - 32 / one_in) < 2 for n in classes.values())
    assert [c for c in kept if c.split == "test"] == [c for c in clips if c.split == "test"]
    assert kept == [c for c in clips if c in kept], "in their order"
    assert set(thinned(clips[::-1], one_in)) == set(kept), "whatever the order of the annotation"


def test_fewer_clips_are_among_more_also_where_people_have_unequal_numbers():
    clips = [c for n, c in enumerate(demo_sized(3)) if n % 7 != 3]
    few, some, all_of_them = (set(thinned(clips, n)) for n in (4, 2, 1))
    assert few < some < all_of_them == set(clips)


def test_held_out_people_keep_all_their_clips():
    table = ClipTable(tuple(demo_sized()), tuple("abcdefghij"), False, "x")
    whole, thin = (select_clips(table, "holdout", ["rgb"], check_files=False, one_in=n) for n in (1, 4))
    assert thin == whole
    assert len(select_clips(table, "fit", ["rgb"], check_files=False, one_in=4)) == 13 * 5


@pytest.mark.parametrize("one_in", [0, -1, 0.5, True])
def test_what_is_no_number_of_clips(one_in):
    with pytest.raises(ValueError, match="one_in=.* give a whole number from 1"):
        thinned(demo_sized(), one_in)


def test_quarantine_leaves_clips_out(table, tmp_path):
    path = tmp_path / "quarantine.txt"
    path.write_text("s1_stop_dark\n# a remark\n\ns2_stop_dark  # half a file\n")
    assert read_quarantine(str(path)) == {"s1_stop_dark", "s2_stop_dark"}
    ids = {clip.clip_id for clip in select_clips(table, "train", ["rgb"], str(path))}
    assert len(ids) == 7 and "s1_stop_dark" not in ids and "s3_stop_dark" in ids
    path.write_text("\n".join(clip.clip_id for clip in table.clips))
    with pytest.raises(ValueError, match=r"split 'train' of MGR-Dark \(dark\) has no clips outside the quarant"):
        select_clips(table, "train", ["rgb"], str(path))
    with pytest.raises(FileNotFoundError, match="nowhere.txt"):
        select_clips(table, "train", ["rgb"], str(tmp_path / "nowhere.txt"))


def test_unknown_names_list_the_choices(table):
    with pytest.raises(ValueError, match="split='validation' is unknown; choose from train, test, fit, holdout"):
        select_clips(table, "validation", ["rgb"])
    with pytest.raises(ValueError, match="modality 'thermal' is unknown; choose from rgb, depth, ir, pseudo_ir"):
        select_clips(table, "train", ["thermal"])
    with pytest.raises(ValueError, match="modalities is empty"):
        select_clips(table, "train", [])


def test_an_empty_split_is_an_error(table):
    only_test = dataclasses.replace(table, clips=tuple(c for c in table.clips if c.split == "test"))
    with pytest.raises(ValueError, match="split 'train' of MGR-Dark .* has no clips; check the annotation"):
        select_clips(only_test, "train", ["rgb"])


def test_a_clip_without_a_stream_is_named(table):
    clip = table.clips[0]
    streams = {name: stream for name, stream in clip.streams.items() if name != "ir"}
    broken = dataclasses.replace(table, clips=(dataclasses.replace(clip, streams=streams), *table.clips[1:]))
    select_clips(broken, "train", ["rgb", "pseudo_ir"])
    with pytest.raises(ValueError, match=f"clip {clip.clip_id} has no ir stream; leave the clip out"):
        select_clips(broken, "train", ["rgb", "ir"])


def test_a_clip_without_a_stream_is_kept_or_dropped_where_that_is_asked_for(table):
    clip = table.clips[0]
    streams = {name: stream for name, stream in clip.streams.items() if name != "ir"}
    bare = dataclasses.replace(clip, streams=streams)
    broken = dataclasses.replace(table, clips=(bare, *table.clips[1:]))
    whole = select_clips(table, "train", ["rgb", "ir"])
    assert select_clips(broken, "train", ["rgb", "ir"], missing_modality={"ir": "blank"}) == [bare, *whole[1:]]
    assert select_clips(broken, "train", ["rgb", "ir"], missing_modality={"ir": "drop"}) == whole[1:]
    rgb = select_clips(broken, "train", ["rgb"], missing_modality={"ir": "drop"})  # ir is not asked for
    assert rgb == [bare, *whole[1:]]
    with pytest.raises(ValueError, match="has no ir stream"):
        select_clips(broken, "train", ["rgb", "ir"], missing_modality={"depth": "drop"})
    with pytest.raises(ValueError, match="missing_modality.ir='skip' is unknown; choose from blank, drop"):
        select_clips(broken, "train", ["ir"], missing_modality={"ir": "skip"})
    with_it = fingerprint(table.clips, ["rgb", "ir"])
    assert fingerprint(table.clips, ["rgb", "ir"], ["ir"]) == with_it
    assert fingerprint(broken.clips, ["rgb", "ir"], ["ir"]) not in (with_it, fingerprint(table.clips, ["rgb"]))


def test_a_missing_file_is_named_with_its_clip(mgr_dark_root, tmp_path):
    root = shutil.copytree(mgr_dark_root, tmp_path / "copy")
    table = read_mgr_dark(str(root))
    clip = table.clips[2]
    (root / clip.streams["depth"].path).unlink()
    select_clips(table, "train", ["rgb"])
    with pytest.raises(FileNotFoundError) as caught:
        select_clips(table, "train", ["depth"])
    assert clip.clip_id in str(caught.value) and clip.streams["depth"].path in str(caught.value)


def test_fingerprint_sees_what_training_sees(table, mgr_dark_root, tmp_path):
    base = fingerprint(table.clips, ["rgb", "ir"])
    assert len(base) == 64 and base == fingerprint(table.clips[::-1], ["ir", "rgb"])
    moved = read_mgr_dark(str(shutil.copytree(mgr_dark_root, tmp_path / "elsewhere")))
    assert fingerprint(moved.clips, ["rgb", "ir"]) == base
    clip = table.clips[0]
    stream = clip.streams["rgb"]
    changed = [
        dataclasses.replace(clip, label=1),
        dataclasses.replace(clip, subject="s2"),
        dataclasses.replace(clip, split="test"),
        dataclasses.replace(clip, clip_id="other"),
        dataclasses.replace(clip, streams=clip.streams | {"rgb": dataclasses.replace(stream, end=11)}),
        dataclasses.replace(clip, streams=clip.streams | {"rgb": dataclasses.replace(stream, fps=30.0)}),
        dataclasses.replace(clip, streams=clip.streams | {"rgb": dataclasses.replace(stream, times=(1.0,))}),
        dataclasses.replace(clip, streams=clip.streams | {"rgb": Stream(__file__, stream.start, stream.end, 25)}),
    ]
    found = {fingerprint((other, *table.clips[1:]), ["rgb", "ir"]) for other in changed}
    found |= {fingerprint(table.clips, ["rgb"]), fingerprint(table.clips[1:], ["rgb", "ir"]), base}
    assert len(found) == len(changed) + 3
    same = dataclasses.replace(clip, streams=clip.streams | {"depth": Stream("nowhere", 0, 1, 1)}, scene="other")
    assert fingerprint((same, *table.clips[1:]), ["rgb", "ir"]) == base


def test_fingerprint_of_rendered_infrared_is_that_of_its_source(table):
    assert fingerprint(table.clips, ["pseudo_ir"]) != fingerprint(table.clips, ["ir"])
    with pytest.raises(ValueError, match="has no rgb stream"):
        fingerprint([Clip("c", "s", 0, "train", {})], ["pseudo_ir"])
