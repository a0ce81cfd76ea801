"""Standard output in encodings that lack what is written."""

import io
import json
import os
import subprocess
import sys

import pytest

from harness.system.encoding import write_every_character

TEXT = "−1.5 × é ε … \udce9"  # the last: a file's name in Latin-1, as Python has it


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("ascii", b"-1.5 \\xd7 \\xe9 \\u03b5 ... \xe9"),
        ("latin-1", b"-1.5 \xd7 \xe9 \\u03b5 ... \xe9"),
        ("utf-8", "−1.5 × é ε … ".encode() + b"\xe9"),
    ],
)
def test_what_an_encoding_lacks_is_written_in_ascii(monkeypatch, encoding, written):
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", out)
    write_every_character()
    print(TEXT, end="", flush=True)
    assert out.buffer.getvalue() == written


@pytest.mark.parametrize(
    "env",
    [{"PYTHONIOENCODING": "latin-1"}, {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
    ids=["latin-1", "posix"],
)
def test_no_command_ends_by_a_character(tmp_path, env):
    """Neither one that prints lines, in each of the ways that there are, nor one that prints JSON."""
    code = (
        "import logging, sys, click, harness.__main__, harness.cli\n"
        "from harness.cli.common import print_json, say_result\n"
        "@harness.cli.cli.command('say')\n"
        "def command():\n"
        "    say_result('a \\u2212 b \\u03b5'); click.echo('c \\u2212 d')\n"
        "    logging.getLogger('harness').warning('\\u2212')\n"
        "    print_json({'\\u2212': 'e \\u03b5'})\n"
        "harness.cli.LazyGroup.get_command = lambda self, ctx, name: command\n"
        "sys.argv = ['harness', 'say']\n"
        "harness.__main__.start()\n"
    )
    env = {**os.environ, **env}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True)
    assert done.returncode == 0, done.stderr
    first, _, *rest = done.stdout.splitlines()
    assert first == b"a - b \\u03b5" and done.stderr == b"-\n"
    assert json.loads(b"\n".join(rest)) == {"−": "e ε"}


def test_the_log_of_a_job_is_in_utf8_wherever_it_runs(tmp_path):
    code = (
        "import sys; from pathlib import Path; from harness.ledger.logs import log_to; "
        "log_to(Path('log.txt')); print('\u2212'); print('\u03b5', file=sys.stderr)"
    )
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert {*(tmp_path / "log.txt").read_text(encoding="utf-8").split()} == {"−", "ε"}
