"""Can a class be told without seeing motion? Linear probes on single frames, brightness, place and length.

A gesture set is only a test of motion if these stay near chance on the test split. Each probe is a ridge classifier
fitted to the training split; its penalty is chosen on held-out training subjects.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from harness.data.describe.statistics import open_table
from mtcd_plugin.formats.clips import Clip
from mtcd_plugin.formats.video import read_frames

SIZE = (24, 18)
RANDOM_FRAMES = 3
PENALTIES = (1.0, 10.0, 100.0, 1e3, 1e4, 1e5)


def probe_shortcuts(root: Path, modality: str = "ir", lighting: str = "", seed: int = 0) -> dict[str, float]:
    """Top-1 accuracy on the test split of each probe, with `chance` and the number of `test_clips`.

    `centre_frame` and `random_frame` see the pixels of one frame; `brightness` the mean and standard deviation of its
    channels; `place` the centre of what differs most from the frame's median, at the start and in the middle;
    `duration` the number of frames. `difference` is the control that shows that the probe can learn: it sees the
    difference of two frames, which is motion.
    """
    table = open_table(root)
    clips = [c for c in table.clips if modality in c.streams and lighting in ("", c.lighting)]
    if not clips:
        raise ValueError(f"{root}: no clip has {modality!r} frames" + (f" in {lighting!r}" if lighting else ""))
    rng = np.random.default_rng(seed)
    views = [look(clip, modality, rng) for clip in clips]
    labels = np.array([c.label for c in clips])
    subjects = np.array([c.subject for c in clips])
    test = np.array([c.split == "test" for c in clips])
    out = {"chance": 1 / len(table.classes), "test_clips": int(test.sum())}
    for name in views[0]:
        features = np.stack([v[name] for v in views])
        out[name] = probe(features, labels, subjects, test)
    return out


def look(clip: Clip, modality: str, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Features [K,D] of a clip by probe; K frames are seen by themselves."""
    s = clip.streams[modality]
    last = s.end - s.start - 1
    when = [0, last // 2, int(0.42 * last), int(0.58 * last), *rng.integers(0, last + 1, RANDOM_FRAMES)]
    frames = read_frames(s.path, [s.start + int(i) for i in when], size=SIZE, gray=modality != "rgb") / 255.0
    return frame_features(frames, last + 1)


def frame_features(frames: np.ndarray, length: int) -> dict[str, np.ndarray]:
    """The features of `probe_shortcuts` from frames [4+K,h,w,c] in 0..1: first, centre, two around it, K random
    ones.
    """
    first, centre, early, late, *others = frames
    return {
        "centre_frame": centre.reshape(1, -1),
        "random_frame": np.stack(others).reshape(len(others), -1),
        "brightness": np.concatenate([centre.mean((0, 1)), centre.std((0, 1))])[None],
        "place": np.concatenate([_place(first), _place(centre)])[None],
        "duration": np.array([[length, 1 / length]]),
        "difference": (late - early).reshape(1, -1),
    }


def _place(frame: np.ndarray) -> np.ndarray:
    """Centre and spread (x, y) of the pixels that differ most from the frame's median."""
    gray = frame.mean(-1)
    weight = np.abs(gray - np.median(gray))
    weight = np.maximum(weight - np.quantile(weight, 0.8), 0) + 1e-9
    y, x = np.mgrid[0 : gray.shape[0], 0 : gray.shape[1]]
    cx, cy = np.average(x, weights=weight), np.average(y, weights=weight)
    return np.array([cx, cy, np.average((x - cx) ** 2, weights=weight), np.average((y - cy) ** 2, weights=weight)])


def probe(features: np.ndarray, labels: np.ndarray, groups: np.ndarray, test: np.ndarray) -> float:
    """Accuracy on the test clips of a ridge classifier fitted to the others.

    `features` [N,K,D] (K samples of each clip, scored one by one), `labels` [N], `groups` [N] (subjects, for choosing
    the penalty), `test` [N] bool.
    """
    names = np.unique(groups[~test])
    held = np.isin(groups, names[:: max(2, min(4, len(names)))]) & ~test
    fit = ~test & ~held
    best = (
        max(PENALTIES, key=lambda p: _accuracy(features, labels, fit, held, p)) if held.any() and fit.any() else 100.0
    )
    return _accuracy(features, labels, ~test, test, best)


def _accuracy(features: np.ndarray, labels: np.ndarray, fit: np.ndarray, score: np.ndarray, penalty: float) -> float:
    repeats, width = features.shape[1:]
    x, y = features[fit].reshape(-1, width), np.repeat(labels[fit], repeats)
    mean, scale = x.mean(0), x.std(0) + 1e-6
    x = (x - mean) / scale
    target = (y[:, None] == np.arange(labels.max() + 1)) - np.bincount(y, minlength=labels.max() + 1) / len(y)
    weights = x.T @ np.linalg.solve(x @ x.T + penalty * np.eye(len(x)), target)
    guess = (((features[score].reshape(-1, width) - mean) / scale) @ weights).argmax(1)
    return float((guess == np.repeat(labels[score], repeats)).mean())
