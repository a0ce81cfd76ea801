"""Figures as files: they stand alone, say how they were made, and are the same bytes for the same numbers."""

import io
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from harness.suite.benchmark import Sweep
from reports.plots import fonts
from reports.plots.bar_charts import bars
from reports.plots.curves import Curve, HeatMap, Point
from reports.plots.drawing import to_files
from reports.plots.sweep_charts import heat_map, sweeps

NOTE = "MGR-Dark (synthetic) · profile demo · commit c0ffee"


def sweep(name):
    return Sweep(id=name, key=f"model.{name}", title=name, values=[0.0, 0.5, 1.0], default=0.5, smoke=[0.0])


def curve():
    points = tuple(Point(x, 0.4 + x / 10, None, 1) for x in (0.0, 0.5, 1.0))
    return sweeps([Curve("alpha", "alpha, fake", 0.5, points, ())], 0.3, "f")


def grid():
    values = {(x, y): 0.2 + x / 10 + y / 5 for x in (0.0, 0.5, 1.0) for y in (0.0, 0.5)}
    return heat_map(HeatMap(sweep("alpha"), sweep("beta"), values), "g")


def light():
    return bars([("mean", [("A", 0.1), ("B", 0.4)])], ["dark", "daylight"], "light", "Fake brightness")


DRAW = {"sweeps": curve, "heat map": grid, "bars": light}


@pytest.fixture(scope="module", params=DRAW)
def files(request):
    return to_files(DRAW[request.param](), NOTE)


def test_the_same_numbers_give_the_same_bytes_and_no_date(files, request):
    again = to_files(DRAW[request.node.callspec.params["files"]](), NOTE)
    assert files == again
    assert b"CreationDate" not in files["pdf"] and b"<dc:date>" not in files["svg"]


@pytest.mark.parametrize("own", ["MPLCONFIGDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "HOME"])
def test_where_matplotlib_can_keep_nothing_it_says_nothing_and_leaves_nothing(tmp_path, own):
    (tmp_path / "file").touch()  # no folder can be made below it, whoever asks
    (tmp_path / "temporary").mkdir()
    places = {"MPLCONFIGDIR": "", "XDG_CONFIG_HOME": "", "XDG_CACHE_HOME": "", "HOME": str(tmp_path)}
    code = (
        "import os, sys\n"
        "from reports.plots.drawing import styled\n"
        "styled(lambda: None)()\n"
        "print('matplotlib' in sys.modules, os.listdir(os.environ['TMPDIR']) != [])\n"
    )
    env = {**os.environ, **places, own: str(tmp_path / "file"), "TMPDIR": str(tmp_path / "temporary")}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    said = [line for line in done.stderr.splitlines() if "building the font cache" not in line]  # which takes a while
    assert (done.stdout, said) == ("True True\n", [])
    assert os.listdir(tmp_path / "temporary") == []


def test_each_file_says_how_its_numbers_were_made(files):
    svg = files["svg"].decode()
    assert NOTE in svg and "<title>" in svg
    shown = Image.open(io.BytesIO(files["png"]))
    assert NOTE in shown.text["Description"] and shown.text["Title"]
    assert "c0ffee".encode("utf-16-be") in files["pdf"], "a PDF's Subject is UTF-16"


def test_colours_are_literal_in_files_and_variables_on_pages(files, request):
    assert b"var(" not in files["svg"] and re.search(rb"#(c2410c|2563a8)", files["svg"])
    inline = DRAW[request.node.callspec.params["files"]]().svg
    colours = set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", inline))
    assert not colours, "a colour that does not follow the page"


@pytest.mark.skipif(shutil.which("rsvg-convert") is None, reason="no second renderer (rsvg-convert) on this machine")
def test_another_renderer_shows_the_same_picture(files, tmp_path):
    (tmp_path / "a.svg").write_bytes(files["svg"])
    ours = Image.open(io.BytesIO(files["png"])).convert("RGB")
    size = [f"--width={ours.width}", f"--height={ours.height}"]
    subprocess.run(["rsvg-convert", *size, "a.svg", "-o", "a.png"], cwd=tmp_path, check=True, timeout=60)
    theirs = Image.open(tmp_path / "a.png").convert("RGB")
    small = [np.asarray(i.resize((ours.width // 8, ours.height // 8)), dtype=float) for i in (ours, theirs)]
    assert np.abs(small[0] - small[1]).mean() < 4  # of 255; a black drawing has above 20
    assert small[0].std() > 5  # there is something to see


def test_the_heat_map_has_a_colour_bar_from_the_lowest_to_the_highest():
    svg = grid().svg
    bar = svg[svg.index('id="g-axes_2"') :]
    assert re.findall(r">(\d+\.\d)<", bar) == ["20.0", "40.0"]
    assert bar.count("fill: var(--hot") == 25


def labelled(label):
    return bars([("mean", [(label, 0.1), ("B", 0.4)])], ["dark", "daylight"], "light", "Fake brightness")


def test_letters_that_no_font_has_are_said_in_one_line(caplog, recwarn):
    to_files(labelled("night \U000f0000\U000f0001"), NOTE)
    assert [r.getMessage().split(";")[0] for r in caplog.records] == [
        "figure 'Fake brightness': no font here has '\\U000f0000\\U000f0001', its files show boxes"
    ]
    assert not recwarn.list, "matplotlib's own warnings, one a letter and file"


def test_letters_are_looked_up_in_further_fonts_and_files_with_boxes_are_drawn_again(caplog, monkeypatch):
    letter = "\ue0cc"  # of matplotlib's own STIXNonUnicode alone
    boxed = to_files(labelled(letter), NOTE)
    assert letter.encode("unicode_escape").decode() in caplog.text
    caplog.clear()
    monkeypatch.setattr(fonts, "FURTHER", ("No such font", "STIXNonUnicode"))
    fonts.families.cache_clear()
    try:
        drawn = to_files(labelled(letter), NOTE)
    finally:
        fonts.families.cache_clear()
    assert not caplog.records
    assert drawn["png"] != boxed["png"] and b"STIXNonUnicode" in drawn["pdf"]
