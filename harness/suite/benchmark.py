"""``mm_configs/benchmark.yml``: tables, figures, seeds and claimed values, as checked data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from harness.errors import BadUsage, unknown_name
from harness.suite.address import WebAddress
from harness.suite.borrowed import borrowed
from harness.suite.crossed import crossed
from harness.suite.field_errors import first_error
from harness.suite.numbers import Count, Finite
from harness.suite.tables import Claim as Claim
from harness.suite.tables import Column as Column
from harness.suite.tables import Id, check_distinct
from harness.suite.tables import Mark as Mark
from harness.suite.tables import MethodClaim as MethodClaim
from harness.suite.tables import Point as Point
from harness.suite.tables import Row as Row
from harness.suite.tables import Strict as Strict
from harness.suite.tables import Table as Table
from harness.suite.yaml_file import read_yaml


class TrainingStd(Strict):
    """How much top-1 varied between trainings that differ in their seed alone, where it was measured."""

    points: Finite = Field(gt=0)
    freedom: Count  # degrees of freedom
    source: str
    synthetic: bool = False  # measured on the built-in synthetic clips: says nothing of others


class Hub(Strict):
    """A benchmark on the Hugging Face Hub that takes results on a data set."""

    repository: str = Field(pattern=r"^[\w.-]+/[\w.-]+$")  # owner/name of the data set there
    task: str  # an id of its eval.yaml


class Published(Strict):
    """What a data set has as it was published: clips of other people, or of other classes, are not that data set."""

    classes: Count
    subjects: Count  # of all splits


class Dataset(Strict):
    title: str
    training_data: str  # the name metafiles use in Metadata.Training Data
    lighting: Literal["", "dark", "daylight"] = ""  # of all clips; "" where clips say it one by one
    synthetic_note: str = (
        ""  # what to know about numbers on the built-in synthetic set; with every table and on the data page
    )
    training_std: dict[str, TrainingStd] = Field(default_factory=dict)  # by profile; a ledger's own repeats come first
    hub: Hub | None = None  # where results on the data itself can be sent
    pictures: bool = True  # whether pages show frames of its clips
    published: Published | None = None  # tells it from other clips in its layout; None: all are taken for it

    def is_other(self, classes: int, subjects: int) -> bool:
        """Whether clips with so many classes and subjects are not those that were published."""
        return self.published is not None and (classes, subjects) != (self.published.classes, self.published.subjects)

    @property
    def title_of_others(self) -> str:
        """What other clips in the layout of this data set are called."""
        return f"clips in the layout of {self.title}"


class Source(Strict):
    title: str
    url: WebAddress


class Sweep(Strict):
    id: str
    key: str  # dotted config key
    title: str
    values: list[Finite]
    default: Finite
    smoke: list[Finite]  # the points of the smoke profile

    def points(self, profile: str) -> list[float]:
        return self.smoke if profile == "smoke" else self.values


class Grid(Strict):
    """Every value of a figure's first sweep with every value of its second; only measured when named with --tables."""

    id: Id
    title: str
    caption: str = ""


class Figure(Strict):
    id: Id
    title: str
    caption: str = ""
    note: str = ""
    claims_note: str = ""  # on what papers claim, where that is shown
    dataset: str
    model: str
    sweeps: list[Sweep]
    grid: Grid | None = None
    claim: Claim | None = None

    @property
    def grid_id(self) -> str:
        """The id of its grid, "" where it has none."""
        return self.grid.id if self.grid is not None else ""

    @model_validator(mode="after")
    def _two_sweeps(self) -> Figure:
        if self.grid is not None and len(self.sweeps) != 2:
            raise ValueError(f"a grid needs two sweeps, figure {self.id} has {len(self.sweeps)}")
        check_distinct(f"{self.id}.sweeps", (s.id for s in self.sweeps))
        return self


class Statement(Strict):
    """Something that the paper says or implies: one cell is better than another, by at least some points."""

    says: str
    better: str  # cell ids
    than: str
    points: Finite = 0.0
    question: str = ""  # statements are shown by the question that they answer


class Evidence(Strict):
    """A page that holds statements against the runs of some tables.

    ``statements_of``: the statements are those of another page, with this page's data set in the names of models.
    """

    id: Id
    title: str
    caption: str
    dataset: str
    tables: list[str]
    seeds: Count  # fewer are no evidence
    method: str  # cell ids of the two rows that all others are compared with
    baseline: str
    statements: list[Statement] = Field(default_factory=list)
    statements_of: str = ""
    drawn: list[str] = Field(default_factory=list)  # tables of layout points that are drawn on it


