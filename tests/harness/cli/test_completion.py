"""Completion, asked for as a shell asks."""

import os
import shutil
import subprocess
import sys

import pytest

from harness.cli import main


def ask(capsys, monkeypatch, words, place):
    monkeypatch.setenv("_HARNESS_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(place))
    with pytest.raises(SystemExit) as end:
        main([])
    assert end.value.code == 0
    return capsys.readouterr().out.split()


@pytest.mark.parametrize(
    ("words", "place", "said"),
    [
        ("harness st", 1, ["plain,status"]),
        ("harness report --si", 2, ["plain,--site"]),
        ("harness data veri", 2, ["plain,verify"]),
        ("harness run-all --init p", 3, ["plain,pretrained"]),
    ],
)
def test_commands_options_and_choices_are_completed(capsys, monkeypatch, words, place, said):
    assert ask(capsys, monkeypatch, words, place) == said


def test_an_unknown_shell_is_one_line(capsys, monkeypatch):
    monkeypatch.setenv("_HARNESS_COMPLETE", "ksh_source")
    with pytest.raises(SystemExit) as end:
        main([])
    err = capsys.readouterr().err
    assert end.value.code == 2 and err.count("\n") == 1 and "bash_source, zsh_source, fish_source" in err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_a_script_for_both_ways_to_start(capsys, monkeypatch, shell):
    monkeypatch.setenv("_HARNESS_COMPLETE", f"{shell}_source")
    with pytest.raises(SystemExit) as end:
        main([])
    script = capsys.readouterr().out
    assert end.value.code == 0 and f"{shell}_complete" in script
    assert "_harness_completion" in script and "_harness_module_completion" in script


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh on this machine")
def test_zsh_completes_python_dash_m_harness_and_nothing_else_of_python():
    script = """
    compdef() { print -- "compdef $*" }
    _describe() { print -l -- "${(@P)3%%:*}" }
    compadd() { print -l -- "${(@P)5}" }
    _default() { print -- "something else" }
    eval "$(_HARNESS_COMPLETE=zsh_source $PYTHON -m harness)"
    words=($PYTHON -m harness plan --co) CURRENT=5; _harness_module_completion
    words=($PYTHON -m pip ins) CURRENT=4; _harness_module_completion
    """
    env = {**os.environ, "PYTHON": sys.executable}
    done = subprocess.run(["zsh", "-f", "-c", script], capture_output=True, text=True, env=env, check=True)
    lines = done.stdout.splitlines()
    assert lines[-3:] == ["--configs", "--cost", "something else"]
    assert "compdef _harness_module_completion python python3" in lines


@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish on this machine")
def test_fish_completes_python_dash_m_harness_and_nothing_else_of_python(tmp_path):
    (tmp_path / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (tmp_path / "python").chmod(0o755)
    script = """
    _HARNESS_COMPLETE=fish_source python -m harness | source
    complete -C "python -m harness plan --co"
    echo other: (complete -C "python -m pip --co")
    """
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True, env=env, check=True)
    found = [line.split("\t")[0] for line in done.stdout.splitlines()]
    assert found[:2] == ["--configs", "--cost"] and "--configs" not in found[-1]


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash on this machine")
def test_bash_completes_python_dash_m_harness_and_nothing_else_of_python():
    script = """
    eval "$(_HARNESS_COMPLETE=bash_source "$PYTHON" -m harness)"
    COMP_WORDS=(python -m harness plan --co); COMP_CWORD=4; COMPREPLY=()
    _harness_module_completion "$PYTHON"; echo "module: ${COMPREPLY[*]}"
    COMP_WORDS=(python -m pip ins); COMP_CWORD=3; COMPREPLY=()
    _harness_module_completion "$PYTHON"; echo "other: ${COMPREPLY[*]}"
    complete -p python harness
    """
    env = {**os.environ, "PYTHON": sys.executable}
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, env=env, check=True)
    module, other, *_ = done.stdout.splitlines()
    assert module == "module: --configs --cost" and other == "other: "
    assert "_harness_module_completion python" in done.stdout and "_harness_completion harness" in done.stdout
