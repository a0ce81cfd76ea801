"""Files that are there whole or not at all, and on the disk before what says so."""

import os
import stat

import pytest

from harness.errors import one_line
from harness.ledger import files
from harness.ledger.files import atomic_replace, sync_folder, write_text_atomically
from harness.ledger.store import write_record
from tests.helpers.bare_record import record_of
from tests.helpers.small_files import files_of_at_most


@pytest.fixture
def calls(monkeypatch):
    """What reached the disk, and what was renamed, in order."""
    made = []
    real_sync, real_replace = os.fsync, os.replace
    monkeypatch.setattr(files.os, "fsync", lambda fd: (made.append(os.readlink(f"/proc/self/fd/{fd}")), real_sync(fd)))
    monkeypatch.setattr(files.os, "replace", lambda a, b: (made.append(("rename", str(b))), real_replace(a, b)))
    return made


def test_the_content_is_on_the_disk_before_the_name_and_the_name_before_the_return(tmp_path, calls):
    path = tmp_path / "new" / "file"
    write_text_atomically(path, "content")
    assert path.read_text() == "content" and stat.S_IMODE(path.stat().st_mode) == 0o644
    beside, rename, folder = calls
    assert os.path.basename(beside).startswith(".file.") and rename == ("rename", str(path))
    assert folder == str(path.parent)
    write_text_atomically(path, "heartbeat", sync=False)
    assert len(calls) == 4


def test_what_fails_leaves_the_old_content_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def refuse():
        raise KeyError("not now")

    def fail_in_the_block():
        with atomic_replace(path) as beside:
            beside.write_text("half")
            refuse()

    with pytest.raises(KeyError):
        fail_in_the_block()
    with pytest.raises(KeyError), atomic_replace(path, check=refuse) as beside:
        beside.write_text("half")
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["file"]


def test_all_that_a_run_wrote_is_on_the_disk_before_its_record(tmp_path, calls):
    folder = tmp_path / "runs" / "toy-0"
    outputs = ["checkpoint.pth", "predictions.parquet", "log.txt", "store/frames.bin", "strips/index.json"]
    passing = ["mm/last.pth", "lock/1/claim.json"]
    for name in outputs + passing:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    write_record(folder, record_of("done"))
    at = calls.index(("rename", str(folder / "run.json")))
    before, after = calls[:at], calls[at + 1 :]
    assert {str(folder / name) for name in outputs} <= set(before)
    assert {str(folder), str(folder / "store"), str(folder / "strips")} <= set(before)
    assert not {str(folder / name) for name in passing} & set(calls)
    assert after == [str(folder), str(folder.parent)]


def test_a_file_system_that_cannot_sync_folders_is_put_up_with(tmp_path, monkeypatch):
    import errno

    def fsync(number):
        def fail(fd):
            raise OSError(number, os.strerror(number))

        return fail

    monkeypatch.setattr(files.os, "fsync", fsync(errno.EINVAL))
    sync_folder(tmp_path)
    monkeypatch.setattr(files.os, "fsync", fsync(errno.EIO))
    with pytest.raises(OSError, match="Input/output"):
        sync_folder(tmp_path)


def test_what_is_written_beside_keeps_the_suffix_that_writers_go_by(tmp_path):
    with atomic_replace(tmp_path / "sheet.png", sync=False) as beside:
        assert beside.suffix == ".png" and beside.name.startswith(".sheet.png.") and beside.parent == tmp_path


def test_a_write_that_fails_names_the_file(tmp_path):
    path = tmp_path / "file"
    with pytest.raises(OSError, match="too large") as e, files_of_at_most(1000):
        write_text_atomically(path, "x" * 5000)
    assert one_line(e.value) == f"{path}: File too large" and list(tmp_path.iterdir()) == []
