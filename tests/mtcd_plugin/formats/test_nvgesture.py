import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mtcd_plugin.formats.nvgesture import CLASSES, LIST_FILES, STREAMS, read_log, read_nvgesture, read_times
from mtcd_plugin.formats.video import read_frames
from tests.helpers.tiny_data import NV_EPOCH, NV_TEST, NV_TRAIN, nv_line, write_log


def write_lists(root, train, test=()):
    for split, lines in (("train", train), ("test", test)):
        (root / LIST_FILES["v2"].format(split=split)).write_text("\n".join(lines))


def test_reads_the_shipped_layout(nvgesture_root):
    table = read_nvgesture(str(nvgesture_root))
    assert len(table.classes) == 25 == len(set(table.classes))
    assert [clip.split for clip in table.clips] == ["train"] * len(NV_TRAIN) + ["test"] * len(NV_TEST)
    clip = table.clips[0]
    assert (clip.clip_id, clip.subject, clip.label) == ("class_01/subject3_r0", "subject3", 0)
    rgb, ir = clip.streams["rgb"], clip.streams["ir"]
    assert (rgb.start, rgb.end, rgb.fps, ir.start, ir.end, ir.fps) == (20, 100, 30.0, 23, 116, 35.0)
    assert rgb.clock == ir.clock == "log" and len(rgb.times) == 80 and len(ir.times) == 93
    assert rgb.times[0] == pytest.approx(NV_EPOCH / 1e9 + 20 / 30, abs=1e-6)
    assert table.synthetic is False and table.name == "NvGesture"


def test_labels_come_from_the_list_and_never_from_the_folder(nvgesture_root):
    """class_20/subject6_r0 has label 21 in v2 and the folder's 20 in v1."""
    labels = {
        version: {clip.clip_id: clip.label for clip in read_nvgesture(str(nvgesture_root), lists=version).clips}
        for version in ("v1", "v2")
    }
    assert labels["v2"]["class_20/subject6_r0"] == 20 and labels["v1"]["class_20/subject6_r0"] == 19
    assert len(labels["v1"]) == len(labels["v2"]) == 5  # v1 has no final newline: the last clip counts
    with pytest.raises(ValueError, match="choose from v1, v2"):
        read_nvgesture(str(nvgesture_root), lists="v3")


@pytest.mark.parametrize("name", STREAMS)
def test_all_five_streams(nvgesture_root, name):
    modality = "ir" if name.startswith("duo") else "rgb"
    stream = read_nvgesture(str(nvgesture_root), {modality: name}).clips[0].streams[modality]
    assert stream.path.endswith(f"{name}.avi") and stream.clock == "log"
    assert stream.frames == (93 if name.startswith("duo") else 80)
    assert read_frames(stream.path, [stream.start], gray=True).shape == (1, 24, 32, 1)


def test_unknown_streams_are_refused(nvgesture_root):
    with pytest.raises(ValueError, match="'duo_disparity' is no stream; choose from sk_color"):
        read_nvgesture(str(nvgesture_root), {"ir": "duo_disparity"})
    with pytest.raises(ValueError, match="'pseudo_ir' is no modality"):
        read_nvgesture(str(nvgesture_root), {"pseudo_ir": "duo_left"})


