"""Marks behind numbers that are not those of the present config, code and data, and the notes that explain them."""

from __future__ import annotations

from collections.abc import Iterable

from reports.format import count
from reports.ledger.adopted import MARK, NAMED
from reports.ledger.results import STATUS, Result

OLDER_MARK = "‡"
MEANING = {MARK: "made with adopted runs", OLDER_MARK: "of an older config, code or data"}
SHORT = {MARK: "adopted", OLDER_MARK: "older"}


def marks_of(*results: Result | None) -> str:
    """The marks of a number that is made of these results; "" where it needs none."""
    known = [r for r in results if r is not None and r.done]
    return MARK * any(r.adopted for r in known) + OLDER_MARK * any(r.older for r in known)


def meaning(marks: str) -> str:
    """What marks say, in words."""
    return ", ".join(MEANING[m] for m in marks)


def in_short(marks: str) -> str:
    """The same in brackets, behind a number; "" for no mark."""
    return f" ({', '.join(SHORT[m] for m in marks)})" if marks else ""


def among(marks: str) -> str:
    """What is said of a difference behind its interval; "" where nothing is."""
    return "".join(f"; {SHORT[m]} runs among them" for m in marks)


def older_note(results: Iterable[Result | None]) -> str:
    """The foot note that ``OLDER_MARK`` refers to, with what became of the present runs; "" where nothing is older."""
    said = {r.id: f"{r.id} ({_present(r)})" for r in results if r is not None and r.older}
    if not said:
        return ""
    named = list(said.values())
    more = [count(len(named) - NAMED, "more cell")] if len(named) > NAMED else []
    return (
        f"{OLDER_MARK} of an older config, code or data than the last plan's, whose own runs have no number yet: "
        f"{', '.join(named[:NAMED] + more)}."
    )


def _present(result: Result) -> str:
    return " and ".join(dict.fromkeys(STATUS[run.status] for run in result.present))
