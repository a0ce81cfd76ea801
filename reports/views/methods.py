"""The methods page: every method with its paper, its configs and its weights."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.suite import Entry
from reports import format as f
from reports.ledger.context import ReportContext
from reports.ledger.digits import digits_of
from reports.ledger.marks import in_short, marks_of
from reports.ledger.results import STATUS
from reports.page import Page, View
from reports.tables.method_cells import anchor, own_protocol
from reports.tables.settings import continued_stages


@dataclass(frozen=True)
class ConfigRow:
    name: str
    protocol: str  # where it is not the common one
    stage: str
    data: str
    train: str
    test: str
    weights: str
    top1: str
    href: str


@dataclass(frozen=True)
class Method:
    title: str
    anchor: str
    tags: tuple[str, ...]
    about: str
    paper: str
    paper_url: str
    year: str
    configs: tuple[ConfigRow, ...]


def build(context: ReportContext) -> Iterator[Page]:
    yield Page("methods.html", "methods.html.j2", {"methods": methods(context), "absent": not_implemented(context)})


def methods(context: ReportContext) -> list[Method]:
    """Methods by title, each with its configs."""
    by_name: dict[str, list[Entry]] = {}
    for entry in context.entries.values():
        by_name.setdefault(entry.method, []).append(entry)
    made = []
    for name, entries in by_name.items():
        first = entries[0]
        parts = first.metadata.get("Architecture") or []
        family = first.metadata.get("Family")
        tags = [family] if family else []
        tags += parts if isinstance(parts, list) else [parts]
        made.append(
            Method(
                title=first.title,
                anchor=anchor(name),
                tags=tuple(dict.fromkeys(str(t) for t in tags)),
                about=first_paragraph(first.config.parent / "README.md"),
                paper=str(first.paper.get("Title") or ""),
                paper_url=first.paper.get("URL") or "",
                year=str(first.paper.get("Year") or ""),
                configs=tuple(_config(context, e) for e in entries),
            )
        )
    return sorted(made, key=lambda m: m.title.lower())


def not_implemented(context: ReportContext) -> list[str]:
    """Methods that the paper's tables name and that have no folder."""
    known = {e.method for e in context.entries.values()}
    return list(dict.fromkeys(c.title for t in context.benchmark.tables for c in t.claims if c.method not in known))


def first_paragraph(path: Path) -> str:
    """The first paragraph of a README that is no heading, as plain text; "" without one."""
    if not path.is_file():
        return ""
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        text = " ".join(block.split())
        if text and not text.startswith(("#", "<", "|", "```", "![", "[", ">", "-")):
            text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
            return text.replace("`", "").replace("*", "")
    return ""


def _config(context: ReportContext, entry: Entry) -> ConfigRow:
    result = context.result(entry.name)
    top1, href = ": ".join(context.absent(entry.name)) if context.leaves_out(entry.name) else "not run", ""
    if result is not None:
        href = next((r.page for r in result.runs if r.page), "")
        status = result.runs[0].status
        top1 = "done, predicts no class" if status == "done" else STATUS[status]
        if result.done:
            mean, std = result.top1
            digits = digits_of(result)
            top1 = f.percent(mean, digits) + (f" ± {f.percent(std, digits)}" if std is not None else "")
            top1 += in_short(marks_of(result))
    return ConfigRow(
        name=entry.name,
        protocol=own_protocol(entry),
        stage=entry.role.title,
        data=str(entry.metadata.get("Images") or context.clips.title(entry.dataset)),
        train=f.modalities(entry.train_modalities),
        test=f.modalities(entry.test_modality),
        weights=_weights(context, entry),
        top1=top1,
        href=href,
    )


def _weights(context: ReportContext, entry: Entry) -> str:
    """What the config names, and what its runs loaded."""
    if not {"trains", "renders"} & set(entry.role.does):
        return "none of its own: it fuses what other runs predicted"
    runs = context.ledger.shown_of.get(entry.name, [])
    loaded = sorted({w.file for r in runs for w in r.pretrained})
    if loaded:
        return "loaded: " + ", ".join(loaded)
    if stages := dict.fromkeys(stage for r in runs for stage in continued_stages(r)):
        return f"those of its stages: {', '.join(stages)}"
    if entry.pretrained.lower() in ("none", ""):
        listed = ", ".join(dict.fromkeys(s.trained_on or s.file for s in entry.starts_at(context.profile) if s.file))
        at_hand = f"; listed for --init pretrained: {context.ledger.privacy.text(listed)}" if listed else ""
        return f"none: from scratch{at_hand}"
    named = context.ledger.privacy.text(entry.pretrained)
    return f"{named}: absent, so trained from scratch" if runs else f"{named}: not run yet"


VIEW = View("Methods", 60, build)