def test_a_field_of_its_own_wins_and_a_missing_one_leaves_the_stream_out(tmp_path):
    own = nv_line("class_01", "subject1_r0", 3).replace("label", "duo_right:duo_right:1:5 label")
    without = "path:./Video_data/class_01/subject1_r1 color:sk_color:0:80 label:3"
    write_lists(tmp_path, [own, without])
    clips = read_nvgesture(str(tmp_path), {"ir": "duo_right", "rgb": "sk_wrapped"}).clips
    assert (clips[0].streams["ir"].start, clips[0].streams["ir"].end) == (1, 5)
    assert list(clips[1].streams) == ["rgb"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("path:/Video_data/class_01/subject3_r0 label:1", "path '/Video_data/.*' is absolute; write it relative"),
        ("path:./Video_data/../../subject3_r0 label:1", r"path './Video_data/../../subject3_r0' contains '\.\.'"),
        ("path:./Video data/subject3_r0 label:1", "spaces separate the fields, no path can hold one"),
        ("nonsense", "'nonsense' is not of the form name:value"),
        ("label:3", "field 'path' is missing"),
        ("path:./Video_data/class_01/subject1_r0", "field 'label' is missing"),
        (nv_line("class_01", "subject1_r0", 0), "label '0' is not a number from 1 to 25"),
        (nv_line("class_01", "subject1_r0", 26), "label '26'"),
        (nv_line("class_01", "subject1_r0", 1).replace("label:1", "label:one"), "label 'one'"),
        (nv_line("class_01", "someone", 1), "does not end in subject<S>_r<R>"),
        (nv_line("class_01", "subject1_r0", 1, colour=(80, 80)), r"window \[80, 80\) is empty"),
        (
            nv_line("class_01", "subject1_r0", 1).replace("146", "x").replace("20", "-3"),
            "is not of the form",
        ),
        (nv_line("class_01", "subject1_r0", 1) + "label:2", "field 'label' occurs twice"),
    ],
)
def test_a_malformed_line_is_one_line_with_its_place(tmp_path, line, message):
    write_lists(tmp_path, [nv_line("class_01", "subject9_r0", 1), line])
    with pytest.raises(ValueError, match=message) as caught:
        read_nvgesture(str(tmp_path))
    assert "_v2.lst line 2: " in str(caught.value) and "\n" not in str(caught.value)


def test_colons_in_a_path_and_zeros_before_a_number(tmp_path):
    """A field is what stands before its first colon; subject03 and subject3 are one person."""
    line = nv_line("class_01", "subject03_r0", 1).replace("Video_data/", "Video_data/a:b/")
    write_lists(tmp_path, [line, nv_line("class_01", "subject3_r1", 1)])
    one, other = read_nvgesture(str(tmp_path)).clips
    assert one.clip_id == "a:b/class_01/subject03_r0" and one.subject == other.subject == "subject3"
    assert one.streams["rgb"].path == str(tmp_path / "Video_data/a:b/class_01/subject03_r0/sk_color.avi")


def test_a_set_one_folder_further_down_is_named(tmp_path):
    (tmp_path / "nvGesture_v1" / "Video_data").mkdir(parents=True)
    write_lists(tmp_path / "nvGesture_v1", [])
    with pytest.raises(FileNotFoundError, match="Video_data is not here but in nvGesture_v1/ below; move"):
        read_nvgesture(str(tmp_path))


def test_the_same_clip_in_both_splits_is_an_error(tmp_path):
    line = nv_line("class_01", "subject9_r0", 1)
    write_lists(tmp_path, [line], [line])
    with pytest.raises(ValueError, match="test.*line 1: clip class_01/subject9_r0 occurs twice"):
        read_nvgesture(str(tmp_path))


def test_a_person_in_both_splits_is_an_error(tmp_path):
    write_lists(tmp_path, [nv_line("class_01", "subject9_r0", 1)], [nv_line("class_02", "subject09_r1", 2)])
    with pytest.raises(ValueError, match="_v2.lst line 1: subject9 is both in the training and in the test list"):
        read_nvgesture(str(tmp_path))


def test_a_missing_list_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nvgesture_train_correct_cvpr2016_v2.lst"):
        read_nvgesture(str(tmp_path))


def test_logs_that_cannot_be_used_leave_relative_position_and_say_why(tmp_path):
    path = tmp_path / "sk_color_log.txt"
    assert read_times(path, 0, 5) == (None, "fps: the log is missing")
    path.write_text("\n\n")
    assert read_times(path, 0, 5) == (None, "fps: the log is empty")
    write_log(path, [0.0, 0.1, 0.2])
    assert read_times(path, 0, 5) == (None, "fps: the log ends with frame 2, the window with frame 4")
    times, clock = read_times(path, 1, 3)
    assert clock == "log" and np.diff(times) == pytest.approx([0.1], abs=1e-6)
    write_log(path, [0.0, 0.2, 0.1])
    assert read_times(path, 0, 2)[1] == "log"
    assert read_times(path, 0, 3) == (None, "fps: the log's time stamps do not increase")
    path.write_text("img00000.png 1\nimg00001.png\nimg00002.png 3")
    assert read_times(path, 0, 2) == (None, "fps: the log has no time stamp of frame 1")
    path.write_text("img00000.png 1\nimg00001.png 2\nimg00001.png 3\nimg00002.png 4")
    assert read_times(path, 0, 2) == (None, "fps: the log has no time stamp of frame 1")
    path.write_text("nothing")
    found = "fps: the log has no time stamp (line 1 is no 'img<frame>.png <nanoseconds>')"
    assert read_times(path, 0, 2) == (None, found)


