"""Annotation tables: CSV files with a header, and the numbers, file names and people in them."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from mtcd_plugin.formats.text import read_lines

FPS = (1.0, 1000.0)  # frames per second
LAST_FRAME = 10_000_000  # the end of a window, in frames: 111 hours at 25 fps
LONGEST_OFFSET_S = 86_400.0  # between the starts of two streams
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
SHOWN = 40  # characters of a value in a message


def read_rows(
    path: Path, columns: Sequence[str], what: str, problems: list[str] | None = None
) -> Iterator[tuple[str, dict[str, str]]]:
    """Rows of a CSV file with a header, one per line, as (where, values without spaces around).

    With ``problems``, a malformed row is described there, and the rows after it are still read. A file that
    cannot be read or has no proper header (see ``read_header``) raises in any case.
    """
    header = read_header(path, columns, what)
    for number, line in enumerate(read_lines(path, what)[1:], 2):
        where = f"{path} line {number}"
        try:
            values = _fields(line, where)
            if any(values) and len(values) != len(header):
                raise ValueError(f"{where}: {len(values)} fields where the header has {len(header)}")
            for name, value in zip(header, values, strict=False):
                check_characters(value, name, where)
        except ValueError as error:
            if problems is None:
                raise
            problems.append(str(error))
        else:
            if any(values):
                yield where, dict(zip(header, values, strict=True))


def read_header(path: Path, columns: Sequence[str], what: str) -> list[str]:
    """Names of the columns in the first line; columns without a name are ''.

    Raises:
        FileNotFoundError, ValueError: one line: the file cannot be read, its first line is blank or a comment,
        fields are not separated by commas, a column is missing, or two have one name.
    """
    lines = read_lines(path, what)
    where, expected = f"{path} line 1", ",".join(columns)
    first = lines[0] if lines else ""
    if not first.strip():
        wrong = "is blank" if lines else "is missing (the file is empty)"
        raise ValueError(f"{path}: line 1 {wrong}; the header must be there: {expected}")
    if first.lstrip().startswith("#"):
        raise ValueError(f"{where} is a comment; remove it, the header must be there: {expected}")
    if first.lower().startswith("sep="):
        raise ValueError(f"{where} is Excel's {first[:SHOWN]!r}; remove it, the header must be there: {expected}")
    header = _fields(first, where)
    for sign, name in SEPARATORS.items():
        split = {field.strip().strip('"') for field in first.split(sign)}
        if len(split.intersection(columns)) > len(set(header).intersection(columns)):
            raise ValueError(f"{where}: the fields are separated by {name}; save the table with commas")
    if missing := [name for name in columns if name not in header]:
        if other := [name for name in header if name.lower() == missing[0]]:
            raise ValueError(f"{where}: column {other[0]!r} must be written {missing[0]!r}; expected {expected}")
        found = ",".join(header)
        found = found if len(found) <= 3 * len(expected) else f"{found[: 3 * len(expected)]}..."
        raise ValueError(f"{where}: column {missing[0]!r} is missing; expected {expected}; found {found}")
    for name in header:
        places = [str(place) for place, other in enumerate(header, 1) if other == name]
        if name and len(places) > 1:
            text = f"columns {' and '.join(places)} are both named {name!r}; remove or rename one"
            raise ValueError(f"{where}: {text}")
    return header


def unread_columns(path: Path, columns: Sequence[str], what: str, optional: Sequence[str] = ()) -> str:
    """One line that names the columns that nothing reads, '' where there are none."""
    known = (*columns, *optional)
    names = [repr(name) for name in read_header(path, columns, what) if name not in known]
    if not names:
        return ""
    return f"{path.name}: nothing reads the columns {', '.join(names)}; those that are read: {', '.join(known)}"


def whole_number(text: str, name: str, where: str, low: int, high: int) -> int:
    """A whole number of a table, also as ``50.0``: pandas writes a column so that has an empty cell."""
    match = re.fullmatch(r"(-?[0-9]{1,18})(\.0*)?", text)
    if match is None or not low <= int(match.group(1)) <= high:
        raise ValueError(f"{where}: {name} must be a whole number from {low} to {high}, found {text[:SHOWN]!r}")
    return int(match.group(1))


def real_number(text: str, name: str, where: str, low: float, high: float) -> float:
    """A number of a table."""
    try:
        value = float(text) if text.isascii() and "_" not in text else None
    except ValueError:
        value = None
    if value is None or not low <= value <= high:
        raise ValueError(f"{where}: {name} must be a number from {low:g} to {high:g}, found {text[:SHOWN]!r}")
    return value


def relative_path(text: str, name: str, where: str) -> str:
    """A file name of a table, relative to the data set's folder.

    Absolute names and ``..`` are refused. What is a link below the folder is followed wherever it leads: data
    sets are often spread over disks in that way, and the owner of the folder made the link.
    """
    path = PurePosixPath(text)
    if path.is_absolute():
        problem = "is absolute"
    elif ".." in path.parts:
        problem = "contains '..'"
    elif "\\" in text:
        problem = "contains a backslash"
    elif not text.isprintable():
        problem = "contains a character that cannot be printed"
    else:
        return text
    raise ValueError(
        f"{where}: {name} {text!r} {problem}; write it relative to the data set's folder, with '/' "
        "(to keep videos elsewhere, put a link into the folder)"
    )


def person_key(name: str) -> str:
    """Equal for two ids of a person that differ in case, Unicode form or spaces around alone, or that are one whole
    number (spreadsheets make 1.0 of 1, and 1 of 01).
    """
    key = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name.strip()).casefold())
    number = re.fullmatch(r"([0-9]+)(\.0*)?", key)
    return number[1].lstrip("0") or "0" if number else key


def check_characters(text: str, name: str, where: str) -> None:
    """ValueError for control characters, NUL among them: file systems and pages cannot hold them in a name."""
    if not text.isprintable() and any(unicodedata.category(char) == "Cc" for char in text):  # the first is fast
        raise ValueError(f"{where}: {name} {text[:SHOWN]!r} contains a control character; remove it")


def check_clip_id(text: str, where: str) -> None:
    """ValueError for the id of a clip that is empty or has parts of a path above it: files are named after it."""
    if not text:
        raise ValueError(f"{where}: clip_id is empty")
    if text.startswith("/") or "\\" in text or {".", ".."} & set(text.split("/")):
        raise ValueError(f"{where}: clip_id {text[:SHOWN]!r} is a path; write a plain name")


def _fields(line: str, where: str) -> list[str]:
    try:
        return [value.strip() for value in next(csv.reader([line], strict=True), [])]
    except csv.Error as error:
        raise ValueError(f"{where}: {error}") from None
