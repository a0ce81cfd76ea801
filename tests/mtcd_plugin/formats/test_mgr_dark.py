from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mtcd_plugin.formats.mgr_dark import read_mgr_dark
from mtcd_plugin.formats.tables import person_key
from mtcd_plugin.formats.video import read_frames
from tests.helpers.tiny_data import COLUMNS, GESTURES, MGR_FRAMES, SUBJECTS, write_mgr_dark_tables


def row(**changes):
    """A valid row of annotations.csv, with rgb only."""
    values = dict.fromkeys(COLUMNS, "") | {
        "clip_id": "c1",
        "pair_id": "p1",
        "subject": "s1",
        "scene": "lab",
        "gesture": "stop",
        "lighting": "dark",
        "rgb_file": "a.mp4",
        "rgb_fps": "25",
        "rgb_start": "3",
        "rgb_end": "60",
    }
    return values | changes


def test_reads_the_synthetic_layout(mgr_dark_root):
    table = read_mgr_dark(str(mgr_dark_root))
    assert table.classes == GESTURES and table.name == "MGR-Dark" and table.synthetic is True
    assert len(table.clips) == len(SUBJECTS) * len(GESTURES)
    clip = next(clip for clip in table.clips if clip.clip_id == "s4_stop_dark")
    assert (clip.subject, clip.split, clip.label, clip.pair_id) == ("s4", "test", 2, "s4_stop")
    assert (clip.streams["ir"].fps, clip.streams["ir"].end) == (12.5, MGR_FRAMES // 2)
    assert clip.streams["rgb"].times is None
    assert read_frames(clip.streams["rgb"].path, [0]).shape == (1, 24, 32, 3)


def test_lighting_chooses_rows_and_pairs_tie_them(mgr_dark_root):
    dark, daylight, both = (read_mgr_dark(str(mgr_dark_root), name).clips for name in ("dark", "daylight", "both"))
    assert {clip.lighting for clip in dark} == {"dark"} and len(both) == 2 * len(dark) == 2 * len(daylight)
    assert {clip.pair_id for clip in dark} == {clip.pair_id for clip in daylight}
    with pytest.raises(ValueError, match="choose from dark, daylight, both"):
        read_mgr_dark(str(mgr_dark_root), "night")


def test_without_a_description_a_set_is_real(tmp_path):
    write_mgr_dark_tables(tmp_path, [row()])
    assert read_mgr_dark(str(tmp_path)).synthetic is False


def test_a_missing_stream_is_left_out(tmp_path):
    write_mgr_dark_tables(tmp_path, [row()])
    assert list(read_mgr_dark(str(tmp_path)).clips[0].streams) == ["rgb"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gesture": "dance"}, "gesture 'dance' is not in classes.txt: forward, backward, stop"),
        ({"subject": "s9"}, "subject 's9' is not in subjects.csv"),
        ({"lighting": "dusk"}, "choose from dark, daylight"),
        ({"clip_id": " "}, "clip_id is empty"),
        ({"rgb_start": "one"}, "rgb_start must be a whole number from 0 to 10000000, found 'one'"),
        ({"rgb_start": "2.5"}, "rgb_start must be a whole number from 0"),
        ({"rgb_start": "1_0"}, "rgb_start must be a whole number from 0"),
        ({"rgb_end": ""}, "rgb_end must be a whole number from 0"),
        ({"rgb_end": "9" * 400}, "rgb_end must be a whole number from 0 to 10000000, found '9{40}'$"),
        ({"rgb_end": "10000001"}, "rgb_end must be a whole number from 0 to 10000000"),
        ({"rgb_start": "60"}, r"rgb window \[60, 60\) is empty"),
        ({"rgb_start": "-1"}, "rgb_start must be a whole number from 0"),
        ({"rgb_fps": "0"}, "rgb_fps must be a number from 1 to 1000, found '0'"),
        ({"rgb_fps": "1e-9"}, "rgb_fps must be a number from 1 to 1000, found '1e-9'"),
        ({"rgb_fps": "1e999"}, "rgb_fps must be a number from 1 to 1000"),
        ({"rgb_fps": "nan"}, "rgb_fps must be a number from 1 to 1000, found 'nan'"),
        ({"rgb_file": "/videos/a.mp4"}, "rgb_file '/videos/a.mp4' is absolute; write it relative to the data set's"),
        ({"rgb_file": "clips/../../a.mp4"}, r"rgb_file 'clips/../../a.mp4' contains '\.\.'; write it relative"),
        ({"rgb_file": "clips\\a.mp4"}, "contains a backslash"),
        ({"rgb_file": ""}, "no stream has a file: rgb_file, depth_file, ir_file are empty"),
        ({"subject": "S1"}, "subject 'S1' is not in subjects.csv; it has 's1', which differs in case"),
    ],
)
def test_a_bad_value_is_one_line_with_its_place(tmp_path, changes, message):
    write_mgr_dark_tables(tmp_path, [row(), row(clip_id="c2") | changes])
    with pytest.raises(ValueError, match=message) as caught:
        read_mgr_dark(str(tmp_path))
    assert "annotations.csv line 3: " in str(caught.value) and "\n" not in str(caught.value)


