"""The tables of ``mm_configs/benchmark.yml``: their rows, points and claimed values, as checked data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from harness.errors import unknown_name
from harness.suite.modalities import joined, members
from harness.suite.numbers import Finite, Percent

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]  # the name of a page or download
ModalitySet = Annotated[str, AfterValidator(lambda text: joined(members(text)))]  # rgb, rgb+depth


class Strict(BaseModel):
    """Unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def check_distinct(where: str, ids: Iterable[str]) -> None:
    """Raise ValueError for an id that stands twice: one of both would be shown in the place of the other."""
    if twice := [i for i, n in Counter(ids).items() if n > 1]:
        raise ValueError(f"{where}: '{twice[0]}' stands there twice; ids are told apart by nothing else")


class Claim(Strict):
    """A top-1 accuracy printed in a paper, in percent. ``value`` None: a row of the paper whose value is lost."""

    value: Percent | None = None
    source: str = ""
    corrected: Percent | None = None  # what the method's own paper says where the source differs from it
    corrected_source: str = ""
    remark: str = ""
    at: dict[str, Finite] = Field(default_factory=dict)


class MethodClaim(Claim):
    """A claimed row of a table of methods."""

    method: str  # collection name of the metafile, if we have the method
    title: str
    backbone: str = ""
    train: list[str] = Field(default_factory=list)
    test: ModalitySet = ""


class Column(Strict):
    modality: ModalitySet
    title: str


class Mark(Strict):
    id: str
    title: str


class Row(Strict):
    """A row that names its model entry, variant and overrides itself."""

    id: str
    title: str
    model: str
    variant: str = ""
    overrides: dict[str, Any] = Field(default_factory=dict)
    marks: list[str] = Field(default_factory=list)
    group: str = ""
    shows: str = ""
    claim: Claim | None = None


class Point(Strict):
    """A place on the axis of a table of layout ``points``: its data set as it stands, or with other arguments."""

    id: str
    title: str
    data: dict[str, Any] = Field(default_factory=dict)  # argument of the data set -> value; of every stage as well


class Gain(Strict):
    """Which row of each point is compared with which."""

    of: str
    over: str


class Table(Strict):
    """``by_modality``: methods x test modality. ``by_training``: one row per method and modalities.

    ``rows``: as listed. ``points``: each of the ``series`` at each of the ``points``, drawn on an evidence page; the
    rows are made from both.

    ``rows_of``: the rows are those of another table, but for ``leave_out``, with this table's data set in the names of
    models and configs and without claims.

    ``compare_groups``: of layout ``rows``; which row is highest is said of all groups' rows that see what the first row
    sees. Otherwise groups are bounds and the like, and only rows without one are compared.
    """

    id: Id
    layout: Literal["by_modality", "by_training", "rows", "points"]
    title: str
    caption: str = ""
    note: str = ""
    claims_note: str = ""  # on what papers claim, where that is shown
    dataset: str
    optional: bool = False  # only measured when named with --tables
    columns: list[Column] = Field(default_factory=list)
    claims: list[MethodClaim] = Field(default_factory=list)
    marks: list[Mark] = Field(default_factory=list)
    rows: list[Row] = Field(default_factory=list)
    rows_of: str = ""
    leave_out: list[str] = Field(default_factory=list)
    compare_groups: bool = False  # the verdict is of all groups; else of the rows without one
    axis: str = ""
    points: list[Point] = Field(default_factory=list)
    series: list[Row] = Field(default_factory=list)
    gain: Gain | None = None

    @model_validator(mode="after")
    def _ids(self) -> Table:
        check_distinct(f"{self.id}.rows", (r.id for r in self.rows))
        check_distinct(f"{self.id}.marks", (m.id for m in self.marks))
        check_distinct(f"{self.id}.columns", (c.modality for c in self.columns))
        return self

    @model_validator(mode="after")
    def _whole(self) -> Table:
        if self.layout.startswith("by_") and not self.columns:
            raise ValueError(f"{self.id}: a table of layout {self.layout} has no columns, so nothing would be in it")
        if (self.layout == "points") != bool(self.points and self.series and self.gain):
            raise ValueError(f"{self.id}: points, series and gain belong to layout points, all three")
        if self.gain and (
            unknown := [i for i in (self.gain.of, self.gain.over) if i not in {s.id for s in self.series}]
        ):
            raise ValueError(f"{self.id}.gain: {unknown_name('series', unknown[0], [s.id for s in self.series])}")
        return self

    def at(self, point: Point, series: Row) -> Row:
        """The row of a series at a point."""
        return next(r for r in self.rows if r.id == f"{series.id}@{point.id}")
