"""Ranks and tie groups of the results of a column, as columns and cells."""

from __future__ import annotations

from reports import format as f
from reports.ledger.results import Result, by_kind_of_clips, same_clips, twins
from reports.stats.ranks import Standing, standings
from reports.tables.table import MEASURED, Cell, Column, missing

RANK = (
    "the ranks that the data allow: two methods differ where both a test over clips and one over trainings say so "
    "(the larger p of an exact McNemar test, a clip having one vote whatever the number of seeds, and of a t test with "
    "the variance of training; Holm-adjusted for all pairs of methods that the column asks for, 5 % level); "
    "methods of one group do not differ significantly from its best"
)
UNTRAINED = (
    "provisional: no training on this data set and profile has been repeated with another result, and without the "
    "variance of training there is no rank"
)


RANKS = ("rank", "rank_low", "rank_high", "group")


def rank(results: list[Result], family: int = 0) -> dict[str, Standing | str]:
    """Standings of the results that were tested on the same clips; one line for each of the others. Rows of one and the
    same run are ranked once, and generated clips and recorded ones apart.

    Args:
        family: number of methods that the benchmark asks for in the column, measured or not.
    """
    same = twins(results)
    said: dict[str, Standing | str] = {i: f"the same run as {other}, which is ranked" for i, other in same.items()}
    for own in by_kind_of_clips({r.id: r for r in results if r.id not in same}).values():
        said |= _rank_own(list(own.values()), family)
    return said


def _rank_own(results: list[Result], family: int) -> dict[str, Standing | str]:
    field = same_clips(results)
    usable = [r for r in results if r.outcomes is not None]
    said: dict[str, Standing | str] = {r.id: "tested on other clips than the rest of the column" for r in usable}
    if len(field) < 2:
        return dict.fromkeys(said, "nothing to compare with on the same clips")
    training = field[0].training
    if training is None:
        return said | dict.fromkeys((r.id for r in field), UNTRAINED)
    placed = standings([r.outcomes.correct for r in field if r.outcomes is not None], training, family)
    return said | {r.id: s for r, s in zip(field, placed, strict=True)}


def rank_columns(explain: str) -> tuple[Column, ...]:
    """The page says "4–7, group B" in one cell; the downloads have three columns for it."""
    return (
        Column(
            "rank",
            "Rank",
            MEASURED,
            numeric=True,
            ascending=True,
            explain=explain,
            download=False,
            paper=False,
            key="beside",
        ),
        Column("rank_low", "Rank, best", MEASURED, numeric=True, ascending=True, page=False),
        Column("rank_high", "Rank, worst", MEASURED, numeric=True, ascending=True, page=False),
        Column("group", "Tie group", MEASURED, page=False),
    )


def letters(group: int) -> str:
    """The name of a group of ties: A to Z, then AA, AB and so on."""
    return (letters(group // 26 - 1) if group >= 26 else "") + chr(ord("A") + group % 26)


def rank_cells(standing: Standing | str) -> dict[str, Cell]:
    """The cells of ``rank_columns``: where a result stands, or one line why that is not said."""
    if isinstance(standing, str):
        return dict.fromkeys(RANKS, missing(f.DASH, standing, MEASURED))
    low, high, group = standing.best, standing.worst, letters(standing.group)
    return {
        "rank": Cell(str(low) if low == high else f"{low}–{high}", low, sub=f"group {group}", origin=MEASURED),
        "rank_low": Cell(str(low), low, origin=MEASURED),
        "rank_high": Cell(str(high), high, origin=MEASURED),
        "group": Cell(group, origin=MEASURED),
    }