HEADER = ",".join(COLUMNS)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (HEADER + ",rgb_file", "columns 7 and 19 are both named 'rgb_file'; remove or rename one"),
        (HEADER.replace(",", ";"), "the fields are separated by semicolons; save the table with commas"),
        (HEADER.replace(",", "\t"), "the fields are separated by tabs"),
        (HEADER.replace("lighting,", "").replace(",", ";"), "the fields are separated by semicolons"),
        ("sep=,\n" + HEADER, "line 1 is Excel's 'sep=,'; remove it, the header must be there: clip_id,pair_id"),
        (HEADER.upper(), "column 'CLIP_ID' must be written 'clip_id'; expected clip_id,pair_id"),
        ("\n" + HEADER, "line 1 is blank; the header must be there: clip_id,pair_id"),
        ("# made by hand\n" + HEADER, "line 1 is a comment; remove it, the header must be there: clip_id,pair_id"),
        ("c1,p1,s1", "column 'clip_id' is missing; expected clip_id,pair_id,.*; found c1,p1,s1"),
    ],
)
def test_a_header_that_is_none_is_refused_with_its_cause(tmp_path, header, message):
    write_mgr_dark_tables(tmp_path, [row()])
    path = tmp_path / "annotations.csv"
    values = path.read_text().splitlines()[1]
    for sign in ";", "\t":
        values = values.replace(",", sign) if sign in header else values
    path.write_text(f"{header}\n{values}\n")
    with pytest.raises(ValueError, match=message) as caught:
        read_mgr_dark(str(tmp_path))
    assert "\n" not in str(caught.value) and "annotations.csv" in str(caught.value)


def test_numbers_as_pandas_writes_them(tmp_path):
    """One clip without infrared makes every number of that column a float,
    and an index adds a column without a name.
    """
    rows = [
        row(clip_id=f"c{n}", rgb_end=50 + n)
        | ({"ir_file": "i.mp4", "ir_fps": 12.5, "ir_start": 0, "ir_end": 25} if n else {})
        for n in range(3)
    ]
    write_mgr_dark_tables(tmp_path, rows)
    pd.read_csv(tmp_path / "annotations.csv").to_csv(tmp_path / "annotations.csv")
    assert ",0.0,25.0\n" in (tmp_path / "annotations.csv").read_text()
    clips = read_mgr_dark(str(tmp_path)).clips
    assert [c.streams["rgb"].end for c in clips] == [50, 51, 52] and "ir" not in clips[0].streams
    assert [(c.streams["ir"].start, c.streams["ir"].end, c.streams["ir"].fps) for c in clips[1:]] == [(0, 25, 12.5)] * 2


SAME = [("s1", "S1"), ("Jos\u00e9", "Jose\u0301"), ("stra\u00dfe", "STRASSE"), ("1", "1.0"), ("01", "1"), ("0", "00.")]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_one_person_under_two_names_cannot_be_in_both_splits(tmp_path, one, other):
    write_mgr_dark_tables(tmp_path, [row(subject=one)], subjects={one: "train", other: "test"})
    with pytest.raises(ValueError, match="differ in case, Unicode form or the way a number is written") as caught:
        read_mgr_dark(str(tmp_path))
    assert repr(one) in str(caught.value) and repr(other) in str(caught.value)


