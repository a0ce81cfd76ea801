"""Fonts of figures: names of classes and methods are a user's, in any script."""

from __future__ import annotations

import atexit
import functools
import os
import re
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import BadUsage
from harness.system.disk import check_writable

# After matplotlib's own font, where they are installed: families with Chinese, Japanese or Korean, then other scripts.
FURTHER = (
    *(
        "Noto Sans CJK SC",
        "Noto Sans CJK JP",
        "Source Han Sans SC",
        "WenQuanYi Zen Hei",
        "WenQuanYi Micro Hei",
        "Droid Sans Fallback",
    ),
    *("Noto Sans", "Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans Devanagari", "Noto Sans Thai", "Unifont"),
)


def give_folder() -> None:
    """Where matplotlib could not write its list of fonts, give it a folder that lasts as long as this process, before
    it is imported: it would make one as well, and say so in lines of its own.
    """
    if "matplotlib" in sys.modules:
        return
    own = os.environ.get("MPLCONFIGDIR")
    usual = {"XDG_CONFIG_HOME": "~/.config", "XDG_CACHE_HOME": "~/.cache"}
    places = [own] if own else [os.environ.get(name) or os.path.expanduser(home) for name, home in usual.items()]
    try:
        for place in places:
            check_writable(Path(place) if own else Path(place, "matplotlib"), "MPLCONFIGDIR")
    except (BadUsage, OSError):
        os.environ["MPLCONFIGDIR"] = folder = tempfile.mkdtemp(prefix="matplotlib-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)


@functools.cache
def families() -> list[str]:
    """What matplotlib looks a letter up in, in this order. Its list of fonts is made once and kept in the user's cache:
    fonts that were installed since are added."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    listed = {font.fname for font in fontManager.ttflist}
    for path in findSystemFonts():
        if path not in listed:
            try:
                fontManager.addfont(path)
            except (OSError, RuntimeError):  # none that FreeType reads
                continue
    names = set(fontManager.get_font_names())
    return ["sans-serif", *(name for name in FURTHER if name in names)]


@contextmanager
def missing_letters() -> Iterator[list[str]]:
    """Yields what is, in the end, a list of the letters that no font has. matplotlib warns whenever it draws one."""
    letters: dict[str, None] = {}
    found: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield found
    for one in caught:
        if glyph := re.match(r"Glyph (\d+) .*missing from font", str(one.message)):
            letters[chr(int(glyph[1]))] = None
        else:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
    found += letters
