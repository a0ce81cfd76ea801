"""The same numbers are drawn once, and what was kept is the same drawing."""

import pytest

from reports.plots import drawing
from reports.plots.bar_charts import bars
from reports.plots.drawing import to_files


def light(value=0.4, note="fake"):
    drawn = bars([("mean", [("A", value)])], ["dark"], "light", "Fake brightness")
    return drawn.svg, drawn.description, to_files(drawn, note)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "mgr-dark-drawings"


def test_what_was_drawn_is_not_drawn_again(folder, monkeypatch):
    first = light()
    assert len(list(folder.iterdir())) == 2
    monkeypatch.setattr(drawing, "_svg", lambda *a: pytest.fail("drawn again"))
    assert light() == first


def test_other_numbers_notes_and_code_are_drawn_anew(folder, monkeypatch):
    first = light()
    assert light(0.5)[0] != first[0] and light(note="other")[2] != first[2]
    monkeypatch.setattr("reports.plots.kept._code", lambda: "other code")
    assert light() == first and len(list(folder.iterdir())) == 7


def test_a_damaged_file_or_a_folder_that_cannot_be_written_is_no_error(folder, monkeypatch):
    first = light()
    for path in folder.iterdir():
        path.write_text("[1")
    assert light() == first
    for path in folder.iterdir():
        path.write_text(path.read_text().replace("Fake", "Fate"))  # JSON still, and not what was drawn
    assert light() == first
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    assert light() == first
