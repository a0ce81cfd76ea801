"""The figures of single runs, written by a command."""

import shutil

import pytest
from PIL import Image

from harness.cli import main
from harness.errors import BadUsage
from harness.site.figures import write_figures


def test_a_run_gives_curves_and_confusion_in_three_kinds(fake, tmp_path):
    run = next((fake.work_dir / "runs").glob("student_mgr-dark-rgb-s0-*")).name
    written = write_figures(fake.work_dir, [run], tmp_path / "out")
    names = {f"{run}_{what}.{kind}" for what in ("training", "confusion") for kind in ("pdf", "png", "svg")}
    assert {p.name for p in written} == names == {p.name for p in (tmp_path / "out").iterdir()}
    svg = (tmp_path / "out" / f"{run}_confusion.svg").read_text()
    assert "var(" not in svg and "synthetic data: MGR-Dark" in svg and "seed 0" in svg and "commit c0ffee" in svg
    shown = Image.open(tmp_path / "out" / f"{run}_training.png")
    assert "loss_kd_ir from" in shown.text["Description"] and "synthetic" in shown.text["Description"]


def test_a_cell_is_all_its_runs_and_a_render_without_pictures_gives_none(fake, tmp_path):
    written = write_figures(fake.work_dir, ["plain_nvgesture-rgb", "fake_translator"], tmp_path)
    assert len(written) == 3 * 2 * 3
    assert not any("translator" in p.name for p in written)


def test_a_strip_of_pictures_is_written_with_what_its_rows_show(fake, tmp_path):
    work = tmp_path / "work"
    shutil.copytree(fake.work_dir, work)
    folder = next((work / "runs").glob("fake_translator-s0-*"))
    (folder / "strips").mkdir()
    Image.new("RGB", (60, 20), (200, 40, 40)).save(folder / "strips" / "a.png")
    (folder / "strips" / "index.json").write_text('[{"clip_id": "c/1", "file": "a.png", "rows": ["above", "below"]}]')
    written = write_figures(work, ["fake_translator"], tmp_path / "out")
    strips = [p for p in written if "_strip_c_1." in p.name]
    assert {p.suffix for p in strips} == {".pdf", ".png", ".svg"}
    assert "from the top: above, below" in next(p for p in strips if p.suffix == ".svg").read_text()


def test_a_job_is_its_run_and_a_run_that_is_not_valid_says_so(fake, tmp_path):
    written = write_figures(fake.work_dir, ["plain_nvgesture-rgb-s1"], tmp_path / "out")
    assert {p.name.split("-s")[1][0] for p in written} == {"1"} and len(written) == 2 * 3
    work = tmp_path / "work"
    folder = next((fake.work_dir / "runs").glob("plain_nvgesture-rgb-s1-*"))
    shutil.copytree(folder, work / "runs" / folder.name)
    (work / "runs" / folder.name / "run.json").write_text("{")
    for name in ("plain_nvgesture-rgb", "plain_nvgesture-rgb-s1", folder.name):
        with pytest.raises(BadUsage, match=f"{folder.name} is no valid run: "):
            write_figures(work, [name], tmp_path / "none")


def test_a_name_that_is_none_is_one_line_with_what_is_like_it(fake, tmp_path, capsys):
    with pytest.raises(BadUsage, match=r"'plain_nvgesture-rbg' \(near: plain_nvgesture-rgb"):
        write_figures(fake.work_dir, ["plain_nvgesture-rbg"], tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["figure", "nothing", "--work-dir", str(fake.work_dir), "--to", str(tmp_path / "out")])
    assert ended.value.code == 2 and "nothing" in capsys.readouterr().err and not (tmp_path / "out").exists()
