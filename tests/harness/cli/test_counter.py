"""Progress counts on one line of a terminal, and is plain lines everywhere else."""

import io
import logging
import subprocess
import sys

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
        "41 of 100 clips, 15 s left",
        "82 of 100 clips, 4 s left",
        "100 of 100 clips",
    ]


def test_no_command_on_data_returns_the_carriage_in_a_pipe(tmp_path):
    command = [sys.executable, "-m", "harness", "data", "synthesize", "--preset", "smoke", "--datasets", "sysu_mm01"]
    done = subprocess.run([*command, "--out", str(tmp_path / "x"), "--jobs", "1"], capture_output=True)
    assert done.returncode == 0 and b"\r" not in done.stdout + done.stderr and b"of" in done.stderr