class Quick(Strict):
    """What ``run-all --quick`` runs: some cells of some tables. ``data``: the synthetic sets that these read."""

    tables: list[str]
    cells: list[str]
    data: list[str]


class Table1Row(Strict):
    dataset: str
    classes: Count
    instances: Count
    light: str
    distance: str
    rgb: str | None
    depth: str | None
    ir: str | None


class Table1(Strict):
    note: str = ""
    source: str
    rows: list[Table1Row]


class Benchmark(Strict):
    """The whole benchmark."""

    version: Literal[1]
    title: str
    docs: WebAddress | None = None  # of the documentation; pages link to it
    repository: WebAddress | None = None  # where the program and its configs lie; pages link to it
    seeds: dict[str, Count]  # profile -> number of seeds
    init: dict[str, Literal["scratch", "pretrained"]] = Field(
        default_factory=dict
    )  # profile -> start; scratch elsewhere
    datasets: dict[str, Dataset]
    sources: dict[str, Source]
    table1: Table1
    tables: list[Table]
    figures: list[Figure]
    evidence: list[Evidence] = Field(default_factory=list)
    quick: Quick | None = None

    @model_validator(mode="before")
    @classmethod
    def _borrow(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Rows and statements that are those of another data set."""
        try:
            tables = [crossed(borrowed(t, "rows", data.get("tables", []))) for t in data.get("tables", [])]
            pages = [borrowed(e, "statements", data.get("evidence", [])) for e in data.get("evidence", [])]
        except (AttributeError, TypeError):  # of another type than is declared: the check of the fields says where
            return data
        return {**data, "tables": tables, "evidence": pages}

    @model_validator(mode="after")
    def _ids(self) -> Benchmark:
        grids = [f.grid_id for f in self.figures if f.grid_id]
        own = [*(t.id for t in self.tables), *(f.id for f in self.figures), *(e.id for e in self.evidence)]
        check_distinct("tables, figures and evidence", [*own, *grids])
        return self

    @model_validator(mode="after")
    def _drawn(self) -> Benchmark:
        """Each table of points has its page."""
        drawn = [i for e in self.evidence for i in e.drawn]
        for table in self.tables:
            if table.points and (pages := drawn.count(table.id)) != 1:
                raise ValueError(f"{table.id}: drawn on {pages} pages; one of evidence names it under drawn")
            if table.id in drawn and not table.points:
                raise ValueError(
                    f"{table.id}: an evidence page draws tables of layout points, this one is {table.layout}"
                )
        return self

    @property
    def usual(self) -> list[str]:
        """Ids of all that is measured when nothing is named."""
        return [t.id for t in self.tables if not t.optional] + [f.id for f in self.figures]

    def select(self, ids: list[str] | None) -> Selection:
        """Tables, figures and grids by id; None for all that are not optional. Raises ValueError for an unknown id."""
        grids = [f for f in self.figures if f.grid is not None]
        known = [*(t.id for t in self.tables), *(f.id for f in self.figures), *(f.grid_id for f in grids)]
        for i in ids or []:
            if i not in known:
                raise BadUsage(unknown_name("table", i, known))
        wanted = set(ids or self.usual)
        return Selection(
            [t for t in self.tables if t.id in wanted],
            [f for f in self.figures if f.id in wanted],
            [f for f in grids if f.grid_id in wanted],
        )


@dataclass(frozen=True)
class Selection:
    """What is asked for: tables, figures for their sweeps, figures for their grids."""

    tables: list[Table]
    figures: list[Figure]
    grids: list[Figure]

    @property
    def ids(self) -> list[str]:
        return [*(t.id for t in self.tables), *(f.id for f in self.figures), *(f.grid_id for f in self.grids)]


def load_benchmark(path: Path) -> Benchmark:
    """Read and check ``benchmark.yml``. Raises ValueError with the first thing that is wrong and where."""
    try:
        found = read_yaml(path)
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no benchmark file; give the folder of configs with --configs") from None
    try:
        return Benchmark.model_validate(found)
    except ValidationError as e:
        raise ValueError(f"{path}: {first_error(e, Benchmark, found)}") from None
