"""What more can be said of a file that is not there, or that is no video."""

from __future__ import annotations

import os
import unicodedata
from functools import lru_cache
from pathlib import Path

PICTURES = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")


def more_of(path: str | os.PathLike[str]) -> str:
    """The rest of an error about a file that cannot be read as a video; "" where nothing more is known.

    The same name in another Unicode form (é as one character, or as e and an accent, which file managers show alike)
    or in other capitals, in whichever folder of the path, or that it is a picture.
    """
    if os.path.isfile(path):
        kind = _picture(path)
        return f"; it is a picture ({kind}), and clips are read from videos alone (MP4, MKV, AVI)" if kind else ""
    place = Path(path)
    while not os.path.lexists(place) and not os.path.isdir(place.parent):
        place = place.parent
    if os.path.lexists(place):
        return ""
    there = _names(str(place.parent), os.stat(place.parent).st_mtime_ns).get(_alike(place.name))
    if there is None:
        return ""
    if _composed(there) != _composed(place.name):
        return f"; {place.parent} has {there}, in other capitals"
    return (
        f"; {place.parent} has that name in another Unicode form ({_form(there)}, not {_form(place.name)}): write the "
        "file's own name, or rename the file"
    )


def _picture(path: str | os.PathLike[str]) -> str:
    from PIL import Image

    try:
        with Image.open(path, formats=PICTURES) as image:
            return image.format or ""
    except (OSError, Image.DecompressionBombError):  # none, or none that can be read either
        return ""


@lru_cache(maxsize=64)
def _names(folder: str, _changed: int) -> dict[str, str]:
    """The names in a folder by what is alike of them."""
    try:
        return {_alike(name): name for name in sorted(os.listdir(folder))}
    except OSError:  # may be entered and not listed
        return {}


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _alike(name: str) -> str:
    return _composed(_composed(name).casefold())


def _form(name: str) -> str:
    return next((form for form in ("NFC", "NFD") if unicodedata.is_normalized(form, name)), "mixed")
