"""What is said beside results: how much, where, and in the log file of a run."""

import logging
import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from harness.cli import main
from harness.cli.console import Console
from harness.ledger import log_file


def run(capsys, *args):
    with pytest.raises(SystemExit) as stop:
        main([str(a) for a in args])
    out = capsys.readouterr()
    return stop.value.code or 0, out.out, out.err


@pytest.fixture
def suite(small_configs, tiny_data, tmp_path, monkeypatch):
    """A plan of which one cell cannot be planned, and of which another one has a note, however slow the machine is."""
    monkeypatch.setattr("harness.system.slow.AFTER_S", 3600.0)
    own = small_configs / "i3d" / "i3d_r50_mgr-dark-rgb.py"
    own.write_text(f"{own.read_text()}\ntrain_cfg = dict(max_epochs=33)\n")
    bad = small_configs / "i3d" / "i3d_r50_mgr-dark-depth.py"
    bad.write_text("model = dict(")
    where = ["--work-dir", tmp_path / "work", "--profile", "smoke"]
    return ["--configs", small_configs, "--data-root", tiny_data, *where]


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ([], ["cannot plan", "note: "]),
        (["-q"], ["cannot plan"]),
        (["-v"], ["planned 2 cells as 1 job", "cannot plan", "note: "]),
    ],
)
def test_warnings_are_always_said_notes_unless_quiet_details_when_verbose(capsys, suite, option, said):
    for words in (["plan", *option, *suite], [*option, "plan", *suite]):
        code, out, err = run(capsys, *words)
        assert code == 0 and out.splitlines()[-1].startswith("2 cells of table2")
        lines = err.splitlines()
        assert len(lines) == len(said) and all(line.startswith(s) for line, s in zip(lines, said, strict=True))


def test_quiet_and_verbose_exclude_each_other(capsys):
    code, _, err = run(capsys, "doctor", "-v", "-q")
    assert code == 2 and err == "error: -v and -q: give one of them\n"


def test_nothing_is_left_of_a_console_that_is_over(capsys):
    logger = logging.getLogger("harness")
    before = list(logger.handlers), logger.level
    run(capsys, "doctor", "-v", "-q")
    assert (list(logger.handlers), logger.level) == before


def test_a_run_has_one_log_file_that_begins_with_its_command(capsys, suite, tmp_path):
    own = suite[1] / "i3d" / "i3d_r50_mgr-dark-rgb.py"
    own.write_text(f"{own.read_text()}\nprofiles = dict(smoke=dict(train_cfg=dict(max_epochs=1_000_000)))\n")
    code, out, err = run(capsys, "run", *suite, "--jobs", "1", "--retries", "0", "--time-limit", "0.01", "-v")
    assert code == 1
    (path,) = (tmp_path / "work" / "logs").iterdir()
    assert path.suffix == ".log" and err.count(f"log: {path}") == 2  # once as it is opened, once with the failures
    lines = path.read_text().splitlines()
    assert f"command: harness run --configs {suite[1]}" in lines[0] and " DEBUG " in lines[0]
    rest = "\n".join(lines[1:])
    for words in ("planned 2 cells as 1 job", "cannot plan i3d_r50_mgr-dark-depth", "'torch': '", "exit code 1"):
        assert words in rest
    assert "started   i3d_r50_mgr-dark-rgb-s0" in rest and "failed    i3d_r50_mgr-dark-rgb-s0  time_limit" in rest
    assert "1 job: 0 done before, 0 run, 1 failed" in rest and "1 job: 0 done before, 0 run, 1 failed" in out
    for command in ("status", "verify"):
        code, out, err = run(capsys, command, *(suite if command == "status" else suite[4:6]))
        assert "logs" not in out + err


def test_the_pages_are_current_whatever_is_logged(small_configs, tmp_path):
    from harness.site.freshness import sources

    (tmp_path / "plan.json").write_text("{}")
    before = sources(tmp_path, small_configs)
    log_file.start(tmp_path)[1].close()
    assert sources(tmp_path, small_configs) == before


