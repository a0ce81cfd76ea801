"""Files that are there whole or not at all, after a power cut too."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

AT_FDCWD, RENAME_EXCHANGE = -100, 2  # of renameat2(2)
NO_FOLDER_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES, errno.EISDIR)  # some network file systems


class NotAFile(OSError):
    """A folder, a pipe or a device has the place of a file. The message is one line."""


def kind_of(path: Path) -> str:
    """What lies at a path, links followed: "file", "folder", "named pipe", "socket", "device"; "" for nothing.

    Raises:
        OSError: it cannot be told.
    """
    try:
        return _kind(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as e:
        if e.errno == errno.ELOOP:
            return "link to itself"
        raise


def _kind(mode: int) -> str:
    known = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFIFO: "named pipe", stat.S_IFSOCK: "socket"}
    return known.get(stat.S_IFMT(mode), "device")


def open_file(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a file for reading, never what would wait for a writer or has no end.

    Raises:
        NotAFile: it is a folder, a pipe or a device. OSError: it cannot be opened.
    """
    try:
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError as e:
        if e.errno == errno.ENXIO:
            raise NotAFile(f"{path}: is a socket or device, not a file") from None
        raise
    kind = _kind(os.fstat(fd).st_mode)
    if kind != "file":
        os.close(fd)
        raise NotAFile(f"{path}: is a {kind}, not a file")
    return os.fdopen(fd, "rb")


def read_file(path: Path, most: int) -> bytes:
    """The content of a file. Raises ``open_file``'s errors, and ValueError where it has more than ``most`` bytes."""
    with open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        content = file.read(min(size, most) + 1)  # room for ``most`` would be made, and cleared, each time
        if len(content) > size:  # it has grown, or does not say how long it is
            content += file.read(max(0, most + 1 - len(content)))
    if len(content) > most:
        raise ValueError(f"{path}: larger than {most >> 20} MiB")
    return content


def _nothing() -> None:
    """No check."""


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Errors of the block name the file: of a write that fails (too large, a bad disk), the system does not."""
    try:
        yield
    except OSError as e:
        if e.errno is not None and e.filename is None:
            e.filename = str(path)
        raise


@contextmanager
def atomic_replace(path: Path, sync: bool = True, check: Callable[[], None] = _nothing) -> Iterator[Path]:
    """Write a file beside its place, then rename it into place in one step.

    Gives the path to write to, an empty file with the same suffix in the same folder, which is made where it is
    missing; the file gets mode 644. Readers, and whoever comes after a power cut, find the old content or the new one,
    never a part: content and folder are on the disk when this returns. Where the block raises, ``path`` stays as it
    was.

    Args:
        sync: False where a power cut may take the file, as with a heartbeat.
        check: called last before the rename; what it raises stops it. For locks: nothing but the rename follows.

    Example:
        ``with atomic_replace(folder / "weights.pth") as file: torch.save(state, file)``
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    fd, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    os.close(fd)
    beside = Path(name)
    try:
        with writing_to(path):
            yield beside
        os.chmod(beside, 0o644)
        if sync:
            sync_file(beside)
        check()
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    if sync:
        sync_folder(path.parent)


def write_text_atomically(path: Path, text: str, sync: bool = True, check: Callable[[], None] = _nothing) -> None:
    """Write a text file with ``atomic_replace``."""
    with atomic_replace(path, sync, check) as beside:
        beside.write_text(text, encoding="utf-8")


def exchange(a: Path, b: Path) -> bool:
    """Give two files or folders each other's place in one step, so that neither is ever missing; False where the system
    or the file system cannot (Linux alone has renameat2).
    """
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    if rename(AT_FDCWD, os.fsencode(a), AT_FDCWD, os.fsencode(b), RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), str(b))


def refuse_link(path: Path) -> None:
    """OSError where ``path`` is a link: what is written or removed through one lies elsewhere."""
    if Path(path).is_symlink():
        raise OSError(f"{path}: is a link; nothing is written or removed through it, remove it and run again")


@contextmanager
def lock_file(path: Path) -> Iterator[int]:
    """The descriptor of a file to lock, made where it is missing. Its content stays as it is; OSError for a link."""
    refuse_link(path)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    try:
        yield fd
    finally:
        os.close(fd)


def sync_file(path: Path) -> None:
    """Force a file's content to the disk, whoever wrote it."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_folder(path: Path) -> None:
    """Force the names in a folder to the disk, where its file system can."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    except OSError as e:
        if e.errno not in NO_FOLDER_SYNC:
            raise
    finally:
        os.close(fd)


def sync_tree(root: Path, leave_out: Iterable[str] = ()) -> None:
    """Force all files and folders below a folder to the disk. ``leave_out``: names directly below it."""
    for place, folders, files in os.walk(root):
        if Path(place) == Path(root):
            folders[:] = [f for f in folders if f not in leave_out]
        for name in files:
            file = Path(place, name)
            if file.is_file() and not file.is_symlink():
                sync_file(file)
        sync_folder(Path(place))


def sha256_of(path: Path) -> str:
    """sha256 hex of a file's bytes."""
    h = hashlib.sha256()
    with open_file(path) as f:
        while block := f.read(1 << 20):
            h.update(block)
    return h.hexdigest()
