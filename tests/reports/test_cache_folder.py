"""What lies in the cache is the user's own, or is not read: templates from it are run."""

import os

import pytest

from reports.cache_folder import cache_folder, keep, read_kept

OTHER = 65534  # "nobody"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "mgr-dark-drawings"


@pytest.mark.parametrize("mask", [0, 0o002, 0o077])
def test_what_is_kept_is_read_whatever_the_mask_and_nobody_else_can_write_it(mask, folder):
    before = os.umask(mask)
    try:
        keep(folder / "a", "text")
    finally:
        os.umask(before)
    assert cache_folder() == folder and read_kept(folder / "a") == "text"
    assert not any(path.stat().st_mode & 0o022 for path in (folder, folder / "a"))


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777])
def test_a_folder_that_others_can_write_is_not_used(mode, folder):
    folder.mkdir()
    folder.chmod(mode)
    assert cache_folder() is None
    with pytest.raises(PermissionError, match="another user"):  # it came after the folder was looked at
        keep(folder / "a", "text")
    assert not list(folder.iterdir())


def test_a_file_that_others_can_write_is_not_read(folder):
    keep(folder / "a", "text")
    (folder / "a").chmod(0o664)
    with pytest.raises(PermissionError, match="another user"):
        read_kept(folder / "a")


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_what_belongs_to_another_user_is_not_used(folder, tmp_path):
    keep(folder / "a", "text")
    os.chown(folder / "a", OTHER, OTHER)
    with pytest.raises(PermissionError, match="another user"):
        read_kept(folder / "a")
    os.chown(folder, OTHER, OTHER)
    assert cache_folder() is None
    ours = folder.rename(tmp_path / "ours")
    os.chown(ours, 0, 0)
    folder.symlink_to(ours)
    assert cache_folder() == folder
    os.chown(folder, OTHER, OTHER, follow_symlinks=False)  # into a folder of ours, whose files would be tidied away
    assert cache_folder() is None


def test_what_never_ends_is_no_file_of_the_cache(folder):
    keep(folder / "a", "text")
    (folder / "a").unlink()
    os.mkfifo(folder / "a")
    with pytest.raises(OSError, match="named pipe"):
        read_kept(folder / "a")
