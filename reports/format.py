"""Numbers as people read them. None is an en dash everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable

from harness.ledger.percent import percent_digits as percent_digits
from harness.ledger.percent import percent_text
from harness.suite.modalities import title

DASH = "–"


def percent(fraction: float | None, digits: int = 1) -> str:
    return DASH if fraction is None else percent_text(fraction, digits)


def points(fraction: float, digits: int = 1) -> str:
    """A difference of percentages with its sign, with a real minus; no sign where nothing is left after rounding."""
    text = percent_text(abs(fraction), digits)
    sign = "\u2212" if fraction < 0 else "+"
    return sign * any(c in "123456789" for c in text) + text


def printed(value: float) -> str:
    """A claimed percentage without digits that nobody printed."""
    text = f"{value:.4f}".rstrip("0")
    return text + "0" if text.endswith(".") else text


def p_value(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def large(value: float | None) -> str:
    """A count with a metric suffix: 28.0 M, 33.3 G."""
    if value is None:
        return DASH
    for size, suffix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g} {suffix}"
    return f"{value:g}"


def seconds(value: float | None) -> str:
    """A duration: 8.2 s, 12 min 5 s, 3 h 20 min."""
    if value is None:
        return DASH
    if value < 59.95:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def memory(value: float | None) -> str:
    if value is None:
        return DASH
    return f"{value / 2**30:.2f} GiB" if value >= 2**30 else f"{value / 2**20:.0f} MiB"


def modalities(names: Iterable[str] | str) -> str:
    """Modalities as the paper writes them: RGB + IR. A joined name such as ``rgb+depth`` is taken apart."""
    return title(names) or DASH


def names(found: Iterable[str] | None) -> str:
    """Names in a row; "none" for an empty one, "not recorded" for None."""
    return "not recorded" if found is None else ", ".join(found) or "none"


def count(n: int, noun: str, plural: str = "") -> str:
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}".replace(",", "\u202f")


def ordinal(n: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th."""
    ending = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"


def short_commit(commit: str) -> str:
    """The head of a commit, and whether the tree was changed."""
    head, _, rest = commit.partition("-")
    return head[:12] + (" with local changes" if rest == "dirty" else f"-{rest}" if rest else "") or "not recorded"


def slug(name: str) -> str:
    """A name with nothing in it that a URL would have to quote."""
    return re.sub(r"[^A-Za-z0-9._=-]", "_", name)


def natural(text: str) -> list[tuple[int, int, str]]:
    """A sorting key that puts s2 before s10."""
    return [(0, int(x), "") if x.isdigit() else (1, 0, x) for x in re.split(r"(\d+)", text) if x]
