"""Whether files and folders have names that can be written down."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from harness.errors import BadUsage


def check_names(words: Iterable[str]) -> None:
    """Raise BadUsage where a word of the command line, or the current folder, is no text in the encoding of file names:
    records and pages name their files, so that none of them could be written.
    """
    for word in (*words, os.getcwd()):
        try:
            word.encode()
        except UnicodeEncodeError:
            said = os.fsencode(word).decode("ascii", "backslashreplace")
            raise BadUsage(
                f"{said}: is no text in the encoding of this system's file names ({sys.getfilesystemencoding()}); set "
                "a UTF-8 locale (export LC_ALL=C.UTF-8), or rename it"
            ) from None
