"""Progress counts on one line of a terminal, and is plain lines everywhere else."""

import io
import logging
import subprocess
import sys

import pytest

from harness.cli import counter


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_has_one_line_that_counts():
    out = Terminal()
    show = counter.counter(out)
    for done in range(3):
        show("clips", done, 2)
    assert out.getvalue().count("\r") == 3 and out.getvalue().count("\n") == 1
    assert all(line.startswith("\x1b[K") for line in out.getvalue().split("\r")[1:]), "what was longer is wiped"


def test_a_pipe_has_plain_lines_now_and_then(monkeypatch, caplog):
    caplog.set_level(logging.INFO, "harness")
    out, now = io.StringIO(), [0.0]
    monkeypatch.setattr(counter.time, "monotonic", lambda: now[0])
    show = counter.counter(out)
    for done in range(101):
        now[0] = done / 4
        show("clips", done, 100)
    assert not out.getvalue() and caplog.messages == [
        "41 of 100 clips, about 15 s left",
        "82 of 100 clips, about 4 s left",
        "100 of 100 clips",
    ]


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ([(0.0, 1)], "1 of 720 clips"),  # the first is told of when it is done
        ([(0.0, 0), (17.7, 1)], "1 of 720 clips"),  # a slow start says nothing of the rest
        ([(0.0, 0), (4.0, 500)], "500 of 720 clips"),
        ([(0.0, 0), (10.0, 40)], "40 of 720 clips, about 3 min left"),  # 680 at 4 a second: 170 s
        ([(0.0, 600), (10.0, 640)], "640 of 720 clips, about 20 s left"),  # those of before took no time here
    ],
)
def test_the_rest_is_estimated_once_something_tells_it(monkeypatch, told, said):
    out, now = Terminal(), [0.0]
    monkeypatch.setattr(counter.time, "monotonic", lambda: now[0])
    show = counter.counter(out)
    for now[0], done in told:
        show("clips", done, 720)
    assert out.getvalue().split("\x1b[K")[-1] == said


def test_no_command_on_data_returns_the_carriage_in_a_pipe(tmp_path):
    command = [sys.executable, "-m", "harness", "data", "synthesize", "--preset", "smoke", "--datasets", "sysu_mm01"]
    done = subprocess.run([*command, "--out", str(tmp_path / "x"), "--jobs", "1"], capture_output=True)
    assert done.returncode == 0 and b"\r" not in done.stdout + done.stderr and b"of" in done.stderr