@pytest.mark.parametrize(
    ("spoil", "problems"),
    [
        (lambda lines: ["", *lines], ["line 1 is blank"]),
        (lambda lines: [*lines[:5], "  ", "", *lines[5:]], ["line 6 is blank", "line 7 is blank"]),
        (lambda lines: ["# a comment", *lines], ["line 1 is no 'img<frame>.png <nanoseconds>'"]),
        (lambda lines: lines[7:], []),  # frames before the window are missing
        (lambda lines: [*lines[:3], *lines[4:]], []),
        (lambda lines: [*lines[:2], "img00002.png", *lines[3:]], ["line 3 is no 'img<frame>.png <nanoseconds>'"]),
        (lambda lines: [*lines, lines[0], "", ""], ["line 61 names frame 0 again"]),
        (lambda lines: lines[::-1], []),
        (lambda lines: [f" {line.replace(' ', chr(9))} \r" for line in lines], []),
    ],
)
def test_lines_belong_to_the_frames_that_they_name(tmp_path, spoil, problems):
    whole, path = tmp_path / "whole_log.txt", tmp_path / "sk_color_log.txt"
    write_log(whole, np.arange(60) / 30)
    path.write_bytes("\n".join(spoil(whole.read_text().splitlines())).encode())
    assert read_times(path, 10, 50) == read_times(whole, 10, 50)
    assert read_log(path)[1] == problems


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(data=st.data())
def test_any_valid_list_is_read_back(tmp_path, data):
    takes = data.draw(
        st.lists(st.tuples(st.integers(1, 25), st.integers(1, 20), st.integers(0, 9)), max_size=6, unique=True)
    )
    expected, lines = [], []
    for folder, subject, repetition in takes:
        label = data.draw(st.integers(1, 25))
        start, length = data.draw(st.integers(0, 300)), data.draw(st.integers(1, 120))
        line = nv_line(f"class_{folder:02d}", f"subject{subject}_r{repetition}", label, (start, start + length))
        fields = data.draw(st.permutations(line.split()))
        space = data.draw(st.sampled_from([" ", "  ", "\t"]))
        lines.append(space.join(fields) + data.draw(st.sampled_from(["", " ", "  \t"])))
        clip_id = f"class_{folder:02d}/subject{subject}_r{repetition}"
        expected.append((clip_id, label - 1, f"subject{subject}", start, start + length))
    ends = data.draw(st.sampled_from(["\n", "\r\n"]))
    final = data.draw(st.sampled_from(["", ends, ends * 2]))
    path = tmp_path / LIST_FILES["v2"].format(split="train")
    path.write_bytes((ends.join(lines) + final).encode())
    (tmp_path / LIST_FILES["v2"].format(split="test")).write_text("")
    found = [
        (clip.clip_id, clip.label, clip.subject, clip.streams["rgb"].start, clip.streams["rgb"].end)
        for clip in read_nvgesture(str(tmp_path)).clips
    ]
    assert found == expected


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(line=st.text(alphabet="pathlbecorduo_k:./0123456789 \t-subject", max_size=90))
def test_garbage_is_read_or_refused_in_one_line(tmp_path, line):
    write_lists(tmp_path, [line])
    try:
        clips = read_nvgesture(str(tmp_path)).clips
    except ValueError as error:
        assert " line 1: " in str(error) and "\n" not in str(error)  # noqa: PT017  some garbage is read
    else:
        assert all(0 <= clip.label < len(CLASSES) for clip in clips)
