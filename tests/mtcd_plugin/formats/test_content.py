"""Content of files by hash: what a reader of the bytes would say, whatever sizes and times claim."""

import os
import subprocess
import sys
import threading

import pytest
from blake3 import blake3

from mtcd_plugin.formats import content
from mtcd_plugin.formats.content import cache_file, content_hashes, renew_content
from tests.helpers.tiny_data import zero_in_secret


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(content, "SETTLED_S", 0.0)
    monkeypatch.setattr(content, "_known", {})
    monkeypatch.setattr(content, "_warned", set())


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / "data" / f"{number}.mp4" for number in range(100)]
    paths[0].parent.mkdir()
    for number, path in enumerate(paths):
        path.write_bytes(bytes([number]) * (number * 1000))
    return [str(path) for path in paths]


@pytest.fixture
def reads(monkeypatch):
    """Paths that were read, in the order of reading."""
    seen = []
    read = content._read
    monkeypatch.setattr(content, "_read", lambda path: (seen.append(path), read(path))[1])
    return seen


def forget() -> None:
    """As a new process: only what is on the disk is known."""
    content._known.clear()


def test_hashes_are_those_of_the_bytes_and_every_file_is_read_once(files, reads):
    expected = {path: blake3(open(path, "rb").read()).hexdigest() for path in files}  # noqa: SIM115
    assert content_hashes(files) == expected and sorted(reads) == sorted(files)
    forget()
    assert content_hashes(files) == expected and len(reads) == len(files)
    assert not cache_file().parent.joinpath("data").exists() and len(os.listdir(os.path.dirname(files[0]))) == 100


def test_equal_size_and_restored_times_hide_nothing(files, reads):
    before = content_hashes(files)
    zero_in_secret(files[7])
    after = content_hashes(files)
    assert {path for path in files if before[path] != after[path]} == {files[7]} and reads[100:] == [files[7]]
    assert after[files[7]] == blake3(bytes(7000)).hexdigest()


def test_a_file_in_the_place_of_another_counts_anew(files):
    """As rsync writes: a new inode under the old name, with the old size and time."""
    before = content_hashes(files)
    stat = os.stat(files[5])
    with open(files[5] + ".new", "wb") as file:
        file.write(bytes(5000))
    os.utime(files[5] + ".new", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    os.rename(files[5] + ".new", files[5])
    assert content_hashes(files)[files[5]] != before[files[5]]


def test_a_file_that_has_just_changed_is_not_kept(files, reads, monkeypatch):
    monkeypatch.setattr(content, "SETTLED_S", 3600.0)
    assert content_hashes(files) == content_hashes(files)
    assert len(reads) == 200 and not cache_file().exists()


def test_missing_files(files, tmp_path):
    gone = str(tmp_path / "gone.mp4")
    with pytest.raises(FileNotFoundError) as caught:
        content_hashes([*files, gone])
    assert caught.value.filename == gone
    assert content_hashes([gone, files[0]], missing_ok=True) == {gone: "", files[0]: blake3(b"").hexdigest()}


def test_a_file_that_changes_while_it_is_read_is_an_error(tmp_path, monkeypatch):
    path = tmp_path / "growing.mp4"
    path.write_bytes(b"x" * 100)
    fstat, calls = os.fstat, []

    def growing(number):
        calls.append(number)
        if len(calls) == 2:
            path.open("ab").write(b"y")
        return fstat(number)

    monkeypatch.setattr(content.os, "fstat", growing)
    with pytest.raises(OSError, match=r"growing\.mp4: changed while it was read; run the same command again"):
        content_hashes([str(path)])


@pytest.mark.parametrize("spoil", ["damaged", "folder", "readonly"])
def test_without_a_usable_cache_the_hashes_are_the_same_and_it_is_said_once(
    files, tmp_path, monkeypatch, caplog, spoil
):
    expected = content_hashes(files)
    forget()
    if spoil == "damaged":
        cache_file().write_bytes(b"not a database" * 100)
    elif spoil == "folder":
        cache_file().unlink()
        cache_file().mkdir()
    else:
        monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    assert content_hashes(files) == expected == content_hashes(files)
    err = "\n".join(r.getMessage() for r in caplog.records if r.levelname == "WARNING")
    assert "content.sqlite: cannot be used" in err and "XDG_CACHE_HOME" in err
    assert len(err.splitlines()) <= 2  # reading and writing may fail for two reasons


def test_renewing_finds_what_no_time_tells(files, monkeypatch):
    """A file system without a true ctime: the state stays equal, the content does not."""
    monkeypatch.setattr(content, "_state", lambda stat: f"1 {stat.st_size} {stat.st_mtime_ns} 0")
    old = content_hashes(files)
    assert renew_content(files) == []
    zero_in_secret(files[9])
    assert content_hashes(files) == old
    assert renew_content([*files, "gone"]) == [files[9]]
    forget()
    assert content_hashes(files)[files[9]] == blake3(bytes(9000)).hexdigest()


def test_progress_is_said_in_lines(files, monkeypatch):
    monkeypatch.setattr(content, "FIRST_LINE_S", 0.0)
    monkeypatch.setattr(content, "EVERY_S", 0.0)
    lines = []
    content_hashes(files, say=lines.append)
    assert len(lines) == 100 and lines[-1].startswith("content of files (read once): 100 of 100, 0.0 GiB at ")
    assert "s left" in lines[0] and not any("\r" in line or "\n" in line for line in lines)


def test_processes_and_threads_share_a_cache(files, monkeypatch):
    command = (
        "import sys; from mtcd_plugin.formats import content as c; c.SETTLED_S = 0; c.content_hashes(sys.argv[1:])"
    )
    started = [subprocess.Popen([sys.executable, "-c", command, *files[n::2], *files[:60]]) for n in range(2)]
    threads = [threading.Thread(target=content_hashes, args=(files,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait() for process in started] == [0, 0]
    forget()
    monkeypatch.setattr(content, "_read", None)  # nothing is left to read
    assert len(content_hashes(files)) == 100
