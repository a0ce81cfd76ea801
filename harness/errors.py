"""Usage errors (exit code 2; all others have 1), and the texts that messages share."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

MOST_SEEDS = 1000  # of a cell: each of them is planned, and listed


def one_line(e: BaseException) -> str:
    """What an error says, with the path that it is about."""
    if isinstance(e, OSError) and e.filename and e.strerror:
        return f"{e.filename}: {e.strerror}"
    return " ".join(str(e).split())


class BadUsage(ValueError):
    """An option or argument whose value is of no use; the message names it and, where there are any,
    the valid choices.
    """


def unknown_name(what: str, name: object, choices: Iterable[object]) -> str:
    """The text of an error about a name that is none of the valid ones: the name, what is like it, and all choices.

    ``unknown table 'tabel2' (near: table2); choose from table2, table3``
    """
    known = [str(choice) for choice in choices]
    return (
        f"unknown {what} '{name}'{near(str(name), known)}; choose from {', '.join(known) or 'nothing: there is none'}"
    )


def count(n: int, noun: str, plural: str = "") -> str:
    """``1 job``, ``2 jobs``; ``plural`` where an s is not enough."""
    return f"{n} {noun if n == 1 else plural or noun + 's'}"


def near(name: str, known: Iterable[str]) -> str:
    """What may have been meant by a name that is not known, to be put into a message; "" where nothing is like it."""
    found = get_close_matches(name, known, n=3, cutoff=0.6)
    return f" (near: {', '.join(found)})" if found else ""
