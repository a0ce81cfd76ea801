"""Colours that can be read: contrast of the stylesheet's own pairs by the WCAG formula."""

import re
from importlib.resources import files

import pytest

CSS = files("reports").joinpath("static/style.css").read_text(encoding="utf-8")
PAIRS = [
    ("ink", "bg"),
    ("ink", "paper"),
    ("ink", "soft"),
    ("muted", "bg"),
    ("muted", "paper"),
    ("muted", "soft"),
    ("cold", "bg"),
    ("cold", "paper"),
    ("hot", "paper"),
    ("hot", "soft"),
    ("claim-ink", "claim-bg"),
    ("amber", "amber-bg"),
    ("amber", "bg"),
    ("bad", "bad-soft"),
    ("bad", "paper"),
    ("ink", "bad-soft"),
    ("good", "paper"),
]


def themes() -> dict[str, dict[str, str]]:
    """The colour tokens of each block that sets them."""
    blocks = re.findall(r"(:root[^{]*)\{([^}]*--bg[^}]*)\}", CSS)
    found = [(sel.strip(), dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{3,6})", body))) for sel, body in blocks]
    return {sel: tokens for sel, tokens in found if "amber" in tokens}


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.1)."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", list(themes()))
def test_text_stands_out_from_its_ground(theme):
    tokens = themes()[theme]
    for ink, ground in PAIRS:
        a, b = sorted((luminance(tokens[ink]), luminance(tokens[ground])))
        assert (b + 0.05) / (a + 0.05) >= 4.5, (theme, ink, ground, round((b + 0.05) / (a + 0.05), 2))


def test_both_ways_into_the_dark_give_the_same_colours():
    found = themes()
    assert len(found) == 3
    dark = [tokens for sel, tokens in found.items() if sel != ":root"]
    assert dark[0] == dark[1]


def test_print_is_never_dark():
    for head in re.findall(r"@media ([^{]*)\{[^{]*:root[^{]*\{[^}]*color-scheme: dark", CSS):
        assert head.startswith("screen")
