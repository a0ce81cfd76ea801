"""Usage errors (exit code 2), a lost engine (75; all others have 1), and the texts that messages share."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

REINSTALL = "pip install -c constraints.txt -e ."
EXIT_ENGINE_LOST = 75  # as sysexits.h has it: a failure that passes, try again
NEAR = 3  # names at most that are said to be like one
NAMED_OTHERS = 3  # values beside the usual one that are named
MOST_SEEDS = 1000  # of a cell: each of them is planned, and listed


def one_line(e: BaseException) -> str:
    """What an error says, with the path that it is about."""
    if isinstance(e, OSError) and e.filename and e.strerror:
        return f"{e.filename}: {e.strerror}"
    return " ".join(str(e).split())


def not_installed(e: ModuleNotFoundError) -> str:
    """What to do where this Python lacks a package that the harness needs: mostly it is another than it was installed
    in.
    """
    return (
        f"{sys.executable} has no module {e.name}: activate the environment that the harness was installed in "
        f"(. .venv/bin/activate), or install it there: {REINSTALL}"
    )


class BadUsage(ValueError):
    """An option or argument whose value is of no use; the message names it and, where there are any,
    the valid choices.
    """


class EngineLost(Exception):
    """The cluster no longer answers, and its jobs may run on; one line. The same command goes on once it does."""


class QueueFull(Exception):
    """The cluster takes no more jobs for now; one line. They are submitted later."""


def unknown_name(what: str, name: object, choices: Iterable[object], listed_by: str = "") -> str:
    """The text of an error about a name that is none of the valid ones: the name, what is like it, and all choices.

    ``unknown table 'tabel2' (near: table2); choose from table2, table3``

    Args:
        listed_by: the command that lists the choices, where they are too many for a line.
    """
    known = [str(choice) for choice in choices]
    all_of_them = f"choose from {', '.join(known) or 'nothing: there is none'}"
    return f"unknown {what} '{name}'{near(str(name), known)}; " + (
        f"`{listed_by}` lists them" if listed_by else all_of_them
    )


def count(n: int, noun: str, plural: str = "") -> str:
    """``1 job``, ``2 jobs``; ``plural`` where an s is not enough."""
    return f"{n} {noun if n == 1 else plural or noun + 's'}"


def first_of(said: Sequence[str], most: int = 1, what: str = "") -> str:
    """The first few of several lines as one, with how many more there are; a single one more is said instead."""
    if len(said) <= most + 1:
        return "; ".join(said)
    return f"{'; '.join(said[:most])} (and {len(said) - most} more{what and f' {what}'})"


def with_others(most: str, others: Mapping[str, int]) -> str:
    """What most clips have, and what the others have: ``25 (3 clips 15, 3 clips 29.97)``; of these the first few."""
    named = list(others.items())[:NAMED_OTHERS]
    said = [f"{count(n, 'clip')} {value}" for value, n in named]
    if rest := sum(others.values()) - sum(n for _, n in named):
        said.append(f"{count(rest, 'clip')} other")
    return f"{most} ({', '.join(said)})" if said else most


def near(name: str, known: Iterable[str]) -> str:
    """What may have been meant by a name that is not known, to be put into a message; "" where nothing is like it.

    Capitals make no difference; a part of three letters or more stands for names that have it: first those that begin
    with it, then the shortest.
    """
    asked, small = name.lower(), {k.lower(): k for k in known}
    like = get_close_matches(asked, small, n=NEAR, cutoff=0.6)
    parts = (
        sorted((k for k in small if asked in k), key=lambda k: (k.find(asked) > 0, len(k))) if len(asked) > 2 else []
    )
    initials = "".join(word[0] for word in re.split("[_ -]+", asked) if word)
    short = [initials] if len(initials) > 1 and initials in small else []  # learning_rate: lr
    found = list(dict.fromkeys([*like, *parts, *short]))[:NEAR]
    return f" (near: {', '.join(small[k] for k in found)})" if found else ""
