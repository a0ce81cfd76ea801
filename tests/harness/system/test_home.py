"""A user without a home folder hears it at once; nothing is written into a folder that is called ``~``."""

import os
import pwd

import pytest

from harness.cli import main
from harness.errors import BadUsage
from harness.system.home import check_home


def nobody(_):
    raise KeyError("no such user")


@pytest.mark.parametrize(("home", "said"), [(None, "HOME is not set"), ("~", "HOME is '~'"), ("rel", "HOME is 'rel'")])
def test_a_user_without_a_home_folder_is_told_so_by_every_command(home, said, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("HOME", raising=False)
    if home:
        monkeypatch.setenv("HOME", home)
    with pytest.raises(SystemExit) as stop:
        main(["status"])
    assert stop.value.code == 2 and not os.listdir(tmp_path)
    assert (
        capsys.readouterr().err
        == f"error: this user has no home folder ({said}); set it to a folder: export HOME=/path/to/folder\n"
    )
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    check_home()
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    with pytest.raises(BadUsage, match="no home folder"):
        check_home()
    monkeypatch.setenv("HOME", str(tmp_path))
    check_home()
