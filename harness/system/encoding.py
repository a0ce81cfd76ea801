"""Standard output and error in any encoding: what it lacks is written in ASCII, and ends no command."""

from __future__ import annotations

import codecs
import sys
from io import TextIOWrapper

ERRORS = "harness.ascii"
LIKE = {"\u2212": "-", "\u2013": "-", "\u2014": "-", "\u2026": "...", "\u2192": "->", "\u2265": ">=", "\u2264": "<="}


def write_every_character() -> None:
    """Let standard output and error take every text: a minus sign as ``-``, what is like nothing as ``\\u03b5``."""
    codecs.register_error(ERRORS, _in_ascii)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=ERRORS)


def _in_ascii(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    character, end = error.object[error.start], error.start + 1
    if "\udc80" <= character <= "\udcff":  # a byte of a file's name that is in no encoding
        return bytes([ord(character) - 0xDC00]), end
    return LIKE.get(character) or character.encode("ascii", "backslashreplace").decode(), end
