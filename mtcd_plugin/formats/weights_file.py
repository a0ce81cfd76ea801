"""Files of starting weights: a path, ``file://`` or ``http(s)://``, and the sha256 of their content. Without torch."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import urllib.request
from dataclasses import dataclass
from functools import lru_cache
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError
from urllib.parse import unquote, urlsplit

SHA256 = re.compile(r"[0-9a-f]{64}")
PUBLISHED = re.compile(
    r"-([0-9a-f]{8,64})\.\w+$"
)  # PyTorch and OpenMMLab end a file's name with the start of its sha256


@dataclass(frozen=True)
class WeightsFile:
    """Where starting weights come from.

    Attributes:
        name: how records call it: the address, or a path's last part.
        path: where it lies, or will lie once it is downloaded.
        url: its address, "" for a local file.
        sha256: what its content must have: the whole of it as ``#sha256=...`` after the source says, or its beginning
            as the name of a published file does; "" where nothing is known.
    """

    name: str
    path: Path
    url: str = ""
    sha256: str = ""


def cache_folder() -> Path:
    """PyTorch's cache of downloaded weights, which MMEngine uses as well; ``TORCH_HOME`` moves it."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("TORCH_HOME") or os.path.join(cache, "torch")
    return Path(home).expanduser() / "hub" / "checkpoints"


def split_sha256(source: str) -> tuple[str, str]:
    """A path or address without ``#sha256=...``, and that sha256; "" where there is none. Other ``#`` stay in the name.

    Raises:
        ValueError: a sha256 that is none.
    """
    place, sep, sha256 = source.rpartition("#sha256=")
    if not sep:
        return source, ""
    if not SHA256.fullmatch(sha256):
        raise ValueError(f"starting weights {source}: after # goes sha256=<64 hexadecimal digits>")
    return place, sha256


def weights_file(source: str) -> WeightsFile:
    """The file that a config names: a path, ``file://`` or ``http(s)://``,
    each with ``#sha256=...`` after it or without.

    Raises:
        ValueError: another scheme (``torchvision://``, ``s3://``, ...), or a sha256 that is none.
    """
    place, sha256 = split_sha256(source)
    scheme, sep, rest = place.partition("://")
    if not sep:
        path = Path(place).expanduser().absolute()
        return WeightsFile(path.name, path, sha256=sha256)
    if scheme == "file":
        path = Path(unquote(rest))
        if not path.is_absolute():
            raise ValueError(f"starting weights {source}: file:// needs an absolute path, so three slashes")
        return WeightsFile(path.name, path, sha256=sha256)
    if scheme not in ("http", "https"):
        raise ValueError(
            f"starting weights {source}: '{scheme}://' is not supported; give a path, "
            "file:///path, or the http(s) address"
        )
    parts = urlsplit(place)
    if parts.fragment:
        raise ValueError(f"starting weights {source}: after # goes sha256=<64 hexadecimal digits>")
    name = Path(unquote(parts.path)).name
    if not name:
        raise ValueError(f"starting weights {source}: the address names no file")
    if not sha256 and (found := PUBLISHED.search(name)) and not found[1].startswith("20"):  # not a date
        sha256 = found[1]
    return WeightsFile(place, cache_folder() / name, place, sha256)


def known_sha256(file: WeightsFile) -> str:
    """sha256 of a file's content, without downloading anything.

    Raises:
        FileNotFoundError: it is not there, and its sha256 is not given. ValueError: its content is not what it must be.
    """
    if file.url and not file.path.is_file() and SHA256.fullmatch(file.sha256):
        return file.sha256
    if not file.path.is_file():
        raise FileNotFoundError(absent(file))
    found = content_sha256(file.path)
    if not found.startswith(file.sha256):
        again = f"remove it and download {file.url} again" if file.url else "copy it again, or fix the sha256"
        raise ValueError(
            f"starting weights {file.path}: sha256 {found[:12]}... instead of "
            f"{file.sha256[:12]}...: cut short or another file; "
            f"{again}"
        )
    return found


def fetch(file: WeightsFile) -> Path:
    """A file's place on this machine; an address that is not cached is downloaded.

    Raises:
        FileNotFoundError, ValueError: as :func:`known_sha256`. ConnectionError: it cannot be downloaded.
    """
    if file.url and not file.path.is_file():
        _download(file)
    if not file.path.is_file():
        raise FileNotFoundError(absent(file))
    if file.sha256:
        known_sha256(file)
    return file.path


def absent(file: WeightsFile) -> str:
    """What to say of a file that is not there."""
    if file.url:
        return (
            f"starting weights {file.url} are not in the cache; download them to {file.path}, "
            "or add #sha256=<their sha256> to the address to have them downloaded"
        )
    return f"starting weights {file.path} do not exist; fix the path in the config"


def content_sha256(path: Path) -> str:
    """sha256 of a file as it is now, hashed once as long as it does not change."""
    stat = path.stat()
    return _sha256(str(path), stat.st_ino, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=256)
def _sha256(path: str, inode: int, size: int, mtime_ns: int) -> str:  # noqa: ARG001  parts of the cache's key
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        while block := f.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _download(file: WeightsFile) -> None:
    """Whole or not at all, so that several processes may ask for it at once."""
    file.path.parent.mkdir(parents=True, exist_ok=True)
    fd, tmp = tempfile.mkstemp(dir=file.path.parent, prefix=f".{file.path.name}.")
    try:
        # a web address: a path has no URL
        with os.fdopen(fd, "wb") as out, urllib.request.urlopen(file.url, timeout=60) as answer:  # noqa: S310
            expected = answer.headers.get("Content-Length")
            while block := answer.read(1 << 20):
                out.write(block)
            if expected is not None and out.tell() != int(expected):
                raise ConnectionError(f"{out.tell()} of {expected} bytes came")
        os.chmod(tmp, 0o644)
        os.replace(tmp, file.path)
    except (URLError, HTTPException, ConnectionError, TimeoutError) as e:
        raise ConnectionError(
            f"starting weights {file.url} cannot be downloaded ({e}); put the file at {file.path}"
        ) from None
    finally:
        Path(tmp).unlink(missing_ok=True)