def test_an_error_after_the_file_was_opened_names_it_and_its_traceback_is_there(capsys, monkeypatch, tmp_path):
    def broken(*_):
        raise ValueError("no luck")

    with Console() as console:
        console.to_file(tmp_path)
    monkeypatch.setattr("harness.cli.common.executor_for", broken)
    monkeypatch.setattr("harness.cli.common.check_choice", lambda choice: current().to_file(tmp_path))
    from harness.cli.console import current

    code, _, err = run(capsys, "run", "--work-dir", tmp_path)
    newest = sorted((tmp_path / "logs").iterdir(), key=lambda p: p.stat().st_mtime_ns)[-1]
    assert code == 1 and err == f"error: no luck (log: {newest})\n"
    assert "Traceback" in newest.read_text() and "ValueError: no luck" in newest.read_text()


def test_the_newest_log_files_are_kept(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    for day in range(1, 29):
        (folder / f"202601{day:02d}T000000Z-1.log").write_text("old")
    path, handler = log_file.start(tmp_path)
    handler.close()
    left = sorted(p.name for p in folder.iterdir())
    assert len(left) == log_file.KEPT and left[-1] == path.name and left[0] == "20260110T000000Z-1.log"


def test_what_others_keep_among_the_log_files_stays(tmp_path):
    folder = tmp_path / "logs"
    (folder / "folder.log").mkdir(parents=True)
    (folder / "20260101T000000Z-2.log").mkdir()
    for number in range(30):
        (folder / f"{number}.log").write_text("of somebody")
        (folder / f"train-{number}.log").write_text("of somebody")
    path, handler = log_file.start(tmp_path)
    handler.close()
    assert path.is_file() and len(list(folder.iterdir())) == 63


def test_a_log_that_cannot_be_written_is_given_up_with_one_line(tmp_path, capsys):
    code = (
        "import logging, os, resource, signal, sys\n"
        "from pathlib import Path\n"
        "from harness.ledger import log_file\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "_, handler = log_file.start(Path(sys.argv[1]))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "log = logging.getLogger('harness'); log.addHandler(handler); log.setLevel(10)\n"
        "for i in range(50): log.info('a line of some length %d', i)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr.count("no longer written") == 1 and "Traceback" not in done.stderr


DRAWING = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from harness.cli.console import Console
from harness.schedule.progress import Progress
from harness.schedule.task import Status
from tests.helpers.toy_jobs import toy_job
job = toy_job("job")
with Console(), Progress({{job.key: job}}, 1, {{}}) as shown:
    shown.report("started", job, "")
    shown.tick(Status(total=1, running={{job.key: Path({folder!r})}}))
    shown.live.refresh()
    shown.report("done", job, "top-1 50.0 %")
"""


def test_on_a_terminal_a_line_stands_above_the_bar_and_stays(tmp_path):
    """The bar is wiped before the line is written, and drawn anew below it: what is wiped after that is the bar."""
    pty = pytest.importorskip("pty", reason="needs a terminal of a Unix system")
    code = DRAWING.format(root=str(Path(__file__).resolve().parents[3]), folder=str(tmp_path))
    terminal, end = pty.openpty()
    subprocess.Popen([sys.executable, "-c", code], stdout=end, stderr=end, env={**os.environ, "TERM": "xterm"})
    os.close(end)
    drawn = ""
    with suppress(OSError):  # how Linux says that nobody writes any more
        while data := os.read(terminal, 1024):
            drawn += data.decode()
    os.close(terminal)
    before, line, after = drawn.partition("done      job  top-1 50.0 %")
    assert line and re.search(r"\x1b\[2K\d\d:\d\d:\d\d  $", before), "it begins on a line that was wiped"
    assert re.match(r"(\x1b\[0m)?\r\n.*running", after, re.S), "the bar and what runs follow on lines of their own"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("words", [("--help",), ("status",), ("verify", "--json")])
def test_an_output_that_takes_no_more_is_named(capsys, monkeypatch, suite, words):
    where = suite if words == ("status",) else suite[4:6] if words[0] == "verify" else []
    (Path(suite[5]) / "runs").mkdir(parents=True)
    monkeypatch.setattr(sys, "stdout", open("/dev/full", "w"))  # noqa: SIM115  closing it would fail as well
    with pytest.raises(SystemExit) as stop:
        main([str(w) for w in (*words, *where)])
    assert stop.value.code == 1
    assert capsys.readouterr().err.splitlines()[-1] == "error: standard output: No space left on device"
