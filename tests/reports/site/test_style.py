"""Colours that can be read: contrast of the stylesheet's own pairs by the WCAG formula."""

import colorsys
import itertools
import re
from importlib.resources import files

import numpy as np
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


LINES = ("hot", "cold", "line-3", "line-4", "line-5", "line-6")
# what the eye makes of linear RGB (Machado, Oliveira, Fernandes 2009, severity 1)
EYES = {
    "usual": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]])


def lab(colour: str, eye: str) -> np.ndarray:
    """CIE L*a*b* of a colour as an eye sees it."""
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    xyz = XYZ @ np.clip(np.array(EYES[eye]) @ linear, 0, 1) / (0.95047, 1, 1.08883)
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("theme", list(themes()))
@pytest.mark.parametrize("eye", EYES)
def test_lines_of_a_chart_are_apart_for_every_eye(theme, eye):
    tokens = themes()[theme]
    for a, b in itertools.combinations(LINES, 2):
        assert np.linalg.norm(lab(tokens[a], eye) - lab(tokens[b], eye)) > 15, (a, b)
    for name in LINES:
        low, high = sorted((luminance(tokens[name]), luminance(tokens["paper"])))
        assert (high + 0.05) / (low + 0.05) >= 3, (name, "WCAG 1.4.11")


@pytest.mark.parametrize("theme", list(themes()))
def test_the_fullest_cell_of_a_confusion_matrix_can_be_read(theme):
    most = float(re.search(r"\.confusion td\[style\] \{[^}]*var\(--s\) \* ([\d.]+)", CSS)[1])
    block = next(
        body for sel, body in re.findall(r"(:root[^{]*)\{([^}]*)\}", CSS) if sel.strip() == theme and "--bg" in body
    )
    h, s, v = (float(x) for x in re.search(r"--shade: (\d+), (\d+)%, (\d+)%", block).groups())
    full = np.array(colorsys.hls_to_rgb(h / 360, v / 100, s / 100))
    ground = np.array([int(themes()[theme]["paper"][i : i + 2], 16) / 255 for i in (1, 3, 5)])
    mixed = "#" + "".join(f"{round(255 * x):02x}" for x in most * full + (1 - most) * ground)
    a, b = sorted((luminance(mixed), luminance(themes()[theme]["ink"])))
    assert (b + 0.05) / (a + 0.05) >= 4.5


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