def test_links_below_the_folder_are_followed(tmp_path):
    """Videos are often moved to another disk and linked."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "a.mp4").write_bytes(b"1")
    write_mgr_dark_tables(tmp_path / "set", [row(rgb_file="clips/a.mp4")])
    (tmp_path / "set" / "clips").symlink_to(tmp_path / "disk")
    clip = read_mgr_dark(str(tmp_path / "set")).clips[0]
    assert Path(clip.streams["rgb"].path).read_bytes() == b"1"


def test_a_set_one_folder_further_down_is_named(tmp_path):
    write_mgr_dark_tables(tmp_path / "MGR-Dark", [row()])
    with pytest.raises(FileNotFoundError, match="annotations.csv is not here but in MGR-Dark/ below; move"):
        read_mgr_dark(str(tmp_path))


def test_a_clip_id_twice_is_an_error_even_across_lightings(tmp_path):
    write_mgr_dark_tables(tmp_path, [row(), row(lighting="daylight")])
    with pytest.raises(ValueError, match="line 3: clip_id 'c1' occurs twice"):
        read_mgr_dark(str(tmp_path))


def test_structure_errors(tmp_path):
    with pytest.raises(FileNotFoundError, match="classes.txt.*check data_root"):
        read_mgr_dark(str(tmp_path))
    write_mgr_dark_tables(tmp_path, [row()])
    (tmp_path / "annotations.csv").write_text("clip_id,subject\nc1,s1\n")
    with pytest.raises(ValueError, match="line 1: column 'pair_id' is missing"):
        read_mgr_dark(str(tmp_path))
    write_mgr_dark_tables(tmp_path, [row()])
    with open(tmp_path / "annotations.csv", "a") as file:
        file.write("c2,p2,s1\n")
    with pytest.raises(ValueError, match="line 3: 3 fields where the header has 18"):
        read_mgr_dark(str(tmp_path))
    write_mgr_dark_tables(tmp_path, [row()], classes=("stop", "go", "stop"))
    with pytest.raises(ValueError, match="classes.txt line 3: class 'stop' occurs twice"):
        read_mgr_dark(str(tmp_path))
    write_mgr_dark_tables(tmp_path, [row()], subjects={"s1": "validation"})
    with pytest.raises(ValueError, match="subjects.csv line 2: split 'validation' is unknown"):
        read_mgr_dark(str(tmp_path))
    write_mgr_dark_tables(tmp_path, [row()])
    (tmp_path / "dataset.json").write_text("{")
    with pytest.raises(ValueError, match="dataset.json: not valid JSON"):
        read_mgr_dark(str(tmp_path))
    (tmp_path / "annotations.csv").write_bytes(b"\xff\xfe\x00garbage\x9c")
    with pytest.raises(ValueError, match="not a UTF-8 text file"):
        read_mgr_dark(str(tmp_path))


WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S"), exclude_characters='"'), min_size=1)
NAMES = WORDS.filter(lambda text: not set(text) & set("./\\"))  # no path


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(data=st.data())
def test_any_valid_table_is_read_back(tmp_path, data):
    classes = data.draw(st.lists(WORDS, min_size=1, max_size=5, unique=True))
    people = data.draw(st.lists(WORDS, min_size=1, max_size=4, unique_by=person_key))
    subjects = {person: data.draw(st.sampled_from(["train", "test"])) for person in people}
    rows = []
    for clip_id in data.draw(st.lists(NAMES, max_size=6, unique=True)):
        values = row(
            clip_id=clip_id,
            subject=data.draw(st.sampled_from(sorted(subjects))),
            gesture=data.draw(st.sampled_from(classes)),
            lighting=data.draw(st.sampled_from(["dark", "daylight"])),
        )
        start = data.draw(st.integers(0, 500))
        length = data.draw(st.integers(1, 500))
        fps = data.draw(st.floats(1, 120))
        if data.draw(st.booleans()):
            values |= {"ir_file": "b.mp4", "ir_start": start, "ir_end": start + length, "ir_fps": fps}
        rows.append(values)
    write_mgr_dark_tables(tmp_path, rows, subjects, classes)
    table = read_mgr_dark(str(tmp_path), "both")
    assert table.classes == tuple(classes)
    assert [clip.clip_id for clip in table.clips] == [values["clip_id"] for values in rows]
    for clip, values in zip(table.clips, rows, strict=True):
        assert classes[clip.label] == values["gesture"] and clip.split == subjects[clip.subject]
        assert ("ir" in clip.streams) == bool(values["ir_file"])
        if stream := clip.streams.get("ir"):
            found = (stream.start, stream.end, stream.fps)
            assert found == (values["ir_start"], values["ir_end"], values["ir_fps"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100)
@given(text=st.text(alphabet='ab1,"\n\r \t;', max_size=80))
def test_garbage_is_read_or_refused_in_one_line(tmp_path, text):
    write_mgr_dark_tables(tmp_path, [row()])
    with open(tmp_path / "annotations.csv", "a", newline="") as file:
        file.write(text)
    try:
        read_mgr_dark(str(tmp_path))
    except ValueError as error:
        assert "annotations.csv line " in str(error) and "\n" not in str(error)  # noqa: PT017  some garbage is read


@pytest.mark.parametrize("clip_id", ["../x", "a/../../x", "/x", "./x", "a\\b"])
def test_the_id_of_a_clip_is_no_path(tmp_path, clip_id):
    write_mgr_dark_tables(tmp_path, [row(clip_id=clip_id)])
    with pytest.raises(ValueError, match="line 2: clip_id .* is a path; write a plain name"):
        read_mgr_dark(str(tmp_path))


@pytest.mark.parametrize("column", ["clip_id", "pair_id", "subject", "scene"])
@pytest.mark.parametrize("char", ["\x00", "\x07", "\x1b", "\x7f"])
def test_control_characters_are_refused(tmp_path, column, char):
    write_mgr_dark_tables(tmp_path, [row(**{column: f"a{char}b"})], subjects={"s1": "train", f"a{char}b": "train"})
    if column != "subject":
        (tmp_path / "subjects.csv").write_text("subject,split\ns1,train\n")
    with pytest.raises(ValueError, match=f"{column} .* contains a control character|line contains NUL") as caught:
        read_mgr_dark(str(tmp_path))
    assert "\n" not in str(caught.value)
